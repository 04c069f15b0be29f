"""The script as text: exactly one way to write each (docs/contract.md, section 3)."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from xboot.model import Source, Step, StepOutput
from xboot.sexp import quote

# Names of variables, the daemon's own values and the files in /etc are the same in every step.
_cached = functools.lru_cache(maxsize=4096)(quote)


_SHORT = 40  # longer values are store paths and scripts, which do not come again


def script_text(
    store_dir: str, sources: Sequence[Source], steps: Sequence[Step], results: Sequence[str], missing: Sequence[str] = ()
) -> bytes:
    """The whole script. `missing` are sources that a plan lacks: their clause is none of the contract's, so no
    executor takes such a script.
    """
    parts = [f"(xboot-script 1\n (store {quote(store_dir)})\n"]
    for source in sources:
        references = "".join(f" {quote(path)}" for path in source.references)
        parts.append(f' (source {quote(source.path)} (nar "sha256" "{source.nar_sha256}") (references{references}))\n')
    parts += [f" (missing {quote(path)})\n" for path in missing]
    parts += [_step(step) for step in steps]
    parts.append(f" (result{''.join(f' {quote(path)}' for path in results)}))\n")
    return "".join(parts).encode("ascii")


def _step(step: Step) -> str:
    argv = "".join([f" {quote(word)}" for word in step.argv])
    env = "".join([f" ({_cached(name)} {_cached(value) if len(value) < _SHORT else quote(value)})" for name, value in step.env])
    files = "".join([f" ({_cached(path)} {_cached(content)})" for path, content in step.files])
    graphs = "".join([f" ({quote(file)}{''.join(f' {quote(path)}' for path in paths)})" for file, paths in step.graphs])
    inputs = "".join([f' "{path}"' for path in step.inputs])  # store paths need no escapes
    outputs = "".join([_output(output) for output in step.outputs])
    return (
        f" (step {step.number} {quote(step.drv)}\n"
        f"  (system {quote(step.system)})\n"
        f"  (builder {quote(step.builder)})\n"
        f"  (argv{argv})\n"
        f"  (env{env})\n"
        f"  (cwd {quote(step.cwd)})\n"
        f"  (files{files})\n"
        f"  (graphs{graphs})\n"
        f"  (inputs{inputs})\n"
        f"  (outputs{outputs}))\n"
    )


def _output(output: StepOutput) -> str:
    fixed = f' (fixed "{output.fixed.mode}" "sha256" "{output.fixed.sha256}")' if output.fixed else ""
    return f' ({quote(output.name)} "{output.path}"{fixed})'
