"""Reading what a user named or a stranger sent: regular files only, never more than a stated number of bytes, JSON with one meaning.

Every reader of foreign files goes through here. A FIFO would keep xboot waiting for ever and a device may have no end, so a file is opened
without waiting, looked at, and only then read. docs/limits.md has the table of all bounds.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any

from xboot.errors import InputError, UsageError

__all__ = ["folder_inside", "is_regular", "load_json", "open_regular", "read_descriptor", "read_regular", "replacing"]

# Without O_NONBLOCK the opening of a FIFO waits for somebody who writes.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_CHUNK = 1 << 20
_MAX_DIGITS = 300  # of a number in JSON; with more it would not fit into a double
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # in a text without any there is no half character


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """The regular file `path`, open for reading; with `follow`, also behind symbolic links. Raises InputError for anything else."""
    try:
        descriptor = os.open(path, _FLAGS if follow else _FLAGS | os.O_NOFOLLOW)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path}: not a regular file")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, limit: int, what: str) -> bytes:
    """The content of a regular file of at most `limit` bytes; `what` says in messages what it should have been. Raises InputError."""
    with open_regular(path) as file:
        return read_descriptor(file.fileno(), limit, str(path), what)


def read_descriptor(descriptor: int, limit: int, name: str, what: str) -> bytes:
    """The content behind an open descriptor, which must be that of a regular file of at most `limit` bytes, from where it stands."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{name}: {what} must be a regular file")
    if status.st_size > limit:
        raise InputError(f"{name}: {status.st_size} bytes are more than {what} may have ({limit} bytes)")
    data = os.read(descriptor, status.st_size + 1)
    if len(data) == status.st_size and data:  # nearly always: one byte more was asked for, so this is the end
        return data
    pieces, left = [data], limit + 1 - len(data)
    while left > 0 and (piece := os.read(descriptor, min(left, _CHUNK))):
        pieces.append(piece)
        left -= len(piece)
    if left <= 0:
        raise InputError(f"{name}: it has more bytes than {what} may have ({limit} bytes)")
    return b"".join(pieces)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The name of a file beside `path` to write to, which takes its place at the end of the block: whole, or not at all. What a block that
    fails has begun is removed. Nobody can know the name before, so what lies in a folder that somebody else filled is never written
    through.
    """
    scratch = path.with_name(f".{secrets.token_hex(8)}.new")
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666))
    try:
        yield scratch
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def folder_inside(into: Path, name: str) -> Path:
    """The folder `name`, of one part or several, in `into`; made if it is not there. Raises UsageError when something on the way is a
    link, or no folder: what lies in `into` may be somebody else's, and nothing is written outside.
    """
    into.mkdir(parents=True, exist_ok=True)
    folder = into
    for part in PurePosixPath(name).parts:
        folder = folder / part
        with suppress(FileExistsError):
            folder.mkdir()
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise UsageError(f"{folder}: is a link or a file where a folder must be", hint="move it away, or name another folder")
    return folder


def is_regular(path: Path) -> bool:
    """Whether `path` is a regular file, or a link to one. False also for names that no file can have."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def load_json(data: bytes | str) -> Any:
    """The one value that a JSON text has for every reader: no member twice, no NaN or infinity, no number beyond what a double
    holds, no half characters. Raises ValueError that says what is wrong.
    """
    text = data.decode() if isinstance(data, bytes) else data
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_no_number, parse_float=_float, parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _HALF.search(text.encode(errors="replace")):
        _whole(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the member {twice[:100]!r} is there twice")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _whole(value: Any) -> None:
    """Raise ValueError for half characters (lone surrogates), which no UTF-8 has."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            try:
                one.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{one[:40]!r} has half a character (a lone surrogate)") from None
        elif isinstance(one, dict):
            todo += [*one, *one.values()]
        elif isinstance(one, list):
            todo += one
