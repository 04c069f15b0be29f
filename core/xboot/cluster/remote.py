"""What is done with workers' answers: whatever can be found out about one without booting again is found out here, or by who asked
(`segments.one`, which hashes every NAR and finds its references by itself). A wrong answer's step runs elsewhere; what the guest did wrong
is a result like any other.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from xboot import nar
from xboot._records import dataclass
from xboot.boot import RunOptions
from xboot.cluster.answer import Answer, AnsweredBoot, Task, read_answer
from xboot.cluster.host import GONE, Cluster
from xboot.errors import UsageError, XbootError
from xboot.foreign import printable
from xboot.hooks import BackendOptions, Notify
from xboot.model import EMPTY_SCRIPT, Cause, Event, OutputVerdict, Phase, Script, Source, Status, Verdict
from xboot.segments.cut import Segment
from xboot.segments.format import Base
from xboot.segments.one import Booted
from xboot.voter import Voter

__all__ = ["Remote", "common_base", "first_task"]

_LOG = logging.getLogger(__name__)
_TRIES = 4  # of one segment: with answers that cannot be used, before the run ends


def first_task(cluster: Cluster, voter: Voter, options: BackendOptions, run: RunOptions) -> Task:
    """A task that asks a worker what it stands on."""
    wished = RunOptions(accelerator=run.accelerator, run_timeout=1.0)
    return Task(Segment(1, 1, 0), EMPTY_SCRIPT, voter, options, wished, cluster.exchange, None, plugins=cluster.plugins)


def common_base(cluster: Cluster, here: Base, task: Task) -> Base:
    """What the workers' boots stand on: as `here`, but for what is below the image, which is the workers' own. One worker is asked;
    others that differ from it will be left out. Raises UsageError for one that differs in more.
    """
    others = sorted(cluster.workers())[1:]  # of several voters that share the cluster, all hold the workers against the same one
    told = cluster.ask(task, "base", 1, threading.Event(), lambda: 1.0, others)
    assert told is not None
    answer = read_answer(told[0], task.script.sha256)
    if isinstance(answer, str) or not answer.base:
        why = answer if isinstance(answer, str) else answer.fault or "does not say what it stands on"
        raise XbootError(f"a worker of {cluster} cannot boot {task.voter}: {printable(why)}")
    fields = _fields(answer.base)
    wanted = here.fields()
    wrong = [name for name in wanted if name != "below" and fields.get(name) != wanted[name]]
    if wrong:
        raise UsageError(f"the workers of {cluster} {_difference(fields, wanted)}", hint="install the same xboot there")
    return replace(here, below=[(one[0], one[1], one[2]) for one in fields["below"]])


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
            told = self.cluster.ask(task, f"{script.sha256[:12]}-{segment.number}", self.need, self.stop, self.left, avoid)
            if told is None:
                return Booted(self._none(segment, script))
            text, address = told
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
            f"step {segment.first}: {_TRIES} workers could not boot it; the last one, {printable(avoid[-1], 100)}: {why}", hint=GONE
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
