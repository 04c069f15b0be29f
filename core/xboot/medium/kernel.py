"""What a loader must know of a kernel's ELF file: which bytes go where, and where it is entered. Found on the host, so no loader parses."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from xboot.errors import BackendError
from xboot.model import Protocol

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

__all__ = ["LOWEST", "Kernel", "Segment", "read_kernel"]

LOWEST = 0x100000
"""The first address that anything is loaded to: below are the firmware, and what loads."""

_MULTIBOOT_MAGIC = 0x1BADB002
_MULTIBOOT_PLACE = 8192  # Multiboot 0.6.96, section 3.1: the header lies in the first so many bytes, on a multiple of four
_UNDERSTOOD = 0x00010003  # flags: modules on pages, memory map, and addresses (which an ELF file does not need)
_PVH_ENTRY = 18  # XEN_ELFNOTE_PHYS32_ENTRY (Xen, public/elfnote.h)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """`data` goes to the physical address `to`, and is followed by zeros, `size` bytes in all."""

    to: int
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """What is loaded, by address, and the physical address that is jumped to."""

    segments: tuple[Segment, ...]
    entry: int

    @property
    def end(self) -> int:
        """The first address behind all segments."""
        return max(segment.to + segment.size for segment in self.segments)


def read_kernel(path: Path, protocol: Protocol) -> Kernel:
    """Read an ELF file. Raises BackendError for one that is none, that is not made to be entered by `protocol`, or whose segments lie where
    nothing may be loaded.
    """
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - every command loads this module, and few read ELF
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            loads = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD" and s["p_memsz"]]
            segments = tuple(sorted(Segment(s["p_paddr"], s.data(), s["p_memsz"]) for s in loads))
            entry = _pvh_entry(elf) if protocol is Protocol.PVH else _physical(elf["e_entry"], elf)
            file.seek(0)
            head = file.read(_MULTIBOOT_PLACE)
    except (ELFError, OSError, struct.error) as error:
        raise BackendError(f"{path}: not a kernel that a medium's loader can load, an ELF file: {error}") from error
    if not segments:
        raise BackendError(f"{path}: an ELF file with nothing to load")
    if entry is None:
        raise BackendError(f"{path}: has no ELF note that says where it is entered by PVH")
    if protocol is Protocol.MULTIBOOT and not _is_multiboot(head):
        raise BackendError(f"{path}: has no Multiboot header in its first {_MULTIBOOT_PLACE} bytes, or one that asks for more than modules")
    for segment in segments:
        if segment.to < LOWEST or segment.to + segment.size > 1 << 32 or len(segment.data) > segment.size:
            raise BackendError(
                f"{path}: a segment of {segment.size} bytes at {segment.to:#x}, {len(segment.data)} of them in the file; a medium's loader "
                f"begins at {LOWEST:#x}"
            )
    if any(a.to + a.size > b.to for a, b in pairwise(segments)):
        raise BackendError(f"{path}: two segments overlap")
    return Kernel(segments, entry)


def _physical(address: int, elf: ELFFile) -> int:
    """An entry is a virtual address where the segment that holds it has another physical one."""
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_LOAD" and 0 <= address - segment["p_vaddr"] < segment["p_memsz"]:
            return int(address - segment["p_vaddr"] + segment["p_paddr"])
    return int(address)


def _pvh_entry(elf: ELFFile) -> int | None:
    """The PVH boot ABI's entry: a note of owner Xen, whose content is a 32-bit or 64-bit address."""
    from elftools.elf.segments import NoteSegment  # noqa: PLC0415

    for segment in elf.iter_segments():
        for note in segment.iter_notes() if isinstance(segment, NoteSegment) else ():
            if note["n_name"] == "Xen" and note["n_type"] in (_PVH_ENTRY, "XEN_ELFNOTE_PHYS32_ENTRY"):
                content = note["n_descdata"]
                return int.from_bytes(content[:8], "little") & 0xFFFFFFFF
    return None


def _is_multiboot(head: bytes) -> bool:
    for offset in range(0, len(head) - 11, 4):
        magic, flags, checksum = struct.unpack_from("<III", head, offset)
        if magic == _MULTIBOOT_MAGIC and (magic + flags + checksum) & 0xFFFFFFFF == 0:
            return not flags & 0xFFFF & ~_UNDERSTOOD
    return False
