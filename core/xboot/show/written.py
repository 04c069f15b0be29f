"""Reports into files: what can be known to go wrong is said before a run that takes hours, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from xboot.errors import UsageError
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result


def check_destinations(request: Request, plugins: Plugins) -> None:
    """Refuse a format that no plugin writes, and a file whose folder is not there. Raises UsageError."""
    formats = plugins.report_formats
    for wanted in request.reports:
        format, _, file = wanted.partition("=")
        if format not in formats:
            there = f"there are: {', '.join(sorted(formats))}" if formats else "no reporter is installed; `--json` needs none"
            raise UsageError(f"--report {wanted}: no installed plugin writes the format {format!r}", hint=there)
        _check_file(f"--report {wanted}", file)
    if request.html is not None:
        _check_file(f"--html {request.html}", str(request.html))


def _check_file(option: str, file: str) -> None:
    folder = Path(file).absolute().parent
    if file and not folder.is_dir():
        raise UsageError(f"{option}: there is no folder {folder}")
    if file and (Path(file).is_dir() or not os.access(folder, os.W_OK)):
        raise UsageError(f"{option}: {'is a folder' if Path(file).is_dir() else f'nothing can be written to {folder}'}")


def write_report(plugins: Plugins, wanted: str, result: Result) -> None:
    """One `--report FORMAT[=FILE]`, by whichever plugin knows the format."""
    format, equals, file = wanted.partition("=")
    if not any(plugins.call("xboot_report", format=format, result=result, destination=Path(file) if equals else None)):
        raise UsageError(f"--report {wanted}: no installed plugin wrote the format {format!r}")
