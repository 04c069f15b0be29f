"""What suites offer, for a package that the lock does not have, or whose locked version is to be had nowhere."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from xboot.cache import Cache
from xboot.cache import locked as held
from xboot.errors import XbootError
from xboot.files import replacing
from xboot.parts.index import Index, Stanza, read_index
from xboot.parts.lock import Lock, Part, Suite
from xboot.parts.places import apt_archives, suite_named
from xboot.parts.update import parts_of
from xboot.parts.version import version_key

__all__ = ["Catalogue"]

_LOG = logging.getLogger(__name__)
_AGE = 86400.0  # seconds after which a suite's index is asked for again
_RECIPE = "1"
_FIELDS = ("package", "version", "architecture", "filename", "sha256", "size", "directory", "checksums-sha256")


class Catalogue:
    """The packages of the lock's suites, and then of those that apt is configured with. Indices are kept for a day."""

    def __init__(self, cache: Cache, lock: Lock) -> None:
        self._cache, self._lock = cache, lock

    def offers(self, name: str, architecture: str) -> Iterator[list[Part]]:
        """The files of the newest version of a package (for `source` its tarballs) in each suite that has it.

        Raises what `read_index` does when no suite's index can be had at all.
        """
        for suite, packages in self._lists(architecture):
            stanzas = packages.get(name)
            if stanzas:
                yield list(parts_of(max(stanzas, key=lambda stanza: version_key(stanza["version"])), suite.name, architecture))

    def names(self, pattern: str) -> list[str]:
        """Names of packages for amd64 that match a regular expression, in the first suite that has any, sorted."""
        for _, packages in self._lists("amd64"):
            found = sorted(name for name in packages if re.search(pattern, name))
            if found:
                return found
        return []

    def _lists(self, architecture: str) -> Iterator[tuple[Suite, Mapping[str, Sequence[Stanza]]]]:
        """Each suite whose index can be had, with its packages. Raises the first problem when there is none."""
        problem: XbootError | None = None
        given = False
        for suite in self._suites():
            try:
                packages = self._packages(self._index(suite), architecture)
            except XbootError as error:
                problem = problem or error
                continue
            given = True
            yield suite, packages
        if problem and not given:
            raise problem

    def _suites(self) -> Iterator[Suite]:
        configured = dict.fromkeys(archive.suite for archive in apt_archives())
        yield from self._lock.suites.values()
        yield from (suite_named(name) for name in configured if name not in self._lock.suites)

    def _index(self, suite: Suite) -> Index:
        memory = self._cache.root / "indices" / f"{suite.archive}-{suite.name.replace('/', '_')}.json"
        memory.parent.mkdir(parents=True, exist_ok=True)
        with held(memory.with_suffix(".lock"), f"the index of {suite.name}"):
            known = _remembered(memory, suite)
            if known and time.time() - memory.stat().st_mtime < _AGE:
                return known
            try:
                index = read_index(suite)
            except XbootError as error:
                if known is None:
                    raise
                _LOG.warning("%s; going on with the one of %s", error, known.date)
                return known
            with replacing(memory) as scratch:
                scratch.write_text(json.dumps({"date": index.date, "base": index.base, "sums": dict(index.sums)}))
            return index

    def _packages(self, index: Index, architecture: str) -> Mapping[str, Sequence[Stanza]]:
        architecture = "amd64" if architecture == "all" else architecture  # every list has those for all architectures too
        digest = index.digest(architecture)

        def make(work: Path) -> None:
            packages: dict[str, list[Stanza]] = {}
            for stanza in index.stanzas(architecture):
                kept = {name: stanza[name] for name in _FIELDS if name in stanza}
                packages.setdefault(stanza.get("package", ""), []).append(kept)
            (work / "packages.json").write_text(json.dumps(packages))

        folder = self._cache.folder("package-lists", {"sha256": digest, "recipe": _RECIPE}, make)
        found: Mapping[str, Sequence[Stanza]] = json.loads((folder / "packages.json").read_text())
        return found


def _remembered(memory: Path, suite: Suite) -> Index | None:
    try:
        found = json.loads(memory.read_text())
        return Index(suite, str(found["date"]), str(found["base"]), dict(found["sums"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or damaged: it is asked for again
