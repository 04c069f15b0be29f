"""Who speaks for a hash: a kernel, the executor in it, the machine below it. One way to write it, wherever a user names one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from xboot.errors import UsageError

__all__ = ["Voter", "parse_voters"]

_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_VOTER = re.compile(rf"({_NAME})(?:/({_NAME}))?(?:@({_NAME}))?")


@dataclass(frozen=True, slots=True, order=True)
class Voter:
    """`backend[/executor][@machine]`: `linux`, `linux/scheme`, `mirage@bochs`. What is left empty is the backend's first executor, and
    the first machine (`xboot.pipeline.resolve` fills it in).
    """

    backend: str
    executor: str = ""
    machine: str = ""

    @classmethod
    def parse(cls, text: str) -> Voter:
        """Read one. Raises UsageError, which says how it is written."""
        match = _VOTER.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"{text!r} names no voter", hint="it is written BACKEND, BACKEND/EXECUTOR or BACKEND[/EXECUTOR]@MACHINE")
        return cls(match[1], match[2] or "", match[3] or "")

    def __str__(self) -> str:
        return self.backend + (f"/{self.executor}" if self.executor else "") + (f"@{self.machine}" if self.machine else "")


def parse_voters(texts: Iterable[str]) -> tuple[Voter, ...]:
    """Several, each text one or more joined by commas. `all` by itself, like nothing, is no voter: whoever asks takes all that there are.

    Raises UsageError for what is no voter, and for one that is written twice.
    """
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    if names in ([], ["all"]):
        return ()
    if "all" in names:
        raise UsageError(f"{','.join(names)}: `all` stands by itself")
    return tuple(Voter.parse(name) for name in names)
