"""A pipeline whose progress people see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.show.progress import ProgressDisplay


@contextmanager
def shown_pipeline(console: Console, *, quiet: bool = False) -> Iterator[Pipeline]:
    """A pipeline whose stages are shown on `console`, when that is a terminal; with `quiet` not even there."""
    plugins = Plugins.load()
    display = ProgressDisplay(console, quiet=quiet)
    plugins.add(display, "xboot:display")
    with display:
        yield Pipeline(plugins)
