"""What a run shows to people, on standard error: stages, a progress bar over steps (piped: lines), hashes, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from xboot.hooks import hookimpl
from xboot.model import Cause, Event, OutputVerdict, Phase, Script, Status, Verdict
from xboot.result import Result
from xboot.segments.format import SegmentedRun
from xboot.show.lines import StepLines
from xboot.show.report import sri
from xboot.show.safe import marked
from xboot.show.times import duration, time_left
from xboot.words import counted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_NAMED = 5  # derivations that one sentence names
_BAR = 12  # columns of a terminal
_COLOURS = {Status.MATCH: "green", Status.DIFFERS: "bold red", Status.UNKNOWN: "yellow", Status.NOT_RUN: "dim"}


class ProgressDisplay:
    """An observer (hook `xboot_event`) that draws one bar a stage and one over the steps, whose clock is the step's. Draws nothing when
    standard error is no terminal; `lines`: there it says one line for each stage and step. `quiet`: neither.
    """

    def __init__(self, console: Console, *, verbose: bool = False, quiet: bool = False, lines: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._drawing = console.is_terminal and not quiet
        self._lines = StepLines(console) if lines and not quiet and not console.is_terminal else None
        self._progress = _bars(console) if self._drawing else None
        self._stage = ""
        self._task: TaskID | None = None
        self._steps: dict[int, str] = {}
        self._times: Mapping[int, float] = {}
        self._sources = 0

    def expect(self, script: Script, times: Mapping[int, float] | None = None) -> None:
        """Learn the names of the steps, to show them while they run, and how long they took in an earlier run."""
        self._times = times or {}
        if self._lines is not None:
            self._lines.expect(script, {"": self._times})
        self._steps = {step.number: step.drv.rsplit("/", 1)[-1] for step in script.steps}
        self._sources = len(script.sources)
        note = at_hand_sentence(script)
        if note and self._lines is not None:
            self._lines.say(note)
        elif note:
            self._log(note)

    def begin(self, stage: str, text: str) -> None:
        """Show a stage that no pipeline announces."""
        self._begin_stage(stage, text)

    def __enter__(self) -> ProgressDisplay:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    @hookimpl
    def xboot_event(self, event: Event) -> None:
        if self._lines is not None:
            self._lines.xboot_event(event)
        match event.phase:
            case Phase.STAGE:
                self._begin_stage(event.name, event.text)
            case Phase.PREPARE:
                self._update(event.text, None if event.done is None else round(event.done * 100), 100)
            case Phase.SOURCE:
                self._update(f"checked {_short(event.name)}", None, None)
            case Phase.BEGIN:
                name = self._steps.get(event.step, f"step {event.step}")
                known = self._times.get(event.step)
                if self._progress is not None and self._task is not None:
                    self._progress.reset(self._task)
                left = time_left(self._times, event.step, len(self._steps))
                took = "" if known is None else f"of {duration(known)}"
                ahead = took if left is None else f"{took}, ~{duration(left)} to the end"
                self._update(f"{self._short(name)}  {ahead}" if ahead else name, event.step - 1, len(self._steps) or None)
                if self._lines is None:
                    self._log(f"step {event.step}/{len(self._steps)}  {self._steps.get(event.step, '')}")
            case Phase.OUTPUT:
                self._log(f"  {event.name}  {sri(event.sha256)}  {counted(event.size, 'byte')}")
            case Phase.DONE:
                self._update("verified", len(self._steps), len(self._steps) or None)
            case Phase.CONSOLE if self._verbose:
                self._console.print(event.text, highlight=False, markup=False, emoji=False, style="dim", end="", soft_wrap=True)
            case _:
                pass

    def _begin_stage(self, name: str, text: str) -> None:
        if self._progress is not None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(marked(text), total=None, stage=name)
        if name != self._stage:
            self._stage = name
        if self._lines is None:
            self._log(f"[bold]{name}[/bold]  {marked(text)}", markup=True)

    def _short(self, name: str) -> str:
        """`name` as far as a quarter of the terminal goes, so that there is room for what follows."""
        room = max(12, self._console.width // 4)
        return name if len(name) <= room else f"{name[: room - 1]}…"

    def _update(self, text: str, completed: float | None, total: float | None) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=marked(text), completed=completed, total=total)

    def _log(self, text: str, *, markup: bool = False) -> None:
        if self._drawing or self._verbose:
            self._console.print(text, highlight=False, markup=markup, emoji=False, soft_wrap=True)


def _bars(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415 - both are for terminals alone

    # What may be long comes last, and takes what the others leave: no name pushes the clock away.
    said = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
    return Progress(
        SpinnerColumn(), TextColumn("[bold]{task.fields[stage]:<10}"), BarColumn(_BAR), MofNCompleteColumn(), TimeElapsedColumn(),
        said, expand=True, console=console, transient=True,
    )  # fmt: skip


def at_hand_sentence(script: Script) -> str:
    """Which fixed outputs are not built although they could be; empty when there are none."""
    names = [_short(drv)[33:].removesuffix(".drv") for drv in sorted(set(script.at_hand.values()))]
    if not names:
        return ""
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return f"not built, since the content is at hand and its hash is fixed: {shown}; --rebuild-fixed builds what lies in a store"


SEALED = "sealed: each step had a boot of its own, and its outputs were hashed by the host"
NOT_SEALED = "in several boots, whose outputs were hashed by the host; in one with several steps, one can forge those after it"
UNSEALED = "not sealed: in one boot for all steps, a builder that takes over its kernel can forge them all"


def show_verdict(console: Console, result: Result) -> None:
    """The outputs (all that are results, were expected, or went wrong) and the closing sentence."""
    verdict, script = result.verdict, result.script
    results = set(script.results)
    rows = [*verdict.sources]
    # Of a run that got not to its end every verified step is shown: they are all that there is.
    rows += [
        o for o in verdict.outputs
        if o.path in results or o.expected or o.status is Status.DIFFERS or (verdict.failure and o.status is not Status.NOT_RUN)
    ]  # fmt: skip
    for output in rows:
        colour = _COLOURS[output.status]
        line = f"[{colour}]{output.status.value:<8}[/] {marked(output.path)}  {sri(output.nar_sha256)}".rstrip()
        console.print(line, soft_wrap=True, highlight=False, emoji=False)
        for origin, expected in sorted(output.expected.items()):
            if expected != output.nar_sha256:
                console.print(f"         expected by {marked(origin)}: {sri(expected)}", soft_wrap=True, highlight=False, emoji=False)
    if result.base.startswith("drifted"):
        console.print(f"[yellow]base: {marked(result.base)}[/]", soft_wrap=True, highlight=False, emoji=False)
    console.print(closing_sentence(verdict, script, str(result.voter)), soft_wrap=True, highlight=False, emoji=False)
    console.print(boots_sentence(result.segments), soft_wrap=True, highlight=False, emoji=False, markup=False)
    if verdict.hint:
        console.print(f"[bold]hint:[/] {marked(verdict.hint)}", soft_wrap=True, highlight=False, emoji=False)


def boots_sentence(segments: SegmentedRun | None) -> str:
    """In how many boots a run was (None: in one), what that means, and which of them were taken from earlier runs."""
    if segments is None:
        return UNSEALED
    how = SEALED if segments.sealed else NOT_SEALED
    taken = taken_sentence(segments)
    return f"{how}; {taken} (--fresh takes none)" if taken else how


def taken_sentence(segments: SegmentedRun) -> str:
    """Which steps were not booted now, and since when their results are there; empty when all were."""
    taken = [(segment.steps, segment.earlier) for segment in segments.segments if segment.earlier is not None]
    if not taken:
        return ""
    steps = [number for numbers, _ in taken for number in numbers]
    since = min(earlier.when for _, earlier in taken)
    if len(steps) == 1:
        return f"step {steps[0]} was taken from an earlier run, of {since}"
    return f"steps {_ranges(steps)} were taken from earlier runs, the oldest of {since}"


def _ranges(numbers: Sequence[int]) -> str:
    """`1-3, 5` for 1, 2, 3, 5."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1][-1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def closing_sentence(verdict: Verdict, script: Script, voter: str = "") -> str:
    """One sentence: what happened, on what, with which identity."""
    where = f"{voter or verdict.backend} ({verdict.accelerator}, {verdict.seconds:.1f} s)"
    if verdict.failure:
        word = "interrupted" if verdict.cause is Cause.USER else "failed"
        built = sum(1 for output in verdict.outputs if output.status is not Status.NOT_RUN)
        kept = f"; outputs verified until then: {built} of {len(verdict.outputs)}" if built else ""
        return f"[bold red]{word}[/] on {where}: {marked(verdict.failure.removeprefix('interrupted '))}{kept}"
    counts = {status: _count(verdict.outputs, status) for status in Status}
    parts = [f"{n} {status.value}" for status, n in counts.items() if n]
    if verdict.sources:
        wrong = _count(verdict.sources, Status.DIFFERS)
        parts.append(f"sources: {len(verdict.sources) - wrong} match" + (f", {wrong} differs" if wrong else ""))
    colour = "bold red" if verdict.differs else "bold green"
    word = "differs" if verdict.differs else "built, nothing to compare with" if not counts[Status.MATCH] else "verified"
    alone = f"; machine {verdict.machine} has no exit status, so this rests on the guest's `done` alone" if verdict.done_alone else ""
    return (
        f"[{colour}]{word}[/] on {where}: {counted(len(script.steps), 'step')}, outputs: {', '.join(parts) or 'none'}; "
        f"script sha256 {script.sha256}{alone}"
    )


def _count(outputs: Iterable[OutputVerdict], status: Status) -> int:
    return sum(1 for output in outputs if output.status is status)


def _short(path: str) -> str:
    return path.rsplit("/", 1)[-1]
