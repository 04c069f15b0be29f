"""The verb `check-report`: does a report hold together, and does its chain of boots close?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from xboot.attest.reports import ReportedRun, check_reports
from xboot.cli.compare import read_script
from xboot.model import Status
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.show import report
from xboot.show.safe import marked
from xboot.words import counted, of_all


def check_report(file: Path, about: Request, console: Console, *, as_json: bool) -> int:
    """Check a report of `about`'s targets, and say what it says; the exit status. Raises InputError for a report that does not close."""
    script = read_script(about, console, Plugins.load())
    runs = check_reports(file, script)
    for run in runs:
        word = "[green]closes [/]" if not run.failure else "[yellow]failed [/]"
        console.print(f"{word} {marked(str(run.voter))}: {marked(_sentence(run))}", soft_wrap=True, highlight=False)
        if run.failure:
            console.print(marked(f"        {run.failure}"), soft_wrap=True, highlight=False)
    status = _status(runs)
    if as_json:
        print(report.to_json({"scriptSha256": script.sha256, "status": status, "runs": [_json(run) for run in runs]}))
    return status


def _sentence(run: ReportedRun) -> str:
    built = sum(output.status is not Status.NOT_RUN for output in run.outputs)
    said = f"{of_all(built, len(run.outputs), 'output')}, verdict {run.verdict!r}, "
    chain = run.segments
    if chain is None:
        return f"{said}in one boot; image sha256 {run.image_sha256}"
    how = "each step in a boot of its own" if chain.sealed else "a boot may have had several steps"
    earlier = f", {len(chain.earlier)} of them taken from earlier runs" if chain.earlier else ""
    return f"{said}in {counted(chain.boots, 'boot')} ({how}){earlier}; base sha256 {chain.base}"


def _status(runs: Sequence[ReportedRun]) -> int:
    """As for a run: a difference outweighs a run that did not get to its end."""
    hashes = list(zip(*([output.nar_sha256 for output in run.outputs] for run in runs), strict=True))
    if any(run.verdict == "differs" for run in runs) or any(len({one for one in row if one}) > 1 for row in hashes):
        return report.EXIT_DIFFERS
    return report.EXIT_COULD_NOT_RUN if all(run.failure for run in runs) else report.EXIT_OK


def _json(run: ReportedRun) -> dict[str, Any]:
    chain = run.segments
    return {
        "voter": str(run.voter),
        "verdict": run.verdict,
        "failure": run.failure or None,
        "outputs": {output.path: output.nar_sha256 or None for output in run.outputs},
        "boots": 1 if chain is None else chain.boots,
        "sealed": chain is not None and chain.sealed,
        "whole": chain is None or chain.whole,
        "earlier": [] if chain is None else list(chain.earlier),
        "baseSha256": None if chain is None else chain.base,
    }
