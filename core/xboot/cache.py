"""What can be made again: kernels, executors, Debian packages. Keyed by content, made once, moved into place whole, checked when read.

ROOT/KIND/KEY/…          the entry, read-only by convention
ROOT/KIND/KEY.sums       `SHA256  SIZE  NAME` of every file in it, the mark of a complete entry
ROOT/KIND/KEY.lock       held while it is made or checked
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from xboot.workspace import cache_root

__all__ = ["Cache", "CacheEntry", "file_sha256"]


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One entry: its kind, folder, size in bytes and time of last use."""

    kind: str
    path: Path
    size: int
    used: datetime


class Cache:
    """The cache below `root` (default: `$XBOOT_CACHE`, or the user's cache folder). Any number of processes may use it at once."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()

    def folder(self, kind: str, key: Mapping[str, str], make: Callable[[Path], None]) -> Path:
        """The folder for `key`, made by `make(empty folder)` if it is not there yet or was damaged.

        `key` must name everything that the content depends on. What `make` raises passes through, and leaves nothing behind.
        """
        name = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:32]
        parent = self.root / kind
        parent.mkdir(parents=True, exist_ok=True)
        path, sums = parent / name, parent / f"{name}.sums"
        with FileLock(parent / f"{name}.lock"):
            if sums.exists() and _intact(path, sums):
                os.utime(sums)
                return path
            _forget(path, sums)
            work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=parent))
            try:
                made = work / "entry"
                made.mkdir()
                make(made)
                listing = "".join(_listing(made))
                (work / "sums").write_text(listing)
                made.rename(path)
                (work / "sums").rename(sums)  # last: an entry without sums is no entry
            finally:
                shutil.rmtree(work, ignore_errors=True)
            return path

    def entries(self) -> list[CacheEntry]:
        """All complete entries, by kind, latest use first."""
        found = []
        for sums in self.root.glob("*/*.sums"):
            size = sum(int(line.split("  ", 2)[1]) for line in sums.read_text().splitlines())
            found.append(CacheEntry(sums.parent.name, sums.with_suffix(""), size, datetime.fromtimestamp(sums.stat().st_mtime)))
        return sorted(found, key=lambda e: (e.kind, -e.used.timestamp()))

    def prune(self, unused_seconds: float = 0) -> tuple[int, int]:
        """Remove entries not used for so many seconds, and what killed processes left; returns their number and size
        in bytes. Entries in use stay.
        """
        limit = datetime.now().timestamp() - unused_seconds
        count = size = 0
        for entry in self.entries():
            if entry.used.timestamp() > limit:
                continue
            try:
                with FileLock(entry.path.with_suffix(".lock"), timeout=0):
                    _forget(entry.path, entry.path.with_suffix(".sums"))
            except Timeout:
                continue
            count, size = count + 1, size + entry.size
        for left in self.root.glob("*/.*-*"):
            if left.is_dir() and left.stat().st_mtime <= limit:
                shutil.rmtree(left, ignore_errors=True)
        return count, size


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listing(folder: Path) -> Iterator[str]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        yield f"{file_sha256(path)}  {path.stat().st_size}  {path.relative_to(folder)}\n"


def _intact(folder: Path, sums: Path) -> bool:
    """True when every file that was there when the entry was made is there unchanged. Large trees are checked by size
    alone but for their big files.
    """
    lines = [line.split("  ", 2) for line in sums.read_text(errors="replace").splitlines()]
    try:
        many = len(lines) > 2000
        return folder.is_dir() and all(
            (folder / name).stat().st_size == int(size) and (many or file_sha256(folder / name) == digest) for digest, size, name in lines
        )
    except (OSError, ValueError):
        return False


def _forget(path: Path, sums: Path) -> None:
    sums.unlink(missing_ok=True)
    if path.exists():
        doomed = path.with_name(f".{path.name}-doomed-{os.getpid()}")
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
