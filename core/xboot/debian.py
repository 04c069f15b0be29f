"""Debian packages without apt and without dpkg: what the lock has as it is locked, everything else as a suite's signed index offers it.

When a locked file can be had from no place at all, another version will do, and is no longer the locked base: `xboot.parts.base` says so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from xboot._records import dataclass
from xboot.cache import Cache
from xboot.errors import InputError, MissingToolError, XbootError
from xboot.parts import Lock, Part, locked, obtain_part, unpack
from xboot.parts.base import drifted, kept
from xboot.parts.catalogue import Catalogue

__all__ = ["DebianFile", "DebianPackages", "SourcePackage"]

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"[a-z0-9][a-z0-9+.\-]+")


@dataclass(frozen=True, slots=True)
class DebianFile:
    """A file from Debian's archive: a `.deb` or a source tarball."""

    package: str
    version: str
    architecture: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class SourcePackage:
    """The upstream tarballs of a source package."""

    package: str
    version: str
    tarballs: Sequence[DebianFile]


class DebianPackages:
    """Fetches packages into `cache`. Raises MissingToolError for what is not to be had, InputError for a name that is none."""

    def __init__(self, cache: Cache, lock: Lock | None = None) -> None:
        self.cache = cache
        self._lock = lock or locked()
        self._catalogue = Catalogue(cache, self._lock)

    def candidate(self, package: str, architecture: str = "amd64") -> tuple[str, str]:
        """Version and SHA-256 of the `.deb` as it is locked, or offered now. What `binary` gives may differ from it, if the locked one is
        not to be had: so whoever keeps what is made from it asks `binary` before it is made, and keys it by that.
        """
        (part,) = self._parts(package, architecture)
        self._note([part])
        return part.version, part.sha256

    def expected(self, package: str, architecture: str = "amd64") -> Sequence[DebianFile]:
        """The files of a package as they are locked, or offered now, without bringing them: `path` is a name only. The same holds as for
        `candidate`: what is brought may differ from it.
        """
        parts = self._parts(package, architecture)
        self._note(parts)
        return [DebianFile(part.name, part.version, architecture, Path(part.file_name), part.sha256) for part in parts]

    def search(self, pattern: str) -> list[str]:
        """Names of packages that match a regular expression, sorted: those of the lock, or when none of them does of the suite."""
        found = {part.name for part in self._lock.parts if part.architecture in ("amd64", "all") and re.search(pattern, part.name)}
        return sorted(found) or self._catalogue.names(pattern)

    def binary(self, package: str, architecture: str = "amd64") -> DebianFile:
        """The package's `.deb`."""
        (found,) = self._obtained(package, architecture)
        return found

    def unpacked(self, package: str, architecture: str = "amd64") -> tuple[Path, DebianFile]:
        """The package's files, unpacked into a folder of the cache."""
        deb = self.binary(package, architecture)

        def make(work: Path) -> None:
            (work / "root").mkdir()
            unpack(deb.path, work / "root")

        return self.cache.folder("parts-unpacked", {"sha256": deb.sha256, "form": "2"}, make) / "root", deb

    def source(self, package: str) -> SourcePackage:
        """The upstream tarballs of a source package (Debian's own changes are not fetched)."""
        tarballs = sorted(self._obtained(package, "source"), key=lambda file: file.path.name)
        return SourcePackage(package, tarballs[0].version, tarballs)

    def _parts(self, package: str, architecture: str) -> Sequence[Part]:
        if not _NAME.fullmatch(package):
            raise InputError(f"{package!r} is not the name of a Debian package")
        parts = self._lock.files(package, architecture) or next(self._catalogue.offers(package, architecture), [])
        if not parts:
            kind = "source package" if architecture == "source" else "package"
            raise MissingToolError(
                f"Debian {kind} {package}:{architecture} is neither locked nor offered by {', '.join(self._lock.suites)}",
                hint="name a mirror of a suite that has it with --mirror or XBOOT_MIRROR (docs/parts.md)",
            )
        return parts

    def _obtained(self, package: str, architecture: str) -> list[DebianFile]:
        parts = self._parts(package, architecture)
        try:
            return self._files(parts, architecture)
        except MissingToolError as error:
            # What is only counted is not worth another version.
            for other in () if all(map(self._lock.optional, parts)) else self._others(package, architecture, parts):
                try:
                    found = self._files(other, architecture)
                except MissingToolError:
                    continue
                _LOG.warning("%s; going on with %s: this is not the locked base", error.message, other[0])
                return found
            raise

    def _files(self, parts: Sequence[Part], architecture: str) -> list[DebianFile]:
        files = [
            DebianFile(part.name, part.version, architecture, obtain_part(part, self.cache, self._lock), part.sha256) for part in parts
        ]
        self._note(parts)
        return files

    def _note(self, parts: Sequence[Part]) -> None:
        """Say whether these are of the locked base."""
        known = {part.sha256 for part in self._lock.parts}
        for part in parts:
            kept() if part.sha256 in known else drifted(f"{part.name} {part.version}")

    def _others(self, package: str, architecture: str, parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
        """Other versions of what could not be had, as suites offer them."""
        try:
            for other in self._catalogue.offers(package, architecture):
                if {part.sha256 for part in other} != {part.sha256 for part in parts}:
                    yield other
        except XbootError:
            return  # no index can be had: what is said of the locked one is enough
