"""What the host finds in a NAR that a guest made, by itself: hash, size, references, and whether it is the fixed output that it should be.

A guest that was taken over can say of its outputs what it likes. What is used of them later is what is found here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from xboot import nar
from xboot._records import dataclass
from xboot.files import open_regular
from xboot.mentions import mentioned, overlapping
from xboot.model import FixedHash
from xboot.storepath import hash_part

__all__ = ["Found", "examine", "visible"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """SHA-256 (hex) and size of a NAR, the store paths that it mentions in bytewise order, and `wrong`: how it misses the hash that its
    derivation fixes, empty when it does not or when there is none.
    """

    sha256: str
    size: int
    references: Sequence[str]
    wrong: str = ""


def examine(file: Path, candidates: Iterable[str], fixed: FixedHash | None = None) -> Found:
    """Read the NAR `file` and look for the hash parts of `candidates`. Raises InputError when it is no NAR in its one form."""
    with open_regular(file, follow=False) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
        stream.seek(0)
        flat = _flat(nar.read(stream))
        stream.seek(0)
        references = _mentioned(stream, candidates)
    wrong = ""
    if fixed is not None:
        found = digest if fixed.mode == "recursive" else flat
        if found != fixed.sha256:
            wrong = f"has the {fixed.mode} SHA-256 {found or '(none: it is not one plain file)'}, its derivation fixes {fixed.sha256}"
    return Found(digest, size, references, wrong)


def visible(inputs: Iterable[str], references: Mapping[str, Sequence[str]]) -> set[str]:
    """The store paths that a builder can see: `inputs` and all that they refer to (docs/contract.md, section 3)."""
    found: set[str] = set()
    todo = list(inputs)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += references[path]
    return found


def _flat(entries: Iterable[nar.NarEntry]) -> str:
    """SHA-256 of the content of a NAR that is one regular file that nobody may execute; empty for any other. Reads all of it."""
    found = ""
    for entry in entries:
        if not entry.path and entry.kind == "regular" and not entry.executable:
            content = hashlib.sha256()
            for chunk in entry.chunks:
                content.update(chunk)
            found = content.hexdigest()
    return found


def _mentioned(file: BinaryIO, candidates: Iterable[str]) -> list[str]:
    """Those whose hash part stands anywhere in the file, as executors look for them: byte by byte, in names, contents and targets alike."""
    paths = set(candidates)
    found = mentioned(overlapping(iter(lambda: file.read(_CHUNK), b"")), {hash_part(path).encode() for path in paths})
    return sorted(path for path in paths if hash_part(path).encode() in found)
