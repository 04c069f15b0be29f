"""The host's side: who works for a run, and what is done with their answers.

A worker is trusted to have booted what it was asked to boot, and with nothing else: whatever can be found out about its answer without
booting again is found out here or by who asked (`segments.one`, which hashes every NAR and finds its references by itself). A lost worker's
task runs elsewhere, Dask sees to that; a wrong answer's does, too; what the guest did wrong is a result like any other.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, wait

from xboot import nar
from xboot.boot import RunOptions
from xboot.boot.memory import OVERHEAD
from xboot.budget import free_memory, share
from xboot.cluster.answer import Answer, AnsweredBoot, Task, read_answer
from xboot.cluster.exchange import Exchange
from xboot.cluster.work import work
from xboot.errors import UsageError, XbootError
from xboot.foreign import printable
from xboot.hooks import BackendOptions, Notify
from xboot.model import EMPTY_SCRIPT, Cause, Event, OutputVerdict, Phase, Script, Source, Status, Verdict
from xboot.plugins import Plugins
from xboot.segments.cut import Segment
from xboot.segments.format import Base
from xboot.segments.one import Booted
from xboot.voter import Voter

__all__ = ["MEMORY", "Cluster", "Remote", "first_task", "open_cluster"]

_LOG = logging.getLogger(__name__)
MEMORY = "memory"
"""The Dask resource of which a boot takes as many units as its machine takes MiB."""
_TRIES = 4  # of one segment: with answers that cannot be used, before the run ends
_FAULTS = 3  # of one worker, before it gets no more tasks
_CONNECT = 30.0  # seconds
_LOOK = 10.0  # seconds between two looks at whether anybody can take a waiting task
_MINUTE = 60.0
_GONE = "what was verified is kept: the same command goes on from there"


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
            LocalCluster(
                n_workers=int(count), threads_per_worker=1, processes=True, memory_limit=0, host="127.0.0.1", protocol="tls",
                security=True, dashboard_address="127.0.0.1:0", local_directory=str(folder), resources={MEMORY: each},
                silence_logs=logging.CRITICAL,
            ) as local,
            Client(local, timeout=_CONNECT) as client,
        ):  # fmt: skip
            client.wait_for_workers(int(count), timeout=_CONNECT * 4)
            place = Exchange(url or (folder / "exchange").as_uri())
            yield Cluster(client, wish, place, plugins, lambda: local.scale(int(count)))
        return
    if not url:
        raise UsageError("--cluster ADDRESS: no place for NARs is named", hint="add --exchange URL, a folder that all workers can open")
    try:
        client = Client(wish, timeout=_CONNECT)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"--cluster {printable(wish, 100)}: no scheduler answers there ({printable(str(error), 200)})") from None
    with client:
        yield Cluster(client, wish, Exchange(url), plugins)


def _quiet() -> None:
    """Dask's own log is for who runs Dask: nothing of it goes to the user's terminal."""
    for name in ("distributed", *(name for name in logging.root.manager.loggerDict if name.startswith("distributed."))):
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
    """Start workers again, where they are this run's own."""
    _out: set[str] = field(default_factory=set)
    _faults: dict[str, int] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _said: float = -1e9
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def workers(self) -> dict[str, dict[str, Any]]:
        """Address → what the scheduler knows of each worker that offers memory and was not left out."""
        return {one: info for one, info in self._known().items() if self._offers(one, info)}

    def _known(self) -> Mapping[str, Any]:
        known: Mapping[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        self._names.update({address: str(info["name"]) for address, info in known.items()})  # what is asked later may be gone by then
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
            raise XbootError(f"no worker of {self} is left: the last one, {printable(address, 100)}, {why}", hint=_GONE)

    def fault(self, address: str, why: str) -> None:
        """Note that a worker's answer could not be used. One that goes on so is left out, as long as there is another."""
        with self._lock:
            self._faults[address] = self._faults.get(address, 0) + 1
        if self._faults[address] >= _FAULTS and len(self.workers()) > 1:
            self.leave_out(address, f"{_FAULTS} times in this run no answer of it could be used, last: {why}")

    def whose(self, future: Future[str]) -> str:
        """The address of the worker that gave what `future` has, by the scheduler's word; empty when that is gone."""

        def holders(key: object, dask_scheduler: Any) -> list[str]:
            task = dask_scheduler.tasks.get(key)
            return [] if task is None else [str(getattr(one, "address", one)) for one in (*(task.who_has or ()), *(task.erred_on or ()))]

        try:
            found: Sequence[str] = self.client.run_on_scheduler(holders, future.key)
        except Exception:  # whatever a lost scheduler is to Dask just then
            raise _gone(self) from None
        return next(iter(found), "")

    def look(self) -> None:
        """Say when no worker is there, once a minute; start new ones, where they are this run's own."""
        with self._lock:
            if self.workers() or time.monotonic() - self._said < _MINUTE:
                return
            self._said = time.monotonic()
        _LOG.warning("no worker of %s is there; waiting for one", self)
        self.renew()

    def label(self, address: str) -> str:
        """How a report names a worker: as the scheduler knows it."""
        if address not in self._names:
            self._known()
        name = self._names.get(address, "")
        return printable(f"{name} at {address}" if name and name != address else address, 150)

    def submit(self, task: Task, name: str, need: int, avoid: Sequence[str] = ()) -> Future[str]:
        """Give `task` to any worker with `need` MiB, but for those to avoid if there are others."""
        able = set(self.workers())
        chosen = (able - set(avoid)) or able
        only = sorted(chosen) if self._out or avoid else None
        return self.client.submit(
            work, task, key=f"xboot-{name}-{secrets.token_hex(4)}", resources={MEMORY: need}, workers=only, pure=False
        )

    def base(self, here: Base, task: Task) -> Base:
        """What the workers' boots stand on: as `here`, but for what is below the image, which is the workers' own. One worker is asked;
        others that differ from it will be left out. Raises UsageError for one that differs in more.
        """
        future = self.submit(task, "base", 1)
        answer = read_answer(_await(self, future, threading.Event(), lambda: 1.0), task.script.sha256)
        if isinstance(answer, str) or not answer.base:
            why = answer if isinstance(answer, str) else answer.fault or "does not say what it stands on"
            raise XbootError(f"a worker of {self} cannot boot {task.voter}: {printable(why)}")
        fields = _fields(answer.base)
        wanted = here.fields()
        wrong = [name for name in wanted if name != "below" and fields.get(name) != wanted[name]]
        if wrong:
            raise UsageError(f"the workers of {self} {_difference(fields, wanted)}", hint="install the same xboot there")
        return replace(here, below=[(one[0], one[1], one[2]) for one in fields["below"]])


def first_task(cluster: Cluster, voter: Voter, options: BackendOptions, run: RunOptions) -> Task:
    """A task that asks a worker what it stands on."""
    wished = RunOptions(accelerator=run.accelerator, run_timeout=1.0)
    return Task(Segment(1, 1, 0), EMPTY_SCRIPT, voter, options, wished, cluster.exchange, None, plugins=cluster.plugins)


@dataclass(frozen=True, slots=True)
class Remote:
    """Boots on a cluster's workers. An instance is a `segments.one.Boots`."""

    cluster: Cluster
    voter: Voter
    base: Base
    options: BackendOptions
    run: RunOptions
    need: int
    """MiB that a machine takes."""
    stop: threading.Event
    left: Callable[[], float]
    log: Callable[[Segment, Path], None]
    refuse: Callable[[Script], None]
    _laid: dict[str, threading.Lock] = field(default_factory=dict)

    def __call__(self, segment: Segment, script: Script, folder: Path, notify: Notify) -> Booted:
        """Have a worker boot it; its outputs are files below `folder`, with the hashes that the worker said. Raises XbootError when no
        worker's answer can be used, and when the cluster is gone.
        """
        self.refuse(script)
        task = Task(
            segment, script, self.voter, self.options, RunOptions(
                self.run.boot_timeout, self.run.step_timeout, self.left(), accelerator=self.run.accelerator, before=segment.first - 1
            ), self.cluster.exchange, self.base, self.run.log is not None, self.cluster.plugins,
        )  # fmt: skip
        for source in script.sources:
            self._lay(source, folder, again=False)
        for number in segment.steps:
            notify(Event(Phase.BEGIN, 0.0, number - segment.first + 1, text="on the cluster"))
        avoid: list[str] = []
        why = ""
        while len(avoid) < _TRIES:
            task = replace(task, run=replace(task.run, run_timeout=self.left()))
            future = self.cluster.submit(task, f"{script.sha256[:12]}-{segment.number}", self.need, avoid)
            text = _await(self.cluster, future, self.stop, self.left)
            if text is None:
                return Booted(self._none(segment, script))
            address = self.cluster.whose(future)
            future.release()
            answer = read_answer(text, script.sha256)
            done, why = self._judge(answer, script, folder, address)
            if done is not None:
                self._tell(done, segment, notify)
                if isinstance(answer, Answer) and answer.log is not None:
                    self._log(segment, answer, folder)
                return Booted(done, self.cluster.label(address) if address else "a worker that is gone")
            if why:
                _LOG.warning("worker %s: %s; its step runs again", printable(address, 100), why)
                self.cluster.fault(address, why)
            avoid.append(address)
        raise XbootError(
            f"step {segment.first}: {_TRIES} workers could not boot it; the last one, {printable(avoid[-1], 100)}: {why}", hint=_GONE
        )

    def _judge(self, answer: Answer | str, script: Script, folder: Path, address: str) -> tuple[Verdict | None, str]:
        """The verdict of an answer that can be used; else why it cannot be."""
        if isinstance(answer, str):
            return None, answer
        if answer.fault:
            return None, printable(answer.fault, 500)
        if answer.base:
            self.cluster.leave_out(address, _difference(_fields(answer.base), self.base.fields()))
            return None, ""
        if answer.lacks:
            for source in script.sources:
                if source.nar_sha256 in answer.lacks:
                    self._lay(source, folder, again=True)
            return None, f"did not find the right NARs in {self.cluster.exchange}"
        assert answer.boot is not None
        if answer.boot.cause != "guest":  # it was ended, or its disk is full
            return None, printable(answer.boot.failure, 500)
        return self._verdict(answer.boot, script, folder)

    def _verdict(self, boot: AnsweredBoot, script: Script, folder: Path) -> tuple[Verdict | None, str]:
        """The verdict that one boot gave, with the NARs that the worker said that came out."""
        wanted = [(step, output) for step in script.steps for output in step.outputs]
        exports: dict[str, Path] = {}
        outputs: list[OutputVerdict] = []
        if not boot.failure:
            if [answered.path for answered in boot.outputs] != [output.path for _, output in wanted]:
                return None, "answered with the outputs of other steps"
            for at, ((step, output), its) in enumerate(zip(wanted, boot.outputs, strict=True)):
                file = folder / f"{at}.nar"
                if not self.cluster.exchange.get(its.file.sha256, its.file.size, file):
                    return None, f"the NAR of {output.path} that it laid into {self.cluster.exchange} is not there, or is another"
                exports[output.path] = file
                outputs.append(
                    OutputVerdict(
                        step.number, step.drv, output.name, output.path, Status.UNKNOWN, printable(its.narSha256, 100), its.narSize,
                        [printable(one, 300) for one in its.references], {}, its.seconds,
                    )
                )  # fmt: skip
        elif boot.failedStep is not None and not 1 <= boot.failedStep <= len(script.steps):
            return None, f"says that step {boot.failedStep} failed, of {len(script.steps)}"
        return Verdict(
            self.voter.backend, script.sha256, boot.imageSha256, self.base.accelerator, outputs, printable(boot.failure), boot.failedStep,
            boot.seconds, boot.firstBuilderSeconds, boot.tail, exports, hint=printable(boot.hint), machine=self.voter.machine,
            confinement=printable(boot.confinement, 200),
        ), ""  # fmt: skip

    def _none(self, segment: Segment, script: Script) -> Verdict:
        """What is said of a segment that nobody waited for to its end."""
        cause = Cause.USER if self.stop.is_set() else Cause.GUEST
        what = "interrupted" if self.stop.is_set() else "no end within the run limit"
        step = f"step {segment.first} ({script.steps[0].drv})"
        return Verdict(
            self.voter.backend, script.sha256, self.base.image_sha256, self.base.accelerator, [], f"{what} in {step} on the cluster", 1,
            cause=cause, machine=self.voter.machine,
        )  # fmt: skip

    def _tell(self, verdict: Verdict, segment: Segment, notify: Notify) -> None:
        for output in verdict.outputs:
            notify(Event(Phase.OUTPUT, 0.0, output.step, output.name, "", output.nar_sha256, output.nar_size, output.references))

    def _lay(self, source: Source, folder: Path, *, again: bool) -> None:
        """Have `source` in the exchange. `again`: whatever seems to be there already."""
        exchange = self.cluster.exchange
        with self._laid.setdefault(source.nar_sha256, threading.Lock()):
            if again or not exchange.has(source.nar_sha256, source.nar_size):
                exchange.put(_packed(source, folder), source.nar_sha256)

    def _log(self, segment: Segment, answer: Answer, folder: Path) -> None:
        assert answer.log is not None
        file = folder / "log"
        if self.cluster.exchange.get(answer.log.sha256, answer.log.size, file):
            self.log(segment, file)


def _packed(source: Source, folder: Path) -> Path:
    """The NAR of a source, as a file."""
    if source.packed:
        return source.location
    file = folder / f"{source.nar_sha256}.nar"
    with file.open("wb") as sink:
        for piece in nar.dump(source.location):
            sink.write(piece)
    return file


def _await(cluster: Cluster, future: Future[str], stop: threading.Event, left: Callable[[], float]) -> object:
    """What a task gave, or what it raised; None when the user interrupted it, or time is up. Raises XbootError when Dask gave it up."""
    looked = time.monotonic()
    try:
        while not future.done():
            with suppress(TimeoutError):
                wait(future, timeout=0.5)
            if not future.done() and (stop.is_set() or left() <= 0.001):
                future.cancel()
                return None
            if cluster.client.status not in ("running", "connecting"):
                raise _gone(cluster)
            if time.monotonic() - looked > _LOOK and cluster.client.status == "running":
                looked = time.monotonic()
                cluster.look()
        return future.result(timeout=_CONNECT)
    except KilledWorker as error:
        raise XbootError(
            f"the workers of {cluster} that ran {printable(str(future.key), 100)} were lost, one after the other, the last one "
            f"{printable(error.last_worker.address, 100)}: it is not given to any other",
            hint=f"see whether they run out of memory; {_GONE}",
        ) from None
    except (CancelledError, TimeoutError, OSError) as error:
        if future.status == "error":
            return error
        raise _gone(cluster) from None
    except XbootError:
        raise
    except Exception as error:  # a task raises nothing: this one was another
        return error


def _gone(cluster: Cluster) -> XbootError:
    return XbootError(f"the scheduler of {cluster} is gone, or dropped the tasks of this run", hint=_GONE)


def _fields(text: str) -> dict[str, Any]:
    """What a worker says that it stands on. Raises XbootError for what has not the form."""
    try:
        value = json.loads(text)
        below = value["below"]
        good = all(len(one) == 3 and all(isinstance(part, str) for part in one) for one in below) and below == sorted(below)
    except (ValueError, KeyError, TypeError, RecursionError):
        good = False
    if not good:
        raise XbootError("a worker says in another form what it stands on", hint="install the same xboot there")
    found: dict[str, Any] = value
    return found


def _difference(fields: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """How a worker differs, in words."""
    name = next((name for name in wanted if fields.get(name) != wanted[name]), "")
    one, other = fields.get(name), wanted.get(name)
    if name == "below":
        here, there = [list(part) for part in one or ()], [list(part) for part in other or ()]
        one = next((part for part in here if part not in there), "nothing")
        other = next((part for part in there if part not in here), "nothing")
    return f"would boot on something else: {name} {printable(str(one), 200)}, expected {printable(str(other), 200)}"
