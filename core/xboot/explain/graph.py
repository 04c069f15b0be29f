"""A plan as a graph: steps and sources, who needs whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from xboot.errors import UsageError
from xboot.foreign import printable
from xboot.model import Script, Source, Step
from xboot.storepath import short_name

__all__ = ["Graph", "Node"]

Node = int | str
"""A step, by its number; or a source, by its store path, also one whose content is not at hand."""

_SHOWN = 8  # names in one message


class Graph:
    """Edges go from a step to what it declares (inputs, and graphs of `exportReferencesGraph`) and from a source to what it refers to."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.maker = {output.path: step.number for step in script.steps for output in step.outputs}
        self.sources = {source.path: source for source in script.sources}
        self._needs: dict[Node, tuple[Node, ...]] = {}
        for step in script.steps:
            declared = [*step.inputs, *(path for _, paths in step.graphs for path in paths)]
            self._needs[step.number] = self._nodes(declared, step.number)
        for source in script.sources:
            self._needs[source.path] = self._nodes(source.references, source.path)
        self._users: dict[Node, list[Node]] = {}
        self._masks: dict[int, int] | None = None
        for node, needs in self._needs.items():
            for one in needs:
                self._users.setdefault(one, []).append(node)

    def _nodes(self, paths: Iterable[str], own: Node) -> tuple[Node, ...]:
        nodes: dict[Node, None] = dict.fromkeys(self.maker.get(path, path) for path in paths)
        nodes.pop(own, None)
        return tuple(nodes)

    def step(self, number: int) -> Step:
        """The step of that number."""
        return self.script.steps[number - 1]

    def source(self, path: str) -> Source | None:
        """The source at that store path; None if its content is not at hand."""
        return self.sources.get(path)

    def name(self, node: Node) -> str:
        """What people call it."""
        return short_name(self.step(node).drv if isinstance(node, int) else node)

    def needs(self, node: Node) -> Sequence[Node]:
        """What it declares itself."""
        return self._needs.get(node, ())

    def users(self, node: Node) -> Sequence[Node]:
        """Who declares it."""
        return self._users.get(node, ())

    def behind(self, node: Node) -> set[Node]:
        """All that it is made from, however far away; not itself."""
        return self._reach(node, self._needs)

    def upon(self, node: Node) -> set[Node]:
        """All that is made from it, however far away; not itself."""
        return self._reach(node, self._users)

    def steps_upon(self, node: Node) -> list[int]:
        """Numbers of the steps among `upon`, quickly for every node of a large plan: one pass over the steps serves all."""
        if self._masks is None:
            self._masks = {}
            for number in range(len(self.script.steps), 0, -1):  # a step comes after what it needs, so its users' sets are there
                self._masks[number] = self._mask(self.users(number))
        mask = self._masks[node] if isinstance(node, int) else self._mask([node, *self._source_users(node)])
        return [number for number in range(1, mask.bit_length()) if mask >> number & 1]

    def _mask(self, users: Iterable[Node]) -> int:
        """The set of all steps that are among `users` or made from them, as bits of a number. A source stands for its own users."""
        mask, masks = 0, self._masks or {}
        for user in users:
            for step in (user,) if isinstance(user, int) else (one for one in self.users(user) if isinstance(one, int)):
                mask |= 1 << step | masks[step]
        return mask

    def _source_users(self, path: str) -> set[Node]:
        """The sources that refer to this one, however far away."""
        found: set[Node] = set()
        todo: list[Node] = [path]
        while todo:
            for one in self.users(todo.pop()):
                if isinstance(one, str) and one not in found:
                    found.add(one)
                    todo.append(one)
        return found

    def _reach(self, node: Node, edges: dict[Node, tuple[Node, ...]] | dict[Node, list[Node]]) -> set[Node]:
        found: set[Node] = set()
        todo = [node]
        while todo:
            for one in edges.get(todo.pop(), ()):
                if one not in found:
                    found.add(one)
                    todo.append(one)
        found.discard(node)
        return found

    def roots(self) -> list[Node]:
        """The steps whose outputs were asked for, in the plan's order."""
        return [*dict.fromkeys(sorted(self.maker[path] for path in self.script.results if path in self.maker))]

    def chain(self, upper: Node, lower: Node) -> list[Node]:
        """A shortest way from `upper` down to what it needs, both included; empty if it does not need it. The same each time."""
        before: dict[Node, Node | None] = {upper: None}
        todo = deque([upper])
        while todo and lower not in before:
            node = todo.popleft()
            for one in self.needs(node):
                if one not in before:
                    before[one] = node
                    todo.append(one)
        if lower not in before:
            return []
        way: list[Node] = []
        node_or_end: Node | None = lower
        while node_or_end is not None:
            way.append(node_or_end)
            node_or_end = before[node_or_end]
        return way[::-1]

    def find(self, what: str) -> Node:
        """The step or source that somebody means: a step's number, a store path (derivation, output, source), or a name that only one has.

        Raises UsageError with the candidates when there are none or several.
        """
        if what.isascii() and what.isdigit():
            number = int(what) if len(what) < 10 else 0
            if not 1 <= number <= len(self.script.steps):
                raise UsageError(f"step {what[:20]}: the plan has the steps 1 to {len(self.script.steps)}")
            return number
        if what in self.maker:
            return self.maker[what]
        if what in self._needs or what in self._users:
            return what
        every: list[Node] = [*self._needs, *(node for node in self._users if node not in self._needs)]
        found: list[Node] = [node for node in every if isinstance(node, int) and what == self.step(node).drv]
        found = found or [node for node in every if what == self.name(node)]
        if len(found) == 1:
            return found[0]
        where = printable(what, 200)
        if found:
            names = ", ".join(f"step {node}" if isinstance(node, int) else node for node in found[:_SHOWN])
            raise UsageError(f"{where}: {len(found)} in the plan are called so: {names}", hint="name one by its number or store path")
        near = sorted({self.name(node) for node in every if what in self.name(node)})
        raise UsageError(
            f"{where}: neither a step nor a source of the plan",
            hint="did you mean " + ", ".join(near[:_SHOWN]) + "?"
            if near
            else "`xboot plan --format table TARGET` lists the steps, `xboot seeds --all TARGET` the sources",
        )
