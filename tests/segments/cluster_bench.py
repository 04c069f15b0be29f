"""Clusters for runs of several boots: workers in this process or in others, whose machines have no kernel; some of them lie."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster, get_worker
from segments_bench import Bench, Counting, Guest

from xboot.boot import RunOptions
from xboot.cluster.host import MEMORY
from xboot.cluster.work import work
from xboot.model import Component, Role, Script
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result
from xboot.segments.runner import run
from xboot.testing import FakeMachine
from xboot.testing.boot import Recorder
from xboot.voter import Voter


class Substrate(FakeMachine):
    """Stands on an emulator of some version."""

    def __init__(self, version: str) -> None:
        super().__init__("qemu")
        self._version = version

    def components(self, boot: object) -> list[Component]:
        return [Component("emulator", Role.SUBSTRATE, 0, "", "here", self._version, lines_method="opaque", prebuilt=True)]


def plugins(guest: Guest | None = None, odd: tuple[str, ...] = (), full: tuple[str, ...] = ()) -> Plugins:
    """Those of a worker, or of the host. Workers named in `odd` stand on another emulator; those in `full` have a full disk."""
    try:
        name = str(get_worker().name)
    except ValueError:
        name = "host"

    def meanwhile(script: Script) -> None:
        if name in full:
            raise OSError(28, "No space left on device", "/some/disk")

    found = Plugins()
    found.add(Counting(guest or Guest(), meanwhile=meanwhile), "test:fake")
    found.add(Substrate("8" if name in odd else "7"), "test:machine")
    return found


def voters(**guests: Guest) -> Plugins:
    """Voters, each with a guest of its own."""
    found = Plugins()
    for name, guest in guests.items():
        found.add(Counting(guest, name), f"test:{name}")
    found.add(Substrate("7"), "test:machine")
    return found


@contextmanager
def workers(count: int = 2, *, processes: bool = False, memory: int = 4000) -> Iterator[LocalCluster]:
    """A scheduler with so many workers of one thread each."""
    resources = {MEMORY: memory} if memory else None
    with LocalCluster(
        n_workers=count, threads_per_worker=1, processes=processes, resources=resources, dashboard_address="127.0.0.1:0",
        host="127.0.0.1" if processes else None, memory_limit=0,
    ) as cluster:  # fmt: skip
        yield cluster


def cluster_run(bench: Bench, script: Script, address: str, exchange: str, make: Callable[[], Plugins] = plugins, **wishes: Any) -> Result:
    """Run `script` on the workers there, step by step."""
    pipeline = Recorder(make())
    request = Request(
        voters=[Voter("fake")], segments="steps", export_size=1 << 20, memory=64, cluster=address, exchange=exchange,
        run=wishes.pop("run", RunOptions()), **wishes,
    )  # fmt: skip
    return run(pipeline, request, script, plugins=make)


# ---------------------------------------------------------------- lies


def lying(lie: Callable[[dict[str, Any], Any], object], only: tuple[str, ...], task: Any) -> object:
    """`work`, but that the workers in `only` (none named: all) change their answers: `lie` changes a dictionary, or gives another."""
    answer = work(task)
    if task.base is None or (only and str(get_worker().name) not in only):
        return answer
    value = json.loads(answer)
    if value["boot"] is None:
        return answer
    other = lie(value, task)
    return json.dumps(value) if other is None else other


def liars(lie: Callable[[dict[str, Any], Any], object], *only: str) -> Callable[[Any], object]:
    """What to put in the place of `work`."""
    return functools.partial(lying, lie, only)


def forge(value: dict[str, Any], task: Any, content: bytes) -> tuple[str, int]:
    """Lay another NAR into the exchange, and name it as what came out."""
    import hashlib

    sha256 = hashlib.sha256(content).hexdigest()
    file = Path(get_worker().local_directory) / "forged"
    file.write_bytes(content)
    task.exchange.put(file, sha256)
    value["boot"]["outputs"][0]["file"] = {"sha256": sha256, "size": len(content)}
    return sha256, len(content)


__all__ = ["Client", "cluster_run", "forge", "liars", "plugins", "voters", "workers"]
