"""A script for the eye: its order as a table, its graph for Graphviz."""

from __future__ import annotations

from xboot.errors import UsageError
from xboot.model import Script
from xboot.storepath import short_name


def render(script: Script, format: str) -> str:
    """`table` (tab-separated: step, system, derivation, inputs, outputs; then, as step `at hand`, fixed outputs that are not built) or
    `dot`.
    """
    if format == "table":
        return _table(script)
    if format == "dot":
        return _dot(script)
    raise UsageError(f"format {format!r}: expected table or dot")


def _table(script: Script) -> str:
    lines = ["step\tsystem\tderivation\tinputs\toutputs"]
    lines += [f"{s.number}\t{s.system}\t{short_name(s.drv)}\t{len(s.inputs)}\t{' '.join(o.name for o in s.outputs)}" for s in script.steps]
    lines += [f"at hand\t\t{short_name(drv)}\t\t{path}" for path, drv in sorted(script.at_hand.items())]
    return "\n".join(lines) + "\n"


def _dot(script: Script) -> str:
    maker = {output.path: step.number for step in script.steps for output in step.outputs}
    names = {source.path: f"source{i}" for i, source in enumerate(script.sources)}
    lines = ["digraph xboot {", "  rankdir=LR;", "  node [shape=box, fontsize=10];"]
    lines += [f'  {name} [label="{short_name(path)}", style=dashed];' for path, name in names.items()]
    lines += [f'  step{s.number} [label="{s.number}. {short_name(s.drv)}"];' for s in script.steps]
    for step in script.steps:
        makers = {f"step{maker[path]}" if path in maker else names.get(path, "") for path in step.inputs}
        lines += [f"  {one} -> step{step.number};" for one in sorted(makers - {""})]
    return "\n".join([*lines, "}"]) + "\n"
