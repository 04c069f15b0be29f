"""The little of Scheme in which Guix writes URLs and mirrors: lists, strings, symbols, numbers, quotes and comments. Data only; nothing
is evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from xboot.errors import InputError

__all__ = ["Datum", "Symbol", "read_scheme"]

_MAX_TEXT = 1 << 20
_MAX_DEPTH = 200
_TOKEN = re.compile(
    r"""\s+|;[^\n]*|(?P<open>[(\[])|(?P<close>[)\]])|(?P<quote>['`])|"(?P<string>(?:[^"\\]|\\.)*)"|(?P<atom>[^\s()\[\]'"`;]+)""",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


class Symbol(str):
    """A name, or any other atom (numbers and keywords stay as they are written)."""

    __slots__ = ()


Datum: TypeAlias = "str | Symbol | Sequence[Datum]"


def read_scheme(text: str, where: str) -> Datum:
    """The one datum that `text` is. Raises InputError; `where` is for its message."""
    if len(text) > _MAX_TEXT:
        raise InputError(f"{where}: {len(text)} characters of Scheme are more than is read here")
    stack: list[list[Datum]] = [[]]
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InputError(f"{where}: not Scheme data at character {position}: {text[position : position + 30]!r}")
        position = match.end()
        if match["open"]:
            stack.append([])
            if len(stack) > _MAX_DEPTH:
                raise InputError(f"{where}: lists nested deeper than {_MAX_DEPTH}")
        elif match["close"]:
            if len(stack) == 1:
                raise InputError(f"{where}: a closing parenthesis too many")
            done = stack.pop()
            stack[-1].append(done)
        elif match["string"] is not None:
            stack[-1].append(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match["string"], flags=re.DOTALL))
        elif match["atom"]:
            stack[-1].append(Symbol(match["atom"]))
    if len(stack) != 1 or len(stack[0]) != 1:
        raise InputError(f"{where}: expected exactly one Scheme datum")
    return stack[0][0]
