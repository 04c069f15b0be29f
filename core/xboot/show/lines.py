"""A run as lines on standard error, for who logs to a file: stages and steps come and go, one line each. Says nothing on a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from rich.console import Console

from xboot.hooks import hookimpl
from xboot.model import Event, Phase, Script
from xboot.show.safe import marked
from xboot.show.times import duration, time_left
from xboot.storepath import short_name

_EVERY = 5.0  # seconds between two words about one long preparation


class StepLines:
    """An observer (hook `xboot_event`). Each line begins with the time since the command's start; that of several backends names them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._names: dict[int, str] = {}
        self._outputs: dict[int, int] = {}
        self._times: Mapping[str, Mapping[int, float]] = {}
        self._begun: dict[str, float] = {}  # backend → when its step began, by its machine's clock
        self._left: dict[str, int] = {}  # backend → outputs that its step has left
        self._prepared: dict[str, float] = {}

    def expect(self, script: Script, times: Mapping[str, Mapping[int, float]] | None = None) -> None:
        """Learn the names of the steps; `times`: by backend and step, the seconds of an earlier run."""
        self._names = {step.number: short_name(step.drv) for step in script.steps}
        self._outputs = {step.number: len(step.outputs) for step in script.steps}
        self._times = times or {}

    def say(self, text: str, backend: str = "") -> None:
        """One line."""
        who = f"{backend}: " if backend else ""
        line = f"{time.monotonic() - self._start:7.1f} s  {who}{marked(text)}"
        self._console.print(line, highlight=False, emoji=False, soft_wrap=True)

    @hookimpl
    def xboot_event(self, event: Event) -> None:
        with self._lock:
            self._tell(event, event.voter)

    def _tell(self, event: Event, who: str) -> None:
        match event.phase:
            case Phase.STAGE:
                self.say(f"{event.name:<10} {event.text}" + (self._whole(who) if event.name == "boot" else ""), who)
                self._prepared[who] = time.monotonic()
            case Phase.PREPARE if time.monotonic() - self._prepared.get(who, self._start) >= _EVERY:
                self._prepared[who] = time.monotonic()
                self.say(f"{event.name:<10} {event.text}" + ("" if event.done is None else f" {event.done:.0%}"), who)
            case Phase.BEGIN:
                self._begun[who], self._left[who] = event.seconds, self._outputs.get(event.step, 1)
                known = self._times.get(who, {}).get(event.step)
                took = "" if known is None else f" (took {duration(known)} before{self._ahead(event.step, who)})"
                self.say(self._step(event.step) + took, who)
            case Phase.RUNNING:
                self.say(f"{self._step(event.step)}: {event.text}", who)
            case Phase.OUTPUT:
                self._left[who] = self._left.get(who, 1) - 1
                if not self._left[who]:
                    self.say(f"{self._step(event.step)}: done in {self._took(event, who)}", who)
            case Phase.FAIL if event.step:
                self.say(f"{self._step(event.step)}: failed after {self._took(event, who)}", who)
            case _:
                pass

    def _step(self, number: int) -> str:
        return f"step {number}/{len(self._names)}  {self._names.get(number, '')}"

    def _took(self, event: Event, who: str) -> str:
        return duration(max(0.0, event.seconds - self._begun.get(who, event.seconds)))

    def _ahead(self, step: int, who: str) -> str:
        """When this one is not the last, and all that come after it are known: how long they take together with it."""
        left = time_left(self._times.get(who, {}), step, len(self._names))
        return "" if left is None or step == len(self._names) else f"; about {duration(left)} to the end"

    def _whole(self, who: str) -> str:
        """What the whole run may take, when every step is known."""
        known = self._times.get(who, {})
        return f" (its steps took {duration(sum(known.values()))} before)" if known and known.keys() >= self._names.keys() else ""
