"""Counts that were made before, in the cache, by what they are a count of: a file's content, its name (which says what language it is), and
the versions of what counts. So a file that was changed is counted anew, wherever it lies, and whatever its times say.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from xboot._records import dataclass
from xboot._workspace import cache_root
from xboot.cache import file_sha256, locked
from xboot.files import load_json, replacing

__all__ = ["Counted", "SourceFile"]

_LOG = logging.getLogger(__name__)
_MOST = 20_000  # counts that are kept; then it begins anew: a Linux kernel has 1,500 files
_FORM = "1"  # what else a count depends on: the rules of xboot.tcb.lines


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was compiled: its language, its lines of code, and its SHA-256 (by which two backends are found to share it)."""

    language: str
    lines: int
    sha256: str


class Counted:
    """What the cache knows. A record that is damaged, or of other versions, is as none at all."""

    def __init__(self) -> None:
        self._file = cache_root() / "line-counts" / "counts.json"
        self._made_by = _made_by()
        self._known = self._read()
        self._hashes: dict[Path, str] = {}

    def of(self, path: Path) -> SourceFile | None:
        """The count of this very content under this name. Raises OSError when the file cannot be read."""
        digest = self._hashes[path] = file_sha256(path)
        found = self._known.get(_key(path, digest))
        return SourceFile(found[0], found[1], digest) if found else None

    def keep(self, counts: Mapping[Path, SourceFile]) -> None:
        """Write down what was counted after `of` had no answer. A file that was changed in between, or a cache that cannot be written to,
        costs the record only.
        """
        new = {_key(path, file.sha256): (file.language, file.lines) for path, file in counts.items() if file.sha256 == self._hashes[path]}
        if not new:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with locked(self._file.with_suffix(".lock"), "counting lines"):
                self._known = self._read() | new  # others may have counted meanwhile
                kept = self._known if len(self._known) <= _MOST else new
                with replacing(self._file) as scratch:
                    scratch.write_text(json.dumps({"madeBy": self._made_by, "counts": kept}))
        except OSError as error:
            _LOG.debug("%s: %s", self._file, error)

    def _read(self) -> dict[str, tuple[str, int]]:
        try:
            said = load_json(self._file.read_bytes())
            if said["madeBy"] != self._made_by:
                return {}
            return {key: (_text(language), _number(lines)) for key, (language, lines) in said["counts"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def _key(path: Path, digest: str) -> str:
    return f"{digest} {path.name}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _made_by() -> list[str]:
    found = [_FORM]
    for package in ("pygount", "pygments"):
        try:
            found.append(version(package))
        except PackageNotFoundError:
            found.append("")
    return found
