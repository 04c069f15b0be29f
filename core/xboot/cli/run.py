"""The verb `run`: all stages on one voter, and the verdict."""

from __future__ import annotations

from rich.console import Console

from xboot import api
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result
from xboot.show.progress import ProgressDisplay, show_verdict
from xboot.show.times import remember_times, step_times
from xboot.show.written import check_destinations, write_report


def run(request: Request, console: Console, *, verbose: bool, plugins: Plugins | None = None) -> Result:
    """All stages for one voter; shows progress (unless `request.quiet`) and the verdict on `console`. `plugins`: those that are installed
    unless given.
    """
    plugins = plugins or Plugins.load()
    check_destinations(request, plugins)
    voter, _ = Pipeline(plugins).options(request)
    display = ProgressDisplay(console, verbose=verbose, quiet=request.quiet, lines=True)
    plugins.add(display, "xboot:display")
    with display:
        script = api.plan(request, plugins=plugins)
        display.expect(script, step_times(script.sha256, str(voter)))
        result = api.run(request, plugins=plugins, script=script)
    remember_times(result.verdict, str(voter))
    show_verdict(console, result)
    for wanted in request.reports:
        write_report(plugins, wanted, result)
    return result
