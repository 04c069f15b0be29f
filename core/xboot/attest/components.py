"""What the voter of an attestation is made of, as its signer says: components of the image and of what is below it, by hash.

They are the signer's claim, like everything in a statement. What can be checked is: the components of the image must give the digest of the
trusted base that is signed for, so that who leaves one out signs for a base that nobody else measures. And attestations are held against
each other: what anybody says of a component or an image counts for all who name the same one. What nobody names counts as shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from xboot._records import dataclass
from xboot.compare.independent import Makeup
from xboot.compare.makeup import EMPTY, NO_CODE, UNHASHED, below_parts, unlisted
from xboot.errors import InputError
from xboot.foreign import printable
from xboot.model import Component, Role
from xboot.tcb.components import digest
from xboot.voter import Voter

__all__ = ["Claimed", "Said", "check_claimed", "makeups", "named_components", "read_component"]

_IMAGE, _BELOW = "in the image: ", "below the image: "
_SHORT = 16  # hexadecimal digits that are kept of a source's hash: a lucky hit makes voters share more, never less
_SOURCES = re.compile(rf"[0-9a-f]{{{_SHORT}}}( [0-9a-f]{{{_SHORT}}})*")
_HEX = re.compile(r"[0-9a-f]{64}")
_BREAKS = re.compile(r"[\t\n]")  # what is between the fields and the lines that the digest of a trusted base is over
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Claimed:
    """One component, as a statement names it. `sources`: the beginnings of the SHA-256 of what was compiled into it."""

    name: str
    below: bool
    role: Role
    bytes: int
    sha256: str
    version: str
    lines: int | None
    sources: Sequence[str]


@dataclass(frozen=True, slots=True)
class Said:
    """What one attestation says of its voter."""

    name: str
    voter: Voter
    image_sha256: str
    components: Sequence[Claimed]


# ---------------------------------------------------------------- in a statement


def named_components(components: Iterable[Component], below: Iterable[Component]) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Name, digests and annotations of each. What is below an image is named as reports of several boots name it: by version and hash. The
    host's kernel is no part of a statement.
    """
    for component in components:
        sources = sorted({sha256[:_SHORT] for sha256 in component.source_hashes.values() if sha256 != EMPTY})
        notes = {"role": component.role.value, "bytes": str(component.bytes), "version": component.version, "sources": " ".join(sources)}
        notes["lines"] = "" if component.lines is None else str(component.lines)
        yield _IMAGE + component.name, {"sha256": component.sha256} if component.sha256 else {}, notes
    for name, version, sha256 in sorted((c.name, c.version, c.sha256) for c in below if c.name not in UNHASHED):
        yield _BELOW + name, {"sha256": sha256} if sha256 else {}, {"version": version}


def read_component(resource: Any, where: str) -> Claimed | None:
    """The component that a resource of a statement is; None for another resource. Raises InputError, which names `where`."""
    below = resource.name.startswith(_BELOW)
    if not below and not resource.name.startswith(_IMAGE):
        return None
    name = resource.name.removeprefix(_BELOW if below else _IMAGE)
    notes = {"role": Role.SUBSTRATE.value, "bytes": "0"} if below else {}
    notes |= {key: str(value) for key, value in resource.annotations.items()}
    sha256, size, lines = dict(resource.digest).get("sha256", ""), notes.get("bytes", ""), notes.get("lines", "")
    sources = notes.get("sources", "")
    try:
        role = Role(notes.get("role", ""))
    except ValueError:
        role = None
    fits = role is not None and _NUMBER.fullmatch(size) and (not lines or _NUMBER.fullmatch(lines))
    fits = fits and not _BREAKS.search(name)
    if role is None or not fits or not (not sha256 or _HEX.fullmatch(sha256)) or not (not sources or _SOURCES.fullmatch(sources)):
        raise InputError(f"{where}: what it says of {printable(name, 200)!r} is no component")
    return Claimed(
        name, below, role, int(size), sha256, notes.get("version", ""), int(lines) if lines else None, sources.split()
    )  # fmt: skip


def check_claimed(components: Sequence[Claimed], base: str, tcb_sha256: str, where: str) -> None:
    """Raises InputError unless the image's components, if any are named, give the digest of the trusted base that is signed for."""
    found = [Component(c.name, c.role, c.bytes, c.sha256, lines=c.lines) for c in components if not c.below]
    if components and digest(found, base) != tcb_sha256:
        raise InputError(f"{where}: its components are not those of the trusted base that it is signed for")


# ---------------------------------------------------------------- side by side


def makeups(said: Sequence[Said]) -> list[Makeup]:
    """What each voter is made of, by what all say together: the sources that anybody names for a component, and the parts that anybody
    names for an image, are those of everybody who has the same one. Names are those of `said`.
    """
    by_component: dict[str, dict[str, str]] = {}
    by_image: dict[str, dict[str, str]] = {}
    for one in said:
        for component in _code(one):
            mine = _parts(component)
            by_component.setdefault(component.sha256 or component.name, {}).update(mine)
            by_image.setdefault(one.image_sha256, {}).update(mine)
    return [_makeup(one, by_component, by_image) for one in said]


def _makeup(one: Said, by_component: Mapping[str, Mapping[str, str]], by_image: Mapping[str, Mapping[str, str]]) -> Makeup:
    code = _code(one)
    parts = dict(by_image.get(one.image_sha256, {}))
    for component in code:
        parts |= {part: component.name for part in by_component[component.sha256 or component.name]}
    unknown, opaque = unlisted({c.name: c.role for c in code}, [c.name for c in code if set(c.sources) - {EMPTY[:_SHORT]}])
    below = [c for c in one.components if c.below]
    found = below_parts((c.name, c.sha256) for c in below)
    return Makeup(one.name, one.voter.backend, one.voter.machine, parts, found, unknown, opaque)


def _code(one: Said) -> list[Claimed]:
    return [c for c in one.components if not c.below and c.role not in NO_CODE]


def _parts(component: Claimed) -> dict[str, str]:
    return dict.fromkeys([*component.sources, *([component.sha256[:_SHORT]] if component.sha256 else [])], component.name)
