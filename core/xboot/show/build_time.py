"""How images were made, as trees and as JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from xboot.model import BuildTool
from xboot.tcb import BuildTime, Measured
from xboot.tcb.build_time import identity
from xboot.words import counted

_MANY = 4  # packages of a toolroot that are named one by one; of more the number is said, and JSON has them all


def rows(measures: Sequence[Measured]) -> list[tuple[str, list[str]]]:
    """The second column: of each image, what made it."""
    times = [m.build_time() for m in measures]
    return [
        ("tools that made it", [f"{len(time.tools()):,}" for time in times]),
        ("opaque bytes in these", [f"{time.opaque:,}{' and unknown' if time.unknown else ''}" for time in times]),
        ("lines in these", [f"{time.lines:,}" for time in times]),
    ]


def tree(time: BuildTime) -> Iterator[str]:
    """Lines of text: the components, and below them what made them, and what made that. What was said above is not said again."""
    said: set[tuple[str, str, str]] = set()
    for made in time.made:
        yield f"{', '.join(c.name for c in made.components)}: made by{'' if made.tools else ' what is not known here'}"
        yield from _branches(made.tools, "  ", said)
    if time.unknown:
        yield f"not known: {', '.join(dict.fromkeys(time.unknown))}"


def _branches(tools: Sequence[BuildTool], indent: str, said: set[tuple[str, str, str]]) -> Iterator[str]:
    for number, tool in enumerate(tools, 1):
        last = number == len(tools)
        known = identity(tool) in said
        said.add(identity(tool))
        many = len(tool.made_by) > _MANY
        more = " (as above)" if known and tool.made_by else f": {_size(sum(t.bytes or 0 for t in tool.made_by))}, prebuilt" if many else ""
        yield f"{indent}{'└─' if last else '├─'} {described(tool)}{more}"
        if not known and not many:
            yield from _branches(tool.made_by, f"{indent}{'   ' if last else '│  '}", said)


def described(tool: BuildTool) -> str:
    """One line on one tool."""
    words = [f"{tool.name} {tool.version}".rstrip()]
    if tool.bytes:
        words.append(_size(tool.bytes))
    if tool.prebuilt:
        words.append("prebuilt")
    if tool.origin:
        words.append(tool.origin)
    if tool.sha256:
        words.append(f"sha256 {tool.sha256}")
    return ", ".join(words)


def _size(size: int) -> str:
    return counted(size, "byte")


def values(time: BuildTime) -> dict[str, Any]:
    """As JSON values (docs/tcb.md)."""
    made = [{"components": [c.name for c in made.components], "madeBy": [_tool(tool) for tool in made.tools]} for made in time.made]
    return {
        "tools": len(time.tools()), "opaqueBytes": time.opaque, "lines": time.lines, "unknown": list(dict.fromkeys(time.unknown)),
        "made": made,
    }  # fmt: skip


def _tool(tool: BuildTool) -> dict[str, Any]:
    return {
        "name": tool.name, "version": tool.version, "sha256": tool.sha256 or None, "bytes": tool.bytes, "origin": tool.origin,
        "prebuilt": tool.prebuilt, "madeBy": [_tool(other) for other in tool.made_by],
    }  # fmt: skip
