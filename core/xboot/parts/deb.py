"""Unpacking a `.deb` without dpkg: an `ar` archive whose member `data.tar.*` has the files."""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, Literal, cast

from xboot.errors import InputError
from xboot.files import open_regular

__all__ = ["unpack"]

_MAGIC = b"!<arch>\n"
_HEADER = 60
_Kind = Literal["r|xz", "r|gz", "r|"]
_KINDS: dict[str, _Kind] = {"data.tar.xz": "r|xz", "data.tar.gz": "r|gz", "data.tar": "r|"}
_CHUNK = 1 << 20
_TIME = 1


def unpack(deb: Path, folder: Path) -> None:
    """Unpack the files of `deb` into the existing `folder`, on top of what is there: so several packages make one tree.

    Owners and set-id bits are dropped, and all files are of one second, as in a store (Guile compiles anew what is younger than its
    compiled file, and takes minutes for it); links stay as the package has them, and nothing is written through one. What stands in the
    way (a file of another package) is replaced. Raises InputError for a file that is no `.deb`, or whose names lead out of `folder`.
    """
    with open_regular(deb) as file:
        try:
            kind, size = _find(deb, file)
            with tarfile.open(fileobj=cast(BinaryIO, _Part(file, size)), mode=kind) as tar:
                made: set[Path] = {folder}
                for member in tar:
                    _extract(deb, tar, member, folder, made)
        except (tarfile.TarError, EOFError, zlib.error, LZMAError, ValueError) as error:
            raise InputError(f"{deb.name}: damaged, or not a Debian package: {error}") from None


def _find(deb: Path, file: BinaryIO) -> tuple[_Kind, int]:
    """Go to the member with the files; how tarfile reads it, and its bytes."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise InputError(f"{deb.name}: not a Debian package (no ar archive)")
    while header := file.read(_HEADER):
        if len(header) != _HEADER or header[58:] != b"`\n":
            break
        name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), int(header[48:58])
        if name in _KINDS and file.tell() + size <= os.fstat(file.fileno()).st_size:
            return _KINDS[name], size
        if name.startswith("data.tar") and name not in _KINDS:
            raise InputError(f"{deb.name}: {name}: of compressions only xz and gzip are known")
        file.seek(size + size % 2, os.SEEK_CUR)
    raise InputError(f"{deb.name}: damaged, or not a Debian package: it has no data.tar")


class _Part:
    """So many bytes of a file, for a reader that only goes forward."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def _extract(deb: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, made: set[Path]) -> None:
    path = _inside(deb, member.name, folder, made)
    if path == folder:
        return
    if member.isdir():
        if path.is_symlink() or not path.is_dir():
            _clear(path)
            path.mkdir()
        made.add(path)
        return
    _clear(path)
    made.difference_update({folder for folder in made if folder.is_relative_to(path)})  # a link may stand there now
    if member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        os.link(_inside(deb, member.linkname, folder, made), path, follow_symlinks=False)
    elif member.isreg():
        stream = tar.extractfile(member)
        assert stream is not None  # a regular file always has content
        with open(path, "xb") as file:
            shutil.copyfileobj(stream, file, _CHUNK)
        path.chmod(0o755 if member.mode & 0o111 else 0o644)
        os.utime(path, (_TIME, _TIME))
    else:
        raise InputError(f"{deb.name}: {member.name!r} is neither file, folder nor link")


def _inside(deb: Path, name: str, folder: Path, made: set[Path]) -> Path:
    """Where a member belongs. Its folders are made if they are not there, and are folders: a link among them is refused."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise InputError(f"{deb.name}: the name {name!r} leads out of the package")
    parent = folder
    for part in parts[:-1]:
        parent = parent / part
        if parent not in made:
            if os.path.lexists(parent) and (parent.is_symlink() or not parent.is_dir()):
                raise InputError(f"{deb.name}: {name!r} goes through {part!r}, which is a link or a file")
            parent.mkdir(exist_ok=True)
            made.add(parent)
    return parent / parts[-1] if parts else folder


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
