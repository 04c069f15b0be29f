"""The recipe file: what may stand in it. A `Recipe` is checked for everything that can be said without looking at any source: types, names,
unknown fields. docs/recipes.md explains it to users.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "DebianBinary",
    "DebianSource",
    "DerivationSpec",
    "FileSource",
    "MadeSource",
    "Recipe",
    "SourceSpec",
    "TextSource",
    "TreeSource",
    "UrlSource",
    "Variant",
]

_MAX_VARIANTS = 8  # each may double all that is there
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*")
_STORE_NAME = re.compile(r"(?!\.\.?(?:-|\Z))[0-9A-Za-z+\-._?=]{1,207}")  # 4 fewer than Nix allows, for `.drv`
_VARIABLE = re.compile(r"[^\0=]+")
_OUTPUT = re.compile(r"[A-Za-z0-9+\-_?=]+")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} cannot be referred to: a name has letters, digits, `_`, `+` and `-`")
    return value


def _store_name(value: str) -> str:
    if not _STORE_NAME.fullmatch(value):
        raise ValueError(f"{value!r} cannot be the name of a store path: only 0-9 A-Z a-z + - . _ ? = are allowed, at most 207 of them")
    return value


def _inner_path(value: str) -> str:
    """A relative path that stays inside."""
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or "\0" in value or value in (".", "./"):
        raise ValueError(f"{value!r} must be a relative path without `..`")
    return str(path)


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("a NUL character cannot be passed to a program")
    return value


Name = Annotated[str, AfterValidator(_name)]
StoreName = Annotated[str, AfterValidator(_store_name)]
InnerPath = Annotated[str, AfterValidator(_inner_path)]
Text = Annotated[str, AfterValidator(_no_nul)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class FileSource(_Strict):
    """One file beside the recipe, added as `nix-store --add` does."""

    type: Literal["file"]
    path: Text
    name: StoreName | None = None


class TreeSource(_Strict):
    """A folder beside the recipe, or the parts of it that `select` names."""

    type: Literal["tree"]
    path: Text
    name: StoreName | None = None
    select: Annotated[list[InnerPath], Field(min_length=1)] | None = None


class TextSource(_Strict):
    """A text given in the recipe itself, added as Nix's `builtins.toFile` does."""

    type: Literal["text"]
    text: str
    name: StoreName | None = None


class UrlSource(_Strict):
    """A file from the network: the derivation that Nix's `<nix/fetchurl.nix>` gives. `xboot fetch` brings it."""

    type: Literal["url"]
    url: Text
    hash: Text
    name: StoreName | None = None
    executable: bool = False


class DebianBinary(_Strict):
    """Files of a Debian binary package."""

    type: Literal["debian"]
    package: Text
    architecture: Literal["amd64", "i386", "all"] = "amd64"
    name: StoreName | None = None
    select: Annotated[list[InnerPath], Field(min_length=1)] | None = None
    links: Mapping[InnerPath, Text] = {}


class DebianSource(_Strict):
    """Upstream's files of a Debian source package, laid out as dpkg-source does (without Debian's changes)."""

    type: Literal["debian-source"]
    package: Text
    name: StoreName | None = None
    select: Annotated[list[InnerPath], Field(min_length=1)] | None = None


class MadeSource(_Strict):
    """Something that a program from other sources makes on this machine, when the recipe is derived. A seed: it is trusted as it is, and
    recorded in the lock file.
    """

    type: Literal["made"]
    builder: Text
    args: list[Text] = []
    env: Mapping[Text, Text] = {}
    name: StoreName | None = None
    select: Annotated[list[InnerPath], Field(min_length=1)] | None = None


SourceSpec = FileSource | TreeSource | TextSource | UrlSource | DebianBinary | DebianSource | MadeSource


class FixedOutput(_Strict):
    """The content that a derivation's only output must have."""

    hash: Text
    mode: Literal["flat", "recursive"] = "flat"


class DerivationSpec(_Strict):
    """One derivation. `{name}` in builder, arguments and environment stands for the store path of a source or output."""

    builder: Text
    args: list[Text] = []
    env: Mapping[Text, Text] = {}
    system: Text | None = None
    name: StoreName | None = None
    outputs: Annotated[list[Text], Field(min_length=1, max_length=256)] | None = None
    inputs: list[Text] = []
    fixed: FixedOutput | None = None

    @model_validator(mode="after")
    def _sound(self) -> DerivationSpec:
        for variable in self.env:
            if not _VARIABLE.fullmatch(variable):
                raise ValueError(f"{variable!r} cannot be the name of an environment variable")
        reserved = {
            "name",
            "system",
            "builder",
            "args",
            "outputs",
            "outputHash",
            "outputHashAlgo",
            "outputHashMode",
            *(self.outputs or ["out"]),
        }
        for variable in sorted(reserved & set(self.env)):
            raise ValueError(f"the variable {variable!r} is set by xboot (as Nix does); give it by the derivation's own field")
        for output in self.outputs or ():
            if not _OUTPUT.fullmatch(output) or output == "drv":
                raise ValueError(f"{output!r} cannot be the name of an output")
        if self.outputs and len(set(self.outputs)) != len(self.outputs):
            raise ValueError("an output is named twice")
        if self.fixed and self.outputs not in (None, ["out"]):
            raise ValueError("a derivation with a fixed output has only the output `out`")
        return self


class Header(_Strict):
    """What holds for the whole recipe."""

    system: Text = "i686-linux"
    store: Annotated[str, AfterValidator(_no_nul)] = "/nix/store"
    default: list[Name] | None = None

    @model_validator(mode="after")
    def _sound(self) -> Header:
        if not re.fullmatch(r"(/[A-Za-z0-9+\-._]+)+", self.store):
            raise ValueError(f"store: {self.store!r} must be an absolute path without a slash at its end")
        return self


class Variant(_Strict):
    """Every derivation of the recipe once more, for another system: `NAME-VARIANT`, with Debian's packages of that architecture.

    `packages` says which packages have another name there, `sources` which sources of the recipe another one stands in for; the path of
    the source `through` is put before each derivation's arguments.
    """

    system: Text
    architecture: Literal["amd64", "i386"]
    packages: Mapping[Text, Text] = {}
    sources: Mapping[Name, Name] = {}
    through: Name | None = None


class Recipe(_Strict):
    """A whole recipe. Sources and derivations share one space of names."""

    recipe: Header = Header()
    variant: Annotated[Mapping[Name, Variant], Field(max_length=_MAX_VARIANTS)] = {}
    source: Mapping[Name, Annotated[SourceSpec, Field(discriminator="type")]] = {}
    derivation: Mapping[Name, DerivationSpec] = {}

    @model_validator(mode="after")
    def _sound(self) -> Recipe:
        for name in sorted(set(self.source) & set(self.derivation)):
            raise ValueError(f"{name!r} is the name of a source and of a derivation; rename one of them")
        for name in self.recipe.default or ():
            if name not in self.derivation:
                raise ValueError(f"recipe.default names {name!r}, which is no derivation of this recipe")
        return self

    def targets(self, wanted: Sequence[str] = ()) -> Sequence[str]:
        """The derivations asked for: `wanted`, else `default`, else all."""
        return list(wanted) or list(self.recipe.default or self.derivation)
