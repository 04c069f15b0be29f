"""The recipe file: what may stand in it, and errors that name the line.

`load_recipe` gives a `Recipe`, checked for everything that can be said without looking at any source: types, names, unknown fields.
docs/recipes.md explains it to users.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from xboot.errors import InputError
from xboot.files import read_regular
from xboot.recipe.variants import with_variants

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
    "load_recipe",
    "parse_recipe",
]

_MAX_RECIPE = 1 << 20  # bytes
_MAX_VARIANTS = 8  # each may double all that is there
_MAX_PARTS = 64  # of a dotted name; four are needed
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_MANY_PARTS = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:\.[ \t]*{_PART}){{{_MAX_PARTS}}}")
_HEADER = re.compile(r"\[\[?([^\]]+)\]\]?\s*(?:#.*)?")
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

    `packages` says which packages have another name there; the path of the source `through` is put before each derivation's arguments.
    """

    system: Text
    architecture: Literal["amd64", "i386"]
    packages: Mapping[Text, Text] = {}
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


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe file. Raises InputError that names file, line and field."""
    return parse_recipe(read_regular(path, _MAX_RECIPE, "a recipe"), str(path))


def parse_recipe(data: bytes, path: str) -> Recipe:
    """The recipe that `data` is; `path` is only for messages."""
    try:
        text = data.decode()
        if _MANY_PARTS.search(text):  # takes square time and memory in a parser of TOML
            raise InputError(f"{path}: a name with more than {_MAX_PARTS} parts between dots")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8, which TOML requires") from None
    except tomllib.TOMLDecodeError as error:
        duplicate = "overwrite a value" in str(error) or "twice" in str(error)
        hint = "a name or field is there twice; give one of the two another name" if duplicate else "the file must be TOML 1.0"
        raise InputError(f"{path}: {error}", hint=hint) from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply") from None
    except (ValueError, OverflowError) as error:  # a number or date that Python does not hold
        raise InputError(f"{path}: {error}", hint="the file must be TOML 1.0") from None
    try:
        recipe = Recipe.model_validate(table)
        recipe = with_variants(recipe)
    except ValidationError as error:
        raise _explain(error, text, path) from None
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    if not recipe.source and not recipe.derivation:
        raise InputError(f"{path}: has no [source.NAME] and no [derivation.NAME]", hint="docs/recipes.md shows a small recipe")
    return recipe


def _explain(error: ValidationError, text: str, path: str) -> InputError:
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    place = [
        str(part)
        for part in first["loc"]
        if part not in ("file", "tree", "text", "url", "debian", "debian-source", "made") or part == first["loc"][-1]
    ]
    line = _line(text, place)
    field = ".".join(place) or "recipe"
    message = f"{path}: {f'line {line}: ' if line else ''}{field}: {_say(first)}"
    rest = len(problems) - 1
    return InputError(message, hint=f"there {'is' if rest == 1 else 'are'} {rest} more" if rest else _hint(first["type"]))


def _say(problem: Mapping[str, Any]) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "there is no such field"
        case "missing":
            return "is missing"
        case "union_tag_not_found":
            return "a source needs a `type`"
        case "union_tag_invalid":
            return f"the type {problem['ctx']['tag']!r} is not one of {problem['ctx']['expected_tags']}"
        case "value_error":
            return str(problem["ctx"]["error"])
        case _:
            return str(problem["msg"])[:1].lower() + str(problem["msg"])[1:]


def _hint(kind: str) -> str | None:
    return (
        "docs/recipes.md lists the fields" if kind in ("extra_forbidden", "missing", "union_tag_invalid", "union_tag_not_found") else None
    )


def _line(text: str, place: Sequence[str]) -> int | None:
    """The line (from 1) of a field, or of its table, as far as it stands there in the usual way of writing."""
    table, found = "", None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        header = _HEADER.fullmatch(stripped)
        if header:
            table = ".".join(part.strip().strip("\"'") for part in header[1].strip().split("."))
            if place and ".".join(place[: table.count(".") + 1]) == table:
                found = number
            continue
        key = re.match(r"([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*=", stripped)
        if key:
            depth = table.count(".") + 1 if table else 0
            if len(place) > depth and ".".join(place[:depth]) == table and place[depth] == key[1].strip("\"'"):
                return number
    return found
