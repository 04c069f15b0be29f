"""Which segments begin next: the one rule of every run of several boots, on this host and on a cluster."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

from xboot.model import Script
from xboot.segments.cut import Segment, waits_for

__all__ = ["Order"]


class Order:
    """The segments of a plan that have not begun. Those whose inputs are there are ready; of these the earliest in the plan goes first."""

    def __init__(self, plan: Script, segments: Sequence[Segment]) -> None:
        self._segments = {segment.number: segment for segment in segments}
        self._missing: dict[int, int] = {}
        self._after: dict[int, list[int]] = defaultdict(list)
        self._ready: list[int] = []
        for segment, before in zip(segments, waits_for(plan, segments), strict=True):
            self._missing[segment.number] = len(before)
            for number in before:
                self._after[number].append(segment.number)
            if not before:
                heapq.heappush(self._ready, segment.number)

    def begin(self, room: int) -> list[Segment]:
        """At most `room` segments that are ready, the first to begin first; they count as begun from here on."""
        return [self._segments[heapq.heappop(self._ready)] for _ in range(min(room, len(self._ready)))]

    def ended(self, segment: Segment) -> None:
        """What `segment` made is there now. It is told once of each."""
        for number in self._after.pop(segment.number, ()):
            self._missing[number] -= 1
            if not self._missing[number]:
                heapq.heappush(self._ready, number)
