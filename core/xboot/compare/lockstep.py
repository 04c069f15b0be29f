"""Several voters through one plan, boot by boot: who may begin which step, with whose inputs, and where all of them stop.

So many run at once as the user wants; who is furthest behind comes first, so that a difference is found before anybody has gone far
beyond it. Without `keep_going` no voter begins a step that comes after one on which two differ, and all of them get that far.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from xboot.model import Script, Source
from xboot.segments.cut import EACH, Segment, cut_plan, waits_for
from xboot.segments.divergence import inputs_to_go_on_with
from xboot.segments.lead import Halted

__all__ = ["Lockstep"]

_PATIENCE = 0.2  # seconds between two looks at whether the user interrupted


class Lockstep:
    """What the voters' runs share. `voters` in their order; `jobs` of them run at once. `quorum`: voters that must have made an output for
    all to go on with it; `inputs_of`: the voter with whose outputs all go on instead.
    """

    def __init__(
        self, plan: Script, voters: Sequence[str], jobs: int, stop: threading.Event, *, keep_going: bool, quorum: int, inputs_of: str | None
    ) -> None:
        self._plan, self._voters, self._free, self._stop = plan, list(voters), jobs, stop
        self._keep_going, self._quorum, self._inputs_of = keep_going, quorum, inputs_of
        self._maker = {output.path: step.number for step in plan.steps for output in step.outputs}
        self._sees = dict(enumerate(waits_for(plan, cut_plan(plan, EACH)), 1))
        self._changed = threading.Condition()
        self._made: dict[str, dict[str, Source]] = {}  # path → voter → what it made
        self._running = set(voters)
        self._waiting: dict[str, Segment] = {}
        self._diverged: int | None = None

    def of(self, voter: str) -> Member:
        """One voter's part. It holds a place from `enter` to `leave`, and gives it up between boots."""
        return Member(self, voter)

    # ------------------------------------------------------------ places

    def take(self, voter: str, segment: Segment) -> None:
        """Wait for a place, behind those who have further to go, and until what the segment sees is settled."""
        with self._changed:
            self._waiting[voter] = segment
            while not (self._stop.is_set() or (self._free > 0 and self._next() == voter)):
                self._changed.wait(_PATIENCE)
            del self._waiting[voter]
            self._free -= 1
            self._changed.notify_all()

    def give_up(self) -> None:
        """Let another take the place."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def leave(self, voter: str) -> None:
        """Nothing more is made by this voter."""
        with self._changed:
            self._running.discard(voter)
            self._changed.notify_all()

    def _next(self) -> str | None:
        """Of those who wait and could begin, who is furthest behind."""
        ready = [name for name, segment in self._waiting.items() if self._halts(segment) or self.inputs(name, segment) is not None]
        return min(ready, key=lambda name: (self._waiting[name].first, self._voters.index(name)), default=None)

    # ------------------------------------------------------------ steps

    def made(self, voter: str, built: Mapping[str, Source]) -> None:
        """Note what a voter made; two that differ are a divergence."""
        with self._changed:
            for path, source in built.items():
                others = self._made.setdefault(path, {})
                if any(other.nar_sha256 != source.nar_sha256 for other in others.values()):
                    self._diverged = min(self._maker[path], self._diverged or len(self._plan.steps))
                others[voter] = source
            self._changed.notify_all()

    def halted(self, segment: Segment) -> str:
        """Why nobody begins this segment any more; empty when they may."""
        with self._changed:
            if self._stop.is_set():
                return "interrupted"
            return f"stopped before step {segment.first}: the voters differ at step {self._diverged}" if self._halts(segment) else ""

    def _halts(self, segment: Segment) -> bool:
        return not self._keep_going and self._diverged is not None and segment.first > self._diverged

    def inputs(self, voter: str, segment: Segment) -> dict[str, Source] | None:
        """What a segment of `voter` sees of others, of the outputs of earlier segments; None as long as that is not settled."""
        if not self._keep_going or not segment.steps:
            return {}
        seen = frozenset().union(*(self._sees[number] for number in segment.steps))
        given: dict[str, Source] = {}
        with self._changed:
            for path, by in self._made.items():
                if self._maker[path] in seen and self._maker[path] < segment.first:
                    hashes = {name: by[name].nar_sha256 for name in self._voters if name in by}
                    outstanding = self._running - by.keys()
                    of = inputs_to_go_on_with(hashes, voter, quorum=self._quorum, of=self._inputs_of, outstanding=outstanding)
                    if of is None:
                        return None
                    if of != voter:
                        given[path] = by[of]
        return given


class Member:
    """One voter's lead (`xboot.segments.lead`), in whose thread it is used."""

    def __init__(self, common: Lockstep, voter: str) -> None:
        self._common, self._voter = common, voter
        self._inside = False

    def __enter__(self) -> Member:
        self._common.take(self._voter, Segment(0, 1, 0))  # of no steps: it prepares its kernel
        self._inside = True
        return self

    def __exit__(self, *_: object) -> None:
        self._common.leave(self._voter)
        if self._inside:
            self._common.give_up()

    def begins(self, segment: Segment) -> Mapping[str, Source]:
        """Wait for a place and for what the segment sees. Raises Halted after a divergence."""
        self._common.give_up()
        self._inside = False
        self._common.take(self._voter, segment)
        self._inside = True
        reason = self._common.halted(segment)
        if reason:
            raise Halted(reason)
        return self._common.inputs(self._voter, segment) or {}

    def ended(self, segment: Segment, built: Mapping[str, Source]) -> None:
        """Note what it made."""
        self._common.made(self._voter, built)
