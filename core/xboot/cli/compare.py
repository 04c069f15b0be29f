"""The verb `compare`: agreement between kernels as evidence."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from xboot import api
from xboot._workspace import run_folder
from xboot.compare import Agreement, Comparison, choose_voters, export_difference, log_file
from xboot.errors import XbootError
from xboot.foreign import printable_lines
from xboot.model import Script
from xboot.pipeline import each_voter, measured, resolve
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.show import report
from xboot.show.comparison import show_comparison
from xboot.show.live import LiveTable
from xboot.show.progress import ProgressDisplay
from xboot.show.safe import marked
from xboot.show.times import remember_times, step_times
from xboot.show.written import check_destinations

_EXIT = {Agreement.AGREED: 0, Agreement.DIFFERS: report.EXIT_DIFFERS, Agreement.COULD_NOT_RUN: report.EXIT_COULD_NOT_RUN}

_CONSOLE_SHOWN = 64 << 10
"""Bytes of each console's text that go into the HTML report, from its end."""


def run_comparison(request: Request, export: Path, console: Console, plugins: Plugins | None = None) -> tuple[Comparison, int]:
    """Compare and show; the second value is the exit status. `export`: where a diverging output's NARs go. `plugins`: those that are
    installed unless given.
    """
    plugins = Plugins.load() if plugins is None else plugins
    check_destinations(request, plugins)
    each_voter(request, plugins)
    return compare_shown(request, read_script(request, console, plugins), console, plugins, export)


def compare_shown(
    request: Request, script: Script, console: Console, plugins: Plugins, export: Path | None = None
) -> tuple[Comparison, int]:
    """`run_comparison` of a script that was read before. Without `export`, no NARs of a difference are brought out."""
    chosen, _ = choose_voters(request, script, plugins)
    with ExitStack() as stack:
        logs = stack.enter_context(run_folder()) if request.html else None
        table = LiveTable(console, quiet=request.quiet)
        plugins.add(table, "xboot:table")
        names = {str(voter): str(resolve(voter, plugins, request.machine)) for voter in chosen}
        table.expect(script, list(names), {name: step_times(script.sha256, whole) for name, whole in names.items()})
        with table:
            comparison = api.compare(request, plugins=plugins, script=script, logs=logs)
        for result in comparison.results.values():
            remember_times(result.verdict, str(result.voter))
        show_comparison(console, comparison)
        if export is not None and comparison.first_divergence is not None and not comparison.interrupted:
            _show_difference(console, comparison, request, plugins, export)
        if request.html and logs and not comparison.interrupted:
            _write_html(request.html, comparison, logs, console)
    if comparison.interrupted and comparison.agreement is Agreement.COULD_NOT_RUN:
        return comparison, report.EXIT_INTERRUPTED
    return comparison, _EXIT[comparison.agreement]


def read_script(request: Request, console: Console, plugins: Plugins) -> Script:
    """The first two stages, with their progress shown."""
    display = ProgressDisplay(console, quiet=request.quiet, lines=True)
    plugins.add(display, "xboot:display")
    try:
        with display:
            script = api.plan(request, plugins=plugins)
            display.expect(script)
            return script
    finally:
        plugins.remove("xboot:display")


def _write_html(file: Path, comparison: Comparison, logs: Path, console: Console) -> None:
    from xboot.show.html import comparison_page  # noqa: PLC0415 - templates are loaded only for who wants them

    measures = [found for name, result in comparison.results.items() if (found := measured(result, name)) is not None]
    for name, result in comparison.results.items():
        if result.unmeasured:
            console.print(f"not measured: {name}: {marked(result.unmeasured)}", style="yellow", soft_wrap=True, highlight=False)
    consoles = {name: _tail(log_file(logs, name)) for name in [*comparison.results, *comparison.failures]}
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
    for voter, file in files.items():
        console.print(f"        {marked(voter)}: {marked(str(file))}", soft_wrap=True, highlight=False)
    if len(files) == 2 and shutil.which("diffoscope"):
        shown = subprocess.run(["diffoscope", *map(str, files.values())], capture_output=True, text=True, errors="replace", check=False)
        console.print(printable_lines(shown.stdout), soft_wrap=True, highlight=False, emoji=False, markup=False)
