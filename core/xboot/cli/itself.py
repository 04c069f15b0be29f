"""The verb `self`: the image, run on itself and on other kernels, rebuilds itself, and what was rebuilt boots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from xboot import api
from xboot._workspace import run_folder
from xboot.cli.compare import compare_shown
from xboot.cli.shown import shown_pipeline
from xboot.compare import Agreement, Comparison, choose_voters
from xboot.errors import UsageError, XbootError
from xboot.itself import BACKEND, HELLO, IMAGE, Here, boot_rebuilt, differing, make_here, usual_recipe, with_expectations
from xboot.model import Verdict
from xboot.pipeline import each_voter, resolve
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.show import report
from xboot.show.comparison import comparison_report
from xboot.show.safe import marked
from xboot.storepath import short_name
from xboot.words import counted


def rebuild(request: Request, recipe: Path | None, console: Console) -> tuple[dict[str, Any], int]:
    """All of it: the report, and the exit status (docs/self.md). Raises UsageError when tccboot is not among the voters."""
    recipe = usual_recipe() if recipe is None else recipe
    request = replace(request, targets=[f"{recipe}:{IMAGE},{HELLO}"])
    plugins = Plugins.load()
    ours = _own(request, plugins)
    with run_folder() as folder:
        with shown_pipeline(console, quiet=request.quiet) as pipeline:
            script = pipeline.plan(request)
            here = make_here(pipeline, ours, str(recipe), folder)
        chosen, _ = choose_voters(request, script, plugins)
        request = with_expectations(replace(request, quorum=len(chosen)), script, here)
        comparison, status = compare_shown(request, script, console, plugins)
        wrong = differing(comparison, here)
        booted = None
        if comparison.agreement is Agreement.AGREED:
            booted = _boot(ours, comparison, here, folder, console)
            status = _status(booted, comparison)
    for part, (has, made) in wrong.items():
        _say(console, f"[bold red]{part}[/]: what was built in a guest has NAR SHA-256 {made}, what boots here {has}")
    _say(console, _sentence(comparison, here, wrong, booted, status))
    return _report(comparison, here, wrong, booted), status


def _own(request: Request, plugins: Plugins) -> Request:
    """The request of the voter whose image is rebuilt. Raises UsageError when there is none whose guest's memory can be read."""
    voters = {voter: its for voter, its in each_voter(request, plugins).items() if voter.backend == BACKEND}
    if not voters:
        raise UsageError(f"{BACKEND} is not among the voters, and it is {BACKEND}'s image that is rebuilt", hint=f"add {BACKEND}")
    for voter, its in voters.items():
        if "read-memory" in plugins.machine(resolve(voter, plugins, request.machine).machine).info.abilities:
            return replace(its, fresh=False)
    raise UsageError(
        f"{', '.join(map(str, voters))}: the rebuilt image cannot be brought out of this machine, which cannot read its guest's memory",
        hint=f"add {BACKEND}",
    )


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, emoji=False)


def _boot(ours: Request, comparison: Comparison, here: Here, folder: Path, console: Console) -> Verdict:
    """Bring the image out of what our own voter made, which is kept, and boot it."""
    path = next(output.path for output in comparison.outputs if short_name(output.path) == IMAGE)
    with shown_pipeline(console, quiet=ours.quiet) as pipeline:
        kept = replace(ours, run=replace(ours.run, export=folder / "out", export_paths=[path]))
        result = api.run(kept, plugins=pipeline.plugins, script=comparison.script)
        if path not in result.verdict.exports:
            raise XbootError(f"the rebuilt image could not be brought out: {result.verdict.failure or path}")
        return boot_rebuilt(pipeline, ours, here, result.verdict.exports[path], folder)


def _status(booted: Verdict, comparison: Comparison) -> int:
    """0 when the rebuilt image ran hello to its end, and hello's output is the one that all voters came to."""
    if booted.failure:
        return report.exit_code(booted)
    agreed = {output.path: set(output.hashes.values()) for output in comparison.outputs}
    right = all({output.nar_sha256} == agreed[output.path] for output in booted.outputs)
    return report.EXIT_OK if booted.outputs and right else report.EXIT_DIFFERS


def _sentence(comparison: Comparison, here: Here, wrong: Mapping[str, object], booted: Verdict | None, status: int) -> str:
    if wrong:
        return f"[bold red]differs[/]: this image does not rebuild itself; what differs: {', '.join(wrong)}"
    if booted is None and comparison.interrupted:
        return "[bold red]not shown[/]: this image had not rebuilt itself when it was interrupted; the same command goes on"
    if booted is None:
        return "[bold red]not shown[/]: not every voter that was asked rebuilt this image"
    others = len({comparison.results[name].voter.backend for name in comparison.complete} - {BACKEND})
    on = f"run on itself and on {counted(others, 'other kernel')}" if others else "run on itself"
    done = f"this image, {on}, rebuilds itself: sha256 {here.parts[IMAGE]}"
    if status == report.EXIT_OK:
        return f"[bold green]rebuilt[/]: {done}; what was rebuilt boots, and runs {HELLO}"
    what = f"does not run {HELLO}: {marked(booted.failure)}" if booted.failure else f"builds another {HELLO} than the voters did"
    return f"[bold red]but[/]: {done}; what was rebuilt {what}"


def _report(comparison: Comparison, here: Here, wrong: Mapping[str, object], booted: Verdict | None) -> dict[str, Any]:
    return {
        "xbootSelf": 1,
        "narSha256": here.parts[IMAGE],
        "imageSha256": here.image.sha256,
        "parts": dict(here.parts),
        "differs": list(wrong),
        "booted": None if booted is None else {
            "failure": booted.failure or None,
            "outputs": {output.path: output.nar_sha256 for output in booted.outputs},
        },
        "comparison": comparison_report(comparison),
    }  # fmt: skip
