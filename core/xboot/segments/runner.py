"""A run of several boots: cut the plan, run the segments as they become ready, and make one result of them (docs/segments.md)."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xboot.boot import check_machine
from xboot.boot.channel import Message
from xboot.boot.memory import OVERHEAD
from xboot.boot.run import RUN_TIMEOUT, host_failure
from xboot.boot.verdict import Timing, judge
from xboot.budget import MemoryBudget, free_memory, share
from xboot.errors import UsageError, XbootError, about_file
from xboot.hooks import BackendOptions
from xboot.machine import Machine, MachineOptions
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Cause, Component, Phase, Script, Source
from xboot.pipeline import Pipeline, beyond
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result
from xboot.segments.base import measure_base
from xboot.segments.cut import WHOLE, Segment
from xboot.segments.earlier import stored_cut
from xboot.segments.format import Base, SegmentedRun, SegmentRun
from xboot.segments.lead import Halted, Lead
from xboot.segments.notes import Notes
from xboot.segments.one import Admit, Boots, Ended, Here, Means, export_nar, run_segment
from xboot.segments.order import Order
from xboot.segments.relay import Relay
from xboot.segments.store import ResultsStore
from xboot.segments.wanted import settle_cut
from xboot.voter import Voter
from xboot.words import counted

if TYPE_CHECKING:
    from xboot.cluster.host import Cluster

__all__ = ["named_cluster", "run"]

_One = Callable[[Segment], Ended]
_Keep = Callable[[Ended], None]
_Named = Callable[[], "Cluster | None"]
_GIVEN = 256  # boots that wait at a cluster at once, unless the user says otherwise


def run(
    pipeline: Pipeline,
    request: Request,
    script: Script,
    admit: Admit | None = None,
    lead: Lead | None = None,
    plugins: Callable[[], Plugins] = Plugins.load,
    cluster: Cluster | None = None,
) -> Result:
    """Run `script` for the request's one voter, in as many boots as the request wants. Every step that ended well is kept in the results
    store, whatever becomes of the rest. Each machine boots within `admit`, which may wait until there is room for it (None: there is as
    much as is free now). `lead` is asked before each of several boots, which then are one after the other. `plugins`: makes those of a
    cluster's workers. `cluster`: the one that the request names, where several runs share it.

    Raises what `Pipeline.run` raises, and UsageError for wishes that several boots cannot meet.
    """
    request = settle_cut(request, [request.voter], pipeline.plugins)
    _refuse_one_boot(request)
    if request.segments == WHOLE or not script.steps:
        return pipeline.run(request, script) if admit is None else pipeline.run(request, script, admit)
    with ExitStack() as stack:

        def named() -> Cluster | None:
            return cluster or stack.enter_context(named_cluster(request, plugins))

        return _Run(pipeline, request, script, stack, lead, named).run(admit)


@contextmanager
def named_cluster(request: Request, plugins: Callable[[], Plugins] = Plugins.load) -> Iterator[Cluster | None]:
    """The cluster that the user named, if any. Raises UsageError for wishes that cannot be met, and XbootError for an exchange that does
    not work.
    """
    _refuse_one_boot(request)
    if not request.cluster:
        yield None
        return
    try:
        from xboot.cluster.host import open_cluster  # noqa: PLC0415 - Dask is an extra
    except ImportError as error:
        raise UsageError(f"--cluster needs the Python package {error.name}", hint="pip install 'xboot[cluster]'") from None
    with ResultsStore() as store, store.scratch() as folder, open_cluster(request.cluster, request.exchange, folder, plugins) as cluster:
        cluster.exchange.check()
        yield cluster


def _refuse_one_boot(request: Request) -> None:
    if request.cluster and request.segments == WHOLE:
        raise UsageError("--cluster: one boot for all steps has nothing to share out", hint="add --seal steps")


@dataclass(slots=True)
class _Common:
    """What all boots have in common."""

    base: Base
    image: BootImage
    boot: Boot
    measured: tuple[Sequence[Component], Sequence[Component]] = ((), ())
    unmeasured: str = ""


@dataclass(slots=True)
class _Progress:
    """What came of the segments that ended."""

    ended: dict[int, Ended] = field(default_factory=dict)
    built: dict[str, Source] = field(default_factory=dict)

    def add(self, one: Ended) -> None:
        self.ended[one.segment.number] = one
        self.built |= one.built

    @property
    def done(self) -> list[SegmentRun]:
        return [one.run for _, one in sorted(self.ended.items()) if one.run is not None]

    @property
    def failed(self) -> Ended | None:
        """The first in the plan's order that failed."""
        return next((one for _, one in sorted(self.ended.items()) if one.failure), None)


