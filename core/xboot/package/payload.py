"""The payload: one cpio archive with the executor, the script and the sources (docs/contract.md, section 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from xboot import nar
from xboot._records import dataclass
from xboot.errors import InputError
from xboot.files import open_regular
from xboot.model import Artifact, Region, Script, Source
from xboot.package.cpio import CpioWriter

FRAMING = "archive framing"
"""The component that owns the folders, devices and trailer of the archive. An entry's header belongs to the entry."""

_DEVICES = ((b"console", 5, 1, 0o600), (b"mem", 1, 1, 0o600), (b"null", 1, 3, 0o666), (b"port", 1, 4, 0o600), (b"ttyS1", 4, 65, 0o600))


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload in a file: its size in bytes, who owns which part, and `unpacked`: bytes of file content in it, for
    the choice of memory.
    """

    path: Path
    size: int
    regions: tuple[Region, ...]
    unpacked: int
    entries: int


def write_payload(script: Script, destination: Path, init: Artifact | None = None, extra: tuple[Artifact, ...] = ()) -> Payload:
    """Write the payload of `script` to `destination`.

    `init` becomes `/init`. `extra` are artifacts that are NAR files or trees, unpacked under `xboot/NAME` (an
    interpreter that the executor needs). Streams: memory does not grow with the sources. Raises InputError when a
    source is not what its verification found.
    """
    with destination.open("wb") as sink:
        writer = _Payload(sink, destination.name)
        writer.write(script, init, extra)
        return Payload(destination, writer.cpio.offset, tuple(writer.regions), writer.unpacked, writer.entries)


class _Payload:
    def __init__(self, sink: BinaryIO, file: str) -> None:
        self.cpio = CpioWriter(sink)
        self.regions: list[Region] = []
        self.unpacked = 0
        self.entries = 0
        self._file = file
        self._start = 0

    def write(self, script: Script, init: Artifact | None, extra: tuple[Artifact, ...]) -> None:
        self.cpio.directory(b"dev", 0o755)
        for device, major, minor, mode in _DEVICES:
            self.cpio.device(b"dev/" + device, major, minor, mode)
        self._own(FRAMING)
        if init is not None:
            data = init.path.read_bytes()
            self.cpio.file(b"init", 0o555, len(data), [data])
            self.unpacked += len(data)
            self._own(init.name)
        self.cpio.directory(b"xboot", 0o755)
        self._own(FRAMING)
        for artifact in sorted(extra, key=lambda a: a.name):
            self._tree(b"xboot/" + artifact.name.encode(), artifact.path)
            self._own(artifact.name)
        self.cpio.file(b"xboot/script", 0o444, len(script.text), [script.text])
        self.unpacked += len(script.text)
        self._own("script")
        self.cpio.directory(b"xboot/store", 0o755)
        self._own(FRAMING)
        for source in sorted(script.sources, key=lambda s: s.path):
            name = source.path.rsplit("/", 1)[1]
            self._tree(b"xboot/store/" + name.encode(), source.location, source)
            self._own(f"source:{name}")
        self.cpio.end()
        self._own(FRAMING)

    def _own(self, component: str) -> None:
        """Everything written since the last call belongs to `component`."""
        size = self.cpio.offset - self._start
        if self.regions and self.regions[-1].component == component:
            last = self.regions.pop()
            self._start, size = last.offset, last.size + size
        if size:
            self.regions.append(Region(self._file, self._start, size, component))
        self._start = self.cpio.offset

    def _tree(self, prefix: bytes, location: Path, source: Source | None = None) -> None:
        """A tree or a `.nar` file, entries in the order of its NAR (bytewise by name within each folder), parents
        first, with the modes of a store.
        """
        hashing = _HashingNar(location, packed=source is not None and source.packed)
        for entry in nar.read(hashing):
            name = b"/".join((prefix, *entry.path))
            self.entries += 1
            if entry.kind == "directory":
                self.cpio.directory(name)
            elif entry.kind == "symlink":
                self.cpio.symlink(name, entry.target)
            else:
                self.unpacked += entry.size
                self.cpio.file(name, 0o555 if entry.executable else 0o444, entry.size, entry.chunks)
        if source is not None and hashing.sha256 != source.nar_sha256:
            raise InputError(
                f"{source.path}: the content at {location} has NAR SHA-256 {hashing.sha256}, but {source.nar_sha256} when it was verified",
                hint="leave the store alone while xboot runs",
            )


class _HashingNar:
    """The NAR of a tree (made on the way) or of a `.nar` file, as a stream that hashes what is read."""

    def __init__(self, location: Path, *, packed: bool) -> None:
        self._digest = hashlib.sha256()
        self._pieces = _pieces(location, packed=packed)
        self._buffer = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        while not self._buffer:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._digest.update(piece)
            self._buffer = memoryview(piece)
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken.tobytes()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _pieces(location: Path, *, packed: bool) -> Iterator[bytes]:
    if packed:
        with open_regular(location) as file:
            while piece := file.read(1 << 18):
                yield piece
    else:
        yield from nar.dump(location)
