"""What a run says to machines: the `--json` report (docs/report.md describes every field)."""

from __future__ import annotations

import base64
import json
import platform
from typing import Any

from xboot import __version__
from xboot.model import Cause, OutputVerdict, Source, Status, Verdict
from xboot.result import Result
from xboot.segments.format import segments_json

__all__ = ["EXIT_COULD_NOT_RUN", "EXIT_DIFFERS", "EXIT_OK", "REPORT_VERSION", "exit_code", "report", "sri", "to_json"]

REPORT_VERSION = 1

EXIT_OK = 0
EXIT_DIFFERS = 1
EXIT_COULD_NOT_RUN = 6
EXIT_INTERRUPTED = 130
_EXIT_BY = {Cause.GUEST: EXIT_COULD_NOT_RUN, Cause.USER: EXIT_INTERRUPTED, Cause.HOST: 4}


def sri(sha256_hex: str) -> str:
    """The SRI form (W3C Subresource Integrity) of a SHA-256 in hex; empty stays empty."""
    return "sha256-" + base64.b64encode(bytes.fromhex(sha256_hex)).decode() if sha256_hex else ""


def exit_code(verdict: Verdict) -> int:
    """0: ran, nothing differs; 1: ran or not, an output differs; else not to its end: by the guest 6, by the user 130, by this host 4."""
    if verdict.differs:
        return EXIT_DIFFERS
    return _EXIT_BY[verdict.cause] if verdict.failure else EXIT_OK


def report(result: Result) -> dict[str, Any]:
    """The report of one run as JSON values. Hashes are of NARs, in SRI form and in hex."""
    verdict = result.verdict
    checked = {source.path: source for source in verdict.sources}
    return {
        "xbootReport": REPORT_VERSION,
        "xboot": __version__,
        "verdict": _word(verdict),
        "failure": verdict.failure or None,
        "failedStep": verdict.failed_step,
        "hint": verdict.hint or None,
        "voter": str(result.voter),
        "backend": result.voter.backend,
        "executor": result.voter.executor,
        "machine": result.voter.machine,
        "settings": dict(result.settings),
        "base": result.base or None,
        "accelerator": verdict.accelerator,
        "doneAlone": verdict.done_alone,
        "host": platform.machine(),
        "confinement": verdict.confinement or None,
        "seal": verdict.seal,
        "segments": None if result.segments is None else segments_json(result.segments),
        "scriptSha256": verdict.script_sha256,
        "imageSha256": verdict.image_sha256,
        "artifacts": {
            name: {"sha256": a.sha256, "size": a.size, "origin": a.origin, "version": a.version}
            for name, a in sorted(result.image.artifacts.items())
        },
        "seeds": sorted(result.script.seeds),
        "sources": [_source(s, checked.get(s.path)) for s in result.script.sources],
        "results": list(result.script.results),
        "outputs": [_output(output) for output in verdict.outputs],
        "seconds": round(verdict.seconds, 3),
        "firstBuilderSeconds": None if verdict.first_builder_seconds is None else round(verdict.first_builder_seconds, 3),
        "consoleTail": verdict.console_tail if verdict.failure else "",
        "exports": {path: str(file) for path, file in sorted(verdict.exports.items())},
    }


def to_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)


def _word(verdict: Verdict) -> str:
    if exit_code(verdict) == EXIT_DIFFERS:
        return "differs"
    if verdict.failure:
        return "interrupted" if verdict.cause is Cause.USER else "could not run"
    return "match" if all(o.status is Status.MATCH for o in verdict.outputs) else "built"


def _hash(sha256_hex: str, size: int) -> dict[str, Any]:
    return {"narHash": sri(sha256_hex) or None, "narSha256": sha256_hex or None, "narSize": size}


def _source(source: Source, checked: OutputVerdict | None) -> dict[str, Any]:
    said = {} if checked is None else {"status": checked.status.value, "expected": _expected(checked)}
    return {"path": source.path, "kind": source.kind.value, **_hash(source.nar_sha256, source.nar_size), **said}


def _expected(output: OutputVerdict) -> dict[str, str]:
    return {origin: sri(value) for origin, value in sorted(output.expected.items())}


def _output(output: OutputVerdict) -> dict[str, Any]:
    return {
        "step": output.step,
        "drv": output.drv,
        "name": output.name,
        "path": output.path,
        "status": output.status.value,
        **_hash(output.nar_sha256, output.nar_size),
        "expected": _expected(output),
        "references": list(output.references),
        "seconds": round(output.seconds, 3),
    }
