"""Making and checking the folder: locked packages, unpacked on top of each other. No package's script is run.

What those scripts would have done is little, and done here by rule: /bin, /lib, /lib64 and /sbin are links into /usr, some names that
Debian's alternatives give are links too, and folders stand ready for what is mounted. Documentation is left out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache as remembered
from pathlib import Path
from typing import NamedTuple

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError
from xboot.parts import Part, obtain_part, unpack

__all__ = ["BUILD_FOLDER", "Tree", "listing", "make_tree", "tree_digest"]

BUILD_FOLDER = "build"
"""Where what is built lies, as the tools see it: /build, on every host."""

_RECIPE = "1"  # grows when the rules below change
_MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_POINTS = ("dev", "proc", "tmp", BUILD_FOLDER)
_LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug")
# Debian's alternatives: name → what it is when nobody chose.
_LINKS = {"usr/bin/awk": "mawk", "usr/bin/cc": "gcc", "usr/bin/c99": "c99-gcc", "usr/bin/yacc": "bison.yacc", "usr/bin/sh": "dash"}
_TIME = 1  # second of 1970: no tool sees when the folder was made


class Tree(NamedTuple):
    """A toolroot that was checked: its folder, and the SHA-256 of its listing (names, kinds, contents)."""

    folder: Path
    digest: str


def tree_digest(parts: Sequence[Part]) -> str:
    """What a toolroot of these parts is known by, before there is one: SHA-256 over the lock's entries and the rules of this module."""
    lines = [f"{part.sha256} {part.size} {part.name} {part.version} {part.architecture}\n" for part in sorted(parts)]
    return hashlib.sha256(f"xboot toolroot {_RECIPE}\n{''.join(lines)}".encode()).hexdigest()


def make_tree(parts: Sequence[Part], cache: Cache) -> Tree:
    """The toolroot of these parts, from the cache or made now, and checked: each file has the content that it was made with.

    One that somebody edited is made anew. It is checked once in a process. Raises MissingToolError when a part is not to be had.
    """
    return _checked(tuple(sorted(parts)), cache.root)


@remembered
def _checked(parts: tuple[Part, ...], root: Path) -> Tree:
    cache = Cache(root)
    key = {"toolroot": tree_digest(parts)}
    for _ in range(2):
        entry = cache.folder("toolroot", key, lambda work: _make(parts, cache, work), checked=False)
        wanted = (entry / "sha256").read_text().strip()
        if wanted == _digest(entry / "root"):
            return Tree(entry / "root", wanted)
        entry.with_suffix(".sums").unlink(missing_ok=True)  # an entry without its sums is made anew
    raise BackendError(f"{entry}: the toolroot was changed while it was checked", hint="is another program writing there?")


def _make(parts: Sequence[Part], cache: Cache, work: Path) -> None:
    with ThreadPoolExecutor(4) as pool:  # downloads wait for the network
        debs = list(pool.map(lambda part: obtain_part(part, cache), parts))
    root = work / "root"
    root.mkdir()
    for deb in debs:
        unpack(deb, root)
    for name in _LEFT_OUT:
        shutil.rmtree(root / name, ignore_errors=True)
    for name in _MERGED:
        if (root / name).is_dir():
            _merge(root / name, root / "usr" / name)
            (root / name).rmdir()
            (root / name).symlink_to(f"usr/{name}")
    for name, target in _LINKS.items():
        path = root / name
        if (path.parent / target).exists() and not path.is_symlink() and not path.exists():
            path.symlink_to(target)
    for name in _POINTS:
        (root / name).mkdir(exist_ok=True)
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, (_TIME, _TIME), follow_symlinks=False)
    (work / "sha256").write_text(_digest(root) + "\n")


def _merge(source: Path, target: Path) -> None:
    """Move what is in `source` into `target`. Raises BackendError when both have a file of one name."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        there = target / path.name
        if path.is_dir() and not path.is_symlink() and (there.is_dir() or not there.exists()):
            _merge(path, there)
            path.rmdir()
        elif there.is_symlink() and not path.is_symlink():
            there.unlink()  # usr/lib/… led to /lib/…, which is the same file now
            path.rename(there)
        elif there.exists() or there.is_symlink():
            raise BackendError(f"two packages of the toolroot have the file {there.name}, one in /, one in /usr")
        else:
            path.rename(there)


def _digest(root: Path) -> str:
    return hashlib.sha256("".join(listing(root)).encode("utf-8", "surrogateescape")).hexdigest()


def listing(root: Path) -> Iterator[str]:
    """One line for each name below `root`, in order: kind, whether it may be run, content or target, name."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted((*folders, *files)):
            path = Path(folder, name)
            short = str(path.relative_to(root))
            if path.is_symlink():
                yield f"l {path.readlink()} {short}\n"
            elif path.is_dir():
                yield f"d {short}\n"
            elif path.is_file():
                yield f"{'x' if path.stat().st_mode & 0o100 else 'f'} {file_sha256(path)} {short}\n"
            else:
                yield f"? {short}\n"
