"""Whether what was made is of the locked base: all that came from elsewhere as the lock has it, or something else.

Whoever takes a part, or uses something instead of one, says so here; whoever wants to know watches while something is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from xboot.model import Artifact

__all__ = ["Base", "drifted", "handed_out", "kept", "watched"]

_watching: ContextVar[Base | None] = ContextVar("watching", default=None)
_open: list[Base] = []  # all that watch now, in whichever thread


class Base:
    """What was seen: whether a locked part was used, and all that was used instead of one, in words; and the guest code that this core
    made for who asked.
    """

    def __init__(self) -> None:
        self.locked = False
        self.drift: dict[str, None] = {}
        self.handed: list[Artifact] = []

    def __str__(self) -> str:
        """`locked`, or `drifted: ` and what; empty when nothing from elsewhere was used."""
        if self.drift:
            return "drifted: " + ", ".join(self.drift)
        return "locked" if self.locked else ""


@contextmanager
def watched() -> Iterator[Base]:
    """See all that this thread uses until the end of the block. What is drifted, or handed out, in a thread that nobody watches (one that
    was started in the block knows nothing of it) is seen by all who watch then: of that, too much is better than too little.
    """
    base = Base()
    token = _watching.set(base)
    _open.append(base)
    try:
        yield base
    finally:
        _open.remove(base)
        _watching.reset(token)


def _watchers() -> list[Base]:
    base = _watching.get()
    return [base] if base is not None else list(_open)


def kept() -> None:
    """Say that something is used as the lock has it."""
    base = _watching.get()
    if base is not None:
        base.locked = True


def drifted(what: str) -> None:
    """Say that something is used that the lock does not have: `linux-source-6.1 6.1.170-3`, `gcc 13.2 of this machine`."""
    for base in _watchers():
        base.drift[what] = None


def handed_out(*artifacts: Artifact) -> None:
    """Say that somebody is given guest code which others are given, too: an executor. What they say of it later is then no matter."""
    for base in _watchers():
        base.handed += artifacts
