"""What is in a folder that strangers may have filled: however it is nested, nothing is followed, and nothing is left out unsaid."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from xboot.errors import InputError
from xboot.words import counted

__all__ = ["walk"]


def walk(top: Path, most: int, deepest: int | None = None) -> Iterator[tuple[Path, os.stat_result | str]]:
    """Every entry below `top` that is no folder, in the order of names, with what it is.

    What cannot be looked at, a folder or a file, comes with the reason instead; so does a folder more than `deepest` folders down. Folders
    whose names begin with a dot (.git) are left out.

    Raises InputError when `top` itself cannot be read, and for more than `most` files and folders.
    """
    todo = [(top, 0)]  # no recursion: a path may have thousands of parts
    seen = 0
    while todo:
        folder, depth = todo.pop()
        try:
            names = sorted(os.listdir(folder))
        except OSError as error:
            if folder == top:
                raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
            yield folder, f"cannot be read: {error.strerror}"
            continue
        seen += len(names)
        if seen > most:
            raise InputError(f"{top}: more than {counted(most, 'entry')}; a file or a folder is one")
        deeper = []
        for name in names:
            entry = folder / name
            try:
                status = entry.lstat()
            except OSError as error:
                yield entry, f"cannot be read: {error.strerror}"
                continue
            if not stat.S_ISDIR(status.st_mode):
                yield entry, status
            elif depth == deepest:
                yield entry, f"folders are looked into only {deepest} deep"
            elif not name.startswith("."):
                deeper.append((entry, depth + 1))
        todo += reversed(deeper)
