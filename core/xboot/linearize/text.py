"""The script as text: exactly one way to write each (docs/contract.md, section 3)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from xboot.model import Source, Step, StepOutput
from xboot.sexp import quote, quote_pairs, quote_words


def script_text(
    store_dir: str, sources: Sequence[Source], steps: Iterable[Step], results: Sequence[str], missing: Sequence[str] = ()
) -> bytes:
    """The whole script. `missing` are sources that a plan lacks: their clause is none of the contract's, so no
    executor takes such a script. Each step is written as soon as `steps` yields it.
    """
    head = [f"(xboot-script 1\n (store {quote(store_dir)})\n"]
    for source in sources:
        references = "".join(f" {quote(path)}" for path in source.references)
        head.append(f' (source {quote(source.path)} (nar "sha256" "{source.nar_sha256}") (references{references}))\n')
    head += [f" (missing {quote(path)})\n" for path in missing]
    tail = f" (result{''.join(f' {quote(path)}' for path in results)}))\n"
    return b"".join(["".join(head).encode("ascii"), *[_step(step).encode("ascii") for step in steps], tail.encode("ascii")])


def _step(step: Step) -> str:
    graphs = "".join([f" ({quote(file)}{''.join(f' {quote(path)}' for path in paths)})" for file, paths in step.graphs])
    inputs = ' "' + '" "'.join(step.inputs) + '"' if step.inputs else ""  # store paths need no escapes
    outputs = "".join([_output(output) for output in step.outputs])
    return (
        f" (step {step.number} {quote(step.drv)}\n"
        f"  (system {quote(step.system)})\n"
        f"  (builder {quote(step.builder)})\n"
        f"  (argv{quote_words(step.argv)})\n"
        f"  (env{quote_pairs(step.env)})\n"
        f"  (cwd {quote(step.cwd)})\n"
        f"  (files{_files(tuple(step.files))})\n"
        f"  (graphs{graphs})\n"
        f"  (inputs{inputs})\n"
        f"  (outputs{outputs}))\n"
    )


@functools.lru_cache(maxsize=64)  # mostly those in /etc, the same in every step
def _files(files: Sequence[tuple[str, bytes]]) -> str:
    return "".join([f" ({quote(path)} {quote(content)})" for path, content in files])


def _output(output: StepOutput) -> str:
    fixed = f' (fixed "{output.fixed.mode}" "sha256" "{output.fixed.sha256}")' if output.fixed else ""
    return f' ({quote(output.name)} "{output.path}"{fixed})'
