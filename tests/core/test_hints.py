"""What an error tells people to do can be done: the options that messages and hints name are options of xboot, the verbs are its verbs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xboot.cli.app import app
from xboot.cli.values import command

ROOT = Path(__file__).parents[2]
FILES = [file for folder in ("core/xboot", "plugins") for file in (ROOT / folder).rglob("*.py") if "testing" not in file.parts]


def verbs(group: Any = None) -> Iterator[tuple[str, Any]]:
    for name, inner in (group or command(app)).commands.items():
        yield name, inner
        if hasattr(inner, "commands"):
            yield from verbs(inner)


DASKS = {"--resources"}
"""Options of a worker of Dask."""

OPTIONS = (
    DASKS
    | {option for _, verb in verbs() for parameter in verb.params for option in (*parameter.opts, *parameter.secondary_opts)}
    | {option for parameter in command(app).params for option in parameter.opts}
)
VERBS = {name for name, _ in verbs()}


def said(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts of errors and hints, what is computed in them left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error"):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield node.lineno, part.value


def unknown(text: str) -> list[str]:
    options = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)) - OPTIONS
    named = set(re.findall(r"`?\bxboot ([a-z][a-z-]+)\b(?=[` ]|$)", text)) if "`xboot " in text else set()
    return sorted(options) + sorted(named - VERBS)


def test_it_can_fail() -> None:
    assert unknown("leave out --nothing, see `xboot frobnicate`") == ["--nothing", "frobnicate"]
    assert not unknown("leave out --export, see `xboot doctor`")


def test_options_and_verbs_that_errors_name_are_there() -> None:
    found = {}
    count = 0
    for file in FILES:
        for line, text in said(ast.parse(file.read_text())):
            count += text.count("--")
            if wrong := unknown(text):
                found[f"{file.relative_to(ROOT)}:{line}"] = wrong
    assert count > 50
    assert not found


def test_commands_of_xboot_on_pages_are_there() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"), *(ROOT / "plugins").rglob("*.md")]
    found = {}
    count = 0
    for page in set(pages) - {ROOT / "docs" / "stability.md"}:  # which says what is gone
        for line in re.findall(r"(?:^ {4}|^|`|\$ )xboot (?!\()([^`\n|#;&>$)]+)", page.read_text(), re.MULTILINE):
            if re.match(r"[a-z][a-z-]*( |$)", line) and line.split()[0] in VERBS:
                count += 1
                if wrong := sorted(set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", line)) - OPTIONS):
                    found[f"{page.relative_to(ROOT)}: xboot {line.strip()}"] = wrong
    assert count > 50
    assert not found
