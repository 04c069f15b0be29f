"""Media: one file that a PC boots as a CD, a hard disk or a USB stick (BIOS), made of a `Boot` by a loader of our own.

In sectors of 2048 bytes:

    0       the loader (boot.s), which is a disk's master boot record as well, with one partition: all of the medium
    1, 2    its table: which sectors go where                                             (table.py)
    3 to 6  what the kernel is told: command line, modules                                (table.py)
    16 to 22   descriptors of a CD, the catalog of what boots it                          (iso.py)
    23      the loader once more, as a CD's firmware reads it
    24 …    the kernel's segments, then the modules, each from a sector's start

The same boot gives the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot.medium.firmware import Firmware, obtain_firmware
from xboot.medium.iso import CATALOG, FIRST, SECTOR, CdFile, descriptors
from xboot.medium.kernel import Kernel, read_kernel
from xboot.medium.loader import SIZE, build_boot_loader
from xboot.medium.table import Piece, information, table
from xboot.model import Artifact, Boot, Component, Protocol, Role
from xboot.tcb.components import artifact_component

__all__ = ["Firmware", "Medium", "build_boot_loader", "components", "obtain_firmware", "refusal", "write_medium"]

_DATA = CATALOG + 2
_MODULES = 64 << 20  # below may be what a kernel unpacks itself to
_PAGE = 4096
_SECTORS_AT = 2  # boot.s: log2 of how many of the firmware's sectors are one of ours
_PARTITION_AT, _PARTITION_KIND = 446, 0xCD  # a kind that nobody mounts
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium that was written: its bytes, and how many of them are nobody's but its own (descriptors, tables, padding)."""

    path: Path
    size: int
    framing: int


@dataclass(frozen=True, slots=True)
class _Layout:
    kernel: Kernel
    pieces: Sequence[Piece]
    modules: Sequence[tuple[int, int, str]]  # address, bytes, words
    files: Sequence[CdFile]
    sectors: int
    needed: int


def refusal(boot: Boot) -> str:
    """Why no medium can be made for `boot`, in words that go on from "a medium"; empty when one can."""
    if boot.protocol not in (Protocol.MULTIBOOT, Protocol.PVH):
        return f"has no loader for a kernel that is entered by {boot.protocol.value}"
    if boot.window is not None:
        return "has no export window"
    if boot.protocol is Protocol.PVH and any(module.words for module in boot.modules):
        return "gives the modules of a kernel that is entered by pvh no words"
    return ""


def write_medium(boot: Boot, loader: Artifact, destination: Path) -> Medium:
    """Write the medium of `boot`, which `refusal` does not refuse. Raises BackendError for a kernel or words that do not fit, OSError."""
    layout = _layout(boot)
    words = boot.words if boot.protocol is Protocol.PVH else f"kernel {boot.words}"
    program = bytearray(loader.path.read_bytes())
    struct.pack_into("<8B2I", program, _PARTITION_AT, 0x80, 0, 1, 0, _PARTITION_KIND, 254, 255, 255, 0, layout.sectors * 4)
    with destination.open("wb") as sink:
        sink.write(program)
        sink.write(table(boot.protocol, layout.kernel.entry, layout.needed, layout.pieces))
        sink.write(information(boot.protocol, words, layout.modules))
        sink.write(bytes(FIRST * SECTOR - sink.tell()))
        sink.write(descriptors(layout.sectors, layout.files, CATALOG + 1))
        program[_SECTORS_AT] = 0
        sink.write(program)
        for data in _data(layout, boot):
            sink.write(data)
        size = sink.tell()
    return Medium(destination, size, _framing(layout))


def components(boot: Boot, loader: Artifact) -> list[Component]:
    """What a medium adds to an image: its loader, and the bytes of its descriptors and tables."""
    return [
        artifact_component(loader, SIZE),
        Component(
            "medium framing", Role.PADDING, _framing(_layout(boot)), "", origin="descriptors of a CD, tables, padding, the loader's copy"
        ),
    ]


def _layout(boot: Boot) -> _Layout:
    kernel = read_kernel(boot.kernel, boot.protocol)
    pieces: list[Piece] = []
    at = _DATA
    for segment in kernel.segments:
        stored, zeros = len(segment.data), segment.size - len(segment.data)
        if stored:
            pieces.append((at, segment.to, stored))
        if zeros:
            pieces.append((0, segment.to + stored, zeros))
        at += -(-stored // SECTOR)
    files = [CdFile("KERNEL", _DATA, (at - _DATA) * SECTOR)]
    modules = []
    to = max(_MODULES, -(-kernel.end // _PAGE) * _PAGE)
    for number, module in enumerate(boot.modules, 1):
        size = module.path.stat().st_size
        pieces.append((at, to, size))
        words = f"module {module.words}".rstrip() if boot.protocol is Protocol.MULTIBOOT else ""
        modules.append((to, size, words))
        files.append(CdFile(f"MODULE{number}", at, size))
        at += -(-size // SECTOR)
        to += -(-size // _PAGE) * _PAGE
    return _Layout(kernel, pieces, modules, files, at, to)


def _data(layout: _Layout, boot: Boot) -> Iterator[bytes]:
    """The segments and modules, each padded to a sector."""
    for segment in layout.kernel.segments:
        yield segment.data + bytes(-len(segment.data) % SECTOR)
    for (_, size, _), module in zip(layout.modules, boot.modules, strict=True):
        with module.path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                yield chunk
        yield bytes(-size % SECTOR)


def _framing(layout: _Layout) -> int:
    stored = sum(len(segment.data) for segment in layout.kernel.segments) + sum(size for _, size, _ in layout.modules)
    return layout.sectors * SECTOR - SIZE - stored
