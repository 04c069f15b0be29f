"""What `xboot runs` shows of a run."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress

from filelock import Timeout

from xboot.model import Script
from xboot.request import Request
from xboot.segments.store import ResultsStore

__all__ = ["Notes"]


class Notes:
    """How far a run is, in the results store. Locked as long as `stack` is open, so that others see that it runs."""

    def __init__(self, store: ResultsStore, name: str, request: Request, plan: Script, voter: str, stack: ExitStack) -> None:
        self._store, self._name = store, name
        self._fixed = {"plan": plan.sha256, "voter": voter, "targets": list(request.targets), "began": time.time()}
        lock = store.running(name)
        with suppress(Timeout):  # another process is at the same plan
            lock.acquire(timeout=0)
            stack.callback(lock.release)

    def write(self, done: int, segments: int) -> None:
        """So many segments of all are done."""
        self._store.put_run(self._name, {**self._fixed, "changed": time.time(), "done": done, "segments": segments})
