"""The verb `image`: a medium that boots a script without xboot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from xboot._workspace import run_folder
from xboot.cache import Cache, file_sha256
from xboot.cli.shown import shown_pipeline
from xboot.errors import BackendError, UsageError
from xboot.files import replacing
from xboot.medium import build_loaders, refusal, write_medium
from xboot.request import Request

_WITH_HOST = "a serial port for the result channel"
_WITHOUT_HOST = "a screen: it is unattended, and believed as far as you believe that screen"


def write(request: Request, destination: Path, console: Console, out: Console, *, standalone: bool = False) -> None:
    """Make the image that `run` would boot, with the least memory that it needs (so that the bytes are the same on every host), and write
    it as a medium; with `standalone` one that runs without a host, and tells the result on the screen alone. Raises UsageError for a place
    that nothing can be written to, BackendError for a kernel that a medium cannot boot, or that has no such mode.
    """
    if destination.is_dir() or not destination.parent.is_dir():
        raise UsageError(f"--iso {destination}: " + ("is a folder" if destination.is_dir() else f"there is no folder {destination.parent}"))
    with shown_pipeline(console) as pipeline, run_folder() as folder:
        script = pipeline.plan(request)
        voter, options = pipeline.options(request)
        if standalone and "standalone" not in pipeline.plugins.backend(voter.backend).abilities:
            raise BackendError(f"backend {voter.backend} cannot run without a host: it has nothing that writes to a screen")
        options = replace(options, spare=options.spare or 1, standalone=standalone)
        artifacts = pipeline.prepare(voter.backend, script, options)
        pipeline.stage("package", f"image for {voter.backend}")
        image = pipeline.package(voter.backend, script, artifacts, options, folder)
        boot = pipeline.boot(voter.backend, image, options)
        if reason := refusal(boot):
            raise BackendError(f"backend {voter.backend} fits no medium, which {reason}")
        pipeline.stage("package", "medium")
        with replacing(destination) as scratch:
            loaders = build_loaders(Cache(), options.settings.get("toolchain", "locked"))
            medium = write_medium(boot, loaders, scratch, text_screen=standalone)
            digest = file_sha256(scratch)
    out.print(f"{destination}  {medium.size} bytes  sha256 {digest}", soft_wrap=True, highlight=False, markup=False)
    out.print(
        f"boots script sha256 {script.sha256} on {voter.backend}/{voter.executor}; a PC needs {boot.memory} MiB of memory, "
        f"{boot.bits} bits, and {_WITHOUT_HOST if standalone else _WITH_HOST}",
        soft_wrap=True, highlight=False, markup=False,
    )  # fmt: skip
