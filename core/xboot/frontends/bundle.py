"""Bundles: a closure and its sources in one file, for another machine.

A bundle is an ordinary tar (POSIX pax, so `tar -tvf` shows it), its members in this order, with nothing in it that depends on when or
where it was made:

    xboot-bundle            the manifest: `xboot-bundle 1`, `store DIR`, then `root`, `source` and `seed` lines with store paths, then
    `file SHA256 SIZE NAME` for each member below
    pool/…/FILE             with `--with-parts`: the parts of xboot's lock, sorted, as on a mirror of Debian
    store/HASH-NAME.drv     the derivations, sorted
    store/HASH-NAME.nar     the sources, as NARs, sorted with them

The same closure gives the same bytes. The manifest is there to notice damage early and to say what is missing; it is not believed for
anything else: what is read from a bundle is verified like everything, path by path, and a part by its SHA-256 in the lock.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from xboot._records import dataclass
from xboot.cache import Cache, file_sha256
from xboot.errors import InputError, UsageError
from xboot.files import is_regular, open_regular
from xboot.hooks import Notify, ReadOptions, hookimpl
from xboot.model import Closure, Event, Phase, Source, SourceKind
from xboot.nar import dump
from xboot.parse import merge_closures, read_closure, write_derivation
from xboot.parts.places import also_in
from xboot.storepath import check_store_path, store_name

__all__ = ["BundleFrontEnd", "BundleInfo", "plugin", "unpack_bundle", "write_bundle"]

MANIFEST = "xboot-bundle"
_MAGIC = f"{MANIFEST} 1"
_MAX_MANIFEST = 64 << 20
_MAX_MEMBER = 64 << 30
_MAX_ROOTS = 256  # each is read with all that is below it
_CHUNK = 1 << 20
_SIZE_FIELD = slice(124, 136)  # of a tar header (POSIX ustar)
_SIZE = re.compile(rb"([0-7]{11})\0")
_FILE_LINE = re.compile(r"file ([0-9a-f]{64}) ([0-9]{1,12}) (store/[^/\0]+\.(?:drv|nar)|pool/[0-9A-Za-z.+~_/-]{1,250})")


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What a bundle holds: number of derivations, sources and parts, its size in bytes and its SHA-256."""

    path: Path
    derivations: int
    sources: int
    size: int
    sha256: str
    parts: int = 0


# ---------------------------------------------------------------- writing


def write_bundle(
    closure: Closure, destination: Path, notify: Notify | None = None, parts: Mapping[str, tuple[Path, str]] | None = None
) -> BundleInfo:
    """Write a bundle of `closure`, atomically, with `parts` (path in a pool → file, and its SHA-256).

    Raises InputError when a source is not at hand, or changed since it was verified.
    """
    if closure.missing:
        path, user = next(iter(closure.missing.items()))
        more = f" (and {len(closure.missing) - 1} more)" if len(closure.missing) > 1 else ""
        raise InputError(
            f"{path}, which {user} needs, is missing{more}; a bundle must be whole", hint="`xboot fetch` brings what has a URL"
        )
    if destination.is_dir() or not destination.absolute().parent.is_dir():
        problem = "is a folder" if destination.is_dir() else f"there is no folder {destination.absolute().parent}"
        raise UsageError(f"{destination}: a bundle cannot be written there: {problem}", hint="name the file to write the bundle to")
    parts = parts or {}
    members: dict[str, bytes | Source | tuple[Path, str]] = {**parts}
    for path, drv in closure.derivations.items():
        members[f"store/{store_name(path)}"] = write_derivation(drv)
    for path, source in closure.sources.items():
        if path not in closure.derivations:
            members[f"store/{store_name(path)}.nar"] = source
    manifest = _manifest(closure, members)
    start = time.monotonic()
    handle, work = tempfile.mkstemp(prefix=f".{destination.name}-", dir=destination.absolute().parent)
    try:
        with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, MANIFEST, len(manifest), io.BytesIO(manifest))
            for number, name in enumerate(sorted(members)):
                if notify:
                    notify(Event(Phase.PREPARE, time.monotonic() - start, name="bundle", text=name, done=number / len(members)))
                member = members[name]
                if isinstance(member, bytes):
                    _add(tar, name, len(member), io.BytesIO(member))
                elif isinstance(member, tuple):
                    with open_regular(member[0]) as part:
                        _add(tar, name, os.fstat(part.fileno()).st_size, part)
                else:
                    _add(tar, name, member.nar_size, _NarStream(member))
        os.chmod(work, 0o644)
        info = BundleInfo(
            destination,
            len(closure.derivations),
            len(members) - len(closure.derivations) - len(parts),
            Path(work).stat().st_size,
            file_sha256(Path(work)),
            len(parts),
        )
        Path(work).replace(destination)
    except BaseException:
        Path(work).unlink(missing_ok=True)
        raise
    return info


