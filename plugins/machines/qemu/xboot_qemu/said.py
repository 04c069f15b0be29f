"""What a QEMU says of itself. Each start of it takes as long as a hundred system calls of its guest, so it is asked once for each answer,
and for several answers at once.
"""

from __future__ import annotations

import functools
import re
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["ask", "folders", "takes_plugins", "version"]

_LIMIT = 10.0  # seconds for an answer
_USAGE, _FOLDERS = ("-help",), ("-L", "help")


def ask(program: str) -> None:
    """Begin to ask the QEMU at `program` (a path) for all that is known here, and wait for nothing."""
    for words in (_USAGE, _FOLDERS):
        _answer(program, words)


def version(program: str) -> str:
    """Its version, as it writes it: `7.2.22`; empty when it does not say. It stands in the first line of its usage."""
    found = re.match(r".*?version (\S+)", _answer(program, _USAGE).result())
    return found[1].rstrip(",") if found else ""


def takes_plugins(program: str) -> bool:
    """Whether it was built with plugins."""
    return "-plugin " in _answer(program, _USAGE).result()


def folders(program: str) -> tuple[str, ...]:
    """Where it looks for firmware, in its order; none when it does not say."""
    return tuple(_answer(program, _FOLDERS).result().splitlines())


@functools.cache
def _asking() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="xboot-qemu")


@functools.cache
def _answer(program: str, words: tuple[str, ...]) -> Future[str]:
    return _asking().submit(_said, program, words)


def _said(program: str, words: tuple[str, ...]) -> str:
    """Standard output; nothing from one that fails or does not end."""
    try:
        done = subprocess.run(
            [program, *words], capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL, timeout=_LIMIT
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
