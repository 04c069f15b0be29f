"""How many machines may run at once: no more than cores, and no more than fit into memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from xboot.boot.memory import OVERHEAD, free_memory
from xboot.model import Boot

__all__ = ["MemoryBudget", "cores", "free_memory", "share"]


def share(total: int, machines: int) -> int:
    """MiB for each of so many guests that run at once and share `total` MiB."""
    return max(0, total // max(1, machines) - OVERHEAD)


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


class MemoryBudget:
    """`total` MiB to share. A machine waits until it fits beside those that run; one alone always may: a guest takes only what it touches.

    Once `stop` is set nothing waits any more.
    """

    def __init__(self, total: int | None = None, stop: threading.Event | None = None) -> None:
        self._total = free_memory() if total is None else total
        self._stop = stop or threading.Event()
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def admit(self, boot: Boot) -> Iterator[None]:
        """Hold the memory of `boot` while it runs."""
        need = boot.memory + OVERHEAD
        with self._changed:
            while not (self._stop.is_set() or self._taken == 0 or self._taken + need <= self._total):
                self._changed.wait(1.0)
            self._taken += need
        try:
            yield
        finally:
            with self._changed:
                self._taken -= need
                self._changed.notify_all()
