"""Writing what is offered: a file that is there already stays, or is the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from xboot.errors import InputError, UsageError
from xboot.files import folder_inside, open_regular, read_regular, replacing
from xboot.offer.agreed import AgreedOutput

__all__ = ["copy_nars", "write_files"]

_CHUNK = 1 << 20


def write_files(into: Path, files: Iterable[tuple[str, bytes]]) -> list[Path]:
    """Write each file, whole or not at all. Raises UsageError for one that is there with another content, and for a folder of its that is a
    link; what was written stays.
    """
    written = []
    for name, content in files:
        path = folder_inside(into, str(PurePosixPath(name).parent)) / PurePosixPath(name).name
        if path.is_symlink() or path.exists():
            if path.is_symlink() or not path.is_file() or read_regular(path, max(len(content), path.stat().st_size), "a file") != content:
                raise UsageError(f"{path}: is there already, with another content", hint="move it away, or name another folder")
        else:
            with replacing(path) as scratch:
                scratch.write_bytes(content)
        written.append(path)
    return written


def copy_nars(into: Path, outputs: Sequence[AgreedOutput], nars: Path) -> None:
    """The NARs of outputs, from a folder that `xboot run --export` filled, each checked while it is copied. Raises InputError for one that
    is not what was attested.
    """
    folder = folder_inside(into, "nar")
    for output in outputs:
        source, target = nars / output.file, folder / output.file
        with open_regular(source) as file, replacing(target) as scratch:
            with scratch.open("wb") as copy:
                shutil.copyfileobj(file, copy, _CHUNK)
            with scratch.open("rb") as copy:
                found = hashlib.file_digest(copy, "sha256").hexdigest()
            if found != output.nar_sha256:
                raise InputError(f"{source}: its SHA-256 is {found}; attested was {output.nar_sha256}")
