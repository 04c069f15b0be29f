"""Reading a recipe file: `load_recipe` gives a `Recipe` with its variants written out, or an error that names the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xboot.errors import InputError
from xboot.files import read_regular
from xboot.recipe.schema import Recipe
from xboot.recipe.variants import with_variants

__all__ = ["load_recipe", "parse_recipe"]

_MAX_RECIPE = 1 << 20  # bytes
_MAX_PARTS = 64  # of a dotted name; four are needed
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_MANY_PARTS = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:\.[ \t]*{_PART}){{{_MAX_PARTS}}}")
_HEADER = re.compile(r"\[\[?([^\]]+)\]\]?\s*(?:#.*)?")


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
