"""What an image of the tccboot backend makes you trust, measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from xboot.guest.sources import served_calls
from xboot.model import Artifact, BootImage, Component
from xboot.tcb import SourceFile, count_files, image_components


def components(image: BootImage) -> Sequence[Component]:
    """One component for each owner of bytes. The kernel's bytes are its source: what is compiled from them is made anew at every boot."""
    found = image_components(image, {name: _counted(image.artifacts[name]) for name in ("loader", "tcc", "libtcc1", "kernel")})
    return [
        dataclasses.replace(c, syscalls=served_calls(image.artifacts["kernel"].source_files)) if c.name == "kernel" else c for c in found
    ]


def _counted(artifact: Artifact) -> dict[str, SourceFile]:
    """Named with their folder: kernel and personality both have a device.c."""
    counted = count_files(artifact.source_files)
    return {_name(path): file for path, file in counted.items()}


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
