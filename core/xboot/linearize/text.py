"""The script as text: exactly one way to write each (docs/contract.md, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

from xboot.model import Source, Step
from xboot.sexp import quote


def script_text(store_dir: str, sources: Sequence[Source], steps: Sequence[Step], results: Sequence[str], missing: Sequence[str] = ()) -> bytes:
    """The whole script. `missing` are sources that a plan lacks: their clause is none of the contract's, so no executor takes such a script."""
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
    env = "".join([f" ({quote(name)} {quote(value)})" for name, value in step.env])
    files = "".join([f" ({quote(path)} {quote(content)})" for path, content in step.files])
    graphs = "".join([f" ({quote(file)}{''.join(f' {quote(path)}' for path in paths)})" for file, paths in step.graphs])
    inputs = "".join([f' "{path}"' for path in step.inputs])  # store paths need no escapes
    outputs = "".join(
        f" ({quote(output.name)} {quote(output.path)}"
        + (f' (fixed "{output.fixed.mode}" "sha256" "{output.fixed.sha256}")' if output.fixed else "")
        + ")"
        for output in step.outputs
    )
    return (
        f" (step {step.number} {quote(step.drv)}\n  (system {quote(step.system)})\n  (builder {quote(step.builder)})\n  (argv{argv})\n  (env{env})\n"
        f"  (cwd {quote(step.cwd)})\n  (files{files})\n  (graphs{graphs})\n  (inputs{inputs})\n  (outputs{outputs}))\n"
    )
