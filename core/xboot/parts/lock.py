"""`xboot.lock`: the parts by name, version, architecture, suite, place in a Debian archive, size and SHA-256.

The head says what is wanted (`[group.NAME]`: packages of one suite and architecture, alone or with all that they depend on); each
`[[part]]` below is what `xboot parts --update` found for it. Nothing in it names a mirror: a place is below any archive's base.

A package of npm has no signed index: its suite's archive is `npm`, and its part is written by hand.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from xboot.errors import InputError
from xboot.files import read_regular, replacing
from xboot.words import counted

__all__ = ["LOCK", "NPM", "Group", "Lock", "Part", "Suite", "locked", "read_lock", "write_lock"]

LOCK = Path(__file__).parent.parent / "xboot.lock"
NPM = "npm"
"""The archive, and the architecture, of what npm's registry has."""
_MAX_LOCK = 4 << 20
_VERSION = 1
_SHAPES = {
    "name": r"[a-z0-9][a-z0-9+.\-]+",
    "version": r"[0-9A-Za-z.+:~\-]+",
    "architecture": r"amd64|i386|all|source|npm",
    "suite": r"[a-z0-9][a-z0-9\-]*",
    "path": r"pool/[0-9A-Za-z.+~_/\-]+|[a-z0-9.\-]+/-/[0-9A-Za-z.+\-]+\.tgz",
    "sha256": r"[0-9a-f]{64}",
}

