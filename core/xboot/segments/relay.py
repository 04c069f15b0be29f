"""Events of several boots as those of one run: steps by the plan's numbers, in the plan's order, whatever ran first."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from xboot.hooks import Notify
from xboot.model import Event, Phase
from xboot.segments.cut import Segment

_HELD = 4096  # events of one segment that wait for their turn; of more the console's are dropped


class Relay:
    """Passes events on. Those of the first segment that has not ended go at once, those of later ones when all before them have ended; but
    that a step runs on is told at once of any.
    """

    def __init__(self, segments: Sequence[Segment], notify: Notify) -> None:
        self._notify = notify
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._held: dict[int, list[Event]] = {segment.number: [] for segment in segments}
        self._ended: set[int] = set()
        self._next = 1

    def of(self, segment: Segment) -> Notify:
        """What one segment's boot tells its events."""

        def tell(event: Event) -> None:
            # What a boot says of its own beginning and end is not the run's; the sources of later boots are mostly outputs of the run.
            if event.phase in (Phase.HELLO, Phase.DONE) or (event.phase is Phase.SOURCE and segment.number > 1):
                return
            step = event.step + segment.first - 1 if event.step else 0
            self._tell(segment.number, replace(event, step=step, seconds=self.seconds))

        return tell

    @property
    def seconds(self) -> float:
        """Since the run's start."""
        return time.monotonic() - self._start

    def ended(self, segment: Segment) -> None:
        """Nothing more will be told of this one."""
        with self._lock:
            self._ended.add(segment.number)
            while self._next in self._ended:
                self._pass_on(self._next)
                self._next += 1
            self._pass_on(self._next)

    def done(self, steps: int) -> None:
        """All segments are."""
        self._notify(Event(Phase.DONE, self.seconds, steps))

    def _tell(self, number: int, event: Event) -> None:
        with self._lock:
            if number == self._next or event.phase is Phase.RUNNING:  # which says what is now, and is late in its turn
                self._notify(event)
            elif event.phase is not Phase.CONSOLE or len(self._held[number]) < _HELD:
                self._held[number].append(event)

    def _pass_on(self, number: int) -> None:
        for event in self._held.pop(number, ()):
            self._notify(event)
        self._held.setdefault(number, [])
