"""`{name}` and `{name.output}` in the strings of a recipe.

`{{` and `}}` stand for braces, and `${…}` is left to the shell. Every other brace is an error, so that a misspelt reference is found when
the recipe is read, not when the builder fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from xboot.errors import InputError

__all__ = ["expand", "references", "renamed"]

_TOKEN = re.compile(r"\$\{[^}]*\}|\{\{|\}\}|\{([A-Za-z0-9][A-Za-z0-9_+-]*)(?:\.([A-Za-z0-9+\-_?=]+))?\}|[{}]")


def _tokens(text: str, where: str) -> Iterator[tuple[str, str, str]]:
    """(literal text, name, output) in order; name is empty where there is only text."""
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], "", ""
        end = match.end()
        token = match[0]
        if match[1]:
            yield "", match[1], match[2] or ""
        elif token in ("{{", "}}"):
            yield token[0], "", ""
        elif token.startswith("$"):
            yield token, "", ""
        else:
            near = text[max(0, match.start() - 10) : match.end() + 20]
            raise InputError(
                f"{where}: the brace in {near!r} does not belong to a reference {{name}}",
                hint="write {{ or }} for a brace; ${…} is left to the shell",
            )
    if end < len(text):
        yield text[end:], "", ""


def references(text: str, where: str) -> list[tuple[str, str]]:
    """(name, output) of each reference in `text`; the output is empty where none is named. `where` is for messages."""
    return [(name, output) for _, name, output in _tokens(text, where) if name]


def expand(text: str, where: str, resolve: Callable[[str, str], str]) -> str:
    """`text` with every reference replaced by `resolve(name, output)`."""
    return "".join(resolve(name, output) if name else literal for literal, name, output in _tokens(text, where))


def renamed(text: str, names: Mapping[str, str]) -> str:
    """`text` with the references to these names changed to what the names stand for; all else stays as it is written, braces too."""

    def other(match: re.Match[str]) -> str:
        name = names.get(match[1] or "")
        return match[0] if name is None else f"{{{name}{'.' + match[2] if match[2] else ''}}}"

    return _TOKEN.sub(other, text)
