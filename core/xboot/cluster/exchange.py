"""Where NARs lie for host and workers alike: any folder that fsspec can open. Nobody believes it: a NAR is what its hash says, or absent.

URL/nars/HH/SHA256.nar
"""

from __future__ import annotations

import hashlib
import posixpath
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec

from xboot._records import dataclass
from xboot.errors import InputError, XbootError
from xboot.foreign import printable

__all__ = ["Exchange"]

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Exchange:
    """The folder at `url`, of any scheme that fsspec has a plugin for. Every method raises XbootError for a place that does not work, and
    OSError for files of this machine.
    """

    url: str

    def check(self) -> None:
        """Write something there and read it back. Raises XbootError, too, when it comes back otherwise."""
        name, data = f"try-{secrets.token_hex(8)}", secrets.token_bytes(32)
        with self._opened() as (files, root):
            files.makedirs(root, exist_ok=True)
            place = posixpath.join(root, name)
            with files.open(place, "wb") as sink:
                sink.write(data)
            with files.open(place, "rb") as source:
                back = source.read(64)
            files.rm_file(place)
        if back != data:
            raise XbootError(f"{self}: what was written there is not what comes back")

    def has(self, sha256: str, size: int) -> bool:
        """Something of that name and size is there; what it is shows when somebody gets it."""
        with self._opened() as (files, root):
            place = _place(root, sha256)
            return bool(files.exists(place)) and _is_file(files, place, size)

    def put(self, file: Path, sha256: str) -> None:
        """Lay `file` there, instead of what may be there already. Whoever gets it meanwhile finds the one or the other, whole, where the
        place can rename: two steps may have made the same bytes.
        """
        with file.open("rb") as source, self._opened() as (files, root):
            place = _place(root, sha256)
            part = f"{place}.{secrets.token_hex(8)}.part"  # a name of our own: nothing is written through a link
            files.makedirs(posixpath.dirname(place), exist_ok=True)
            try:
                with files.open(part, "wb") as sink:
                    while piece := source.read(_PIECE):
                        sink.write(piece)
                files.mv(part, place)
            except BaseException:
                with suppress(Exception):
                    files.rm_file(part)
                raise

    def get(self, sha256: str, size: int, target: Path) -> bool:
        """Write the NAR to `target`; False when it is not there, or is anything else than these `size` bytes with this hash (`target` may
        then be there, incomplete).
        """
        digest, total = hashlib.sha256(), 0
        with target.open("wb") as sink, suppress(FileNotFoundError), self._opened(absent=True) as (files, root):
            place = _place(root, sha256)
            if not _is_file(files, place, size):
                return False
            with files.open(place, "rb") as source:
                while piece := source.read(min(_PIECE, size + 1 - total)):
                    total += len(piece)
                    digest.update(piece)
                    sink.write(piece)
        return (total, digest.hexdigest()) == (size, sha256)

    def __str__(self) -> str:
        """The URL, without what may be a password."""
        scheme, found, rest = self.url.rpartition("://")
        return printable(scheme + found + rest.rpartition("@")[2], 200)

    @contextmanager
    def _opened(self, *, absent: bool = False) -> Iterator[tuple[Any, str]]:
        """The file system and the folder on it. `absent`: a file that is not there is FileNotFoundError."""
        try:
            files, root = fsspec.url_to_fs(self.url)
            files.invalidate_cache()
            yield files, root
        except XbootError:
            raise
        except ImportError as error:
            raise InputError(f"{self}: {printable(str(error), 200)}", hint="install the package that it names") from None
        except Exception as error:
            if absent and isinstance(error, FileNotFoundError):
                raise
            # Each plugin raises what the library below it does. A full or missing disk of this machine looks the same.
            raise XbootError(f"{self}: {printable(f'{type(error).__name__}: {error}', 300)}") from None


def _place(root: str, sha256: str) -> str:
    return posixpath.join(root, "nars", sha256[:2], f"{sha256}.nar")


def _is_file(files: Any, place: str, size: int) -> bool:
    """A file of that size is there, and no pipe, device or folder that a reader would hang on."""
    info = files.info(place)
    return bool(info["type"] == "file" and info["size"] == size)
