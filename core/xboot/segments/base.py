"""What all boots of a run trust alike, measured where it is: on this host, or on a worker of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from xboot.hooks import BackendOptions
from xboot.machine import Machine
from xboot.model import EMPTY_SCRIPT, Artifact, Boot, BootImage
from xboot.pipeline import Pipeline
from xboot.segments.format import Base
from xboot.tcb import host_kernel
from xboot.voter import Voter

__all__ = ["measure_base"]


def measure_base(
    pipeline: Pipeline,
    voter: Voter,
    options: BackendOptions,
    artifacts: Mapping[str, Artifact],
    machine: Machine,
    accelerator: str,
    folder: Path,
) -> tuple[Base, BootImage, Boot]:
    """Make the image without a script in `folder`, and name all that it and every other image stands on. Raises XbootError and OSError."""
    image = pipeline.package(voter.backend, EMPTY_SCRIPT, artifacts, options, folder)
    boot = pipeline.boot(voter.backend, image, options)
    below = sorted((c.name, c.version, c.sha256) for c in (*machine.components(boot), host_kernel()))
    chosen = machine.accelerator(boot, accelerator)
    base = Base(
        version("xboot"), str(voter), dict(options.settings), chosen, image.sha256, boot.protocol.value, boot.bits, boot.processor, below
    )  # fmt: skip
    return base, image, boot
