"""What can be made again: kernels, executors, Debian packages. Keyed by content, made once, moved into place whole, checked when read.

ROOT/KIND/KEY/…          the entry, read-only by convention
ROOT/KIND/KEY.sums       `SHA256  SIZE  NAME` of every file in it, the mark of a complete entry
ROOT/KIND/KEY.lock       held while it is made or checked
ROOT/KIND/KEY.used       held (shared) by every process that was given the entry, until it ends
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from xboot._records import dataclass
from xboot._workspace import cache_root

__all__ = ["Cache", "CacheEntry", "Pruned", "file_sha256", "locked"]

_LOG = logging.getLogger(__name__)
_PATIENCE = 1.0  # seconds of waiting for another process before it is mentioned
_LEFT = re.compile(r"\.([0-9a-f]{32})-.+")  # a folder in which an entry is made, or is removed
_held: dict[Path, int] = {}  # KEY.used → its descriptor, for what this process was given


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One entry: its kind, folder, size in bytes and time of last use."""

    kind: str
    path: Path
    size: int
    used: datetime


class Pruned(NamedTuple):
    """What was removed: entries, their size in bytes; and how many entries stay because a process uses them."""

    removed: int
    size: int
    in_use: int


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`. When that takes long, the user is told that another xboot is busy with `what`."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        _LOG.warning("waiting for another xboot, which is busy with %s", what)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class Cache:
    """The cache below `root` (default: `$XBOOT_CACHE`, or the user's cache folder). Any number of processes may use it at once."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()

    def folder(self, kind: str, key: Mapping[str, str], make: Callable[[Path], None], *, checked: bool = True) -> Path:
        """The folder for `key`, made by `make(empty folder)` if it is not there yet or was damaged. It stays as long as this process lives.

        `key` must name everything that the content depends on. What `make` raises passes through, and leaves nothing behind. Without
        `checked` only the sizes of the files are looked at: for who reads their content himself, and holds it to a hash.
        """
        name = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:32]
        parent = self.root / kind
        parent.mkdir(parents=True, exist_ok=True)
        path, sums = parent / name, parent / f"{name}.sums"
        with locked(parent / f"{name}.lock", f"{kind} {name[:8]}"):
            _hold(parent / f"{name}.used")
            if sums.exists() and _intact(path, sums, checked=checked):
                os.utime(sums)
                return path
            _forget(path, sums)
            for left in parent.glob(f".{name}-*"):  # of a process that was killed: whoever makes this entry holds the lock
                shutil.rmtree(left, ignore_errors=True)
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

    def release(self, entry: Path) -> None:
        """Say that this process has read all that it wanted of an entry that `folder` gave it: it need not stay, and keeps no file open."""
        descriptor = _held.pop(entry.with_suffix(".used"), None)
        if descriptor is not None:
            os.close(descriptor)

    def has(self, kind: str, key: Mapping[str, str]) -> bool:
        """Whether there is an entry for `key`. Its content is not looked at."""
        name = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:32]
        return (self.root / kind / f"{name}.sums").exists()

    def entries(self) -> list[CacheEntry]:
        """All complete entries, by kind, latest use first."""
        found = []
        for sums in self.root.glob("*/*.sums"):
            size = sum(size for _, size, _ in _read_sums(sums))
            found.append(CacheEntry(sums.parent.name, sums.with_suffix(""), size, datetime.fromtimestamp(sums.stat().st_mtime)))
        return sorted(found, key=lambda e: (e.kind, -e.used.timestamp()))

    def prune(self, unused_seconds: float = 0) -> Pruned:
        """Remove entries not used for so many seconds, downloads that broke off, and what killed processes left. What another process uses
        or makes stays.
        """
        limit = datetime.now().timestamp() - unused_seconds
        count = size = in_use = 0
        for entry in self.entries():
            if entry.used.timestamp() > limit:
                continue
            try:
                with FileLock(entry.path.with_suffix(".lock"), timeout=0), _alone(entry.path.with_suffix(".used")):
                    _forget(entry.path, entry.path.with_suffix(".sums"))
            except (Timeout, BlockingIOError):
                in_use += 1
                continue
            count, size = count + 1, size + entry.size
        for left in self.root.glob("*/.*-*"):
            match = _LEFT.fullmatch(left.name)
            if match is not None and left.is_dir():
                try:
                    with FileLock(left.with_name(f"{match[1]}.lock"), timeout=0):
                        shutil.rmtree(left, ignore_errors=True)
                except Timeout:
                    continue  # being made
        for part in self.root.glob("downloads/*.part"):
            try:
                with FileLock(part.with_suffix(".lock"), timeout=0):
                    status = part.stat()
                    if status.st_mtime <= limit:
                        part.unlink()
                        size += status.st_size
            except Timeout:
                continue  # on its way
        return Pruned(count, size, in_use)


def _hold(marker: Path) -> None:
    """Say that this process uses an entry, until it ends (which no kill can prevent the kernel from noticing)."""
    known = _held.get(marker)
    if known is not None and os.fstat(known).st_nlink:
        return
    descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    if known is not None:
        os.close(known)
    _held[marker] = descriptor


@contextmanager
def _alone(marker: Path) -> Iterator[None]:
    """Raise BlockingIOError when another process uses the entry."""
    own = _held.get(marker)
    descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644) if own is None else own
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        if own is None:
            os.close(descriptor)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_SH)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listing(folder: Path) -> Iterator[str]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        name = str(path.relative_to(folder))
        # A name may have a line feed, or bytes that are no text: then it is written as JSON, which is ASCII.
        shown = name if name.isprintable() and not name.startswith('"') else json.dumps(name)
        yield f"{file_sha256(path)}  {path.stat().st_size}  {shown}\n"


def _read_sums(sums: Path) -> list[tuple[str, int, str]]:
    """Digest, size and name of each file of an entry; empty when the list is damaged."""
    found = []
    try:
        for line in sums.read_text().split("\n")[:-1]:
            digest, size, name = line.split("  ", 2)
            found.append((digest, int(size), json.loads(name) if name.startswith('"') else name))
    except (OSError, ValueError):
        return []
    return found


def _intact(folder: Path, sums: Path, *, checked: bool) -> bool:
    """True when every file that was there when the entry was made is there unchanged; unless `checked`, with its size."""
    lines = _read_sums(sums)
    try:
        return (
            folder.is_dir()
            and (bool(lines) or not sums.stat().st_size)
            and all(
                (folder / name).stat().st_size == size and (not checked or file_sha256(folder / name) == digest)
                for digest, size, name in lines
            )
        )
    except (OSError, ValueError):
        return False


def _forget(path: Path, sums: Path) -> None:
    sums.unlink(missing_ok=True)
    if path.exists():
        doomed = path.with_name(f".{path.name}-doomed-{os.getpid()}")
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
