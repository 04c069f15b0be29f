"""Where a site goes: a folder that appears whole or not at all, and that never takes the place of a file that is not of a site.

A site lists its files with their hashes. A folder is replaced only when it holds these files, unchanged, and no others.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from xboot.errors import InputError, UsageError
from xboot.files import load_json
from xboot.foreign import printable
from xboot.show.report import to_json
from xboot.site.folder import read_inside

__all__ = ["LIST", "check_destination", "old_file", "write_site"]

LIST = "site.json"
_MAX_LIST = 256 << 20
_MAX_PAGE = 1 << 30
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_HERE = -100  # AT_FDCWD


def check_destination(out: Path, folder: Path) -> None:
    """Refuse, by UsageError, a place where no site can go: a link, the repository itself or a folder around it, somebody's files."""
    if out.is_symlink():
        raise UsageError(f"{out}: a symbolic link; name the folder itself")
    here, there = out.resolve(), folder.resolve()
    if there == here or here in there.parents:
        raise UsageError(f"{out}: the repository is in there; a site goes into a folder of its own")
    if not here.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {here.parent}")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out}: a file; a site goes into a folder")
    mine = _listed(out)
    for path in _inside(out):
        name = path.relative_to(out).as_posix()
        if name == LIST and mine:
            continue
        if mine.get(name) != _sha256(path):
            raise UsageError(
                f"{out}: {printable(name, 200)} was not written by `xboot site`, or was changed since",
                hint="move it away, or name another folder: a site replaces its whole folder",
            )


def old_file(out: Path, name: str, limit: int) -> bytes | None:
    """A file of the site that stands at `out`; None when there is none."""
    return read_inside(out / name, limit, "a site's file") if (out / name).exists() else None


def write_site(out: Path, folder: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write files beside `out`, then put them in its place, all at once; how many. `folder`: the repository. Raises UsageError as
    `check_destination` does. An error, or an interruption, leaves what was there.
    """
    check_destination(out, folder)
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.resolve().parent))
    try:
        written: dict[str, str] = {}
        for name, content in files:
            assert not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts and name not in written
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written[name] = hashlib.sha256(content).hexdigest()
        (scratch / LIST).write_text(f"{to_json({'xbootSite': 1, 'files': dict(sorted(written.items()))})}\n")
        scratch.chmod(0o755)
        check_destination(out, folder)  # who put a file there in the meantime keeps it
        _take_the_place(scratch, out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return len(written)


def _take_the_place(scratch: Path, out: Path) -> None:
    """`scratch` becomes `out`, and what was there becomes `scratch`."""
    if not out.exists():
        scratch.rename(out)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_HERE, os.fsencode(scratch), _HERE, os.fsencode(out), _EXCHANGE) == 0:
        return
    aside = scratch.with_name(f"{scratch.name}.old")  # a file system that cannot exchange two names
    out.rename(aside)
    try:
        scratch.rename(out)
    except BaseException:
        aside.rename(out)
        raise
    shutil.rmtree(aside)


def _listed(out: Path) -> Mapping[str, str]:
    """The files of the site that stands there, with their hashes; none when no site does."""
    if not (out / LIST).exists():
        return {}
    try:
        said: Any = load_json(read_inside(out / LIST, _MAX_LIST, "a site's list of files"))
    except (ValueError, InputError):
        return {}
    files = said.get("files") if isinstance(said, dict) and said.get("xbootSite") == 1 else None
    return files if isinstance(files, dict) else {}


def _inside(out: Path) -> Iterable[Path]:
    """All that is in there but folders."""
    for folder, folders, files in os.walk(out):
        yield from (Path(folder) / name for name in (*files, *(n for n in folders if (Path(folder) / n).is_symlink())))


def _sha256(path: Path) -> str:
    """Empty for what is no regular file."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return ""
    return hashlib.sha256(read_inside(path, _MAX_PAGE, "a site's file")).hexdigest()
