"""The verbs `keygen`, `attest` and `verify-attestation`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from xboot.attest.agreement import Attested, collect_files, verify_files
from xboot.attest.envelope import FILE_SUFFIX, sign
from xboot.attest.keys import PrivateKey, generate_key, load_private, load_public
from xboot.attest.reports import ReportedRun, read_reports
from xboot.attest.statement import Run, write_statements
from xboot.cli.compare import Choices, read_script, run_comparison
from xboot.errors import InputError, UsageError
from xboot.foreign import printable
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Artifact, Script
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.show import report
from xboot.show.safe import marked

EXIT_REFUSED = 3


def keygen(name: str, folder: Path, console: Console) -> None:
    """Make a key and say what each file is for."""
    private, public = generate_key(name, folder)
    _say(console, f"{private}  signs; keep it to yourself")
    _say(console, f"{public}  for everybody; key id {load_public(public).keyid}")


def attest(
    choices: Choices,
    request: Request,
    key_file: Path,
    reports: Sequence[Path],
    into: Path,
    console: Console,
    plugins: Plugins | None = None,
) -> int:
    """Run (or take reports of earlier runs), and write one signed file for each backend. Nothing is signed unless all agree.

    `plugins`: those that are installed unless given.
    """
    key = load_private(key_file)
    plugins = Plugins.load() if plugins is None else plugins
    if reports:
        script = read_script(choices.targets, choices.read, request, console, plugins, quiet=choices.quiet)
        runs = _reported(reports, script)
    else:
        comparison, status = run_comparison(_alone_is_enough(choices), request, console, plugins)
        if status:
            _say(console, "nothing was signed")
            return status
        script = comparison.script
        finished = {name: comparison.results[name].verdict for name in comparison.complete}
        runs = [ReportedRun(name, name, v.accelerator, v.image_sha256, list(v.outputs)) for name, v in finished.items()]
    claims = [_claimed(run, script, request, plugins) for run in runs]
    for claim in claims:
        _say(console, _write(claim, key, into))
    return 0


def _alone_is_enough(choices: Choices) -> Choices:
    """One backend named by itself is attested by itself: then agreement is for those who compare attestations."""
    single = choices.backends != "all" and "," not in choices.backends
    if not single or choices.quorum is not None:
        return choices
    return replace(choices, quorum=1)


def _reported(files: Sequence[Path], script: Script) -> list[ReportedRun]:
    runs = [run for file in files for run in read_reports(file, script)]
    by_backend: dict[str, ReportedRun] = {}
    for run in runs:
        other = by_backend.setdefault(run.backend, run)
        if other is not run:
            raise InputError(f"{other.where} and {run.where} are both of backend {run.backend}; give one report a backend")
        for mine, theirs in zip(run.outputs, runs[0].outputs, strict=True):
            if mine.nar_sha256 != theirs.nar_sha256:
                raise InputError(
                    f"{runs[0].where} and {run.where} differ at step {mine.step}: {mine.path}; differing runs are not attested"
                )
    return runs


def _claimed(run: ReportedRun, script: Script, request: Request, plugins: Plugins) -> Run:
    """Make the image again: the attestation's image and trusted base are those of this machine, not a report's word."""
    info = plugins.backend(run.backend)
    pipeline = Pipeline(plugins, run.backend)
    artifacts: Mapping[str, Artifact] = pipeline.prepare(run.backend, script, request.options)
    measured = pipeline.measure(run.backend, script, request.options)
    if measured.image_sha256 != run.image_sha256:
        raise InputError(
            f"{run.where}: of the image {run.image_sha256[:16]!r}…, but this xboot makes {measured.image_sha256[:16]}… for {run.backend}",
            hint="give the --executor and --set of that run; or it was changed, or made by another version",
        )
    return Run(
        script, run.backend, request.options.executor or info.executors[0], request.options.settings, run.accelerator,
        measured.image_sha256, measured.digest, artifacts, run.outputs,
    )  # fmt: skip


def _write(run: Run, key: PrivateKey, into: Path) -> str:
    """Sign and write INTO/RESULT-SCRIPT/SIGNER/BACKEND.intoto.jsonl; what became of the file, in words."""
    name = re.sub(r"[^A-Za-z0-9+._-]", "_", run.script.results[0].rsplit("/", 1)[-1][33:] if run.script.results else "script")
    folder = into / f"{name.lstrip('.')}-{run.script.sha256[:16]}" / key.signer
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run.backend}{FILE_SUFFIX}"
    content = sign(write_statements(run), key)
    if path.is_file() and path.read_bytes() == content:
        return f"{path}  as it was"
    known = path.exists()
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
    return f"{path}  {'replaced' if known else 'written'}"


# ---------------------------------------------------------------- verify


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks of a set of attestations. `quorum`: signers who must agree (None: all whose key is given)."""

    files: Sequence[Path]
    keys: Sequence[Path]
    targets: Sequence[str]
    quorum: int | None
    kernels: int
    skip_unknown: bool


