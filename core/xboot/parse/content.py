"""The content of a store object: an unpacked tree or a NAR of one, hashed and searched as a stream."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from xboot import nar
from xboot.errors import InputError
from xboot.mentions import mentioned, overlapping
from xboot.parse.stores import Found

__all__ = ["Content"]

_CHUNK = 1 << 20


class Content:
    """What is at `found`. Reads it anew for each question except `info`."""

    def __init__(self, found: Found) -> None:
        self.location = found.location
        self._is_nar = found.is_nar
        self._info: nar.NarInfo | None = None

    @property
    def info(self) -> nar.NarInfo:
        """SHA-256 and size of the NAR. Raises InputError when a `.nar` file is not one in its one way of writing."""
        if self._info is None:
            if self._is_nar:
                with _open(self.location) as stream:
                    hashing = _HashingReader(stream)
                    try:
                        for _ in nar.read(hashing):
                            pass
                    except InputError as error:
                        raise InputError(f"{self.location}: {error.message}", hint=error.hint) from None
                self._info = nar.NarInfo(hashing.digest.hexdigest(), hashing.size)
            else:
                for _ in self._hashed():
                    pass
        assert self._info is not None
        return self._info

    def file(self) -> tuple[bool, Iterator[bytes]] | None:
        """Whether the object is executable, and its bytes, if it is one regular file; else None."""
        if not self._is_nar:
            status = os.lstat(self.location)
            if not stat.S_ISREG(status.st_mode):
                return None
            return bool(status.st_mode & stat.S_IXUSR), _pieces(self.location)
        with _open(self.location) as stream:
            entry = next(nar.read(stream))
            kind, executable = entry.kind, entry.executable
        return (executable, self._file_in_nar()) if kind == "regular" else None

    def _file_in_nar(self) -> Iterator[bytes]:
        with _open(self.location) as stream:
            for entry in nar.read(stream):
                yield from entry.chunks

    def nar_bytes(self) -> Iterator[bytes]:
        if self._is_nar:
            return _pieces(self.location)
        return self._hashed() if self._info is None else nar.dump(self.location)

    def _hashed(self) -> Iterator[bytes]:
        """The NAR of a tree. Who has read it all knows `info` too, without another reading."""
        digest, size = hashlib.sha256(), 0
        for piece in nar.dump(self.location):
            digest.update(piece)
            size += len(piece)
            yield piece
        self._info = nar.NarInfo(digest.hexdigest(), size)

    def digest(self, algo: str, *, recursive: bool) -> str | None:
        """Hash (hex) of the NAR, or of the one regular, non-executable file; None when it is not one."""
        if recursive and algo == "sha256":
            return self.info.sha256
        pieces = self.nar_bytes()
        if not recursive:
            file = self.file()
            if file is None or file[0]:
                return None
            pieces = file[1]
        digest = hashlib.new(algo, usedforsecurity=False)
        for piece in pieces:
            digest.update(piece)
        return digest.hexdigest()

    def find(self, wanted: Collection[bytes], store_dir: str) -> tuple[set[bytes], dict[bytes, bytes]]:
        """Which of the hash parts in `wanted` stand anywhere in the NAR, as the daemons look for references; and hash part -> name for
        whatever looks like a path in `store_dir`, where the name is as long as the text allows.
        """
        pattern = re.compile(re.escape(store_dir.encode()) + rb"/([0-9a-df-np-sv-z]{32})-([0-9A-Za-z+\-._?=]{1,211})")
        paths: dict[bytes, bytes] = {}

        def windows() -> Iterator[bytes]:
            for window in overlapping(self.nar_bytes(), len(store_dir) + 300):
                paths.update((match[1], match[2]) for match in pattern.finditer(window))
                yield window

        return mentioned(windows(), wanted), paths


class _HashingReader:
    """Hashes what is read through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        self.size += len(data)
        return data


def _open(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb")


def _pieces(path: Path) -> Iterator[bytes]:
    with _open(path) as stream:
        while piece := stream.read(_CHUNK):
            yield piece
