"""`xboot parts --update`: what the lock's groups want, and all that this depends on, as the suites' signed indices offer it now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from xboot._records import dataclass
from xboot.errors import InputError
from xboot.parts.index import Index, Stanza, read_index
from xboot.parts.lock import NPM, Group, Lock, Part
from xboot.parts.version import version_key

__all__ = ["Change", "changes", "parts_of", "renewed"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a file: its versions before and now; an empty one says that it was not there, or is no more."""

    name: str
    architecture: str
    before: str
    now: str

    def __str__(self) -> str:
        what = f"{self.name} {self.architecture}"
        if self.before == self.now:
            return f"{what}: {self.now} has other bytes now"
        return f"{what}: {self.before or 'new'} -> {self.now or 'no more'}"


def changes(before: Lock, now: Lock) -> list[Change]:
    """Each file that differs between two locks, by name."""
    old, new = (
        {(p.name, p.architecture, p.file_name.replace(p.version.rpartition(":")[2], "")): p for p in lock.parts} for lock in (before, now)
    )
    found = []
    for key in sorted({*old, *new}):
        a, b = old.get(key), new.get(key)
        if (a and a.sha256) != (b and b.sha256):
            found.append(Change(key[0], key[1], a.version if a else "", b.version if b else ""))
    return found


def renewed(lock: Lock, tell: Callable[[str], None]) -> Lock:
    """The lock as it is to be made today; what is of npm stays as it was written. Raises what `read_index` does, and InputError for a
    package that no index has.
    """
    indices: dict[str, Index] = {}
    lists: dict[tuple[str, str], _Offer] = {}
    found: dict[str, Part] = {}
    for group in lock.groups.values():
        if group.suite not in lock.suites:
            raise InputError(f"xboot.lock: group {group.name} names the suite {group.suite!r}, which is not in the lock")
        if lock.suites[group.suite].archive == NPM:
            found.update((part.path, part) for part in _written(group, lock))
            continue
        if group.suite not in indices:
            tell(f"the index of {group.suite}")
            indices[group.suite] = read_index(lock.suites[group.suite])
        key = (group.suite, group.architecture)
        if key not in lists:
            tell(f"{group.suite}'s packages for {group.architecture}")
            lists[key] = _Offer(indices[group.suite].stanzas(group.architecture))
        for part in _wanted(group, lists[key]):
            before = found.get(part.path, part)
            found[part.path] = replace(part, groups=tuple(sorted({*before.groups, group.name})))
    suites = {name: replace(suite, date=indices[name].date if name in indices else suite.date) for name, suite in lock.suites.items()}
    return Lock(suites, lock.groups, sorted(found.values()))


def _written(group: Group, lock: Lock) -> Iterator[Part]:
    for name in group.packages:
        if group.name not in {group for part in lock.files(name, NPM) for group in part.groups}:
            raise InputError(f"xboot.lock has no part {name} of group {group.name}", hint="what comes from npm is written by hand")
        yield from lock.files(name, NPM)


class _Offer:
    """A list of packages: of several versions of one package the highest; and who provides what."""

    def __init__(self, stanzas: Iterable[Stanza]) -> None:
        self.packages: dict[str, Stanza] = {}
        self.providers: dict[str, set[str]] = {}
        for stanza in stanzas:
            name = stanza.get("package", "")
            known = self.packages.get(name)
            if known is None or version_key(known["version"]) < version_key(stanza["version"]):
                self.packages[name] = stanza
        for name, stanza in self.packages.items():
            for alternatives in _relations(stanza.get("provides", "")):
                for provided in alternatives:
                    self.providers.setdefault(provided, set()).add(name)


def _wanted(group: Group, offer: _Offer) -> Iterator[Part]:
    for name in group.packages:
        if name not in offer.packages:
            raise InputError(
                f"the suite {group.suite} has no package {name} for {group.architecture}", hint=f"group {group.name} of the lock wants it"
            )
    for name in _closure(group, offer) if group.dependencies else group.packages:
        yield from parts_of(offer.packages[name], group.suite, group.architecture)


def parts_of(stanza: Stanza, suite: str, architecture: str) -> Iterator[Part]:
    """The files of one entry of a list: a `.deb`; for `source` upstream's tarballs, or the only one of a native package."""
    if architecture != "source":
        yield Part(
            stanza["package"], stanza["architecture"], stanza["filename"], stanza["version"], suite, stanza["sha256"], int(stanza["size"])
        )
        return
    files = re.findall(r"^\s*([0-9a-f]{64})\s+(\d+)\s+(\S+)$", stanza["checksums-sha256"], re.MULTILINE)
    tarballs = [entry for entry in files if re.search(r"\.tar\.\w+$", entry[2]) and ".debian.tar." not in entry[2]]
    for digest, size, name in tarballs:
        path = str(PurePosixPath(stanza["directory"]) / name)
        yield Part(stanza["package"], "source", path, stanza["version"], suite, digest, int(size))


def _closure(group: Group, offer: _Offer) -> list[str]:
    """The packages and all that they depend on (recommendations are not followed), but for those that the group is to be without. Of
    alternatives, one that is in already, else the first.
    """
    chosen = dict.fromkeys(group.packages)
    todo = list(group.packages)
    while todo:
        name = todo.pop(0)
        stanza = offer.packages[name]
        for field in ("pre-depends", "depends"):
            for alternatives in _relations(stanza.get(field, "")):
                answer = _answer(alternatives, offer, chosen)
                if set(group.without) & {answer, *alternatives}:
                    continue
                if answer is None:
                    raise InputError(f"{name} depends on {' or '.join(alternatives)}, which the suite does not have")
                if answer not in chosen:
                    chosen[answer] = None
                    todo.append(answer)
    return list(chosen)


def _answer(alternatives: Sequence[str], offer: _Offer, chosen: Mapping[str, None]) -> str | None:
    for name in alternatives:
        for candidate in (name, *sorted(offer.providers.get(name, ()))):
            if candidate in chosen:
                return candidate
    for name in alternatives:
        if name in offer.packages:
            return name
        if offer.providers.get(name):
            return min(offer.providers[name])
    return None


def _relations(text: str) -> Iterator[list[str]]:
    """`a (>= 1) | b, c:any` → [a, b], [c]. Versions are not compared: one suite fits together."""
    for clause in text.replace("\n", " ").split(","):
        names = [re.split(r"[\s(:\[]", alternative.strip(), maxsplit=1)[0] for alternative in clause.split("|")]
        if names != [""]:
            yield names
