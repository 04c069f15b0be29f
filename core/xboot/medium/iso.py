"""The descriptors that make a medium a CD: ECMA-119 (ISO 9660) for whoever looks at its files, El Torito 1.0 for the firmware.

Whatever depends on a time, a name or a number of the maker's is zero, or left empty.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from xboot._records import dataclass

__all__ = ["CATALOG", "FIRST", "SECTOR", "CdFile", "descriptors"]

SECTOR = 2048
FIRST = 16
"""The sector of the first descriptor (ECMA-119, 6.2.1): before it is room for what is no concern of a CD's."""
_PATHS_LITTLE, _PATHS_BIG, _ROOT, CATALOG = 19, 20, 21, 22
_TIME = bytes((70, 1, 1, 0, 0, 0, 0))  # 9.1.5: 1970-01-01
_NEVER = b"0" * 16 + b"\0"  # 8.4.26.1: no date
_DIRECTORY = 2  # 9.1.6


@dataclass(frozen=True, slots=True)
class CdFile:
    """A file of the root directory: `size` bytes from `sector` on. Its name has at most eight capital letters and digits."""

    name: str
    sector: int
    size: int


def descriptors(sectors: int, files: Sequence[CdFile], loader: int, volume: int) -> bytes:
    """Sectors FIRST to CATALOG of a medium of so many sectors; a BIOS boots it by the program at sector `loader`, UEFI by the FAT volume at
    sector `volume`.
    """
    return b"".join(
        part.ljust(SECTOR, b"\0")
        for part in (
            _volume(sectors),
            _boot_record(),
            _descriptor(255, b""),
            _paths("<"),
            _paths(">"),
            _root(files),
            _catalog(loader, volume),
        )
    )


def _both(value: int, size: str = "I") -> bytes:
    """7.2.3, 7.3.3: a number in both orders."""
    return struct.pack("<" + size, value) + struct.pack(">" + size, value)


def _descriptor(kind: int, content: bytes) -> bytes:
    return bytes((kind,)) + b"CD001\x01" + content


def _volume(sectors: int) -> bytes:
    """8.4: the primary volume descriptor."""
    numbers = _both(1, "H") + _both(1, "H") + _both(SECTOR, "H") + _both(10) + struct.pack("<II", _PATHS_LITTLE, 0)
    numbers += struct.pack(">II", _PATHS_BIG, 0)
    content = b"\0" + b" " * 32 + b"XBOOT".ljust(32) + bytes(8) + _both(sectors) + bytes(32) + numbers
    content += _record(b"\0", _ROOT, SECTOR, _DIRECTORY) + b" " * (4 * 128 + 3 * 37) + _NEVER * 4 + b"\x01"
    return _descriptor(1, content)


def _boot_record() -> bytes:
    """El Torito, figure 7: where the catalog is."""
    return _descriptor(0, b"EL TORITO SPECIFICATION".ljust(64, b"\0") + struct.pack("<I", CATALOG))


def _catalog(loader: int, volume: int) -> bytes:
    """El Torito, figures 2 to 5: for a BIOS one program, no emulation, four sectors of 512 bytes; then a section for UEFI (platform 0xef),
    whose size of 0 stands for all that follows on the medium (UEFI 2.10, section 13.3.2.1).
    """
    head = struct.pack("<BBH24s", 1, 0, 0, b"")
    check = -(sum(struct.unpack("<14H", head)) + 0xAA55) & 0xFFFF
    bios = struct.pack("<BBHBBHI20x", 0x88, 0, 0, 0, 0, 4, loader)
    section = struct.pack("<BBH28x", 0x91, 0xEF, 1)
    return head + struct.pack("<HH", check, 0xAA55) + bios + section + struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, 0, volume)


def _paths(order: str) -> bytes:
    """9.4: the path table of a medium with one directory."""
    return struct.pack(order + "BBIH", 1, 0, _ROOT, 1) + b"\0\0"


def _root(files: Sequence[CdFile]) -> bytes:
    """6.8: the root, in the order of names (9.3)."""
    records = [_record(name, _ROOT, SECTOR, _DIRECTORY) for name in (b"\0", b"\x01")]
    records += [_record(f"{f.name}.;1".encode(), f.sector, f.size, 0) for f in sorted(files, key=lambda f: f.name)]
    return b"".join(records)


def _record(name: bytes, sector: int, size: int, flags: int) -> bytes:
    """9.1: a directory record, of an even length."""
    content = b"\0" + _both(sector) + _both(size) + _TIME + bytes((flags, 0, 0)) + _both(1, "H") + bytes((len(name),)) + name
    content += b"\0" * (1 - len(name) % 2)
    return bytes((len(content) + 1,)) + content
