"""The order of Debian's version numbers (Debian policy 5.6.12), without dpkg."""

from __future__ import annotations

import re
from itertools import zip_longest

__all__ = ["version_key"]


class _Piece:
    """Characters that are no digits, in Debian's order: `~` before the end, letters before all else."""

    __slots__ = ("order",)

    def __init__(self, text: str) -> None:
        self.order = [-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in text]

    def compare(self, other: _Piece) -> int:
        for a, b in zip_longest(self.order, other.order, fillvalue=0):
            if a != b:
                return -1 if a < b else 1
        return 0


class version_key:
    """What to sort versions by: `max(versions, key=version_key)`."""

    __slots__ = ("_pieces",)

    def __init__(self, version: str) -> None:
        epoch, colon, rest = version.partition(":")
        if not colon:
            epoch, rest = "0", version
        upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
        self._pieces = [_split(part) for part in (epoch, upstream, revision)]

    def __lt__(self, other: version_key) -> bool:
        return self._compare(other) < 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, version_key) and self._compare(other) == 0

    __hash__ = None  # type: ignore[assignment]

    def _compare(self, other: version_key) -> int:
        for mine, theirs in zip(self._pieces, other._pieces, strict=True):
            for (text, number), (its_text, its_number) in zip_longest(mine, theirs, fillvalue=("", 0)):
                order = _Piece(text).compare(_Piece(its_text)) or (number > its_number) - (number < its_number)
                if order:
                    return order
        return 0


def _split(part: str) -> list[tuple[str, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", part) if text or number]
