"""Who speaks for a hash: a kernel, the executor in it, the machine below it. One way to write it, wherever a user names one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from xboot.errors import UsageError

__all__ = ["Voter", "parse_voters"]

_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_ADDRESS = r"[!-+\--~]+"  # printable, without blanks and commas
_VOTER = re.compile(rf"({_NAME})(?:/({_NAME}))?(?:@({_NAME})(?::({_ADDRESS}))?)?")


@dataclass(frozen=True, slots=True, order=True)
class Voter:
    """`backend[/executor][@machine[:address]]`: `linux`, `linux/scheme`, `mirage@bochs`, `hurd@serial:/dev/ttyUSB0`. What is left empty is
    the backend's first executor, and the first machine (`xboot.pipeline.resolve` fills it in). `address`: where the machine is, if there
    are many of its kind.
    """

    backend: str
    executor: str = ""
    machine: str = ""
    address: str = ""

    @classmethod
    def parse(cls, text: str) -> Voter:
        """Read one. Raises UsageError, which says how it is written."""
        match = _VOTER.fullmatch(text.strip())
        if match is None:
            raise UsageError(
                f"{text!r} names no voter", hint="it is written BACKEND, BACKEND/EXECUTOR or BACKEND[/EXECUTOR]@MACHINE[:ADDRESS]"
            )
        return cls(match[1], match[2] or "", match[3] or "", match[4] or "")

    def __str__(self) -> str:
        place = f"@{self.machine}" + (f":{self.address}" if self.address else "") if self.machine else ""
        return self.backend + (f"/{self.executor}" if self.executor else "") + place


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
