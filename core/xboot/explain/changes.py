"""What changed between two plans, step by step.

Nearly every path of a graph changes with one of its leaves. So steps are paired by their names, from the results downwards, and what two of
them say is compared after each path of the first plan was replaced by that of its partner. What differs then, a step changed by itself; the
others only follow.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import field

from xboot._records import dataclass
from xboot.explain.graph import Graph, Node
from xboot.model import Step
from xboot.storepath import hash_part

__all__ = ["Change", "Difference", "Kind", "changes"]

INPUTS = "inputs"
_HASH = re.compile(rb"[0-9a-df-np-sv-z]{32}(?=-)")


class Kind(enum.Enum):
    """How a step or source of the one plan stands to its partner in the other."""

    SAME = "same"
    CHANGED = "changed"
    FOLLOWS = "follows"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a step: what it is called, and its two values (None: it is not there). `gone` and `new`: their lines that have no
    partner in the other.
    """

    what: str
    before: bytes | None
    after: bytes | None
    gone: Sequence[bytes]
    new: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Change:
    """One step or source. `before`: in the first plan, `after`: in the second. `differences`: of a step that changed by itself."""

    kind: Kind
    name: str
    before: Node | None
    after: Node | None
    differences: Sequence[Difference] = field(default=())


def changes(first: Graph, second: Graph) -> list[Change]:
    """Every step and source of both plans: those of the second in its order, sources first, then what only the first has."""
    pairs = _pairs(first, second)
    partner = {after: before for before, after in pairs.items()}
    hashes = dict(_hashes(first, second, pairs))
    found = []
    for node in _nodes(second):
        other = partner.get(node)
        if other is None:
            found.append(Change(Kind.ADDED, second.name(node), None, node))
        elif isinstance(node, int) and isinstance(other, int):
            found.append(_compare(first.step(other), second.step(node), hashes, second.name(node)))
        else:
            kind = Kind.SAME if node == other else Kind.CHANGED
            found.append(Change(kind, second.name(node), other, node))
    found += [Change(Kind.REMOVED, first.name(node), node, None) for node in _nodes(first) if node not in pairs]
    return found


def _nodes(graph: Graph) -> list[Node]:
    numbers = range(1, len(graph.script.steps) + 1)
    others = {one for node in (*numbers, *graph.sources) for one in graph.needs(node) if isinstance(one, str)}
    return [*sorted(others | set(graph.sources)), *numbers]


def _pairs(first: Graph, second: Graph) -> dict[Node, Node]:
    """Partners: the same path first, then by name among the needs of partners, from the results downwards, then by name alone."""
    before, after = _nodes(first), _nodes(second)
    there = {_path(second, node): node for node in after}
    pairs: dict[Node, Node] = {node: there[_path(first, node)] for node in before if _path(first, node) in there}
    taken = set(pairs.values())

    def pair(ours: Sequence[Node], theirs: Sequence[Node]) -> Iterator[tuple[Node, Node]]:
        for node in ours:
            if node in pairs:
                continue
            for other in theirs:
                if other not in taken and type(other) is type(node) and second.name(other) == first.name(node):
                    pairs[node] = other
                    taken.add(other)
                    yield node, other
                    break

    todo = [*pair(first.roots(), second.roots())]
    if not todo and len(first.roots()) == len(second.roots()) == 1 and first.roots()[0] not in pairs:
        ours, theirs = first.roots()[0], second.roots()[0]  # one result each: they are meant to be compared, whatever they are called
        if theirs not in taken:
            pairs[ours] = theirs
            taken.add(theirs)
            todo = [(ours, theirs)]
    while todo:
        node, other = todo.pop()
        todo += pair(first.needs(node), second.needs(other))
    names: dict[tuple[type, str], list[Node]] = {}
    for other in after:
        if other not in taken:
            names.setdefault((type(other), second.name(other)), []).append(other)
    for node in before:
        if node not in pairs:
            for _ in pair([node], names.get((type(node), first.name(node)), [])):
                pass
    return pairs


def _path(graph: Graph, node: Node) -> str:
    return graph.step(node).drv if isinstance(node, int) else node


def _hashes(first: Graph, second: Graph, pairs: dict[Node, Node]) -> Iterator[tuple[bytes, bytes]]:
    for node, other in pairs.items():
        if isinstance(node, int) and isinstance(other, int):
            theirs = {output.name: output.path for output in second.step(other).outputs}
            for output in first.step(node).outputs:
                if output.name in theirs:
                    yield hash_part(output.path).encode(), hash_part(theirs[output.name]).encode()
        elif isinstance(node, str) and isinstance(other, str):
            yield hash_part(node).encode(), hash_part(other).encode()


def _compare(before: Step, after: Step, hashes: dict[bytes, bytes], name: str) -> Change:
    if before.drv == after.drv:
        return Change(Kind.SAME, name, before.number, after.number)

    def moved(text: bytes) -> bytes:
        return _HASH.sub(lambda match: hashes.get(match[0], match[0]), text)

    ours, theirs = dict(_fields(before)), dict(_fields(after))
    differences = []
    for what in dict.fromkeys([*ours, *theirs]):
        old, new = ours.get(what), theirs.get(what)
        lines = [] if old is None else old.split(b"\n")
        there = [] if new is None else new.split(b"\n")
        as_if = [moved(line) for line in lines]  # the hash part of a path keeps its length and no line feed is in it
        if (old is None) != (new is None) or (sorted(as_if) != sorted(there) if what == INPUTS else as_if != there):
            gone = [line for line, partner in zip(lines, as_if, strict=True) if partner not in there]
            differences.append(Difference(what, old, new, gone, [line for line in there if line not in as_if]))
    return Change(Kind.CHANGED if differences else Kind.FOLLOWS, name, before.number, after.number, differences)


def _fields(step: Step) -> Iterator[tuple[str, bytes]]:
    """All that a step says, as texts that can be put side by side, a line for each of several values."""
    yield "system", step.system.encode()
    yield "builder", step.builder
    yield "arguments", b"\n".join(step.argv[1:])
    for variable, value in step.env:
        yield f"environment {variable.decode(errors='backslashreplace')}", value
    for path, content in step.files:
        yield f"file {path}", content
    for path, paths in step.graphs:
        yield f"graph {path}", "\n".join(paths).encode()
    for output in step.outputs:
        fixed = output.fixed
        yield f"output {output.name}", b"" if fixed is None else f"{fixed.mode} sha256 {fixed.sha256}".encode()
    yield INPUTS, "\n".join(step.inputs).encode()
