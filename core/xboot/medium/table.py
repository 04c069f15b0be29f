"""What the loader of a medium reads: its table, and what it hands to a kernel (Multiboot information, or PVH start info)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from xboot.errors import BackendError
from xboot.model import Protocol

__all__ = ["INFORMATION_SIZE", "TABLE_SIZE", "Piece", "information", "table"]

Piece = tuple[int, int, int]
"""Sector on the medium (0: zeros instead), physical address, bytes."""

TABLE_SIZE, INFORMATION_SIZE = 2 * 2048, 4 * 2048
_INFORMATION, _MAP = 0xA000, 0xC000  # boot.s says where in memory all this is
_MULTIBOOT_EAX = 0x2BADB002  # Multiboot 0.6.96, section 3.2
_MULTIBOOT_FLAGS = 1 | 1 << 2 | 1 << 3 | 1 << 6  # section 3.3: memory, command line, modules, memory map are there
_PVH_MAGIC = 0x336EC578  # Xen, public/arch-x86/hvm/start_info.h


def table(protocol: Protocol, entry: int, needed: int, sectors: int, pieces: Sequence[Piece]) -> bytes:
    """The table. `needed`: the first address behind all pieces; `sectors`: how many the pieces have on the medium; 0 when UEFI is not
    to boot it. Raises BackendError for more pieces than it holds.
    """
    if protocol is Protocol.MULTIBOOT:
        head = (entry, _MULTIBOOT_EAX, _INFORMATION, 4, _INFORMATION + 44, 1, _INFORMATION + 4)
    else:
        head = (entry, 0, _INFORMATION, 0, _INFORMATION + 48, 24, 0)
    content = struct.pack("<10I", *head, -(-(needed - 0x100000) // 1024), sectors, len(pieces))
    content += b"".join(struct.pack("<3I", *p) for p in pieces)
    if len(content) > TABLE_SIZE:
        raise BackendError(f"a medium has place for {(TABLE_SIZE - 40) // 12} pieces of kernel and modules; this one has {len(pieces)}")
    return content.ljust(TABLE_SIZE, b"\0")


def information(protocol: Protocol, words: str, modules: Sequence[tuple[int, int, str]]) -> bytes:
    """What the kernel is told. `modules`: address, bytes, words of each. Raises BackendError for words that are longer than their place."""
    make = _multiboot if protocol is Protocol.MULTIBOOT else _pvh
    texts = [words, *(text for _, _, text in modules)]
    start = len(make([0] * len(texts), modules))
    places, strings = [], b""
    for text in texts:
        places.append(_INFORMATION + start + len(strings))
        strings += text.encode() + b"\0"
    content = make(places, modules) + strings
    if len(content) > INFORMATION_SIZE:
        raise BackendError(f"the words for kernel and modules need {len(content)} bytes; a medium has place for {INFORMATION_SIZE}")
    return content.ljust(INFORMATION_SIZE, b"\0")


def _multiboot(places: Sequence[int], modules: Sequence[tuple[int, int, str]]) -> bytes:
    """Sizes of memory, and of its map, are the loader's to fill in. Mach and others take a first word for the kernel's own name."""
    head = struct.pack(
        "<13I", _MULTIBOOT_FLAGS, 0, 0, 0, places[0], len(modules), _INFORMATION + 88, 0, 0, 0, 0, 0, _MAP
    ).ljust(88, b"\0")  # fmt: skip
    entries = (struct.pack("<4I", at, at + size, place, 0) for (at, size, _), place in zip(modules, places[1:], strict=True))
    return head + b"".join(entries)


def _pvh(places: Sequence[int], modules: Sequence[tuple[int, int, str]]) -> bytes:
    head = struct.pack("<4I4QII", _PVH_MAGIC, 1, 0, len(modules), _INFORMATION + 56, places[0], 0, _MAP, 0, 0)
    entries = (struct.pack("<4Q", at, size, place, 0) for (at, size, _), place in zip(modules, places[1:], strict=True))
    return head + b"".join(entries)
