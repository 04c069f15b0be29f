"""What this host can give to guests. A machine touches nothing that its guest does not, so a guest is told of all that could be spared."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

OVERHEAD = 192
"""MiB that an emulator itself takes beside the guest's memory (translated code under TCG, mostly)."""

_KEEP = 256  # MiB left to everybody else


def free_memory() -> int:
    """MiB that can be taken now without pushing anything out: the kernel's estimate (what it may still promise, where it does not
    overcommit), and the limits of the control group and of this process, if there are any.
    """
    values = _meminfo()
    available = values.get("MemAvailable", 1 << 40)
    if _text("/proc/sys/vm/overcommit_memory") == "2":
        available = min(available, values.get("CommitLimit", available) - values.get("Committed_AS", 0))
    with contextlib.suppress(ValueError):  # no control groups, or no limit (`max`)
        available = min(available, (int(_text("/sys/fs/cgroup/memory.max")) - int(_text("/sys/fs/cgroup/memory.current"))) >> 20)
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        available = min(available, (limit >> 20) - OVERHEAD)
    return max(0, available - _KEEP)


def _meminfo() -> dict[str, int]:
    """/proc/meminfo in MiB."""
    lines = [line.partition(":") for line in _text("/proc/meminfo").splitlines()]
    return {name: int(value.split()[0]) >> 10 for name, _, value in lines if value.strip()[:1].isdigit()}


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
