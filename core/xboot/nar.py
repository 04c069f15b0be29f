"""NAR, the archive format whose SHA-256 identifies a file tree (E. Dolstra, "The Purely Functional Software Deployment Model", figure 5.2).

A NAR knows three kinds of node (regular file with one executable bit, directory, symbolic link) and nothing of owners
or times. Reader and writer are iterative and bounded, because archives and trees come from strangers:

- directories nest at most `MAX_DEPTH` deep;
- names are unique, in bytewise order, and never empty, `.`, `..`, or with a slash or NUL;
- padding is zero, every regular file has its contents, and nothing follows the end: what `read` accepts is what `dump` writes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from xboot._records import dataclass
from xboot.errors import InputError

__all__ = ["MAX_DEPTH", "NarEntry", "NarInfo", "dump", "nar_hash", "read", "unpack"]

MAX_DEPTH = 64
MAX_NAME = 255
MAX_TARGET = 4095
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class NarInfo:
    """What identifies a tree: SHA-256 of its NAR in hex, and the NAR's size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class NarEntry:
    """One node. `path` holds the names from the root (empty for the root itself); `size` is that of a regular file,
    whose bytes `chunks` yields once.
    """

    path: tuple[bytes, ...]
    kind: Literal["directory", "regular", "symlink"]
    executable: bool = False
    target: bytes = b""
    size: int = 0
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


# ---------------------------------------------------------------- writing


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)


_MAGIC = _string(b"nix-archive-1")
_OPEN, _CLOSE = _string(b"("), _string(b")")
_TYPE = _OPEN + _string(b"type")
_REGULAR = _TYPE + _string(b"regular")
_EXECUTABLE = _string(b"executable") + _string(b"")
_CONTENTS = _string(b"contents")
_DIRECTORY = _TYPE + _string(b"directory")
_ENTRY = _string(b"entry") + _OPEN + _string(b"name")
_NODE = _string(b"node")
_SYMLINK = _TYPE + _string(b"symlink") + _string(b"target")


def dump(path: Path) -> Iterator[bytes]:
    """The NAR of a file, tree or symbolic link (which is not followed), in pieces.

    Raises InputError for nodes that a NAR cannot hold, for nesting beyond `MAX_DEPTH`, and for a file that changes
    its size while it is read.
    """
    yield _MAGIC
    yield from _dump_node(os.fsencode(path))


def _dump_node(root: bytes) -> Iterator[bytes]:
    # Each stack level is (directory, its names still to come, in order); the bytes that close a level follow its last name.
    stack: list[tuple[bytes, Iterator[bytes]]] = []
    node: bytes | None = root
    while True:
        if node is not None:
            status = os.lstat(node)
            if stat.S_ISDIR(status.st_mode):
                if len(stack) >= MAX_DEPTH:
                    raise InputError(f"{os.fsdecode(root)}: directories nested deeper than {MAX_DEPTH}, which a NAR may not hold")
                yield _DIRECTORY
                stack.append((node, iter(sorted(os.listdir(node)))))
            else:
                yield from _dump_leaf(node, status)
                yield _CLOSE + _CLOSE if stack else _CLOSE
        if not stack:
            return
        directory, names = stack[-1]
        name = next(names, None)
        if name is None:
            stack.pop()
            yield _CLOSE + _CLOSE if stack else _CLOSE
            node = None
        else:
            yield _ENTRY + _string(name) + _NODE
            node = directory + b"/" + name


