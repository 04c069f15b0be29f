"""How many machines may run at once: no more than cores, and no more than fit into memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xboot.model import Boot

_OVERHEAD = 192  # MiB that an emulator itself takes beside the guest's memory (translated code under TCG, mostly)
_KEEP = 256  # MiB left to everybody else


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


def free_memory() -> int:
    """MiB that can be taken now without pushing anything out: the kernel's estimate, and the control group's limit if there is one."""
    available = 1 << 40
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            available = int(value.split()[0]) >> 10
    try:
        limit, used = (Path("/sys/fs/cgroup", name).read_text().strip() for name in ("memory.max", "memory.current"))
        available = min(available, (int(limit) - int(used)) >> 20)
    except (OSError, ValueError):
        pass  # no control groups, or no limit (`max`)
    return max(0, available - _KEEP)


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
        need = boot.memory + _OVERHEAD
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
