"""The *newc* cpio format (Linux: Documentation/driver-api/early-userspace/buffer-format.rst), written as a stream.

Every field that could tell where or when an archive was made is fixed: owner 0:0, mtime 1, inodes counted from 1, devices 0.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from typing import BinaryIO

from xboot.errors import InputError

_MAX_SIZE = (1 << 32) - 1
_MTIME = 1


class CpioWriter:
    """Writes entries, in the order given, to `sink`; `offset` is the number of bytes written so far."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._inode = 0
        self.offset = 0

    def directory(self, name: bytes, mode: int = 0o555) -> None:
        self._entry(name, stat.S_IFDIR | mode)

    def device(self, name: bytes, major: int, minor: int, mode: int) -> None:
        """A character device."""
        self._entry(name, stat.S_IFCHR | mode, device=(major, minor))

    def symlink(self, name: bytes, target: bytes) -> None:
        self._entry(name, stat.S_IFLNK | 0o777, size=len(target))
        self._write(target)
        self._pad()

    def file(self, name: bytes, mode: int, size: int, chunks: Iterable[bytes]) -> None:
        """A regular file of `size` bytes. Raises InputError when it is too large for the format or `chunks` yields
        another number of bytes.
        """
        if size > _MAX_SIZE:
            raise InputError(f"{name.decode(errors='replace')}: {size} bytes; a file in an image may have at most {_MAX_SIZE}")
        self._entry(name, stat.S_IFREG | mode, size=size)
        start = self.offset
        for chunk in chunks:
            self._write(chunk)
        if self.offset - start != size:
            raise InputError(
                f"{name.decode(errors='replace')}: {self.offset - start} bytes were read where {size} were announced; did it change?"
            )
        self._pad()

    def end(self) -> None:
        """The trailer, padded to 512 bytes as cpio does."""
        self._inode = -1  # the trailer's inode is 0
        self._entry(b"TRAILER!!!", 0)
        self._write(bytes(-self.offset % 512))

    def _entry(self, name: bytes, mode: int, size: int = 0, device: tuple[int, int] = (0, 0)) -> None:
        self._inode += 1
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (self._inode, mode, 0, 0, links, _MTIME if mode else 0, size, 0, 0, *device, len(name) + 1, 0)
        self._write(b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0")
        self._pad()

    def _pad(self) -> None:
        self._write(bytes(-self.offset % 4))

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self.offset += len(data)
