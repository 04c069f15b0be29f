"""The live table of `xboot compare`: backends as columns, steps as rows, hashes as they come. Piped, lines take its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table

from xboot.hooks import hookimpl
from xboot.model import Event, Phase, Script
from xboot.show.lines import StepLines
from xboot.show.safe import marked
from xboot.show.times import duration, time_left
from xboot.storepath import short_name

_SHOWN = 8  # hexadecimal digits of a hash; the verdict prints it whole
_AROUND = 8  # lines of the terminal that are left to the header, the status and the prompt
_PER_SECOND = 4
_NARROW = 6  # columns of a terminal that a derivation's name has at least


@dataclass(slots=True)
class _Column:
    status: str = "waiting"
    step: int = 0
    since: float = 0.0
    ended: bool = False
    outputs: dict[tuple[int, str], str] = field(default_factory=dict)
    failed: int | None = None


class LiveTable:
    """An observer (hook `xboot_event`); a context manager that draws between `__enter__` and `__exit__` on a terminal, and says lines
    elsewhere. `quiet`: neither.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._columns: dict[str, _Column] = {}
        self._script: Script | None = None
        self._times: Mapping[str, Mapping[int, float]] = {}
        self._live = (
            Live(self, console=console, refresh_per_second=_PER_SECOND, transient=True) if console.is_terminal and not quiet else None
        )
        self._lines = StepLines(console) if not console.is_terminal and not quiet else None

    def expect(self, script: Script, backends: Sequence[str], times: Mapping[str, Mapping[int, float]] | None = None) -> None:
        """Learn what will run where, and by backend and step how long it took in an earlier run."""
        if self._lines is not None:
            self._lines.expect(script, times)
        with self._lock:
            self._times = times or {}
            self._script = script
            self._columns = {name: _Column() for name in backends}

    def __enter__(self) -> LiveTable:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    @hookimpl
    def xboot_event(self, event: Event) -> None:
        if self._lines is not None:
            self._lines.xboot_event(event)
        with self._lock:
            column = self._columns.get(event.voter)
            if column is None:
                return
            match event.phase:
                case Phase.STAGE:
                    column.status = event.name
                case Phase.PREPARE:
                    column.status = event.text if event.done is None else f"{event.text} {event.done:.0%}"
                case Phase.SOURCE:
                    column.status = "checks sources"
                case Phase.BEGIN:
                    column.step, column.since, column.status = event.step, time.monotonic(), "builds"
                case Phase.OUTPUT:
                    column.outputs[event.step, event.name] = event.sha256
                case Phase.FAIL:
                    column.failed, column.status, column.ended = event.step, "failed", True
                case Phase.DONE:
                    column.status, column.ended = "done", True
                case _:
                    pass

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            yield self._table(max(4, (options.max_height or console.height) - _AROUND))

    def _table(self, height: int) -> Table:
        table = Table(box=None, pad_edge=False)
        if self._script is None:
            return table
        table.add_column("step", justify="right")
        table.add_column("derivation", no_wrap=True, overflow="ellipsis", min_width=_NARROW, max_width=44)
        for name in self._columns:
            table.add_column(name, no_wrap=True, overflow="ellipsis", min_width=_SHOWN)
        steps = self._script.steps
        table.add_row("", "", *(f"[dim]{marked(self._status(who, column, len(steps)))}[/]" for who, column in self._columns.items()))
        running = [c.step for c in self._columns.values() if not c.ended] or [len(steps)]
        first = max(0, min(len(steps) - height, min(running) - height // 2))
        for step in steps[first : first + height]:
            names = [output.name for output in step.outputs]
            cells = [self._cell(column, step.number, names, self._times.get(who, {})) for who, column in self._columns.items()]
            table.add_row(str(step.number), marked(short_name(step.drv)), *cells)
        if first or first + height < len(steps):
            table.add_row("", f"[dim]{first} before, {max(0, len(steps) - first - height)} after[/]")
        return table

    def _status(self, who: str, column: _Column, steps: int) -> str:
        """What a voter does; while it builds, and all that is ahead of it was timed before: how long that takes."""
        times = self._times.get(who, {})
        ahead = time_left(times, column.step, steps) if column.status == "builds" else None
        if ahead is None:
            return column.status
        done = min(time.monotonic() - column.since, times[column.step])
        return f"~{duration(ahead - done)}"

    def _cell(self, column: _Column, step: int, names: Sequence[str], times: Mapping[int, float]) -> str:
        if column.failed == step:
            return "[bold red]failed[/]"
        found = {name: column.outputs[step, name] for name in names if (step, name) in column.outputs}
        if len(found) < len(names):
            if column.step != step or column.ended:
                return "[dim]·[/]"
            before = f" of {times[step]:.0f}" if step in times else ""
            return f"[cyan]{time.monotonic() - column.since:5.1f}{before} s[/]"
        theirs = [{n: c.outputs[step, n] for n in names if (step, n) in c.outputs} for c in self._columns.values()]
        said = [values for values in theirs if len(values) == len(names)]
        colour = "bold red" if any(values != found for values in said) else "green" if len(said) > 1 else "yellow"
        shown = next(
            (found[n] for n in names if any(v[n] != found[n] for v in said)), found[names[0]]
        )  # the hash that differs, if one does
        return f"[{colour}]{shown[:_SHOWN]}[/]"
