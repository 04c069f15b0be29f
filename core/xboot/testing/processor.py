"""The processor's seconds of a command with all that it starts, machines among them: what is compared where a machine is busy."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def adopt() -> None:
    """Make what a command leaves behind a child of this process: bubblewrap ends before the first process of its namespace, which alone
    has waited for QEMU. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def processor_seconds(run: Callable[[], T]) -> tuple[T, float]:
    """What `run` returns, and the seconds of the processor that its child processes took, in user code and in the kernel. Waits for all
    children of this process, those that it adopted among them.
    """
    before = os.times()
    done = run()
    with suppress(ChildProcessError):
        while True:
            os.wait()
    after = os.times()
    return done, after.children_user + after.children_system - before.children_user - before.children_system
