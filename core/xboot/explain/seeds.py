"""The binaries that a plan starts from: every file of every source, by what it holds.

Sources are all that is not built. What of them is a program must be believed as it is; a text can be read. Files are told apart by their
content and never by their names: `program` begins as the formats of machine code do, `archive` as compressed files and archives do (what
is in them is not looked into), `text` has no byte that a text does not have, and all else is `data`. A program that somebody wrote down in
letters, as hexadecimal digits or in a shell archive, passes for text.
"""

from __future__ import annotations

import enum
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from xboot import nar
from xboot._records import dataclass
from xboot.errors import InputError
from xboot.explain.graph import Graph, Node
from xboot.files import open_regular
from xboot.model import Source

__all__ = ["Content", "Count", "Seed", "content_of", "seeds"]

_CHUNK = 1 << 18
_HEAD = 512

_PROGRAMS = (
    b"\x7fELF", b"MZ", b"!<arch>\n", b"!<thin>\n", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"\0asm", b"\x1bLua", b"BC\xc0\xde", b"Caml1999",
)  # fmt: skip
"""ELF, DOS and Windows, archives of objects, Mach-O in four orders, Java classes (and Mach-O for several processors), WebAssembly, Lua,
LLVM's bitcode, OCaml's objects.
"""
_ARCHIVES = (
    b"!<arch>\ndebian-binary", b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd", b"LZIP", b"PK\x03\x04", b"070701",
    b"7z\xbc\xaf\x27\x1c",
    b"\x0d\0\0\0\0\0\0\0nix-archive-1",
)  # fmt: skip
"""Debian packages, gzip, xz, bzip2, zstd, lzip, zip, cpio, 7-Zip, NAR."""
_TAR = (257, b"ustar")
_TEXT = bytes({*range(0x20, 0x7F), *range(0x80, 0x100), *b"\t\n\v\f\r\b\x1b"})


class Content(enum.Enum):
    """What a file holds."""

    PROGRAM = "program"
    ARCHIVE = "archive"
    DATA = "data"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Count:
    """So many files, and so many bytes in them."""

    files: int = 0
    size: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.files + other.files, self.size + other.size)


@dataclass(frozen=True, slots=True)
class Seed:
    """One source. `holds`: its files by content. `programs`: each program's place in it, with its bytes, largest first. `upon`: numbers of
    the steps that are made from it, however far away. `holds` is empty where the content is not at hand, and `source` then None.
    """

    path: str
    source: Source | None
    holds: Mapping[Content, Count] = field(default_factory=dict)
    programs: Sequence[tuple[str, int]] = ()
    upon: Sequence[int] = ()

    def count(self, *contents: Content) -> Count:
        """The files of these contents, taken together."""
        return sum((self.holds.get(content, Count()) for content in contents), Count())


def seeds(graph: Graph, only: Iterable[Node] | None = None) -> list[Seed]:
    """Every source of the plan (or of `only` these nodes), those with the most bytes of programs first, then of other binaries.

    Reads all of their files. Raises InputError for a source that cannot be read.
    """
    wanted = [*graph.sources, *sorted(missing(graph))] if only is None else [node for node in only if isinstance(node, str)]
    found = []
    for path in wanted:
        upon = graph.steps_upon(path)
        source = graph.source(path)
        holds, programs = _look(source) if source is not None else ({}, [])
        found.append(Seed(path, source, holds, programs, upon))
    return sorted(found, key=lambda seed: (-seed.count(Content.PROGRAM).size, -seed.count(Content.ARCHIVE, Content.DATA).size, seed.path))


def missing(graph: Graph) -> set[str]:
    """What steps and sources declare that is neither built nor at hand."""
    nodes = [*range(1, len(graph.script.steps) + 1), *graph.sources]
    return {one for node in nodes for one in graph.needs(node) if isinstance(one, str) and graph.source(one) is None}


def content_of(pieces: Iterable[bytes]) -> Content:
    """What a file with these bytes holds."""
    head, text = b"", True
    for piece in pieces:
        if len(head) < _HEAD:
            head += piece[: _HEAD - len(head)]
        text = text and not piece.translate(None, _TEXT)
        if len(head) == _HEAD and not text:
            break
    if head.startswith(_ARCHIVES) or head[_TAR[0] :].startswith(_TAR[1]):
        return Content.ARCHIVE
    if head.startswith(_PROGRAMS) and not (text and head.startswith((b"MZ", b"BC"))):
        return Content.PROGRAM
    return Content.TEXT if text else Content.DATA


def _look(source: Source) -> tuple[dict[Content, Count], list[tuple[str, int]]]:
    holds: dict[Content, Count] = {}
    programs = []
    for place, size, pieces in _files(source):
        content = content_of(pieces)
        holds[content] = holds.get(content, Count()) + Count(1, size)
        if content is Content.PROGRAM:
            programs.append((place, size))
    return holds, sorted(programs, key=lambda one: (-one[1], one[0]))


def _files(source: Source) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """The regular files of a source: place below its path (empty for the path itself), size, bytes."""
    location = source.location
    try:
        if source.packed:
            with open_regular(location) as stream:
                for entry in nar.read(stream):
                    if entry.kind == "regular":
                        yield os.fsdecode(b"/".join(entry.path)), entry.size, entry.chunks
        else:
            yield from _tree(location)
    except OSError as error:
        raise InputError(f"{error.filename or location}: cannot be read: {error.strerror}") from None


def _tree(location: Path) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    todo = [location]
    while todo:
        path = todo.pop()
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            todo += sorted(path.iterdir(), reverse=True)
        elif stat.S_ISREG(status.st_mode):
            place = "" if path == location else str(path.relative_to(location))
            with open_regular(path, follow=False) as stream:
                yield place, status.st_size, iter(lambda stream=stream: stream.read(_CHUNK), b"")  # type: ignore[misc]
