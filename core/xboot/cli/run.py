"""The verb `run`: all stages on one backend, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xboot import boot
from xboot.errors import UsageError
from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.model import Verdict
from xboot.pipeline import Pipeline, Request, Result
from xboot.plugins import Plugins
from xboot.show.progress import ProgressDisplay, show_verdict
from xboot.show.times import remember_times, step_times


@dataclass(frozen=True, slots=True)
class RunChoices:
    """What the user chose for `xboot run`."""

    targets: Sequence[str]
    backend: str
    executor: str
    expect: Sequence[str]
    expect_file: Path | None
    read: ReadOptions
    linearize: LinearizeOptions
    settings: Mapping[str, str]
    memory: int | None
    step_timeout: float | None
    run_timeout: float | None
    export: Path | None
    log: Path | None
    accel: str
    keep: Path | None = None
    gdb: str = ""
    reports: Sequence[str] = ()


def run(choices: RunChoices, console: Console, *, verbose: bool, quiet: bool = False) -> Result:
    """All stages for one backend; shows progress (unless `quiet`) and the verdict on `console`."""
    plugins = Plugins.load()
    display = ProgressDisplay(console, verbose=verbose, quiet=quiet, lines=True)
    voter = "-".join(filter(None, (choices.backend, choices.executor)))
    plugins.add(display, "xboot:display")
    pipeline = Pipeline(plugins)
    with display:
        script = pipeline.linearize(pipeline.read(choices.targets, choices.read), choices.linearize)
        display.expect(script, step_times(script.sha256, voter))
        expected = boot.gather_expectations(script, choices.expect, choices.expect_file, choices.read.stores)
        request = Request(
            targets=choices.targets,
            backend=choices.backend,
            read=choices.read,
            linearize=choices.linearize,
            options=BackendOptions(
                executor=choices.executor,
                memory=choices.memory,
                settings=choices.settings,
            ),
            run=boot.RunOptions(
                step_timeout=choices.step_timeout,
                run_timeout=choices.run_timeout,
                expected=expected,
                export=choices.export,
                export_paths=script.results if choices.export else (),
                log=choices.log,
                accelerator=choices.accel,
                keep=choices.keep,
                gdb=choices.gdb,
            ),
        )
        result = pipeline.run(request, script)
    remember_times(result.verdict, voter)
    show_verdict(console, result)
    for wanted in choices.reports:
        _write_report(plugins, wanted, result.verdict)
    return result


def _write_report(plugins: Plugins, wanted: str, verdict: Verdict) -> None:
    """One `--report FORMAT[=FILE]`, by whichever plugin knows the format."""
    format, equals, file = wanted.partition("=")
    if not any(plugins.call("xboot_report", format=format, verdict=verdict, destination=Path(file) if equals else None)):
        raise UsageError(f"--report {wanted}: no installed plugin writes the format {format!r}", hint="`--json` needs no plugin")
