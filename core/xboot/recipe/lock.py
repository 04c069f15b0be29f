"""The lock file beside a recipe: which versions of Debian's packages it was derived with, and what the made sources came to.

It records; it does not hold a version fast, because an archive offers only its newest. When a package has moved on (a security update,
say), deriving goes on with the new version,
says so, and store paths differ from then on; `--update-lock` takes the new version into the file. The same version with another content
is an error, always.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from xboot.errors import InputError
from xboot.files import load_json, read_regular, replacing

__all__ = ["Lock", "LockEntry"]

_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


_MAX_LOCK = 16 << 20


class LockEntry(BaseModel):
    """One source. `version` is the package's (of a made source: a hash of all that it was made from); `files` maps each file's name to
    its SHA-256; `nar` is the NAR's of the result.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    package: str = ""
    version: str
    architecture: str = ""
    files: Mapping[str, _Hash] = {}
    nar: _Hash = ""


class _LockFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    sources: dict[str, LockEntry]


@dataclass
class Lock:
    """The lock file of one recipe, read once, written at the end if something is to be added."""

    path: Path
    entries: dict[str, LockEntry] = field(default_factory=dict)
    changed: bool = False
    notes: list[str] = field(default_factory=list)

    @classmethod
    def beside(cls, recipe: Path) -> Lock:
        """The lock of a recipe: `recipe.toml` has `recipe.lock`. Raises InputError for a file that is none."""
        path = recipe.with_suffix(".lock")
        try:
            if not os.path.lexists(path):
                return cls(path)
            value = load_json(read_regular(path, _MAX_LOCK, "a lock file"))
            return cls(path, dict(_LockFile.model_validate(value).sources))
        except RecursionError:
            raise InputError(f"{path}: not a lock file: nested too deeply") from None
        except ValidationError as error:  # is a ValueError too
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(
                f"{path}: not a lock file: {place + ': ' if place else ''}{first['msg']}", hint="remove it to have it written anew"
            ) from None
        except ValueError as error:
            raise InputError(f"{path}: not a lock file: {error}", hint="remove it to have it written anew") from None

    def record(self, name: str, entry: LockEntry, *, update: bool) -> None:
        """Compare what was obtained for the source `name` with the file, and note what differs. Raises InputError when the same version
        has another content.
        """
        known = self.entries.get(name)
        if known == entry:
            return
        if known is None:
            self.entries[name], self.changed = entry, True
            return
        what = f"{entry.package} {entry.version}" if entry.package else f"{name}, made on this machine,"
        if (known.package, known.version, known.architecture) == (entry.package, entry.version, entry.architecture):
            if sorted(known.files.values()) == sorted(entry.files.values()) and known.nar == entry.nar:
                return  # a mirror and apt name one file differently
            if sorted(known.files.values()) != sorted(entry.files.values()) and not update:
                raise InputError(
                    f"{self.path}: source {name}: {what} has other content than the lock file records",
                    hint="a version's content never changes: find out why before you use --update-lock",
                )
            if known.nar and known.nar != entry.nar and not update:
                raise InputError(
                    f"{self.path}: source {name}: {what} has the NAR hash {entry.nar}, the lock file {known.nar}, "
                    "although all that it was made from is the same",
                    hint="how it is made depends on this machine; if you trust the result, use --update-lock",
                )
        if update:
            self.entries[name], self.changed = entry, True
        elif entry.package:
            self.notes.append(
                f"source {name}: Debian has {what} now, the lock file has {known.version}; "
                "store paths differ from those of the lock file's author"
            )
        else:
            self.notes.append(f"source {name}: was made from other inputs than those of the lock file")

    def write(self) -> None:
        """Write the file, atomically, if something was added. A folder that cannot be written to is only noted: the lock is a record,
        nothing depends on it.
        """
        if not self.changed:
            return
        entries = {name: self.entries[name].model_dump(exclude_defaults=True) for name in sorted(self.entries)}
        text = json.dumps({"version": 1, "sources": entries}, indent=2) + "\n"
        try:
            with replacing(self.path) as work:
                work.write_text(text)
        except OSError as error:
            self.notes.append(f"{self.path} could not be written ({error.strerror}); versions are not recorded")
