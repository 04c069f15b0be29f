"""The verb `tcb`: measure what each voter's image makes you trust."""

from __future__ import annotations

from rich.console import Console

from xboot import api
from xboot.cli.shown import shown_pipeline
from xboot.request import Request
from xboot.tcb import Measured


def measure(request: Request, console: Console) -> list[Measured]:
    """Measure the images that `xboot run` would boot; nothing is booted. Without targets the image holds no script and no seeds."""
    with shown_pipeline(console) as pipeline:
        return api.tcb(request, plugins=pipeline.plugins)