def verify(wanted: Wanted, read: ReadOptions, console: Console, *, as_json: bool) -> int:
    """Check and say; the exit status. A difference outweighs a refused file, and a refused file outweighs a missed quorum."""
    keys = [load_public(path) for path in wanted.keys]
    if wanted.quorum is not None and wanted.quorum > len(keys):
        raise UsageError(f"--quorum {wanted.quorum}: only {len(keys)} keys are given")
    quorum = len(keys) if wanted.quorum is None else wanted.quorum
    found = verify_files(collect_files(wanted.files), keys, script=_script_of(wanted.targets, read, console))
    refused = [r for r in found.refused if not (r.unknown and wanted.skip_unknown)]
    enough = len(found.signers) >= quorum and len(found.backends) >= wanted.kernels
    status, word = 0, "agreed"
    if found.divergences:
        status, word = report.EXIT_DIFFERS, "differs"
    elif refused:
        status, word = EXIT_REFUSED, "refused"
    elif not enough:
        status, word = report.EXIT_COULD_NOT_RUN, "too few"
    _show(console, found, wanted, quorum, status)
    if as_json:
        print(report.to_json(_report(found, word, quorum, wanted)))
    return status


def _script_of(targets: Sequence[str], read: ReadOptions, console: Console) -> Script | None:
    if not targets:
        return None
    request = Request(targets, linearize=LinearizeOptions(allow_missing=True))
    return read_script(targets, read, request, console, Plugins.load())


def _show(console: Console, found: Attested, wanted: Wanted, quorum: int, status: int) -> None:
    for a in found.attestations:
        _say(
            console,
            f"[green]valid  [/] {marked(str(a.file))}: {a.signer} on {a.claim.backend}, tcb {a.claim.tcb_sha256[:16]}…",
            markup=True,
        )
    for path in found.repeated:
        _say(console, f"[yellow]again  [/] {marked(str(path))}: says what another file of this signer says; counted once", markup=True)
    for refusal in found.refused:
        passed = refusal.unknown and wanted.skip_unknown
        _say(console, f"{'[dim]skipped[/]' if passed else '[bold red]refused[/]'} {marked(refusal.reason)}", markup=True)
    for divergence in found.divergences:
        _say(console, f"[bold red]differ [/] step {divergence.step}: {divergence.path}", markup=True)
        for value, who in sorted(divergence.hashes.items()):
            _say(console, f"        {report.sri(value)}  {', '.join(who)}")
    by = f"{len(found.signers)} of {found.trusted} signers ({', '.join(found.signers) or 'none'})"
    on = f"{len(found.backends)} backends ({', '.join(found.backends) or 'none'})"
    if found.divergences:
        first = found.divergences[0]
        _say(console, f"[bold red]differs[/]: the first diverging output is {first.path} of step {first.step} ({first.drv})", markup=True)
    elif status == EXIT_REFUSED:
        _say(console, f"[bold red]refused[/]: not every file can be believed; those that can: {by} agree, on {on}", markup=True)
    elif status:
        _say(console, f"[bold red]too few[/]: {by} on {on} agree; {quorum} signers on {wanted.kernels} backends are needed", markup=True)
    else:
        count = len(found.attestations[0].claim.outputs)
        _say(console, f"[bold green]agreed[/]: {count} outputs, by {by}, on {on}; script sha256 {found.script_sha256}", markup=True)


def _report(found: Attested, word: str, quorum: int, wanted: Wanted) -> dict[str, Any]:
    return {
        "xbootAgreement": 1,
        "verdict": word,
        "scriptSha256": found.script_sha256 or None,
        "quorum": quorum,
        "kernels": wanted.kernels,
        "trusted": found.trusted,
        "signers": list(found.signers),
        "backends": list(found.backends),
        "attestations": [
            {"file": str(a.file), "signer": a.signer, "backend": a.claim.backend, "imageSha256": a.claim.image_sha256,
             "tcbSha256": a.claim.tcb_sha256, "accelerator": a.claim.accelerator, "executor": a.claim.executor}
            for a in found.attestations
        ],
        "refused": [{"file": str(r.file), "reason": r.reason, "unknownKey": r.unknown} for r in found.refused],
        "repeated": [str(path) for path in found.repeated],
        "outputs": dict(found.attestations[0].claim.outputs) if found.attestations and not found.divergences else {},
        "divergences": [
            {"step": d.step, "drv": d.drv, "path": d.path, "narSha256": {value: list(who) for value, who in d.hashes.items()}}
            for d in found.divergences
        ],
    }  # fmt: skip


def _say(console: Console, text: str, *, markup: bool = False) -> None:
    console.print(text if markup else printable(text), soft_wrap=True, highlight=False, emoji=False, markup=markup)
