"""The verb `compare`: agreement between kernels as evidence."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xboot._workspace import run_folder
from xboot.compare import Agreement, Comparison, choose_backends, compare, export_difference
from xboot.errors import XbootError
from xboot.foreign import printable_lines
from xboot.hooks import ReadOptions
from xboot.model import Script
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.show import report
from xboot.show.comparison import show_comparison
from xboot.show.live import LiveTable
from xboot.show.progress import ProgressDisplay
from xboot.show.safe import marked
from xboot.show.times import remember_times, step_times
from xboot.tcb import Measured

_EXIT = {Agreement.AGREED: 0, Agreement.DIFFERS: report.EXIT_DIFFERS, Agreement.COULD_NOT_RUN: report.EXIT_COULD_NOT_RUN}


_CONSOLE_SHOWN = 64 << 10
"""Bytes of each console's text that go into the HTML report, from its end."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose for `xboot compare`. `jobs` machines at most at once; `export`: where a diverging output's NARs go;
    `html`: where the report goes, if one is wanted. `quiet`: no progress is shown.
    """

    targets: Sequence[str]
    backends: str
    read: ReadOptions
    quorum: int | None = None
    jobs: int | None = None
    export: Path = Path("xboot-difference")
    html: Path | None = None
    quiet: bool = False


def run_comparison(choices: Choices, request: Request, console: Console, plugins: Plugins | None = None) -> tuple[Comparison, int]:
    """Compare and show; the second value is the exit status. `plugins`: those that are installed unless given."""
    plugins = Plugins.load() if plugins is None else plugins
    script = read_script(choices.targets, choices.read, request, console, plugins, quiet=choices.quiet)
    backends, skipped = choose_backends(choices.backends, script, plugins)
    with ExitStack() as stack:
        logs = stack.enter_context(run_folder()) if choices.html else None
        table = LiveTable(console, quiet=choices.quiet)
        plugins.add(table, "xboot:table")
        voter = f"-{request.options.executor}" if request.options.executor else ""
        table.expect(script, backends, {name: step_times(script.sha256, name + voter) for name in backends})
        with table:
            comparison = compare(script, request, backends, skipped, plugins, quorum=choices.quorum, jobs=choices.jobs, logs=logs)
        for name, result in comparison.results.items():
            remember_times(result.verdict, name + voter)
        show_comparison(console, comparison)
        if comparison.first_divergence is not None and not comparison.interrupted:
            _show_difference(console, comparison, request, plugins, choices.export)
        if choices.html and logs and not comparison.interrupted:
            _write_html(choices.html, comparison, request, plugins, logs, console)
    if comparison.interrupted and comparison.agreement is Agreement.COULD_NOT_RUN:
        return comparison, report.EXIT_INTERRUPTED
    return comparison, _EXIT[comparison.agreement]


def read_script(
    targets: Sequence[str], read: ReadOptions, request: Request, console: Console, plugins: Plugins, *, quiet: bool = False
) -> Script:
    """The first two stages, with their progress shown."""
    pipeline = Pipeline(plugins)
    display = ProgressDisplay(console, quiet=quiet, lines=True)
    plugins.add(display, "xboot:display")
    try:
        with display:
            script = pipeline.linearize(pipeline.read(targets, read), request.linearize)
            display.expect(script)
            return script
    finally:
        plugins.remove("xboot:display")


def _write_html(file: Path, comparison: Comparison, request: Request, plugins: Plugins, logs: Path, console: Console) -> None:
    from xboot.show.html import comparison_page  # noqa: PLC0415 - templates are loaded only for who wants them

    measures: list[Measured] = []
    for backend, result in comparison.results.items():
        try:
            measures.append(Pipeline(plugins, backend).measure(backend, result.script, request.options))
        except XbootError as error:
            console.print(f"not measured: {backend}: {marked(error.message)}", style="yellow", soft_wrap=True, highlight=False)
    consoles = {name: _tail(logs / f"{name}.log") for name in [*comparison.results, *comparison.failures]}
    file.write_text(comparison_page(comparison, measures, consoles), encoding="utf-8")
    console.print(f"report: {marked(str(file))}", soft_wrap=True, highlight=False)


def _tail(file: Path) -> str:
    if not file.is_file():
        return ""
    size = file.stat().st_size
    with file.open("rb") as log:
        log.seek(max(0, size - _CONSOLE_SHOWN))
        text = log.read().decode(errors="replace")
    return text if size <= _CONSOLE_SHOWN else f"[the first {size - _CONSOLE_SHOWN} bytes are left out]\n{text}"


def _show_difference(console: Console, comparison: Comparison, request: Request, plugins: Plugins, folder: Path) -> None:
    """Bring both NARs of the first diverging output out, and show where they differ if diffoscope is there."""
    try:
        files = export_difference(comparison, request, plugins, folder)
    except XbootError as error:
        console.print(f"the diverging output could not be brought out: {marked(error.message)}", soft_wrap=True, highlight=False)
        return
    for backend, file in files.items():
        console.print(f"        {backend}: {file}", soft_wrap=True, highlight=False)
    if len(files) == 2 and shutil.which("diffoscope"):
        shown = subprocess.run(["diffoscope", *map(str, files.values())], capture_output=True, text=True, errors="replace", check=False)
        console.print(printable_lines(shown.stdout), soft_wrap=True, highlight=False, emoji=False, markup=False)