def _dump_leaf(node: bytes, status: os.stat_result) -> Iterator[bytes]:
    if stat.S_ISLNK(status.st_mode):
        yield _SYMLINK + _string(os.readlink(node))
    elif stat.S_ISREG(status.st_mode):
        yield _REGULAR + (_EXECUTABLE if status.st_mode & stat.S_IXUSR else b"") + _CONTENTS
        yield status.st_size.to_bytes(8, "little")
        left = status.st_size
        with open(os.open(node, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0) as file:
            while left and (chunk := file.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk
            if left or file.read(1):
                raise InputError(f"{os.fsdecode(node)}: its size changed while it was read; leave the folder alone and try again")
        yield bytes(-status.st_size % 8)
    else:
        raise InputError(f"{os.fsdecode(node)}: neither regular file, directory nor symbolic link, so it cannot stand in a store")


def nar_hash(path: Path) -> NarInfo:
    """SHA-256 and size of the NAR of `path`."""
    digest, size = hashlib.sha256(), 0
    for piece in dump(path):
        digest.update(piece)
        size += len(piece)
    return NarInfo(digest.hexdigest(), size)


# ---------------------------------------------------------------- reading


class _Tokens:
    """The strings of a NAR, one at a time, with the offset for messages."""

    def __init__(self, stream: _Source) -> None:
        self._stream = stream
        self.offset = 0

    def fail(self, problem: str) -> InputError:
        return InputError(f"malformed NAR at byte {self.offset}: {problem}")

    def take(self, size: int) -> bytes:
        pieces, left = [], size
        while left:
            piece = self._stream.read(left)
            if not piece:
                raise self.fail(f"it ends {left} bytes too early")
            pieces.append(piece)
            left -= len(piece)
        self.offset += size
        return b"".join(pieces)

    def pad(self, size: int) -> None:
        if any(self.take(-size % 8)):
            raise self.fail("padding that is not zero")

    def string(self, limit: int, what: str) -> bytes:
        size = int.from_bytes(self.take(8), "little")
        if size > limit:
            raise self.fail(f"{what} of {size} bytes, at most {limit} are allowed")
        data = self.take(size)
        self.pad(size)
        return data

    def expect(self, word: bytes) -> None:
        found = self.string(16, "keyword")
        if found != word:
            raise self.fail(f"{found!r} where {word!r} was expected")

    def choose(self, *words: bytes) -> bytes:
        found = self.string(16, "keyword")
        if found not in words:
            raise self.fail(f"{found!r} where one of {', '.join(repr(word) for word in words)} was expected")
        return found

    def content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self.take(min(left, _CHUNK))
            left -= len(piece)
            yield piece
        self.pad(size)

    def end(self) -> None:
        if self._stream.read(1):
            raise self.fail("bytes after its end")


def read(stream: BinaryIO | _Source) -> Iterator[NarEntry]:
    """The nodes of a NAR, parents first. What the caller leaves unread of a file is skipped. Raises InputError, naming the offset."""
    tokens = _Tokens(stream)
    if tokens.string(16, "magic") != b"nix-archive-1":
        raise tokens.fail("it does not start with nix-archive-1")
    path: list[bytes] = []
    last: list[bytes] = []  # for each open directory, the last name seen in it
    while True:
        tokens.expect(b"(")
        tokens.expect(b"type")
        kind = tokens.choose(b"regular", b"directory", b"symlink")
        if kind == b"directory":
            if len(last) >= MAX_DEPTH:
                raise tokens.fail(f"directories nested deeper than {MAX_DEPTH}")
            yield NarEntry(tuple(path), "directory")
            last.append(b"")
        else:
            yield from _read_symlink(tokens, path) if kind == b"symlink" else _read_regular(tokens, path)
            if last:
                path.pop()
                tokens.expect(b")")
        # Close directories until one has another entry.
        while last and tokens.choose(b"entry", b")") == b")":
            last.pop()
            if last:
                path.pop()
                tokens.expect(b")")
        if not last:
            tokens.end()
            return
        tokens.expect(b"(")
        tokens.expect(b"name")
        name = tokens.string(MAX_NAME, "name")
        _check_name(tokens, name, last[-1])
        last[-1] = name
        path.append(name)
        tokens.expect(b"node")


def _check_name(tokens: _Tokens, name: bytes, previous: bytes) -> None:
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        raise tokens.fail(f"the name {name!r} is not allowed")
    if name <= previous:
        raise tokens.fail(f"the name {name!r} after {previous!r}: names must be unique and in order")


def _read_symlink(tokens: _Tokens, path: list[bytes]) -> Iterator[NarEntry]:
    tokens.expect(b"target")
    target = tokens.string(MAX_TARGET, "link target")
    if not target or b"\0" in target:
        raise tokens.fail(f"the link target {target!r} is not allowed")
    tokens.expect(b")")
    yield NarEntry(tuple(path), "symlink", target=target)


def _read_regular(tokens: _Tokens, path: list[bytes]) -> Iterator[NarEntry]:
    executable = False
    if tokens.choose(b"executable", b"contents") == b"executable":
        executable = True
        if tokens.string(0, "executable marker"):
            raise tokens.fail("an executable marker that is not empty")
        tokens.expect(b"contents")  # also of an empty file: there is one way to write each tree, and one hash of it
    size = int.from_bytes(tokens.take(8), "little")
    if size >= 1 << 63:
        raise tokens.fail(f"a file of {size} bytes")
    chunks = tokens.content(size)
    yield NarEntry(tuple(path), "regular", executable, size=size, chunks=chunks)
    for _ in chunks:
        pass
    tokens.expect(b")")


def unpack(stream: BinaryIO | _Source, destination: Path) -> NarInfo:
    """Unpack a NAR into `destination`, which must not exist, with the modes of a store (0555, 0444); returns what was read.

    Only creates, never follows a link, and leaves nothing behind when it fails. Raises InputError; OSError when the disk refuses.
    """
    if os.path.lexists(destination):
        raise InputError(f"{destination}: exists already; a NAR is unpacked only into a new place")
    hashing = _Hashing(stream)
    try:
        directories = [_create(destination, entry) for entry in read(hashing)]
    except BaseException:
        _remove(destination)
        raise
    for directory in reversed([d for d in directories if d is not None]):
        os.chmod(directory, 0o555)  # noqa: S103 - what a store's folders have
    return NarInfo(hashing.digest.hexdigest(), hashing.size)


class _Hashing:
    def __init__(self, stream: _Source) -> None:
        self._stream, self.digest, self.size = stream, hashlib.sha256(), 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        self.size += len(data)
        return data


def _create(destination: Path, entry: NarEntry) -> bytes | None:
    # Every parent was created by this very call, as a directory, under a name without slashes: no link can be on the way.
    path = b"/".join((os.fsencode(destination), *entry.path))
    if entry.kind == "directory":
        os.mkdir(path, 0o700)
        return path
    if entry.kind == "symlink":
        os.symlink(entry.target, path)
        return None
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        for chunk in entry.chunks:
            file.write(chunk)
        os.fchmod(descriptor, 0o555 if entry.executable else 0o444)
    return None


def _remove(destination: Path) -> None:
    if destination.is_dir() and not destination.is_symlink():
        shutil.rmtree(destination, ignore_errors=True)
    else:
        destination.unlink(missing_ok=True)
