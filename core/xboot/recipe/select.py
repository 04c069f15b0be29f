"""Parts of a tree: `select` in a recipe."""

from __future__ import annotations

import fnmatch
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from xboot.errors import InputError

__all__ = ["copy_tree"]


_MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")  # which newer packages have below usr/


def copy_tree(source: Path, destination: Path, select: Sequence[str] | None, where: str, *, package: bool = False) -> None:
    """Copy `source` (a file, folder or link, never followed) to `destination`, which must not exist.

    `select` are paths below it, with `*`, `?` and `[…]` within one component; a folder stands for all that is in it. Raises InputError
    when one of them finds nothing, or for a node that no store can hold; `where` is for its message. With `package`, a name in `bin` or
    `lib` also finds what a package has in `usr/bin` or `usr/lib`, and the other way round; it is copied to the place that was named.
    """
    if select is None:
        _copy(source, destination)
        return
    patterns = [pattern.split("/") for pattern in select]
    unused = _take(source, destination, dict(enumerate(patterns)), 0)
    if package:
        above = {i: ["usr", *patterns[i]] for i in unused if patterns[i][0] in _MERGED}
        below = {i: patterns[i][1:] for i in unused if patterns[i][0] == "usr" and patterns[i][1:2] in ([name] for name in _MERGED)}
        unused -= above.keys() | below.keys()
        unused |= _take(source, destination, above, 1) | _take(source, destination, below, -1)
    if unused:
        missing = select[min(unused)]
        raise InputError(
            f"{where}: select: nothing in it is called {missing!r}",
            hint=f"at its top are: {', '.join(sorted(p.name for p in source.iterdir())[:12])}",
        )


def _take(source: Path, destination: Path, patterns: Mapping[int, Sequence[str]], shift: int) -> set[int]:
    """Copy what matches, with `shift` folders fewer at the beginning (-1: below `usr`). The patterns that found nothing."""
    unused = set(patterns)
    for parts in _walk(source) if patterns else ():
        hits = [i for i, pattern in patterns.items() if _matches(parts, pattern)]
        unused.difference_update(hits)
        if hits:
            target = destination.joinpath(*(("usr", *parts) if shift < 0 else parts[shift:]))
            target.parent.mkdir(parents=True, exist_ok=True)
            path = source.joinpath(*parts)
            if path.is_dir() and not path.is_symlink():
                target.mkdir(exist_ok=True)
            else:
                _copy(path, target)
    return unused


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
