"""The verb `web`: a page that builds a script in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from xboot._workspace import run_folder
from xboot.api import expecting
from xboot.cache import Cache, file_sha256
from xboot.cli.shown import shown_pipeline
from xboot.errors import NotTakenError, UsageError
from xboot.files import replacing
from xboot.medium import build_loaders, obtain_firmware, write_medium
from xboot.model import Script
from xboot.parts import locked, npm_files
from xboot.request import Request
from xboot.show.html import Engine, web_page

_MACHINE = "v86"
_FILES = ("build/libv86.js", "build/v86.wasm", "LICENSE")


def write(request: Request, destination: Path, console: Console, out: Console) -> None:
    """Make the image that `run` would boot on the machine v86, with the least memory that it needs (so that the page is the same on every
    host), and write the page. Raises UsageError for a place that nothing can be written to and for hashes that contradict each other,
    NotTakenError for a kernel that v86 does not boot.
    """
    if destination.is_dir() or not destination.parent.is_dir():
        raise UsageError(f"{destination}: " + ("is a folder" if destination.is_dir() else f"there is no folder {destination.parent}"))
    cache = Cache()
    with shown_pipeline(console) as pipeline, run_folder() as folder:
        machine = pipeline.plugins.machine(_MACHINE)
        script = pipeline.plan(request)
        published = _published(request, script)
        voter, options = pipeline.options(request)
        options = replace(options, spare=options.spare or 1)
        artifacts = pipeline.prepare(voter.backend, script, options)
        pipeline.stage("package", f"image for {voter.backend}")
        image = pipeline.package(voter.backend, script, artifacts, options, folder)
        boot = pipeline.boot(voter.backend, image, options)
        if reason := machine.takes(boot):
            raise NotTakenError(f"backend {voter.backend} does not boot in a browser, by machine {_MACHINE}, which {reason}")
        pipeline.stage("package", "page")
        medium = folder / "medium.iso"
        write_medium(boot, build_loaders(cache, options.settings.get("toolchain", "locked")), medium)
        emulator, wasm, licence = npm_files(locked().find(_MACHINE, "npm"), _FILES, cache)
        engine = Engine(emulator, wasm, licence, *obtain_firmware(cache))
        with replacing(destination) as scratch:
            scratch.write_text(web_page(script, voter.backend, boot, medium, engine, published), encoding="utf-8")
    size, digest = destination.stat().st_size, file_sha256(destination)
    out.print(f"{destination}  {size} bytes  sha256 {digest}", soft_wrap=True, highlight=False, markup=False)
    out.print(
        f"builds script sha256 {script.sha256} on {voter.backend}/{voter.executor} in a browser; {len(published)} of {len(script.results)} "
        "results have a hash to compare with",
        soft_wrap=True, highlight=False, markup=False,
    )  # fmt: skip


def _published(request: Request, script: Script) -> Mapping[str, str]:
    """Path of a result → the hash that is known of it."""
    found = {path: set(of.values()) for path, of in expecting(request, script).run.expected.items() if path in script.results and of}
    for path, hashes in found.items():
        if len(hashes) > 1:
            raise UsageError(f"{path}: two hashes are known of it, and a page shows one: {', '.join(sorted(hashes))}")
    return {path: hashes.pop() for path, hashes in found.items()}
