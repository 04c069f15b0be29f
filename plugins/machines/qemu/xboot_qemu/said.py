"""What a QEMU says of itself. Each start of it takes as long as a hundred system calls of its guest, so it is asked once for each answer,
and for several answers at once.
"""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from xboot.walls import walls_around

__all__ = ["SECCOMP", "ask", "folders", "starts_behind_walls", "takes_plugins", "version"]

SECCOMP = ("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny")
"""The words for its own filter of system calls."""
_LIMIT = 10.0  # seconds for an answer


def ask(program: str) -> None:
    """Begin to ask the QEMU at `program` (a path) for all that is known here, and wait for nothing."""
    _usage(program)
    _folders(program)


def version(program: str) -> str:
    """Its version, as it writes it: `7.2.22`; empty when it does not say. It stands in the first line of its usage."""
    found = re.match(r".*?version (\S+)", _usage(program).result()[0])
    return found[1].rstrip(",") if found else ""


def takes_plugins(program: str) -> bool:
    """Whether it was built with plugins."""
    return "-plugin " in _usage(program).result()[0]


def starts_behind_walls(program: str) -> bool:
    """Whether it starts here behind bubblewrap's walls, with its own filter."""
    return _usage(program).result()[1]


def folders(program: str) -> tuple[str, ...]:
    """Where it looks for firmware, in its order; none when it does not say."""
    return tuple((_folders(program).result() or "").splitlines())


@functools.cache
def _asking() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="xboot-qemu")


@functools.cache
def _usage(program: str) -> Future[tuple[str, bool]]:
    return _asking().submit(_said_of_usage, program)


@functools.cache
def _folders(program: str) -> Future[str | None]:
    return _asking().submit(_said, [program, "-L", "help"])


def _said_of_usage(program: str) -> tuple[str, bool]:
    """Its usage, and whether it said that behind the walls: one start answers both, where there are walls."""
    text = _said([*walls_around(program), "--", program, *SECCOMP, "-help"])
    return (_said([program, "-help"]) or "", False) if text is None else (text, True)


def _said(command: Sequence[str]) -> str | None:
    """Standard output; None from what fails, is not there, or does not end."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL, timeout=_LIMIT
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
