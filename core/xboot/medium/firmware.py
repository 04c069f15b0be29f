"""The firmware of emulators that bring none: that of a PC's board, and that of its display, of the lock."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from xboot.cache import Cache
from xboot.debian import DebianPackages

__all__ = ["Firmware", "obtain_firmware"]


class Firmware(NamedTuple):
    """Bochs' BIOS, and the VGA BIOS."""

    bios: Path
    display: Path


def obtain_firmware(cache: Cache) -> Firmware:
    """Both, in the cache. Raises MissingToolError when a part is not to be had."""
    debian = DebianPackages(cache)
    return Firmware(
        debian.unpacked("bochsbios")[0] / "usr/share/bochs/BIOS-bochs-latest",
        debian.unpacked("vgabios")[0] / "usr/share/vgabios/vgabios.bin",
    )
