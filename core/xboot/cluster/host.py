"""Who works for a run: the workers of a cluster, which of them get a task, and what becomes of it when they are lost.

A worker is trusted to have booted what it was asked to boot, and with nothing else (`cluster.remote`). A lost worker's task runs elsewhere,
Dask sees to that.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dask
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, Status, wait

from xboot.boot.memory import OVERHEAD
from xboot.budget import free_memory, share
from xboot.cluster.answer import Task
from xboot.cluster.exchange import Exchange
from xboot.cluster.work import work
from xboot.errors import UsageError, XbootError
from xboot.foreign import printable
from xboot.plugins import Plugins

__all__ = ["GONE", "MEMORY", "Cluster", "open_cluster"]

_LOG = logging.getLogger(__name__)
MEMORY = "memory"
"""The Dask resource of which a boot takes as many units as its machine takes MiB."""
_FAULTS = 3  # of one worker, before it gets no more tasks
_CONNECT = 30.0  # seconds
_LOOK = 10.0  # seconds between two looks at whether anybody is there
_FETCH = 10.0  # seconds for an answer to come, once there is one
_FRESH = 1.0  # seconds for which is believed what the scheduler said of its workers
_MINUTE = 60.0
_MOMENT = 0.5
GONE = "what was verified is kept: the same command goes on from there"
"""What to do after a cluster failed."""


@contextmanager
def open_cluster(wish: str, url: str, folder: Path, plugins: Callable[[], Plugins] = Plugins.load) -> Iterator[Cluster]:
    """The cluster that a user named: a scheduler's address, or `local:N` for N workers on this host, which ends with the run. `url`: where
    NARs are exchanged; empty, for `local` alone: in `folder`. Raises UsageError for a scheduler that does not answer, and for workers that
    offer no memory.
    """
    _quiet()
    kind, _, count = wish.partition(":")
    if kind == "local":
        if not (count.isascii() and count.isdigit() and 0 < int(count) <= 1000):
            raise UsageError(f"--cluster {printable(wish, 100)}: expected local:N, N workers, or the address of a scheduler")
        each = share(free_memory(), int(count)) + OVERHEAD
        with (
            dask.config.set({"distributed.deploy.lost-worker-timeout": "1000 days"}),  # else one that is slow to start again is given up
            LocalCluster(
                n_workers=int(count), threads_per_worker=1, processes=True, memory_limit=0, host="127.0.0.1", protocol="tls",
                security=True, dashboard_address="127.0.0.1:0", local_directory=str(folder), resources={MEMORY: each},
                silence_logs=logging.CRITICAL,
            ) as local,
            Client(local, timeout=_CONNECT) as client,
        ):  # fmt: skip
            client.wait_for_workers(int(count), timeout=_CONNECT * 4)
            place = Exchange(url or (folder / "exchange").as_uri())
            yield Cluster(client, wish, place, plugins, lambda: _renew(local))
        return
    if not url:
        raise UsageError("--cluster ADDRESS: no place for NARs is named", hint="add --exchange URL, a folder that all workers can open")
    try:
        client = Client(wish, timeout=_CONNECT)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"--cluster {printable(wish, 100)}: no scheduler answers there ({printable(str(error), 200)})") from None
    with client:
        yield Cluster(client, wish, Exchange(url), plugins)


def _renew(local: LocalCluster) -> None:
    """Start the workers again that Dask has given up. Lost ones it starts again by itself, as long as that succeeds."""

    def renew() -> None:
        for name, its in list(local.workers.items()):
            if its.status in (Status.closed, Status.failed):
                del local.workers[name]
        local.scale(len(local.worker_spec))

    if local.loop is not None:
        local.loop.add_callback(renew)


def _quiet() -> None:
    """Dask's own log is for who runs Dask: nothing of it goes to the user's terminal."""
    known = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    for name in ("distributed", "tornado.application", *known):
        logging.getLogger(name).setLevel(logging.CRITICAL)
        logging.getLogger(name).propagate = False


@dataclass
class Cluster:
    """A scheduler, its workers, and where NARs are exchanged."""

    client: Client
    name: str
    exchange: Exchange
    plugins: Callable[[], Plugins] = Plugins.load
    renew: Callable[[], None] = lambda: None
    """Start lost workers again, where they are this run's own."""
    _out: set[str] = field(default_factory=set)
    _faults: dict[str, int] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _seen: tuple[float, Mapping[str, Any]] = (-1e9, MappingProxyType({}))
    _looked: float = field(default_factory=time.monotonic)
    _said: float = -1e9
    _given: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.Condition = field(default_factory=threading.Condition)

    def workers(self) -> dict[str, dict[str, Any]]:
        """Address → what the scheduler knew, a moment ago, of each worker that offers memory and was not left out."""
        when, known = self._seen
        if time.monotonic() - when > _FRESH:
            known = self._known()
        return {one: info for one, info in known.items() if self._offers(one, info)}

    def _known(self) -> Mapping[str, Any]:
        known: Mapping[str, Any] = self.client.scheduler_info(n_workers=-1).get("workers", {})  # none once the scheduler is gone
        self._names.update({address: str(info["name"]) for address, info in known.items()})  # what is asked later may be gone by then
        self._seen = time.monotonic(), known
        return known

    def _offers(self, address: str, info: Mapping[str, Any]) -> bool:
        return bool(info["resources"].get(MEMORY, 0)) and address not in self._out

    def spare(self) -> int:
        """MiB for each guest, if every worker runs as many at once as it has threads. Waits a while for the first worker. Raises UsageError
        when none comes, or when those that are there offer none.
        """
        end = time.monotonic() + _CONNECT
        while True:
            known = self._known()
            offered = [info for address, info in known.items() if self._offers(address, info)]
            if offered:
                break
            if known or time.monotonic() > end:
                raise UsageError(
                    f"--cluster {self}: no worker offers memory",
                    hint=f'start workers with --resources "{MEMORY}=MIB", the MiB that guests may take in all',
                )
            time.sleep(0.2)
        return min(share(int(info["resources"][MEMORY]), int(info["nthreads"])) for info in offered)

    def __str__(self) -> str:
        """As the user named it."""
        return printable(self.name, 100)

    def leave_out(self, address: str, why: str) -> None:
        """Give this worker no more tasks of this run. Raises XbootError when it was the last."""
        with self._lock:
            if address in self._out:
                return
            self._out.add(address)
        _LOG.warning("worker %s is left out: %s", printable(address, 100), why)
        if not self.workers():
            raise XbootError(f"no worker of {self} is left: the last one, {printable(address, 100)}, {why}", hint=GONE)

    def fault(self, address: str, why: str) -> None:
        """Note that a worker's answer could not be used. One that goes on so is left out, as long as there is another."""
        with self._lock:
            self._faults[address] = self._faults.get(address, 0) + 1
        if self._faults[address] >= _FAULTS and len(self.workers()) > 1:
            self.leave_out(address, f"{_FAULTS} times in this run no answer of it could be used, last: {why}")

    def label(self, address: str) -> str:
        """How a report names a worker: as the scheduler knows it."""
        if address not in self._names:
            self._known()
        name = self._names.get(address, "")
        return printable(f"{name} at {address}" if name and name != address else address, 150)

    # ------------------------------------------------------------ tasks

    def ask(
        self, task: Task, name: str, need: int, stop: threading.Event, left: Callable[[], float], avoid: Sequence[str] = ()
    ) -> tuple[object, str] | None:
        """Give `task` to any worker with `need` MiB, but for those to avoid if there are others. What it gave, or what it raised, and the
        address of the worker that did it, by the scheduler's word (empty when that is gone); None when the user interrupted it, or time is
        up. Raises XbootError when the cluster is gone, or when so many workers were lost with the task that Dask gives it to no other.
        """

        def over() -> bool:
            return stop.is_set() or left() <= 0.001

        with self._place(need, over):
            while not over():
                able = self._able(need).keys()
                if not able:  # they were lost meanwhile
                    time.sleep(_MOMENT)
                    self._look(need)
                    continue
                only = (able - set(avoid)) or able if self._out or avoid else set()
                future = self.client.submit(
                    work, task, key=f"xboot-{name}-{secrets.token_hex(4)}", resources={MEMORY: need}, workers=sorted(only) or None,
                    pure=False,
                )  # fmt: skip
                told = self._await(future, only, need, over)
                if told is not None:
                    address = self._whose(future)
                    future.release()
                    return told[0], address
        return None

    @contextmanager
    def _place(self, need: int, over: Callable[[], bool]) -> Iterator[None]:
        """Hold a place at the workers. Nothing waits at one that is busy: were that one lost, Dask would hold it for what had killed it."""
        with self._free:
            while self._given >= self._places(need) and not over():
                self._free.wait(_MOMENT)
                self._look(need)
            self._given += 1
        try:
            yield
        finally:
            with self._free:
                self._given -= 1
                self._free.notify()

    def _able(self, need: int) -> dict[str, dict[str, Any]]:
        return {address: info for address, info in self.workers().items() if info["resources"][MEMORY] >= need}

    def _places(self, need: int) -> int:
        """How many tasks the workers can do at once."""
        return sum(min(int(info["nthreads"]), int(info["resources"][MEMORY] // need)) for info in self._able(need).values())

    def _look(self, need: int) -> None:
        """From time to time, have lost workers started again, where they are this run's own; say when nobody can take a task. Raises
        XbootError when the scheduler is gone.
        """
        if self.client.status not in ("running", "connecting"):
            raise self._gone()
        with self._lock:
            now = time.monotonic()
            if now - self._looked < _LOOK:
                return
            self._looked = now
            self.renew()
            if self._able(need) or now - self._said < _MINUTE:
                return
            self._said = now
        _LOG.warning("no worker of %s is there that offers %d MiB; waiting for one", self, need)

    def _await(self, future: Future[str], only: Set[str], need: int, over: Callable[[], bool]) -> tuple[object] | None:
        """What a task gave, or what it raised; None when nobody waits for it any more, or when all workers are gone that might do it
        (`only`; empty: any might). Raises what `ask` raises.
        """
        while True:
            self._look(need)
            if _raises(future):
                return (self._raised(future),)
            try:
                if future.done():
                    return (future.result(timeout=_FETCH),)
                if over() or (only and only.isdisjoint(self.workers())):
                    future.cancel()
                    return None
                wait(future, timeout=_MOMENT)
            except TimeoutError:  # it still runs; or it had ended, and its answer was lost with its worker: then it runs once more
                continue
            except asyncio.CancelledError:  # not of this task: another thread gave up fetching what both wanted
                continue
            except (CancelledError, OSError):
                if not _raises(future):
                    raise self._gone() from None
            except Exception as error:  # of the task, which says so by now; else of what cannot be unpacked here
                if not _raises(future):
                    return (error,)

    def _raised(self, future: Future[str]) -> object:
        """What a task raised, which raises nothing: this one was another. Raises XbootError when Dask gave it up."""
        error = future.exception(timeout=_FETCH)
        if isinstance(error, KilledWorker):
            raise XbootError(
                f"the workers of {self} that ran {printable(str(future.key), 100)} were lost, one after the other, the last one "
                f"{printable(error.last_worker.address, 100)}: it is not given to any other",
                hint=f"see whether they run out of memory; {GONE}",
            )
        return error

    def _whose(self, future: Future[str]) -> str:
        """The address of the worker that gave what `future` has; empty when that is gone."""

        def holders(key: object, dask_scheduler: Any) -> list[str]:
            task = dask_scheduler.tasks.get(key)
            return [] if task is None else [str(getattr(one, "address", one)) for one in (*(task.who_has or ()), *(task.erred_on or ()))]

        try:
            found: Sequence[str] = self.client.run_on_scheduler(holders, future.key)
        except Exception:  # whatever a lost scheduler is to Dask just then
            raise self._gone() from None
        return next(iter(found), "")

    def _gone(self) -> XbootError:
        return XbootError(f"the scheduler of {self} is gone, or dropped the tasks of this run", hint=GONE)


def _raises(future: Future[str]) -> bool:
    return future.status == "error"
