"""Media: one file that a PC boots as a CD, a hard disk or a USB stick, by a BIOS or by UEFI, made of a `Boot` by loaders of our own.

In sectors of 2048 bytes:

    0       the loader for a BIOS (boot.s), which is a disk's master boot record as well; its two partitions meet at sector 24
    16 to 22   descriptors of a CD, the catalog of what boots it                          (iso.py)
    23      the loader once more, as a CD's BIOS reads it
    24 to 26   a FAT volume, which has one file, from here on                             (fat.py)
    27 to 30   the loader for UEFI (uefi.s)
    31, 32  the table of both: which sectors go where                                     (table.py)
    33 to 36   what the kernel is told: command line, modules                             (table.py)
    37 …    the kernel's segments, then the modules, each from a sector's start

The same boot gives the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from xboot._records import dataclass
from xboot.medium.fat import HEAD, volume
from xboot.medium.firmware import Firmware, obtain_firmware, obtain_uefi
from xboot.medium.iso import CATALOG, FIRST, SECTOR, CdFile, descriptors
from xboot.medium.kernel import Kernel, read_kernel
from xboot.medium.loader import BIOS_SIZE, UEFI_SIZE, Loaders, build_loaders
from xboot.medium.table import INFORMATION_SIZE, TABLE_SIZE, Piece, information, table
from xboot.model import Artifact, Boot, Component, Protocol, Role
from xboot.tcb.components import artifact_component

__all__ = ["Firmware", "Loaders", "Medium", "build_loaders", "components", "obtain_firmware", "obtain_uefi", "refusal", "write_medium"]

_CD_LOADER = CATALOG + 1
_VOLUME = _CD_LOADER + 1  # uefi.s knows this one, and the next
_FILE_SIZE = UEFI_SIZE + TABLE_SIZE + INFORMATION_SIZE
_DATA = _VOLUME + HEAD + _FILE_SIZE // SECTOR  # boot.s knows where the table is: six sectors before
_MODULES = 64 << 20  # below may be what a kernel unpacks itself to
_PAGE = 4096
_SECTORS_AT = 2  # boot.s: log2 of how many of the firmware's sectors are one of ours
_PARTITIONS_AT = 446
_NOBODYS, _FOR_UEFI = 0xCD, 0xEF  # kinds of partitions: one that nobody mounts; UEFI 2.10, section 5.2.2
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
    if boot.protocol is Protocol.PROGRAM:
        return "has no loader for a kernel that is a program of a host"
    if boot.protocol not in (Protocol.MULTIBOOT, Protocol.PVH):
        return f"has no loader for a kernel that is entered by {boot.protocol.value}"
    if boot.window is not None:
        return "has no export window"
    if boot.protocol is Protocol.PVH and any(module.words for module in boot.modules):
        return "gives the modules of a kernel that is entered by pvh no words"
    return ""


def write_medium(boot: Boot, loaders: Loaders, destination: Path, *, text_screen: bool = False) -> Medium:
    """Write the medium of `boot`, which `refusal` does not refuse. `text_screen`: its guest shows what comes out in a PC's text mode, which
    UEFI does not have, so that one's loader says so and stops. Raises BackendError for a kernel or words that do not fit, OSError.
    """
    layout = _layout(boot)
    sectors = 0 if text_screen else layout.sectors - _DATA
    words = boot.words if boot.protocol is Protocol.PVH else f"kernel {boot.words}"
    program = bytearray(loaders.bios.path.read_bytes())
    partitions = _partition(0x80, _NOBODYS, 0, _VOLUME) + _partition(0, _FOR_UEFI, _VOLUME, layout.sectors)
    program[_PARTITIONS_AT : _PARTITIONS_AT + len(partitions)] = partitions
    with destination.open("wb") as sink:
        sink.write(program)
        sink.write(bytes(FIRST * SECTOR - sink.tell()))
        sink.write(descriptors(layout.sectors, layout.files, _CD_LOADER, _VOLUME))
        program[_SECTORS_AT] = 0
        sink.write(program)
        sink.write(volume(_FILE_SIZE, _VOLUME * 4))
        sink.write(loaders.uefi.path.read_bytes())
        sink.write(table(boot.protocol, layout.kernel.entry, layout.needed, sectors, layout.pieces))
        sink.write(information(boot.protocol, words, layout.modules))
        for data in _data(layout, boot):
            sink.write(data)
        size = sink.tell()
    return Medium(destination, size, _framing(layout))


def components(boot: Boot, loaders: Loaders, run: Sequence[Artifact]) -> list[Component]:
    """What a medium adds to an image: those of its loaders that the machine's firmware `run`s, and the rest, of which nothing is run."""
    rest = _framing(_layout(boot)) + sum(loader.size for loader in loaders) - sum(loader.size for loader in run)
    origin = "descriptors of a CD and of a FAT volume, tables, padding, a loader's copy, and what loads on other firmware"
    return [
        *(artifact_component(loader, loader.size) for loader in run),
        Component("medium framing", Role.PADDING, rest, "", origin=origin),
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
    return layout.sectors * SECTOR - BIOS_SIZE - UEFI_SIZE - stored


def _partition(state: int, kind: int, start: int, end: int) -> bytes:
    """An entry of the partition table, in sectors of 512 bytes; nobody goes by cylinders."""
    return struct.pack("<8B2I", state, 0, 1 if not start else 0, 0, kind, 254, 255, 255, start * 4, (end - start) * 4)
