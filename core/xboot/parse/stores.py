"""Where files come from: folders that stand for a store, searched in order.

A folder may hold store objects under their names (`/gnu/store` itself, or any folder of `.drv` files, unpacked sources and `NAME.nar`
archives), or be the root of a store of its own (`FOLDER/nix/store/NAME`, as `nix --store FOLDER` makes it). Symbolic links are followed in
the names that the user gave and never below: an object of the store may be a symbolic link, but nothing is ever reached through one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from xboot._records import dataclass
from xboot.errors import InputError
from xboot.files import read_descriptor, read_regular
from xboot.parse.aterm import MAX_TEXT
from xboot.storepath import store_name

__all__ = ["Found", "Stores"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
# Without O_NONBLOCK a FIFO in the place of a derivation would keep xboot waiting for ever.
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Found:
    """A store object's content: an unpacked tree (a file, folder or symbolic link), or a NAR of it."""

    location: Path
    is_nar: bool


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    descriptor: int


class Stores:
    """The folders to search for objects of one store. A context manager, since it keeps them open."""

    def __init__(self, folders: Iterable[Path], store_dir: str) -> None:
        self.store_dir = store_dir
        self._folders: list[_Folder] = []
        self._names: dict[str, list[str]] | None = None
        try:
            for folder in folders:
                self._open(folder)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Stores:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        for folder in self._folders:
            os.close(folder.descriptor)
        self._folders.clear()

    def __str__(self) -> str:
        return ", ".join(str(folder.path) for folder in self._folders) or "no folder"

    def _open(self, folder: Path) -> None:
        try:
            resolved = folder.resolve(strict=True)
            descriptor = os.open(resolved, _FOLDER)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{folder}: cannot be used as a store: {_reason(error)}", hint="--store takes a folder") from None
        inner = self._descend(resolved)
        if inner is not None:
            os.close(descriptor)
            self._folders.append(inner)
        elif all(known.path != resolved for known in self._folders):
            self._folders.append(_Folder(resolved, descriptor))
        else:
            os.close(descriptor)

    def _descend(self, folder: Path) -> _Folder | None:
        """The store folder below the root of a store of its own, if there is one."""
        path, descriptor = folder, os.open(folder, _FOLDER)
        for part in self.store_dir.strip("/").split("/"):
            try:
                below = os.open(part, _FOLDER, dir_fd=descriptor)
            except OSError:
                return None
            finally:
                os.close(descriptor)
            path, descriptor = path / part, below
        if any(known.path == path for known in self._folders):
            os.close(descriptor)
            return None
        return _Folder(path, descriptor)

    def read_text(self, path: str) -> bytes | None:
        """The content of the regular file that stands for the store path `path`, a derivation; None when no folder has it."""
        name = store_name(path)
        for folder in self._folders:
            try:
                descriptor = os.open(name, _FILE, dir_fd=folder.descriptor)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise InputError(f"{folder.path / name}: cannot be read: {_reason(error)}") from None
            try:
                return read_descriptor(descriptor, MAX_TEXT, path, "a derivation")
            finally:
                os.close(descriptor)
        return None

    def find(self, path: str) -> Found | None:
        """Where the content of a store path is; None when no folder has it."""
        name = store_name(path)
        for folder in self._folders:
            if self._mode(folder, name) is not None:
                return Found(folder.path / name, is_nar=False)
            mode = self._mode(folder, name + ".nar")
            if mode is not None and stat.S_ISREG(mode):
                return Found(folder.path / f"{name}.nar", is_nar=True)
        return None

    @staticmethod
    def _mode(folder: _Folder, name: str) -> int | None:
        try:
            return os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{folder.path / name}: cannot be read: {_reason(error)}") from None

    def names(self, hash_part: str) -> Sequence[str]:
        """The names (hash, dash, name) of the objects whose path has this hash. The folders are listed once, when first asked."""
        if self._names is None:
            self._names = {}
            for name in self._list():
                self._names.setdefault(name[:32], []).append(name)
        return self._names.get(hash_part, [])

    def _list(self) -> Iterator[str]:
        for folder in self._folders:
            for name in sorted(os.listdir(folder.descriptor)):
                yield name.removesuffix(".nar")


def _reason(error: OSError | RuntimeError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return "it is a symbolic link" if error.errno == 40 else error.strerror  # ELOOP, from O_NOFOLLOW
    return str(error)


def read_file(path: Path) -> bytes:
    """The content of a `.drv` file that the user named, symbolic links followed. Raises InputError."""
    return read_regular(path, MAX_TEXT, "a derivation")
