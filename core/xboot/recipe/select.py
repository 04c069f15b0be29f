"""Parts of a tree: `select` in a recipe."""

from __future__ import annotations

import fnmatch
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from xboot.errors import InputError

__all__ = ["copy_tree"]


def copy_tree(source: Path, destination: Path, select: Sequence[str] | None, where: str) -> None:
    """Copy `source` (a file, folder or link, never followed) to `destination`, which must not exist.

    `select` are paths below it, with `*`, `?` and `[…]` within one component; a folder stands for all that is in it. Raises InputError
    when one of them finds nothing, or for a
    node that no store can hold; `where` is for its message.
    """
    if select is None:
        _copy(source, destination)
        return
    patterns = [pattern.split("/") for pattern in select]
    unused = set(range(len(patterns)))
    for parts in _walk(source):
        hits = [i for i, pattern in enumerate(patterns) if _matches(parts, pattern)]
        unused.difference_update(hits)
        if hits:
            target = destination.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            path = source.joinpath(*parts)
            if path.is_dir() and not path.is_symlink():
                target.mkdir(exist_ok=True)
            else:
                _copy(path, target)
    if unused:
        missing = select[min(unused)]
        raise InputError(
            f"{where}: select: nothing in it is called {missing!r}",
            hint=f"at its top are: {', '.join(sorted(p.name for p in source.iterdir())[:12])}",
        )


def _walk(source: Path) -> Iterator[tuple[str, ...]]:
    """Paths of all nodes below `source`, parents first; links are not followed."""
    for folder, folders, files in os.walk(source):
        base = Path(folder).relative_to(source).parts
        for name in (*folders, *files):
            yield (*base, name)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    return len(parts) >= len(pattern) and all(fnmatch.fnmatchcase(part, piece) for part, piece in zip(parts, pattern, strict=False))


def _copy(source: Path, destination: Path) -> None:
    mode = source.lstat().st_mode
    if stat.S_ISLNK(mode):
        destination.symlink_to(source.readlink())
    elif stat.S_ISDIR(mode):
        destination.mkdir()
        for below in sorted(source.iterdir()):
            _copy(below, destination / below.name)
    elif stat.S_ISREG(mode):
        shutil.copyfile(source, destination, follow_symlinks=False)
        destination.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
    else:
        raise InputError(f"{source}: neither regular file, folder nor symbolic link, so it cannot stand in a store")
