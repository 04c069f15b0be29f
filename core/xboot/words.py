"""Numbers with their nouns, in English: one place that knows when there is one of a thing."""

from __future__ import annotations

__all__ = ["counted", "of_all"]

_IRREGULAR = {"entry": "entries"}


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`, `1,024 bytes`."""
    return f"{number:,} {_plural(noun) if number != 1 else noun}"


def of_all(some: int, all_: int, noun: str) -> str:
    """`1 of 1 step`, `0 of 2 steps`: the noun goes by how many there are."""
    return f"{some:,} of {counted(all_, noun)}"


def _plural(noun: str) -> str:
    return _IRREGULAR.get(noun, f"{noun}s")
