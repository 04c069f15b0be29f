"""The FAT volume that UEFI firmware starts a medium's loader from (UEFI 2.10, section 13.3): two folders of one sector each, and one file.

FAT12, for no removable medium of this size may have another. What depends on a time or a number of the maker's is the earliest, or zero.
"""

from __future__ import annotations

import struct

__all__ = ["HEAD", "volume"]

_SECTOR = 512  # of the volume; a cluster is one of the medium's
_CLUSTER = 4 * _SECTOR
_FOLDER, _FILE = 0x10, 0x20
_DAY = 1 << 5 | 1  # 1980-01-01
_END = 0xFFF
_DIRECTORIES = 2
HEAD = 1 + _DIRECTORIES
"""Sectors of 2048 bytes before the file."""


def volume(size: int, hidden: int) -> bytes:
    """The volume up to its file, \\EFI\\BOOT\\BOOTX64.EFI, of `size` bytes; so many sectors of 512 bytes are before it."""
    clusters = _DIRECTORIES + -(-size // _CLUSTER)
    chain = [0xFF8, _END, _END, _END, *range(5, 2 + clusters), _END]
    entries: int = sum(entry << 12 * index for index, entry in enumerate(chain))
    fat = entries.to_bytes(_SECTOR, "little")
    root = _entry(b"EFI", _FOLDER, 2)
    folder = _entry(b".", _FOLDER, 2) + _entry(b"..", _FOLDER, 0) + _entry(b"BOOT", _FOLDER, 3)
    inner = _entry(b".", _FOLDER, 3) + _entry(b"..", _FOLDER, 2) + _entry(b"BOOTX64 EFI", _FILE, 4, size)
    sectors = 4 + clusters * (_CLUSTER // _SECTOR)
    return _start(sectors, hidden) + fat * 2 + root.ljust(_SECTOR, b"\0") + folder.ljust(_CLUSTER, b"\0") + inner.ljust(_CLUSTER, b"\0")


def _start(sectors: int, hidden: int) -> bytes:
    """The first sector: one reserved, two tables of one sector, a root of 16 entries. Nothing in it can be run."""
    numbers = struct.pack("<HBHBHHBHHHIIBBBI", _SECTOR, 4, 1, 2, 16, sectors, 0xF8, 1, 32, 2, hidden, 0, 0x80, 0, 0x29, 0)
    content: bytes = b"\xeb\xfe\x90XBOOT   " + numbers + b"XBOOT      FAT12   "
    return content.ljust(_SECTOR - 2, b"\0") + b"\x55\xaa"


def _entry(name: bytes, kind: int, cluster: int, size: int = 0) -> bytes:
    """An entry of a folder; the cluster 0 stands for the root."""
    base, _, more = (name, b"", b"") if name.startswith(b".") else name.partition(b" ")
    return struct.pack("<8s3sB10xHHHI", base.ljust(8), more.ljust(3), kind, 0, _DAY, cluster, size)