class _Run:
    def __init__(self, pipeline: Pipeline, request: Request, script: Script, stack: ExitStack, lead: Lead | None, cluster: _Named) -> None:
        self._pipeline, self._plan, self._lead = pipeline, script, lead
        self._halted, self._hint, self._cause = "", "", Cause.GUEST
        # every boot brings its outputs out, so that every boot has a window
        self._request = replace(request, run=replace(request.run, export=request.run.export or Path()))
        self._wished = request
        self._stack, self._cluster = stack, cluster
        self._start = time.monotonic()
        self._jobs = 1 if lead else request.jobs or 1
        self._stop = request.run.stop or threading.Event()
        self._progress = _Progress()
        self._logging = threading.Lock()

    def run(self, admit: Admit | None) -> Result:
        """All boots, and what came of them together."""
        voter, options = self._pipeline.options(self._request)
        machine = self._pipeline.plugins.machine(voter.machine, voter.address)
        info = self._pipeline.plugins.backend(voter.backend)
        self._check(machine, info)
        self._pipeline.refuse_systems(voter.backend, self._plan)
        memory = free_memory()
        store = self._stack.enter_context(ResultsStore())
        wishes = self._request
        self._segments = stored_cut(store, self._plan, wishes.segments, wishes.memory, info.max_payload, fresh=wishes.fresh)
        cluster = self._cluster()
        if cluster is not None:
            self._jobs = 1 if self._lead else self._request.jobs or _GIVEN  # as many are given to it at once as are ready
            options = replace(options, spare=cluster.spare())
        elif options.memory is None and not options.spare:
            options = replace(options, spare=share(memory, self._jobs) if self._jobs > 1 else max(0, memory - OVERHEAD))
        options = replace(options, systems=self._plan.systems)
        artifacts = self._pipeline.prepare(voter.backend, None, options)
        common = self._common(voter, options, artifacts, machine, store)
        admit = admit or MemoryBudget(memory, self._stop).admit
        if self._wished.run.export is not None:
            self._wished.run.export.mkdir(parents=True, exist_ok=True)
        if self._request.run.log is not None:
            self._request.run.log.write_bytes(b"")  # what cannot be written to is an error now, and not after the first boot
        here = Here(
            self._pipeline, voter.backend, options, artifacts, machine, replace(self._request.run, stop=self._stop), admit,
            lambda: self._left(machine), self._log,
        )  # fmt: skip
        boots: Boots = here
        if cluster is not None:
            boots, common.base = self._remote(cluster, voter, options, common, machine)
        means = Means(self._plan, common.base, store, boots, self._stop, self._request.fresh, cluster is not None)
        where = f" on the workers of {cluster}" if cluster is not None else f", {self._jobs} at once" if self._jobs > 1 else ""
        boots_text = counted(len(self._segments), "boot") if len(self._segments) > 1 else "one boot"
        memory_text = f"{common.boot.memory} MiB{beyond(common.boot.memory) if cluster is None else ''}"
        self._pipeline.stage(
            "boot", f"{self._request.voter}: {counted(len(self._plan.steps), 'step')} in {boots_text}{where}, {memory_text}"
        )
        relay = Relay(self._segments, self._pipeline.notify)
        notes = Notes(store, f"{self._plan.sha256[:24]}-{common.base.sha256[:24]}", self._wished, self._plan, str(voter), self._stack)
        interrupted = self._each(means, relay, notes)
        return self._result(voter, options, common, machine, interrupted)

    def _check(self, machine: Machine, info: BackendInfo) -> None:
        run = self._wished.run
        if "export" not in info.abilities:
            raise UsageError(
                f"backend {info.name} brings nothing out of its guest: no output of one boot can be had for the next",
                hint="--seal run boots once; or choose another backend",
            )
        if "read-memory" not in machine.info.abilities:
            raise UsageError(
                f"machine {machine.info.name} cannot read its guest's memory: no output can be brought out of one boot for the next",
                hint="--seal run boots once; or choose another machine",
            )
        if run.keep is not None or run.gdb:
            option = "--gdb" if run.gdb else "--keep"
            raise UsageError(f"{option} is about one image, and this run has one for each boot", hint="add --seal run")
        check_machine(machine, self._request.run)

    def _common(
        self, voter: Voter, options: BackendOptions, artifacts: Mapping[str, Artifact], machine: Machine, store: ResultsStore
    ) -> _Common:
        """Make the image without a script, and name all that it and every other image of this run stands on."""
        with store.scratch() as folder:
            base, image, boot = measure_base(
                self._pipeline, voter, options, artifacts, machine, self._request.run.accelerator, folder
            )  # fmt: skip
            common = _Common(base, replace(image, script=self._plan), boot)
            if self._request.measure:
                self._pipeline.stage("tcb", f"what the images of {voter.backend} make you trust")
                try:
                    common.measured = self._pipeline.measured(image, boot, machine)
                except XbootError as error:
                    common.unmeasured = error.message
        return common

    def _remote(self, cluster: Cluster, voter: Voter, options: BackendOptions, common: _Common, machine: Machine) -> tuple[Boots, Base]:
        """Boots on the cluster, and what they stand on there."""
        from xboot.cluster.remote import Remote, common_base, first_task  # noqa: PLC0415

        base = common_base(cluster, common.base, first_task(cluster, voter, options, self._request.run))
        remote = Remote(
            cluster, voter, base, options, self._request.run, common.boot.memory + OVERHEAD, self._stop, lambda: self._left(machine),
            self._log, lambda script: self._pipeline.refuse_too_much(voter.backend, script),
        )  # fmt: skip
        return remote, base

    def _left(self, machine: Machine) -> float:
        wanted = self._request.run.run_timeout
        whole = RUN_TIMEOUT * machine.info.pace if wanted is None else wanted
        return max(0.001, whole - (time.monotonic() - self._start))

    def _log(self, segment: Segment, console: Path) -> None:
        """Add one boot's console to the log that the user wants."""
        target = self._request.run.log
        assert target is not None
        steps = f"step {segment.first}" if segment.first == segment.last else f"steps {segment.first} to {segment.last}"
        with self._logging, about_file(target), console.open("rb") as source, target.open("ab") as sink:
            sink.write(f"xboot: {steps} of {len(self._plan.steps)}\n".encode())
            shutil.copyfileobj(source, sink)

    # ------------------------------------------------------------ running

    def _each(self, means: Means, relay: Relay, notes: Notes) -> bool:
        """Run all segments, as far as none fails; whether the user interrupted them."""

        def one(segment: Segment) -> Ended:
            try:
                return run_segment(means, segment, {**self._progress.built, **self._led(segment)}, relay.of(segment))
            except OSError as error:
                error.filename = error.filename or str(means.store.root)  # there all is written that names nothing else
                return Ended(segment, None, {}, {}, failure=self._gave_out(error))
            finally:
                relay.ended(segment)

        def keep(ended: Ended) -> None:
            self._progress.add(ended)
            notes.write(len(self._progress.done), len(self._segments))

        notes.write(0, len(self._segments))
        if self._jobs == 1:  # in this thread, which is the one that gets signals
            for segment in self._segments:
                if self._stop.is_set():
                    return True
                try:
                    ended = one(segment)
                except Halted as halted:
                    self._halted = str(halted)
                    return self._stop.is_set()
                keep(ended)
                if self._lead is not None:
                    self._lead.ended(ended.segment, ended.built)
                if ended.failure:
                    return False
            interrupted = False
        else:
            interrupted = self._at_once(one, keep)
        if len(self._progress.done) == len(self._segments):
            relay.done(len(self._plan.steps))
        return interrupted

    def _gave_out(self, error: OSError) -> str:
        """An error of this host's ends the run as any failure does: what was verified until then is told."""
        failure, self._hint = host_failure(error)
        self._cause = Cause.HOST
        return failure

    def _led(self, segment: Segment) -> Mapping[str, Source]:
        """What the lead gives a segment in place of what this voter made. The time that it waits is none of the run's."""
        if self._lead is None:
            return {}
        began = time.monotonic()
        try:
            return self._lead.begins(segment)
        finally:
            self._start += time.monotonic() - began

    def _at_once(self, one: _One, keep: _Keep) -> bool:
        """Run those that are ready, so many at once, the earliest first. After a failure no other begins, and those that run are waited
        for. Whether the user interrupted them.
        """
        order = Order(self._plan, self._segments)
        running: dict[Future[Ended], Segment] = {}
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                while True:
                    if self._progress.failed is None and not self._stop.is_set():
                        for segment in order.begin(self._jobs - len(running)):
                            running[pool.submit(one, segment)] = segment
                    if not running:
                        return self._stop.is_set()
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in sorted(done, key=lambda future: running[future].number):
                        order.ended(running.pop(future))
                        keep(future.result())
            except BaseException as error:
                self._stop.set()  # Ctrl-C reaches this thread alone: the others end their machines
                wait(running)
                for future in running:
                    if future.exception() is None:
                        keep(future.result())
                if not isinstance(error, KeyboardInterrupt):
                    raise
                return True

    # ------------------------------------------------------------ the result

    def _result(self, voter: Voter, options: BackendOptions, common: _Common, machine: Machine, interrupted: bool) -> Result:
        """One result of all boots, as if there had been one."""
        progress, failed = self._progress, self._progress.failed
        cuts = [(segment.first, segment.last) for segment in self._segments]
        segments = SegmentedRun(self._plan.sha256, str(voter), self._request.segments, cuts, common.base, progress.done)
        messages = [
            Message(Phase.OUTPUT, o.step, o.name, o.path, o.nar_sha256, o.nar_size, o.references)
            for segment in progress.done
            for o in segment.outputs
        ]
        timing = Timing()
        for one in progress.ended.values():
            timing.begins |= dict.fromkeys(one.times, 0.0)
            timing.ends |= one.times
        failure, step = "", None
        if failed is not None:
            failure = failed.failure
            inner = failed.verdict.failed_step if failed.verdict is not None else None
            step = failed.segment.first - 1 + (inner or 1)
        elif interrupted:
            left = next(s for s in self._segments if s.number not in progress.ended)
            failure = f"interrupted before step {left.first} ({self._plan.steps[left.first - 1].drv})"
        elif self._halted:
            failure = self._halted
        exports: Mapping[str, Path] = {}
        try:
            exports = self._exports()
        except OSError as error:
            failure = failure or self._gave_out(error)
        last = failed.verdict if failed is not None else None
        verdict = judge(
            common.image, messages, timing, self._request.run.expected, failure, step, common.base.accelerator,
            time.monotonic() - self._start, last.console_tail if last is not None else "", exports,
        )  # fmt: skip
        boots = [one.verdict for _, one in sorted(progress.ended.items()) if one.verdict is not None]
        verdict = replace(
            verdict,
            cause=last.cause if last is not None else Cause.USER if interrupted or self._halted else self._cause,
            hint=last.hint if last is not None else self._hint,
            machine=machine.info.name,
            done_alone="exit-status" not in machine.info.abilities or common.boot.wiring.exit is None,
            confinement=boots[-1].confinement if boots else machine.confinement(common.boot, MachineOptions(common.base.accelerator)),
            first_builder_seconds=boots[0].first_builder_seconds if boots else None,
            seal="steps" if segments.sealed else "run",
        )
        return Result(
            voter, options.settings, self._plan, common.image, common.boot, verdict, *common.measured, common.unmeasured,
            self._pipeline.base, segments, self._pipeline.handed,
        )  # fmt: skip

    def _exports(self) -> dict[str, Path]:
        run = self._wished.run
        if run.export is None:
            return {}
        built = self._progress.built
        return {path: export_nar(built[path], run.export) for path in run.export_paths or self._plan.results if path in built}
