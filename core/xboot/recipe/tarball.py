"""Unpacking a tarball from a stranger.

Names must stay inside the destination, and so must what links point to; nothing is ever written through a link. Only regular files,
folders, symbolic and hard links are allowed; a hard link becomes a file of its own, and counts as one. Owners, times and all modes but
the owner's execute bit are dropped, since a store does not keep them.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from collections.abc import Iterable
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from xboot.errors import InputError
from xboot.recipe.compressed import Bounded, plain_tarball

__all__ = ["unpack_tarball"]

_MAX_MEMBERS = 200_000
_MAX_BYTES = 4 << 30  # of all files together
_MAX_HEADERS = 256 << 20  # of all that is beside the files' content
_MAX_NAME, _MAX_PATH = 255, 4095  # bytes, Linux's limits
_MAX_DEPTH = 64  # a NAR's limit
_CHUNK = 1 << 20

_Members: TypeAlias = "dict[tuple[str, ...], tarfile.TarInfo]"


def unpack_tarball(archive: Path, destination: Path, *, strip: bool = True) -> None:
    """Unpack `archive` into the existing empty folder `destination`; with `strip`, a single top folder that holds everything is left out,
    as dpkg-source does.

    Raises InputError that names the archive and the member; what was unpacked until then stays for the caller to remove.
    """
    try:
        with (
            plain_tarball(archive, destination.parent, _MAX_BYTES + _MAX_HEADERS) as plain,
            tarfile.open(fileobj=cast(BinaryIO, Bounded(plain, archive.name)), mode="r:") as tar,
        ):
            members = _checked(archive, tar)
            prefix = _top_folder(members) if strip else ()
            links: list[tuple[tarfile.TarInfo, Path, Path]] = []
            for parts, member in members.items():
                if len(parts) > len(prefix):
                    inner = parts[len(prefix) :]
                    path = destination.joinpath(*inner)
                    if member.islnk():
                        links.append((member, _linked(archive, member, members, prefix, destination), path))
                    else:
                        _extract(archive, tar, member, path, len(inner) - 1)
            for member, source, path in links:
                _copy(member, source, path)
    except (tarfile.TarError, EOFError, zlib.error, LZMAError, UnicodeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"{archive.name}: damaged or not a tarball: {error}") from None
    except OSError as error:
        if error.filename is None and error.errno is None:  # what bz2 raises for damaged data
            raise InputError(f"{archive.name}: damaged: {error}") from None
        raise


def _checked(archive: Path, tar: tarfile.TarFile) -> _Members:
    members: _Members = {}
    total = place = 0
    for member in tar:
        if member.size < 0 or tar.offset <= place:  # a size below zero leads back to what was read before
            raise InputError(f"{archive.name}: {member.name[:_MAX_NAME]!r} has {member.size} bytes")
        place = tar.offset
        if member.type in (tarfile.XHDTYPE, tarfile.XGLTYPE):
            continue
        parts = _parts(archive, member.name)
        if not parts:
            continue  # `./` itself
        if len(parts) > _MAX_DEPTH:
            raise InputError(f"{archive.name}: {member.name!r} is nested deeper than {_MAX_DEPTH} folders")
        _check_kind(archive, member)
        if parts in members and not (member.isdir() and members[parts].isdir()):
            raise InputError(f"{archive.name}: {member.name!r} is in it twice")
        members[parts] = member
        total += _size_behind(member, members)
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


def _check_kind(archive: Path, member: tarfile.TarInfo) -> None:
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise InputError(f"{archive.name}: {member.name!r} is neither file, folder nor link")
    if member.issparse():
        raise InputError(f"{archive.name}: {member.name!r} is a file with holes, of which only a part is in the archive")


def _parts(archive: Path, name: str) -> tuple[str, ...]:
    if name.startswith("/"):
        raise InputError(f"{archive.name}: the name {name!r} is absolute")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts or "\0" in name:
        raise InputError(f"{archive.name}: the name {name!r} leads out of the tree")
    if len(os.fsencode(name)) > _MAX_PATH or any(len(os.fsencode(part)) > _MAX_NAME for part in parts):
        raise InputError(f"{archive.name}: the name {name[:_MAX_NAME]!r}… is longer than a file's may be")
    return parts


def _size_behind(member: tarfile.TarInfo, members: _Members) -> int:
    """The bytes that a member becomes: of a hard link those of its file, if that came before; else it is refused later."""
    if not member.islnk():
        return member.size
    target = members.get(tuple(part for part in member.linkname.split("/") if part not in ("", ".")))
    return target.size if target is not None else 0


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


def _linked(archive: Path, member: tarfile.TarInfo, members: _Members, prefix: tuple[str, ...], destination: Path) -> Path:
    """Where the file that a hard link means was unpacked. As tar writes them, it comes before the link."""
    target = _parts(archive, member.linkname)
    file = members.get(target)
    if file is None or not file.isreg() or target[: len(prefix)] != prefix or file.offset > member.offset:
        raise InputError(
            f"{archive.name}: the hard link {member.name!r} is to {member.linkname!r}, which is no file of the archive before it"
        )
    return destination.joinpath(*target[len(prefix) :])


def _copy(member: tarfile.TarInfo, source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as content, path.open("xb") as file:
        shutil.copyfileobj(content, file, _CHUNK)
    path.chmod(source.stat().st_mode & 0o777)


def _check_link(archive: Path, member: tarfile.TarInfo, depth: int) -> None:
    """A symbolic link must point to a place inside the tree, judged by its text alone: so `..` may stand only at its beginning, where no
    other link can change what it means.
    """
    target = member.linkname
    parts = [part for part in target.split("/") if part not in ("", ".")]
    up = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    if len(os.fsencode(target)) > _MAX_PATH:
        raise InputError(f"{archive.name}: the link {member.name!r} has a target of {len(target)} characters")
    if not target or target.startswith("/") or "\0" in target or up > depth or ".." in parts[up:]:
        raise InputError(f"{archive.name}: the link {member.name!r} points out of the tree, to {target!r}")
