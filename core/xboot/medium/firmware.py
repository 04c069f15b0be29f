"""The firmware of emulators that bring none, of the lock: that of a PC's board, and that of its display; and that of a PC with UEFI."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from xboot.cache import Cache
from xboot.debian import DebianFile, DebianPackages

__all__ = ["Firmware", "obtain_firmware", "obtain_uefi"]


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


def obtain_uefi(cache: Cache) -> tuple[Path, DebianFile]:
    """OVMF, UEFI firmware for QEMU (x86_64), in the cache, and the package it is of. Raises MissingToolError when it is not to be had."""
    root, package = DebianPackages(cache).unpacked("ovmf")
    return root / "usr/share/ovmf/OVMF.fd", package
