"""What is in a repository of attestations. All of it is a stranger's: no link is followed, no name is believed, all is bounded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from xboot.attest.envelope import FILE_SUFFIX
from xboot.errors import InputError
from xboot.files import open_regular, read_descriptor
from xboot.foreign import printable

__all__ = ["DIFFERENCE", "Folder", "Unshown", "read_folder", "read_inside"]

DIFFERENCE = "difference.txt"
"""In the folder of a target: what diffoscope (or whoever) says of the first divergence. Nobody signs it."""

_BASES = "tcb"  # the folder with what `xboot tcb --json` wrote
_MAX_ENTRIES = 100_000
_MAX_DEPTH = 16
_MAX_BYTES = 256 << 20  # of all attestations together: what is claimed is held in memory
_MOST_SHOWN = 300  # characters of a name or a reason


@dataclass(frozen=True, slots=True)
class Unshown:
    """A file that is not shown as evidence, by its name in the folder, and why. `unknown`: it is only that nobody named its key."""

    file: str
    reason: str
    unknown: bool = False


@dataclass(slots=True)
class Folder:
    """What was found. `differences`: first folder of their path → file."""

    path: Path
    attestations: list[Path] = field(default_factory=list)
    differences: dict[str, Path] = field(default_factory=dict)
    bases: list[Path] = field(default_factory=list)
    unshown: list[Unshown] = field(default_factory=list)

    def name(self, file: Path) -> str:
        """A file's path within the folder, as harmless text."""
        return printable(str(file.relative_to(self.path)), _MOST_SHOWN)

    def reason(self, text: str) -> str:
        """What is wrong with a file, as harmless text, and without the place where the folder stands on this machine."""
        return printable(text.replace(f"{self.path}/", ""), 2 * _MOST_SHOWN)

    def top(self, file: Path) -> str:
        """The folder right below this one in which a file is; empty for one that is in none."""
        parts = file.relative_to(self.path).parts
        return parts[0] if len(parts) > 1 else ""


def read_folder(path: Path) -> Folder:
    """Look at everything below a folder. Raises InputError when it is none, holds no attestation, or more than is read at once."""
    found = Folder(path)
    size = 0
    for entry, status in _below(found):
        if stat.S_ISLNK(status.st_mode):
            found.unshown.append(Unshown(found.name(entry), "a symbolic link; none is followed"))
        elif not stat.S_ISREG(status.st_mode):
            found.unshown.append(Unshown(found.name(entry), "neither a file nor a folder"))
        elif entry.name.endswith(FILE_SUFFIX):
            found.attestations.append(entry)
            size += status.st_size
        elif entry.name == DIFFERENCE and entry.parent.parent == path:
            found.differences[found.top(entry)] = entry
        elif entry.suffix == ".json" and found.top(entry) == _BASES:
            found.bases.append(entry)
    if not found.attestations:
        raise InputError(f"{path}: no file below this folder ends with {FILE_SUFFIX}")
    if size > _MAX_BYTES:
        raise InputError(f"{path}: {size} bytes of attestations are more than are read at once ({_MAX_BYTES} bytes)")
    return found


def _below(found: Folder) -> Iterator[tuple[Path, os.stat_result]]:
    """Every entry that is no folder, in the order of names, without recursion and without following anything."""
    todo = [(found.path, 0)]
    seen = 0
    while todo:
        folder, depth = todo.pop()
        try:
            names = sorted(os.listdir(folder))
        except OSError as error:
            if folder == found.path:
                raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
            found.unshown.append(Unshown(found.name(folder), f"cannot be read: {error.strerror}"))
            continue
        seen += len(names)
        if seen > _MAX_ENTRIES:
            raise InputError(f"{found.path}: more than {_MAX_ENTRIES} files and folders")
        deeper = []
        for name in names:
            entry = folder / name
            status = entry.lstat()
            if not stat.S_ISDIR(status.st_mode):
                yield entry, status
            elif depth == _MAX_DEPTH:
                found.unshown.append(Unshown(found.name(entry), f"folders are looked into only {_MAX_DEPTH} deep"))
            elif not name.startswith("."):  # .git
                deeper.append((entry, depth + 1))
        todo += reversed(deeper)


def read_inside(path: Path, limit: int, what: str) -> bytes:
    """The content of a regular file of at most `limit` bytes that is no link. Raises InputError."""
    with open_regular(path, follow=False) as file:
        return read_descriptor(file.fileno(), limit, str(path), what)
