"""Unpacking a tarball from a stranger.

Names must stay inside the destination, and so must what links point to; nothing is ever written through a link. Only regular files,
folders, symbolic and hard links are allowed. Owners,
times and all modes but the owner's execute bit are dropped, since a store does not keep them.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from collections.abc import Iterable
from lzma import LZMAError
from pathlib import Path
from typing import TypeAlias

from xboot.errors import InputError

__all__ = ["unpack_tarball"]

_MAX_MEMBERS = 1_000_000
_MAX_BYTES = 16 << 30  # of all files together
_MAX_DEPTH = 64  # a NAR's limit
_CHUNK = 1 << 20

_Members: TypeAlias = "dict[tuple[str, ...], tarfile.TarInfo]"


def unpack_tarball(archive: Path, destination: Path, *, strip: bool = True) -> None:
    """Unpack `archive` into the existing empty folder `destination`; with `strip`, a single top folder that holds everything is left out,
    as dpkg-source does.

    Raises InputError that names the archive and the member; what was unpacked until then stays for the caller to remove.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            members = _checked(archive, tar)
            prefix = _top_folder(members) if strip else ()
            for parts, member in members.items():
                if len(parts) > len(prefix):
                    inner = parts[len(prefix) :]
                    content = _behind_hard_link(archive, member, members, prefix)
                    _extract(archive, tar, content, destination.joinpath(*inner), len(inner) - 1)
    except (tarfile.TarError, EOFError, zlib.error, LZMAError, UnicodeError, ValueError) as error:
        raise InputError(f"{archive.name}: damaged or not a tarball: {error}") from None
    except OSError as error:
        if error.filename is None and error.errno is None:  # what gzip and bz2 raise for damaged data
            raise InputError(f"{archive.name}: damaged: {error}") from None
        raise


def _checked(archive: Path, tar: tarfile.TarFile) -> _Members:
    members: _Members = {}
    total = 0
    for member in tar:
        if member.type in (tarfile.XHDTYPE, tarfile.XGLTYPE):
            continue
        parts = _parts(archive, member.name)
        if not parts:
            continue  # `./` itself
        if len(parts) > _MAX_DEPTH:
            raise InputError(f"{archive.name}: {member.name!r} is nested deeper than {_MAX_DEPTH} folders")
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            raise InputError(f"{archive.name}: {member.name!r} is neither file, folder nor link")
        if parts in members and not (member.isdir() and members[parts].isdir()):
            raise InputError(f"{archive.name}: {member.name!r} is in it twice")
        members[parts] = member
        total += member.size
        if len(members) > _MAX_MEMBERS or total > _MAX_BYTES:
            raise InputError(f"{archive.name}: more than {_MAX_MEMBERS} members or {_MAX_BYTES >> 30} GiB")
    if not members:
        raise InputError(f"{archive.name}: is empty")
    for parts, member in members.items():
        for depth in range(1, len(parts)):
            parent = members.get(parts[:depth])
            if parent is not None and not parent.isdir():
                raise InputError(f"{archive.name}: {member.name!r} goes through {parent.name!r}, which is no folder")
    return members


def _parts(archive: Path, name: str) -> tuple[str, ...]:
    if name.startswith("/"):
        raise InputError(f"{archive.name}: the name {name!r} is absolute")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts or "\0" in name:
        raise InputError(f"{archive.name}: the name {name!r} leads out of the tree")
    return parts


def _top_folder(members: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    tops = {parts[0] for parts in members}
    inside = any(len(parts) > 1 for parts in members)
    return (tops.pop(),) if len(tops) == 1 and inside else ()


def _extract(archive: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, inside: int) -> None:
    """Create one node at `path`, which is `inside` folders deep in the tree. `member` has the content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        path.mkdir(exist_ok=True)
        return
    if member.issym():
        _check_link(archive, member, inside)
        path.symlink_to(member.linkname)
        return
    stream = tar.extractfile(member)
    if stream is None:
        raise InputError(f"{archive.name}: {member.name!r} has no content")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o755 if member.mode & 0o100 else 0o644)
    with stream, os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(stream, file, _CHUNK)
        if file.tell() != member.size:
            raise InputError(f"{archive.name}: ends inside {member.name!r}")


def _behind_hard_link(archive: Path, member: tarfile.TarInfo, members: _Members, prefix: tuple[str, ...]) -> tarfile.TarInfo:
    """The file that a hard link means; other members are returned as they are."""
    if not member.islnk():
        return member
    target = _parts(archive, member.linkname)
    if target not in members or not members[target].isreg() or target[: len(prefix)] != prefix:
        raise InputError(f"{archive.name}: the hard link {member.name!r} is to {member.linkname!r}, which is no file of the archive")
    return members[target]


def _check_link(archive: Path, member: tarfile.TarInfo, depth: int) -> None:
    """A symbolic link must point to a place inside the tree, judged by its text alone: so `..` may stand only at its beginning, where no
    other link can change what it means.
    """
    target = member.linkname
    parts = [part for part in target.split("/") if part not in ("", ".")]
    up = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    if not target or target.startswith("/") or "\0" in target or up > depth or ".." in parts[up:]:
        raise InputError(f"{archive.name}: the link {member.name!r} points out of the tree, to {target!r}")
