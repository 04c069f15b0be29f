"""The firmware that runs before the image: found once, by QEMU's own rule, so that what is measured and what is booted are one file.

QEMU looks for a name in several folders, and distributions put other files under the same name: Debian's `bios-microvm.bin` in QEMU's
folder is a link to `qboot.rom`. So the file is looked for here, in the same folders, and QEMU is given its whole path.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from xboot.model import Boot, Component, Protocol, Role
from xboot.tcb import opaque_file
from xboot_qemu.said import folders

__all__ = ["firmware", "firmware_components", "with_firmware"]

# What each machine type loads when nothing is said; the first that is there.
_USUAL = {"pc": ("bios-256k.bin",), "microvm": ("qboot.rom", "bios-microvm.bin")}
# What else is put into memory and run by the firmware: for each machine type always, and for each way to enter a kernel.
_ALWAYS = {"pc": (("kvmvapic.bin",),)}
_ENTRY = {
    Protocol.LINUX: ("linuxboot_dma.bin", "linuxboot.bin"),
    Protocol.MULTIBOOT: ("multiboot_dma.bin", "multiboot.bin"),
    Protocol.PVH: ("pvh.bin",),
}
_PROJECTS = {"qboot.rom": "qboot", "bios.bin": "SeaBIOS", "bios-256k.bin": "SeaBIOS", "bios-microvm.bin": "SeaBIOS"}


def firmware(words: Sequence[str], program: str) -> Path | None:
    """The file that the QEMU `program` runs first when it is started with `words`; None when that is not known."""
    kind = _kind(words)
    names = (words[words.index("-bios") + 1],) if "-bios" in words and kind else _USUAL.get(kind, ())
    return _found(names, program)


def with_firmware(words: Sequence[str], program: str) -> list[str]:
    """These words with the firmware's whole path. Where it is not known they stay: then QEMU finds one, or says that there is none."""
    path = firmware(words, program)
    if path is None:
        return list(words)
    at = words.index("-bios") if "-bios" in words else len(words)
    return [*words[:at], "-bios", str(path), *words[at + 2 :]]


def firmware_components(boot: Boot, words: Sequence[str], program: str) -> list[Component]:
    """All that QEMU puts before the kernel. What is not found stands there without a hash, so that nobody takes it for something known."""
    kind = _kind(words)
    path = firmware(words, program)
    machine = kind or "this machine"
    project = _PROJECTS.get(path.name, "firmware") if path is not None else "firmware"
    found = [_component(f"{project} for {machine}", path)]
    roms = [*_ALWAYS.get(kind, ()), _ENTRY.get(boot.protocol, ("option ROM",))]
    return found + [_component(f"{names[0]} for {machine}", _found(names, program, bare=True)) for names in roms]


def _component(name: str, path: Path | None) -> Component:
    if path is None:
        return Component(name, Role.FIRMWARE, 0, "", "not found", lines_method="opaque", prebuilt=True)
    return opaque_file(name, Role.FIRMWARE, path)


def _kind(words: Sequence[str]) -> str:
    """The machine type; empty for words that could bring other firmware: all but `-M TYPE` and `-bios FILE`."""
    said = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) != 2 * len(said) or not set(said) <= {"-M", "-bios"} or "firmware=" in said["-M"]:
        return ""
    return said["-M"].split(",")[0]


def _found(names: Iterable[str], program: str, *, bare: bool = False) -> Path | None:
    """The first of these files that is there, without links in its path. `bare`: QEMU is given the name alone, and prefers a file of that
    name where it is started; then this answers None.
    """
    for name in names:
        if bare and Path(name).exists():
            return None
        for place in (Path(folder, name) for folder in _folders(program)):
            if place.is_file():
                return place.resolve()
    return None


def _folders(program: str) -> tuple[str, ...]:
    """Where this QEMU looks for firmware, in its order; none when it does not say."""
    path = shutil.which(program)
    return () if path is None else folders(path)
