"""A comparison as people and machines read it."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from xboot.compare import Agreement, Comparison
from xboot.show import report
from xboot.show.safe import marked


def show_comparison(console: Console, comparison: Comparison) -> None:
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
        drift = f"; base: {marked(result.base)}" if result.base.startswith("drifted") else ""
        line = f"        {name}: {len(comparison.script.steps)} steps in {verdict.seconds:.1f} s ({verdict.accelerator}){drift}"
        console.print(line, soft_wrap=True, highlight=False)
    for name, reason in sorted({**comparison.failures, **comparison.skipped}.items()):
        console.print(f"[yellow]absent [/] {name}: {marked(reason)}", soft_wrap=True, highlight=False, emoji=False)
    for path in comparison.wrong:
        console.print(f"[bold red]wrong  [/] {marked(path)}: not the hash that was expected", soft_wrap=True, highlight=False)
    kernels = {comparison.results[name].voter.backend for name in comparison.complete}
    if len(kernels) < len(comparison.complete):
        on = "one kernel" if len(kernels) == 1 else f"{len(kernels)} kernels"
        note = f"note    {len(comparison.complete)} voters on {on}: what two voters share, they cannot contradict each other about"
        console.print(note, soft_wrap=True, highlight=False)
    console.print(_closing(comparison), soft_wrap=True, highlight=False, emoji=False)


def _closing(comparison: Comparison) -> str:
    complete = ", ".join(comparison.complete) or "none"
    first = comparison.first_divergence
    if first is not None:
        return f"[bold red]differs[/]: the first diverging output is {first.name!r} of step {first.step} ({marked(first.drv)})"
    if comparison.wrong:
        return f"[bold red]differs[/]: the voters agree with each other, but not with what was expected ({complete})"
    if comparison.agreement is Agreement.COULD_NOT_RUN:
        word = "interrupted" if comparison.interrupted else "could not run"
        return f"[bold red]{word}[/]: {len(comparison.complete)} complete runs ({complete}), {comparison.quorum} are needed"
    return f"[bold green]agreed[/]: {len(comparison.outputs)} outputs, by {complete}; script sha256 {comparison.script.sha256}"


def _word(comparison: Comparison) -> str:
    stopped = comparison.interrupted and comparison.agreement is Agreement.COULD_NOT_RUN
    return "interrupted" if stopped else comparison.agreement.value


def comparison_report(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON values."""
    return {
        "xbootComparison": 2,
        "verdict": _word(comparison),
        "quorum": comparison.quorum,
        "scriptSha256": comparison.script.sha256,
        "complete": list(comparison.complete),
        "failures": dict(comparison.failures),
        "skipped": dict(comparison.skipped),
        "wrong": list(comparison.wrong),
        "outputs": [
            {"step": o.step, "drv": o.drv, "name": o.name, "path": o.path, "agreed": o.agreed, "narSha256": dict(o.hashes)}
            for o in comparison.outputs
        ],
        "runs": {name: report.report(result) for name, result in comparison.results.items()},
    }