def _manifest(closure: Closure, members: Mapping[str, bytes | Source | tuple[Path, str]]) -> bytes:
    lines = [_MAGIC, f"store {closure.store_dir}", *(f"root {root}" for root in closure.roots)]
    lines += [f"{'seed' if s.kind is SourceKind.SEED else 'source'} {path}" for path, s in sorted(closure.sources.items())]
    for name in sorted(members):
        member = members[name]
        if isinstance(member, bytes):
            lines.append(f"file {hashlib.sha256(member).hexdigest()} {len(member)} {name}")
        elif isinstance(member, tuple):
            lines.append(f"file {member[1]} {member[0].stat().st_size} {name}")
        else:
            lines.append(f"file {member.nar_sha256} {member.nar_size} {name}")
    return ("\n".join(lines) + "\n").encode()


def _member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o444, 1
    return info


def _header(name: str, size: int) -> bytes:
    """What stands before a member: one block, or several when its name is long."""
    return _member(name, size).tobuf(tarfile.PAX_FORMAT)


def _add(tar: tarfile.TarFile, name: str, size: int, stream: BinaryIO | _NarStream) -> None:
    tar.addfile(_member(name, size), stream)
    if stream.read(1):
        raise InputError(f"{name}: its content grew while the bundle was written")


class _NarStream:
    """The NAR of a source as a file that is read once; complains when it is not what was verified."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pieces = self._content()
        self._rest = b""
        self._digest = hashlib.sha256()

    def _content(self) -> Iterator[bytes]:
        location = self._source.location
        if location.name == f"{store_name(self._source.path)}.nar":
            with location.open("rb") as file:
                while piece := file.read(_CHUNK):
                    yield piece
        else:
            yield from dump(location)

    def read(self, size: int = -1) -> bytes:
        pieces = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            piece = next(self._pieces, None)
            if piece is None:
                if self._digest.hexdigest() != self._source.nar_sha256:
                    raise InputError(f"{self._source.path}: its content changed while the bundle was written ({self._source.location})")
                break
            self._digest.update(piece)
            pieces.append(piece)
            have += len(piece)
        data = b"".join(pieces)
        if size < 0:
            size = len(data)
        self._rest = data[size:]
        return data[:size]


# ---------------------------------------------------------------- reading


def unpack_bundle(
    bundle: Path, folder: Path, notify: Notify | None = None, sha256: str | None = None, parts: Path | None = None
) -> list[str]:
    """Unpack a bundle into the existing empty `folder` (flat: `.drv` and `.nar` files); returns the store paths of its roots. Parts, named
    by their SHA-256, go into the folder `parts`, or if there is none beside the others.

    Raises InputError for a bundle that is damaged, incomplete, or has a byte that `write_bundle` would not have written: which headers
    there must be follows from the manifest, so none is interpreted. `folder` is then the caller's to remove. With `sha256`, also for a
    bundle whose bytes, those that were unpacked, have another hash.
    """
    with open_regular(bundle) as stream:
        file = _Hashing(stream)
        head = file.read(tarfile.BLOCKSIZE)
        size = _SIZE.fullmatch(head[_SIZE_FIELD])
        if size is None or head != _header(MANIFEST, int(size[1], 8)):
            raise InputError(f"{bundle}: not a bundle: it does not begin with {MANIFEST!r}")
        if int(size[1], 8) > _MAX_MANIFEST:
            raise InputError(f"{bundle}: its manifest is larger than {_MAX_MANIFEST >> 20} MiB")
        store, roots, expected = _read_manifest(bundle, b"".join(_content(bundle, file, MANIFEST, int(size[1], 8))))
        start = time.monotonic()
        for number, (name, (member, length)) in enumerate(expected.items()):
            if notify:
                notify(Event(Phase.PREPARE, time.monotonic() - start, name="parse", text=f"unpack {name}", done=number / len(expected)))
            wanted = _header(name, length)
            found = file.read(len(wanted))
            if found != wanted:
                what = repr(found[:100].rstrip(b"\0").decode("ascii", "replace")) if any(found) else "nothing"
                raise InputError(
                    f"{bundle}: {what} where {name!r}, a regular file of {length} bytes, was expected; the bundle is damaged or incomplete"
                )
            target = (parts or folder) / member if name.startswith("pool/") else folder / name.removeprefix("store/")
            _unpack_member(bundle, _content(bundle, file, name, length), target, member)
        rest = 2 * tarfile.BLOCKSIZE
        rest += -(file.tell() + rest) % tarfile.RECORDSIZE
        whole = file.read(rest + 1) == bytes(rest)
        if whole and sha256 not in (None, file.digest.hexdigest()):
            raise InputError(f"{bundle}: was changed while it was read", hint="leave the file alone and try again")
        if not whole:
            raise InputError(f"{bundle}: does not end after the last file that its manifest lists; the bundle is damaged, or holds more")
    for root in roots:
        check_store_path(root, store)
    return roots


class _Hashing:
    """A file that is read once from its beginning; `digest` is of what was read so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        self._size += len(data)
        return data

    def tell(self) -> int:
        return self._size


