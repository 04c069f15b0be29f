"""What a voter of a comparison is made of, by what was measured on this host.

A backend says which components its image has. What it says is not taken alone: every file that it names as a source is hashed here, an
artifact's own file is hashed here as well, and what this core handed out while the backend prepared its image counts, whether the backend
names it or not. All that is added up: a wrong word can make voters share more, and a missing one makes a kernel or executor unknown. What
`Request.measure` measured is added, too; without it nothing is read but the artifacts and their sources, and no line is counted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from xboot.cache import file_sha256
from xboot.compare.independent import Makeup
from xboot.errors import XbootError
from xboot.files import load_json, read_regular
from xboot.model import Artifact, Component, Role
from xboot.result import Result

__all__ = ["EMPTY", "NO_CODE", "UNHASHED", "below_parts", "makeup_of", "unlisted"]

EMPTY = hashlib.sha256(b"").hexdigest()
"""In a file without content nobody can be wrong."""
NO_CODE = (Role.SEED, Role.SCRIPT, Role.PADDING)
"""The roles of what is the derivation's, the same for all voters, or runs nothing."""

UNHASHED = ("host kernel", "medium framing")
"""What is below an image and need not have a hash: the one is the same below all, the other runs nothing."""

_RECORD = "sources.json"  # of a program that was not compiled just now: file → its SHA-256 and more
_MAX_RECORD = 16 << 20
_HEX = re.compile("[0-9a-f]{64}")
_DECISIVE = (Role.KERNEL, Role.EXECUTOR)


def makeup_of(name: str, result: Result) -> Makeup:
    """What the voter that is named `name` is made of, by the result of its run."""
    parts: dict[str, str] = {}
    roles: dict[str, Role] = {}
    listed: set[str] = set()
    files: dict[Path, str] = {}  # several artifacts may be in one
    for artifact in _owners(result):
        roles[artifact.name] = artifact.role
        sources = [sha256 for sha256 in _sources(artifact) if sha256 != EMPTY]
        if sources:
            listed.add(artifact.name)
        if artifact.path not in files:
            files[artifact.path] = _file(artifact.path)
        for part in (artifact.sha256, files[artifact.path], *sources):
            parts.setdefault(part, artifact.name)
    for component in result.components:
        if component.role in NO_CODE:
            continue
        roles[component.name] = component.role
        if set(component.source_hashes.values()) - {"", EMPTY}:
            listed.add(component.name)
        for part in (component.sha256, *component.source_hashes.values()):
            parts.setdefault(part, component.name)
    unknown, opaque = unlisted(roles, listed)
    segments = result.segments
    named = [(name, sha256) for name, _, sha256 in (segments.base.below if segments is not None else ())]
    return Makeup(
        name, result.voter.backend, result.voter.machine, {part: of for part, of in parts.items() if part not in ("", EMPTY)},
        below_parts([*((c.name, c.sha256) for c in result.below), *named], result.below), unknown, opaque,
    )  # fmt: skip


def unlisted(roles: Mapping[str, Role], listed: Iterable[str]) -> tuple[list[str], list[str]]:
    """Of an image's components (name → role) those whose sources nobody lists: the ones that make a voter unknown, and the others. An image
    without a kernel or an executor has an unknown one.
    """
    bare = {name: role for name, role in roles.items() if name not in set(listed)}
    unknown = [name for name, role in bare.items() if role in _DECISIVE]
    unknown += [f"the {role.value}" for role in _DECISIVE if role not in roles.values()]
    return unknown, [name for name, role in bare.items() if role not in _DECISIVE]


def below_parts(named: Iterable[tuple[str, str]], components: Iterable[Component] = ()) -> dict[str, str]:
    """SHA-256 → component, of what stands below an image: `named` are names and hashes, `components` give their sources. The first word of
    each name counts as a part: two versions of a firmware are one piece of code. Nothing, which counts as not measured, when something
    there has no hash: what stands at the other end of a cable nobody here knows.
    """
    named = list(named)
    if any(not sha256 and name not in UNHASHED for name, sha256 in named):
        return {}
    found: dict[str, str] = {}
    for name, sha256 in named:
        if sha256:
            found.setdefault(sha256, name)
            found.setdefault(f"any {(name.split() or [name])[0].lower()}", name)
    for component in components:
        for part in component.source_hashes.values():
            if part != EMPTY:
                found.setdefault(part, component.name)
    return found


def _owners(result: Result) -> Iterator[Artifact]:
    """The artifacts that own bytes of the image, and what the core handed out to the backend for it."""
    owners = {region.component for region in result.image.regions if region.size}
    for name, artifact in result.image.artifacts.items():
        if name in owners and artifact.role not in NO_CODE:
            yield artifact
    yield from result.handed


def _file(path: Path) -> str:
    """The SHA-256 of the file that an artifact is in, whatever its backend says; empty for a folder, or one that is gone since."""
    try:
        return file_sha256(path) if path.is_file() else ""
    except OSError:
        return ""


def _sources(artifact: Artifact) -> list[str]:
    """The SHA-256 of each source file; of those in a record of them, as the record has it. None when one of them cannot be read, or has no
    hash in the record: then they are not known.
    """
    found: list[str] = []
    try:
        for file in artifact.source_files:
            found += _recorded(file) if file.name == _RECORD else [file_sha256(file)]
    except (XbootError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return found


def _recorded(record: Path) -> list[str]:
    value = load_json(read_regular(record, _MAX_RECORD, "a record of source files"))
    found = [str(entry["sha256"]) for entry in value.values()]
    if not all(_HEX.fullmatch(sha256) for sha256 in found):
        raise ValueError(f"{record}: something in it is no SHA-256")
    return found
