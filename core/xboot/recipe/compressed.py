"""A compressed tarball as a plain one: decompressed once, by stream, into a file without a name, within stated bounds.

`tarfile` would decompress anew whenever it goes back, and lets a header ask for as much memory as it likes; xz lets a file ask for 4 GiB.
"""

from __future__ import annotations

import bz2
import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from xboot.errors import InputError
from xboot.files import open_regular

__all__ = ["Bounded", "plain_tarball"]

_XZ_MEMORY = 512 << 20  # `xz -9` needs 65 MiB
_CHUNK = 1 << 20
_MAX_READ = 4 << 20  # of one header: a GNU long name, a pax record; files are copied in pieces
_EMPTY_READS = 64  # at the end of the file, before something is believed to wait there for ever


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's object with the manners of bz2's and lzma's: how much comes out at once is bounded."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


_KINDS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": _Gzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY),
    b"]\0\0": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _XZ_MEMORY),
}


@contextmanager
def plain_tarball(archive: Path, folder: Path, limit: int) -> Iterator[BinaryIO]:
    """The tarball `archive`, decompressed. What needs a file has it in `folder`, without a name. Raises InputError for more than `limit`
    bytes, and for what is no regular file; zlib.error, LZMAError, OSError or EOFError for damaged data.
    """
    with open_regular(archive) as file:
        head = file.read(6)
        file.seek(0)
        make = next((make for magic, make in _KINDS.items() if head.startswith(magic)), None)
        if make is None:
            yield file
            return
        with tempfile.TemporaryFile(dir=folder) as plain:
            size = 0
            for piece in _decompressed(file, make):
                size += len(piece)
                if size > limit:
                    raise InputError(f"{archive.name}: has more than {limit >> 20} MiB when it is unpacked")
                plain.write(piece)
            plain.seek(0)
            yield plain


def _decompressed(file: BinaryIO, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """All members of a compressed file, one after the other, in pieces. Zeros behind the last are padding."""
    data = file.read(_CHUNK)
    first = True
    while data.strip(b"\0") or first:
        inner = make()
        while not inner.eof:
            if inner.needs_input and not data and not (data := file.read(_CHUNK)):
                raise EOFError("it ends too early")
            piece = inner.decompress(data if inner.needs_input else b"", _CHUNK)
            data = b""
            yield piece
        data = inner.unused_data or file.read(_CHUNK)
        first = False


class Bounded:
    """A file for `tarfile`: no read is larger than a header may be, and none waits at the end for what will never come."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._empty = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, which must be given."""
        if not 0 <= size <= _MAX_READ:
            raise InputError(f"{self._name}: a header of {size} bytes")
        data = self._file.read(size)
        self._empty = self._empty + 1 if size and not data else 0
        if self._empty > _EMPTY_READS:
            raise InputError(f"{self._name}: ends in the middle of a header")
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place of the file, which must be one that a file can have."""
        if not 0 <= place < 1 << 62:
            raise InputError(f"{self._name}: a header speaks of byte {place}")
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()
