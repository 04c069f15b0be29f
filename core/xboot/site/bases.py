"""Trusted bases by their digest: what `xboot tcb --json` measured is shown only as far as the digest that was signed for covers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xboot._records import dataclass
from xboot.errors import InputError
from xboot.files import load_json
from xboot.foreign import printable
from xboot.model import Component, Role
from xboot.site.folder import Folder, Unshown, read_inside
from xboot.tcb import LAYERS, digest

__all__ = ["Base", "read_bases"]

_MAX_FILE = 16 << 20
_MAX_FILES = 1000
_SHOWN = 200
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Number = Annotated[int, Field(ge=0, lt=1 << 53)]


@dataclass(frozen=True, slots=True)
class Base:
    """One trusted base, of which the digest covers everything here: layer, name, bytes, SHA-256 and lines of each component."""

    digest: str
    components: Sequence[Component]

    @property
    def size(self) -> int:
        return sum(c.bytes for c in self.components)

    @property
    def lines(self) -> int:
        return sum(c.lines or 0 for c in self.components)

    def layers(self) -> list[tuple[str, list[Component]]]:
        """By layer, from power-on upwards."""
        by_role: dict[Role, list[Component]] = {}
        for component in self.components:
            by_role.setdefault(component.role, []).append(component)
        return [(LAYERS[role], by_role[role]) for role in LAYERS if role in by_role]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)
    name: str
    role: str
    bytes: _Number
    sha256: _Hex | None
    lines: _Number | None


class _Measured(BaseModel):
    model_config = ConfigDict(strict=True)
    digest: _Hex
    base: str | None = None
    components: list[_Part]


class _File(BaseModel):
    model_config = ConfigDict(strict=True)
    xbootTcb: Annotated[int, Field(ge=1, le=1)]
    backends: dict[str, _Measured]


def read_bases(folder: Folder, wanted: Iterable[str]) -> dict[str, Base]:
    """The bases of `wanted` digests that the folder's files describe. A file whose digests do not fit its components, or that is none, is
    noted in `folder.unshown`.
    """
    found: dict[str, Base] = {}
    needed = set(wanted)
    for file in folder.bases[:_MAX_FILES]:
        try:
            for base in _read(file):
                if base.digest in needed:
                    found[base.digest] = base
        except InputError as error:
            folder.unshown.append(Unshown(folder.name(file), folder.reason(error.message)))
    folder.unshown += [Unshown(folder.name(file), f"more than {_MAX_FILES} files of measures") for file in folder.bases[_MAX_FILES:]]
    return found


def _read(file: Path) -> list[Base]:
    try:
        said = _File.model_validate(load_json(read_inside(file, _MAX_FILE, "a file of measures")))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"{file}: not what `xboot tcb --json` writes: {printable('.'.join(map(str, first['loc'])), _SHOWN)}") from None
    except ValueError as error:
        raise InputError(f"{file}: not JSON: {printable(str(error), _SHOWN)}") from None
    return [_checked(measured, name, file) for name, measured in said.backends.items()]


def _checked(measured: _Measured, name: str, file: Path) -> Base:
    roles: Mapping[str, Role] = {role.value: role for role in Role}
    parts = []
    for part in measured.components:
        if part.role not in roles or "\t" in part.name or "\n" in part.name:
            raise InputError(f"{file}: a component of {printable(name, _SHOWN)} has the role {printable(part.role, 40)!r} or an odd name")
        parts.append(Component(part.name, roles[part.role], part.bytes, part.sha256 or "", lines=part.lines))
    drift = measured.base or ""
    if "\n" in drift:
        raise InputError(f"{file}: the base of {printable(name, _SHOWN)} has a line feed")
    if digest(parts, drift if drift.startswith("drifted") else "") != measured.digest:
        raise InputError(f"{file}: the digest of {printable(name, _SHOWN)} is not that of its components; it was changed")
    return Base(measured.digest, parts)
