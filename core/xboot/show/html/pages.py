"""The two reports: a comparison with everything behind it, and the trusted bases alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from xboot import __version__
from xboot.compare import Agreement, Comparison, OutputComparison
from xboot.segments.divergence import StepComparison, StepState
from xboot.show.build_time import described
from xboot.show.html.chart import legend, panels
from xboot.show.html.plan import STATES, draw_plan, step_times
from xboot.show.html.render import render
from xboot.show.independence import sentences
from xboot.show.report import sri
from xboot.storepath import store_name
from xboot.tcb import TRUSTED_FOR, Measured, overlap

MOST_OUTPUTS = 1000
"""Outputs that the table shows; diverging ones and results come first, and the page says how many were left out."""

_WORDS = {
    Agreement.AGREED: ("agreed", "good"),
    Agreement.DIFFERS: ("differs", "bad"),
    Agreement.COULD_NOT_RUN: ("could not run", "unsure"),
}


def comparison_page(comparison: Comparison, measures: Sequence[Measured], consoles: Mapping[str, str]) -> str:
    """One HTML file. `consoles`: backend → what its console printed, as it came."""
    script = comparison.script
    word, mood = _WORDS[comparison.agreement]
    outputs = _ordered(comparison)
    first = comparison.first_divergence
    states = comparison.steps
    return render(
        "comparison.html.j2",
        title=", ".join(store_name(path)[33:] for path in script.results[:3]) or "nothing",
        word=word, mood=mood, version=__version__, script=script, comparison=comparison, first=first,
        backends=[*comparison.results, *(name for name in comparison.failures if name not in comparison.results)],
        outputs=[_row(output) for output in outputs[:MOST_OUTPUTS]], hidden=max(0, len(outputs) - MOST_OUTPUTS),
        plan=draw_plan(script, step_times(comparison), states), counts=_counts(states), consoles=consoles, sri=sri,
        independent=list(sentences(comparison.independence)),
        **_tcb(measures),
    )  # fmt: skip


def tcb_page(measures: Sequence[Measured], *, how_made: bool = False) -> str:
    """One HTML file with the trusted base of each backend; `how_made`: and of what made it."""
    times = [(m, m.build_time()) for m in measures] if how_made else []
    return render("tcb.html.j2", version=__version__, times=times, described=described, **_tcb(measures))


def _tcb(measures: Sequence[Measured]) -> dict[str, Any]:
    common = {(one.voter, other.voter): overlap(one.components, other.components) for one in measures for other in measures}
    below = [
        (one.voter, other.voter, found)
        for one, other in combinations(measures, 2)
        if (found := overlap(one.below, other.below)).components or found.lines
    ]
    return {
        "trusted_for": TRUSTED_FOR,
        "measures": measures,
        "panels": panels(measures),
        "legend": legend(measures),
        "common": common,
        "below": below,
    }


def _counts(states: Sequence[StepComparison]) -> list[tuple[str, str, int]]:
    """Word, colour and number of the states that occur."""
    counts = [(*STATES[state], sum(step.state is state for step in states)) for state in StepState]
    return [one for one in counts if one[2]]


def _ordered(comparison: Comparison) -> list[OutputComparison]:
    """What matters first: the outputs that differ, in their order, then the results, then the rest."""
    results = set(comparison.script.results)
    return sorted(comparison.outputs, key=lambda o: (o.agreed, o.path not in results, o.step))


def _row(output: OutputComparison) -> dict[str, Any]:
    values = sorted(set(output.hashes.values()), key=lambda value: (-list(output.hashes.values()).count(value), value))
    marks = {value: chr(ord("A") + min(index, 25)) for index, value in enumerate(values)}
    return {
        "step": output.step, "path": output.path, "name": store_name(output.path)[33:], "agreed": output.agreed,
        "hashes": output.hashes, "marks": marks, "values": values, "alone": len(output.hashes) == 1,
    }  # fmt: skip
