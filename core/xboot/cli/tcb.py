"""The verb `tcb`: measure what each backend's image makes one trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.model import EMPTY_SCRIPT
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.show.progress import ProgressDisplay
from xboot.tcb.measured import Measured


def measure(
    targets: Sequence[str],
    backends: Sequence[str],
    read: ReadOptions,
    settings: Mapping[str, str],
    console: Console,
    executor: str = "",
) -> list[Measured]:
    """Measure the images that `xboot run` would boot; nothing is booted. Without targets the image holds no script and no seeds."""
    plugins = Plugins.load()
    display = ProgressDisplay(console)
    plugins.add(display, "xboot:display")
    pipeline = Pipeline(plugins)
    with display:
        script = pipeline.linearize(pipeline.read(targets, read), LinearizeOptions()) if targets else EMPTY_SCRIPT
        options = BackendOptions(settings=settings, executor=executor)
        return [pipeline.measure(backend, script, options) for backend in backends or sorted(plugins.backends)]
