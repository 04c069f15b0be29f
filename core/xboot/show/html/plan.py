"""The plan as a picture: the steps in the order in which they run, an arc from each to those that need it, and how long each took where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from xboot._records import dataclass
from xboot.compare import Comparison
from xboot.model import Script
from xboot.segments.divergence import StepComparison, StepState
from xboot.storepath import store_name

MOST_STEPS = 1000
"""Steps that are drawn; a graph with more is cut there, and the page says so."""

_HEAD = 22  # pixels of a row for the step's name
_BAR = 12  # and for each backend's bar
_GAP = 8
_WIDTH = 64  # of the arcs
_HASH = 33  # characters of a store path's name before the name proper


@dataclass(frozen=True, slots=True)
class Bar:
    """How long a step took on a backend: `share` is of the longest, in thousandths."""

    backend: str
    seconds: float
    share: int


@dataclass(frozen=True, slots=True)
class Row:
    """One step: `y` is the middle of its name's line, in pixels from the top; `top` the upper edge of the row. `state`: what the comparison
    says of it, in words, `css` the class of its colour, `given` who saw inputs as others made them.
    """

    number: int
    name: str
    drv: str
    needs: int
    top: int
    y: int
    bars: tuple[Bar, ...]
    state: str = ""
    css: str = ""
    given: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The picture: rows, and arcs as SVG paths. `hidden`: steps that were left out."""

    rows: tuple[Row, ...]
    arcs: tuple[str, ...]
    width: int
    height: int
    row_height: int
    hidden: int


STATES = {
    StepState.AGREES: ("agrees", "s-good"),
    StepState.DIFFERS: ("differs by itself", "s-bad"),
    StepState.NOT_COMPARABLE: ("not comparable", "s-unsure"),
    StepState.ALONE: ("alone", "s-none"),
    StepState.NOT_RUN: ("not run", "s-none"),
}
"""What a step's state is called, and the class of its colour."""


def draw_plan(script: Script, times: Mapping[str, Mapping[int, float]], states: Sequence[StepComparison] = ()) -> Plan:
    """`times`: backend → step → seconds; a step that did not run is absent. `states`: of every step, or of none."""
    height = _HEAD + _BAR * len(times) + _GAP
    longest = max((value for of in times.values() for value in of.values()), default=0.0) or 1.0
    maker = {output.path: step.number for step in script.steps for output in step.outputs}
    rows: list[Row] = []
    arcs: list[str] = []
    for index, step in enumerate(script.steps[:MOST_STEPS]):
        needed = sorted({maker[path] for path in step.inputs if path in maker})
        top = index * height
        y = top + _HEAD // 2
        bars = tuple(
            Bar(b, of[step.number], max(2, round(1000 * of[step.number] / longest))) for b, of in times.items() if step.number in of
        )
        name = store_name(step.drv)[_HASH:].removesuffix(".drv")
        state, css = STATES[states[index].state] if states else ("", "")
        given = ", ".join(states[index].given) if states else ""
        rows.append(Row(step.number, name, step.drv, len(needed), top, y, bars, state, css, given))
        arcs += [_arc(rows[before - 1].y, y, step.number - before) for before in needed]
    return Plan(tuple(rows), tuple(arcs), _WIDTH, height * len(rows), height, len(script.steps) - len(rows))


def _arc(above: int, below: int, distance: int) -> str:
    """The further apart, the wider: neighbours bulge a little, and no arc leaves the margin."""
    start = _WIDTH - 8
    reach = start - min(_WIDTH - 14, round(10 + 9 * log2(distance)))
    return f"M{start} {above}C{reach} {above} {reach} {below} {start} {below}"


def step_times(comparison: Comparison) -> dict[str, dict[int, float]]:
    """From the verdicts: backend → step → seconds, for the steps that gave all their outputs."""
    return {backend: {o.step: o.seconds for o in result.verdict.outputs if o.nar_sha256} for backend, result in comparison.results.items()}
