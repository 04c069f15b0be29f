"""A comparison as people and machines read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from xboot.compare import Agreement, Comparison, OutputComparison
from xboot.segments.cut import WHOLE
from xboot.segments.divergence import StepComparison, StepState
from xboot.show import report
from xboot.show.independence import independence_report, sentences
from xboot.show.progress import NOT_SEALED, SEALED, UNSEALED, taken_sentence
from xboot.show.safe import marked
from xboot.storepath import store_name
from xboot.words import counted

_STATES = {
    StepState.AGREES: "[green]agrees[/]",
    StepState.DIFFERS: "[bold red]differs by itself[/]",
    StepState.NOT_COMPARABLE: "[yellow]not comparable[/]",
    StepState.ALONE: "alone",
    StepState.NOT_RUN: "[dim]not run[/]",
}
_HASH = 33  # characters of a store path's name before the name proper
_SHOWN = 12  # hexadecimal digits of a hash


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Steps, if any differs; outputs; who ran for how long, or why not; and the verdict."""
    if comparison.first_divergence is not None:
        for line in _step_lines(comparison):
            console.print(line, soft_wrap=True, highlight=False, emoji=False)
    results = set(comparison.script.results)
    for output in comparison.outputs:
        if output.path in results or not output.agreed:
            for value in sorted(set(output.hashes.values())):
                by = ", ".join(name for name, found in output.hashes.items() if found == value)
                mark = (
                    "[green]agree  [/]"
                    if output.agreed and len(output.hashes) > 1
                    else "[bold red]differ [/]"
                    if not output.agreed
                    else "single "
                )
                console.print(f"{mark} {marked(output.path)}  {report.sri(value)}  {by}", soft_wrap=True, highlight=False, emoji=False)
    for name, result in comparison.results.items():
        verdict = result.verdict
        drift = f"base: {marked(result.base)}" if result.base.startswith("drifted") else ""
        taken = taken_sentence(result.segments) if result.segments is not None else ""
        line = f"        {name}: {counted(len(comparison.script.steps), 'step')} in {verdict.seconds:.1f} s ({verdict.accelerator})"
        console.print("; ".join(part for part in (line, drift, taken) if part), soft_wrap=True, highlight=False)
    for name, reason in sorted({**comparison.failures, **comparison.skipped}.items()):
        word = "absent " if name not in comparison.stopped else "stopped"
        console.print(f"[yellow]{word}[/] {name}: {marked(reason.removeprefix('stopped '))}", soft_wrap=True, highlight=False, emoji=False)
    for path in comparison.wrong:
        console.print(f"[bold red]wrong  [/] {marked(path)}: not the hash that was expected", soft_wrap=True, highlight=False)
    for line in sentences(comparison.independence):
        console.print(marked(line), soft_wrap=True, highlight=False, emoji=False)
    if comparison.results:
        how = SEALED if comparison.seal == "steps" else UNSEALED if comparison.segments == WHOLE else NOT_SEALED
        console.print(how, soft_wrap=True, highlight=False)
    console.print(_closing(comparison), soft_wrap=True, highlight=False, emoji=False)


def _step_lines(comparison: Comparison) -> Iterator[str]:
    """One line a step; those at the end that nobody ran are one."""
    steps = list(comparison.steps)
    ran = max((step.step for step in steps if step.state is not StepState.NOT_RUN), default=0)
    by_step: dict[int, list[OutputComparison]] = {}
    for output in comparison.outputs:
        by_step.setdefault(output.step, []).append(output)
    width = len(str(len(steps)))
    for step in steps[:ran]:
        name = marked(store_name(step.drv)[_HASH:].removesuffix(".drv"))
        yield f"step {step.step:>{width}}  {_STATES[step.state]}  {name}{_said(step, by_step.get(step.step, []))}"
    if ran < len(steps):
        these = f"step {len(steps)}" if ran + 1 == len(steps) else f"steps {ran + 1} to {len(steps)}"
        yield f"{these}  {_STATES[StepState.NOT_RUN]}"


def _said(step: StepComparison, outputs: Sequence[OutputComparison]) -> str:
    """What each voter made of a step that differs, who saw what of one that cannot be compared, and who had whose inputs."""
    text = ""
    if step.state is StepState.DIFFERS:
        output = next(output for output in outputs if not output.agreed)
        what = f" ({output.name})" if len(outputs) > 1 else ""
        text = f"{what}: " + ", ".join(f"{name} {value[:_SHOWN]}" for name, value in output.hashes.items())
    elif step.state is StepState.NOT_COMPARABLE:
        text = ": " + "; ".join(", ".join(group) for group in step.groups) + " had other inputs"
    return text + "".join(f"; {name} with others' {len(paths)}" for name, paths in step.given.items())


def _closing(comparison: Comparison) -> str:
    complete = ", ".join(comparison.complete) or "none"
    first = comparison.first_divergence
    if first is not None:
        return f"[bold red]differs[/]: the first diverging output is {first.name!r} of step {first.step} ({marked(first.drv)})"
    if comparison.wrong:
        return f"[bold red]differs[/]: the voters agree with each other, but not with what was expected ({complete})"
    if comparison.agreement is Agreement.COULD_NOT_RUN:
        if len(comparison.complete) >= comparison.quorum:
            return _not_independent(comparison)
        word = "interrupted" if comparison.interrupted else "could not run"
        return f"[bold red]{word}[/]: {counted(len(comparison.complete), 'complete run')} ({complete}), {comparison.quorum} needed"
    by = f"{complete}; {len(comparison.independence.guest)} independent" if len(comparison.complete) > 1 else complete
    return f"[bold green]agreed[/]: {counted(len(comparison.outputs), 'output')}, by {by}; script sha256 {comparison.script.sha256}"


def _not_independent(comparison: Comparison) -> str:
    """All that were needed agree, and too few of them are independent."""
    found, machines = comparison.independence, comparison.independent_machines
    names = found.both if machines else found.guest
    what = "no guest code and no machine" if machines else "no guest code"
    return (
        f"[bold red]too few[/]: {len(comparison.complete)} complete runs agree, of which {len(names)} share {what} "
        f"({', '.join(names) or 'none'}); {comparison.independent} are needed"
    )


def _word(comparison: Comparison) -> str:
    stopped = comparison.interrupted and comparison.agreement is Agreement.COULD_NOT_RUN
    return "interrupted" if stopped else comparison.agreement.value


def comparison_report(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON values."""
    return {
        "xbootComparison": 2,
        "verdict": _word(comparison),
        "quorum": comparison.quorum,
        "independent": independence_report(
            comparison.independence, comparison.independent, machines=comparison.independent_machines
        ),
        "seal": comparison.seal,
        "keepGoing": comparison.keep_going,
        "inputsOf": comparison.inputs_of,
        "scriptSha256": comparison.script.sha256,
        "complete": list(comparison.complete),
        "failures": dict(comparison.failures),
        "skipped": dict(comparison.skipped),
        "wrong": list(comparison.wrong),
        "outputs": [
            {"step": o.step, "drv": o.drv, "name": o.name, "path": o.path, "agreed": o.agreed, "narSha256": dict(o.hashes)}
            for o in comparison.outputs
        ],
        "steps": [
            {"step": s.step, "drv": s.drv, "state": s.state.value, "voters": [list(group) for group in s.groups],
             "given": {name: list(paths) for name, paths in s.given.items()}}
            for s in comparison.steps
        ],
        "runs": {name: report.report(result) for name, result in comparison.results.items()},
    }  # fmt: skip
