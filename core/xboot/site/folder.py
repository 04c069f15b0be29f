"""What is in a repository of attestations. All of it is a stranger's: no link is followed, no name is believed, all is bounded."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

from xboot.attest.envelope import FILE_SUFFIX
from xboot.attest.folders import walk
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
    for entry, status in walk(path, _MAX_ENTRIES, _MAX_DEPTH):
        if isinstance(status, str):
            found.unshown.append(Unshown(found.name(entry), status))
        elif stat.S_ISLNK(status.st_mode):
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


def read_inside(path: Path, limit: int, what: str) -> bytes:
    """The content of a regular file of at most `limit` bytes that is no link. Raises InputError."""
    with open_regular(path, follow=False) as file:
        return read_descriptor(file.fileno(), limit, str(path), what)