def _content(bundle: Path, file: _Hashing, name: str, size: int) -> Iterator[bytes]:
    """The bytes of a member, in pieces, and behind them the zeros that fill the last block."""
    padding = -size % tarfile.BLOCKSIZE
    left = size
    while left:
        piece = file.read(min(left, _CHUNK))
        if not piece:
            raise InputError(f"{bundle}: ends within {name!r}; the bundle is incomplete")
        left -= len(piece)
        yield piece
    if file.read(padding) != bytes(padding):
        raise InputError(f"{bundle}: {name!r} is not followed by zeros; the bundle is damaged")


def _read_manifest(bundle: Path, data: bytes) -> tuple[str, list[str], dict[str, tuple[str, int]]]:
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise InputError(f"{bundle}: its manifest is not ASCII") from None
    if lines[0] != _MAGIC or lines[-1] or len(lines) < 3 or not lines[1].startswith("store /"):
        raise InputError(f"{bundle}: not a bundle of version 1", hint="it may have been made by a newer xboot")
    store = lines[1].removeprefix("store ")
    roots: list[str] = []
    sources: list[str] = []
    files: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(lines[2:-1], 3):
        kind, _, value = line.partition(" ")
        match = _FILE_LINE.fullmatch(line)
        if match:
            name = match[3]
            if name.startswith("store/"):
                check_store_path(f"{store}/{name.removeprefix('store/').removesuffix('.nar')}", store)
            problem = _unlisted(name, match[1], int(match[2]), files)
            if problem:
                raise InputError(f"{bundle}: line {number} of its manifest: {name!r} {problem}")
            files[name] = (match[1], int(match[2]))
        elif kind in ("root", "source", "seed") and value:
            check_store_path(value, store)
            (roots if kind == "root" else sources).append(value)
        else:
            raise InputError(f"{bundle}: line {number} of its manifest is {line[:80]!r}, which has no meaning")
    if not roots or len(roots) > _MAX_ROOTS:
        raise InputError(f"{bundle}: its manifest names {len(roots) or 'no'} roots, from one to {_MAX_ROOTS} are allowed")
    for path in (*roots, *sources):
        name = f"store/{store_name(path)}"
        if name not in files and (path in roots or f"{name}.nar" not in files):
            raise InputError(f"{bundle}: its manifest names {path}, but lists no file for it; the bundle is damaged")
    return store, roots, files


def _unlisted(name: str, digest: str, size: int, files: dict[str, tuple[str, int]]) -> str:
    """Why a file may not stand behind `files`; empty when it may."""
    if files and name <= next(reversed(files)):
        return "is there twice, or out of order"
    if name.startswith("pool/") and any(digest == other for other, _ in files.values()):
        return "has the content of another part"
    return f"is larger than {_MAX_MEMBER >> 30} GiB" if size > _MAX_MEMBER else ""


def _unpack_member(bundle: Path, pieces: Iterator[bytes], destination: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    descriptor = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o444)
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != sha256:
        raise InputError(
            f"{bundle}: the SHA-256 of {destination.name} is {digest.hexdigest()}, its manifest says {sha256}; the bundle is damaged"
        )


class BundleFrontEnd:
    """Reads bundles: unpacked once into the cache, then verified like any other store."""

    def __init__(self, cache: Cache | None = None) -> None:
        self._cache = cache

    @hookimpl
    def xboot_read_closure(self, target: str, options: ReadOptions) -> Closure | None:
        """A closure with the bundle's roots; seeds that it holds still have to be named by the user."""
        path = Path(target)
        if not _looks_like_bundle(path):
            return None
        cache = self._cache or Cache()

        def make(work: Path) -> None:
            (work / "store").mkdir()
            (work / "parts").mkdir()
            roots = unpack_bundle(path, work / "store", options.notify, sha256, work / "parts")
            (work / "roots").write_text("\n".join(roots))

        with open_regular(path) as file:
            hashing = _Hashing(file)
            while hashing.read(_CHUNK):
                pass
        sha256 = hashing.digest.hexdigest()
        folder = cache.folder("bundle", {"sha256": sha256}, make)
        also_in(folder / "parts")
        roots = (folder / "roots").read_text().split("\n")
        within = replace(options, stores=(folder / "store", *options.stores))
        closures = [read_closure(str(folder / "store" / store_name(root)), within) for root in roots]
        return merge_closures(closures)


def _looks_like_bundle(path: Path) -> bool:
    try:
        if not is_regular(path):
            return False
        with open_regular(path) as file:
            head = file.read(512)
    except (OSError, InputError):
        return False
    return head[: len(MANIFEST) + 1] == MANIFEST.encode() + b"\0"


plugin = BundleFrontEnd()
