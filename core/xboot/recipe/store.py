"""xboot's own store folder: `.drv` files, sources and fetched files, flat under their store names.

Objects enter whole or not at all: everything of one change is made in a staging folder inside the store, made read-only, and moved into
place when all is there; users of an object
come after it, so a store that was interrupted lacks derivations but holds no wrong ones.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from xboot.errors import InputError, MissingToolError
from xboot.nar import nar_hash
from xboot.storepath import store_name

__all__ = ["Staging", "default_store_folder", "staging"]

_SETTLED = 60.0  # seconds


def default_store_folder() -> Path:
    """`$XBOOT_STORE`, or `xboot/store` in the user's data folder."""
    return Path(os.environ.get("XBOOT_STORE") or platformdirs.user_data_path("xboot") / "store")


class Staging:
    """Objects on their way into a store folder. `folder` is for whatever is needed meanwhile; it is gone afterwards."""

    def __init__(self, store: Path, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self._objects: dict[str, Path] = {}

    def fresh(self, name: str) -> Path:
        """A place in the staging folder that does not exist yet, whose last component is `name`."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / name

    def add(self, path: str, location: Path) -> None:
        """Let `location` (a file, folder or symbolic link below `folder`) become the store path `path` when the change is committed. What
        `kept` gave is there already.
        """
        if location != self.store / store_name(path):
            self._objects.setdefault(store_name(path), location)

    def kept(self, path: str, nar_sha256: str) -> Path | None:
        """Where the store has `path` with a content of this hash; None when it has not. All of it is read."""
        place = self.store / store_name(path)
        try:
            return place if nar_hash(place).sha256 == nar_sha256 else None
        except (OSError, InputError):
            return None

    def add_bytes(self, path: str, content: bytes) -> None:
        """Let `content` become a file of the store."""
        if store_name(path) not in self._objects:
            location = self.fresh("text")
            location.write_bytes(content)
            self.add(path, location)

    def commit(self) -> None:
        """Move all objects into the store, in the order in which they were added. What is there already, unharmed, stays."""
        for location in self._objects.values():
            canonicalise(location)
        for name, location in self._objects.items():
            place = self.store / name
            if os.path.lexists(place):
                if _same(place, location):
                    continue
                _discard(place, self.folder)
            with _writable(location):
                try:
                    location.rename(place)
                except OSError:  # another process was quicker
                    if not (os.path.lexists(place) and _same(place, location)):
                        raise
            if place.is_dir() and not place.is_symlink():
                place.chmod(0o555)


def _same(a: Path, b: Path) -> bool:
    try:
        return nar_hash(a) == nar_hash(b)
    except (OSError, InputError):
        return False


@contextmanager
def _writable(location: Path) -> Iterator[None]:
    """Moving a folder to another parent writes its `..`, which needs write permission on it unless one is root."""
    folder = location.is_dir() and not location.is_symlink()
    if folder:
        location.chmod(0o755)
    try:
        yield
    finally:
        if folder and location.exists():
            location.chmod(0o555)


@contextmanager
def staging(store: Path) -> Iterator[Staging]:
    """A change to the store folder `store`, which is made if need be. Nothing is left of it unless `commit` was called."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".staging-", dir=store))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise MissingToolError(f"{store}: cannot be written to: {error.strerror}", hint="set XBOOT_STORE to a folder of yours") from None
    with _held(folder):
        try:
            _sweep(store)
            yield Staging(store, folder)
        finally:
            remove_tree(folder)


@contextmanager
def _held(folder: Path, flags: int = 0) -> Iterator[None]:
    """Lock a folder itself, which tells a living change from a dead one. With LOCK_NB: BlockingIOError when another process has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
        yield
    finally:
        os.close(descriptor)


def _sweep(store: Path) -> None:
    """Remove what changes left that were killed. Younger folders than a minute stay: one may not be locked yet."""
    for left in store.glob(".staging-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.lstat().st_mtime > _SETTLED:
                with _held(left, fcntl.LOCK_NB):
                    remove_tree(left)


def canonicalise(path: Path) -> None:
    """Modes 0444 and 0555 by the owner's execute permission, time 1, as in any store. Raises InputError for what no store can hold."""
    for folder, folders, files in os.walk(path, topdown=False):
        for name in (*files, *folders):
            _canonicalise_one(Path(folder, name))
    _canonicalise_one(path)


def _canonicalise_one(path: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        path.chmod(0o555 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o444)
    elif not stat.S_ISLNK(mode):
        raise InputError(f"{path}: neither regular file, folder nor symbolic link, so it cannot stand in a store")
    os.utime(path, (1, 1), follow_symlinks=False)


def _discard(place: Path, folder: Path) -> None:
    """Put a damaged object out of the way."""
    doomed = Path(tempfile.mkdtemp(dir=folder)) / "damaged"
    with _writable(place):
        place.rename(doomed)


def remove_tree(path: Path) -> None:
    """Remove a tree, read-only folders in it included. What cannot be removed stays, without an error."""
    for folder, _, _ in os.walk(path):
        with contextlib.suppress(OSError):
            Path(folder).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