# A string of TOML without escapes, and the lines of one part. Both are what TOML takes them for, and less than what it allows.
_PLAIN = r"[ !#-\[\]-~]*"
_QUOTED = re.compile(f'"({_PLAIN})"')
_AS_WRITTEN = re.compile(
    "".join(f'{name} = "(?P<{name}>{_PLAIN})"\n' for name in ("name", "architecture", "path", "version", "suite", "sha256"))
    + rf'size = (?P<size>[1-9][0-9]{{0,15}})\ngroups = \[(?P<groups>(?:"{_PLAIN}"(?:, "{_PLAIN}")*)?)\]\n'
)


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One file: a `.deb`, (architecture `source`) one upstream tarball of a source package, or (`npm`) a package of npm. `path` is below an
    archive's base; `size` counts bytes; `groups` are those of the lock that it belongs to.
    """

    name: str
    architecture: str
    path: str
    version: str
    suite: str
    sha256: str
    size: int
    groups: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """The last name of its path."""
        return PurePosixPath(self.path).name

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture}"


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite of an archive (`debian`, `debian-security`), and the date (`YYYYMMDDThhmmssZ`) of the signed index that the lock was made
    from; of the archive `npm` the day on which its parts were written down.
    """

    name: str
    archive: str = "debian"
    date: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What is wanted: `packages` of `suite` (with architecture `source`, the sources of this name); with `dependencies` also all that
    they depend on, but for the packages in `without`. `optional`: no image needs them.
    """

    name: str
    about: str
    suite: str
    architecture: str
    packages: tuple[str, ...]
    dependencies: bool = False
    without: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """The whole list."""

    suites: Mapping[str, Suite]
    groups: Mapping[str, Group]
    parts: Sequence[Part]

    def files(self, name: str, architecture: str = "amd64") -> list[Part]:
        """The files of a package: one, or for `source` as many as there are upstream tarballs. One for every architecture (`all`) counts
        for each. Empty when the lock does not have it.
        """
        wanted = {architecture} if architecture in ("source", NPM) else {architecture, "all"}
        return [part for part in self.parts if part.name == name and part.architecture in wanted]

    def find(self, name: str, architecture: str = "amd64") -> Part:
        """The one file of a package. Raises InputError when the lock does not have it, or has several."""
        found = self.files(name, architecture)
        if len(found) != 1:
            several = f"has {counted(len(found), 'file')} for" if found else "has no"
            raise InputError(
                f"xboot.lock {several} {name}:{architecture}", hint="add it to a group of the lock, then `xboot parts --update`"
            )
        return found[0]

    def optional(self, part: Part) -> bool:
        """Whether no image needs the part."""
        return bool(part.groups) and all(name in self.groups and self.groups[name].optional for name in part.groups)

    def group(self, name: str) -> list[Part]:
        """All parts of a group. Raises InputError when the lock has no such group."""
        if name not in self.groups:
            raise InputError(f"xboot.lock has no group {name!r}", hint="it has: " + ", ".join(self.groups))
        return [part for part in self.parts if name in part.groups]


@cache
def locked() -> Lock:
    """The lock that this xboot came with."""
    return read_lock(LOCK)


def read_lock(path: Path) -> Lock:
    """Read a lock file. Raises InputError that names the file and what is wrong with it."""
    try:
        data = _loaded(read_regular(path, _MAX_LOCK, "a lock of parts").decode())
        if data.pop("version", None) != _VERSION:
            raise ValueError(f"expected `version = {_VERSION}`")
        suites = {name: Suite(name, **entry) for name, entry in data.pop("suite", {}).items()}
        groups = {}
        for name, entry in data.pop("group", {}).items():
            groups[name] = Group(name, **{**entry, "packages": tuple(entry["packages"]), "without": tuple(entry.get("without", ()))})
        parts = [_part(entry) for entry in data.pop("part", [])]
        if data:
            raise ValueError(f"unknown: {', '.join(data)}")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not a lock of parts: {error}") from None
    return Lock(suites, groups, parts)


def _loaded(text: str) -> dict[str, Any]:
    """What TOML says of the text. Parts as `write_lock` writes them, two hundred that every command reads, are taken line by line, ten
    times as fast; where anything else stands among them, the whole text is read as TOML.
    """
    head, *parts = text.split("\n[[part]]\n")
    entries = []
    for part in parts:
        match = _AS_WRITTEN.fullmatch(part)
        if match is None:
            return tomllib.loads(text)
        entries.append({**match.groupdict(), "size": int(match["size"]), "groups": _QUOTED.findall(match["groups"])})
    try:
        data = tomllib.loads(head)
    except tomllib.TOMLDecodeError:  # or the parts stand in a string, and are none
        return tomllib.loads(text)
    return {**data, "part": entries} if entries and "part" not in data else tomllib.loads(text)


def _part(entry: Mapping[str, Any]) -> Part:
    for name, shape in _SHAPES.items():
        value = entry.get(name)
        if not isinstance(value, str) or not re.fullmatch(shape, value):
            raise ValueError(f"part {entry.get('name')!r}: {name} is {value!r}")
    if ".." in entry["path"].split("/") or type(entry.get("size")) is not int or entry["size"] <= 0:
        raise ValueError(f"part {entry['name']!r}: its path or size is none")
    return Part(**{**entry, "groups": tuple(entry.get("groups", ()))})


def write_lock(lock: Lock, path: Path) -> None:
    """Write a lock file, whole or not at all."""
    with replacing(path) as scratch:
        scratch.write_text(_text(lock))


_HEAD = """\
# Every file that comes from elsewhere and goes into an image, an example, or the making of one (docs/parts.md).
# The groups are written by hand: what is wanted. `xboot parts --update` renews the dates and the parts from the suites' signed indices.
"""


def _text(lock: Lock) -> str:
    lines = [_HEAD, f"version = {_VERSION}\n"]
    for suite in lock.suites.values():
        lines.append(f"\n[suite.{suite.name}]\narchive = {_quoted(suite.archive)}\ndate = {_quoted(suite.date)}\n")
    for group in lock.groups.values():
        lines.append(f"\n[group.{group.name}]\nabout = {_quoted(group.about)}\nsuite = {_quoted(group.suite)}\n")
        lines.append(f"architecture = {_quoted(group.architecture)}\ndependencies = {str(group.dependencies).lower()}\n")
        lines += ["optional = true\n"] if group.optional else []
        for name, packages in (("packages", group.packages), ("without", group.without)):
            if packages:
                lines += [f"{name} = [\n", *(f"  {_quoted(package)},\n" for package in packages), "]\n"]
    for part in sorted(lock.parts):
        lines.append("\n[[part]]\n")
        for field in fields(part):
            value = getattr(part, field.name)
            shown = (
                f"[{', '.join(map(_quoted, value))}]"
                if isinstance(value, tuple)
                else str(value)
                if field.name == "size"
                else _quoted(value)
            )
            lines.append(f"{field.name} = {shown}\n")
    return "".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a TOML basic string, for text without control characters
