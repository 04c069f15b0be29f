"""One segment: taken from an earlier run, or booted, brought out, and examined by the host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xboot._records import dataclass
from xboot.boot import RunOptions, run_machine
from xboot.errors import InputError, about_file
from xboot.files import replacing
from xboot.hooks import BackendOptions, Notify
from xboot.machine import Machine
from xboot.model import Artifact, Boot, Cause, Event, OutputVerdict, Phase, Script, Source, SourceKind, Verdict
from xboot.pipeline import Pipeline
from xboot.segments.cut import Segment, segment_script
from xboot.segments.examine import examine, visible
from xboot.segments.format import Base, BuiltOutput, Earlier, SegmentRun, SegmentSource
from xboot.segments.store import ResultsStore

__all__ = ["Admit", "Booted", "Boots", "Ended", "Here", "Means", "export_nar", "run_segment"]

Admit = Callable[[Boot], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Booted:
    """What came of one boot: its verdict, whose `exports` are files for the host to look at. `worker`: who of a cluster ran it, empty for
    this host.
    """

    verdict: Verdict
    worker: str = ""


Boots = Callable[[Segment, Script, Path, Notify], Booted]
"""Boots a segment's script once, here or elsewhere; files go into the folder. What goes wrong in the guest is in the verdict."""


@dataclass(frozen=True, slots=True)
class Here:
    """Boots on this host. An instance is a `Boots`."""

    pipeline: Pipeline
    backend: str
    options: BackendOptions
    artifacts: Mapping[str, Artifact]
    machine: Machine
    run: RunOptions
    admit: Admit
    left: Callable[[], float]
    """Seconds that the whole run still has."""
    log: Callable[[Segment, Path], None]
    """Takes what one boot's console printed."""

    def __call__(self, segment: Segment, script: Script, folder: Path, notify: Notify) -> Booted:
        """Package and boot. Raises XbootError and OSError for what goes wrong on this host."""
        self.pipeline.refuse_too_much(self.backend, script)
        image = self.pipeline.package(self.backend, script, self.artifacts, self.options, folder)
        boot = self.pipeline.boot(self.backend, image, self.options)
        run = replace(
            self.run, expected={}, export=folder / "out", export_paths=script.results, log=folder / "log" if self.run.log else None,
            before=segment.first - 1, run_timeout=self.left(),
        )  # fmt: skip
        with self.admit(boot):
            verdict = run_machine(image, boot, self.machine, run, notify)
        if run.log is not None:
            self.log(segment, run.log)
        return Booted(verdict)


@dataclass(frozen=True, slots=True)
class Means:
    """What every segment of a run uses. `boots` runs those that are not taken; `cluster`: what workers made may be taken, too."""

    plan: Script
    base: Base
    store: ResultsStore
    boots: Boots
    stop: threading.Event
    fresh: bool
    cluster: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a segment: `run` when it got to its end, else `failure` as in a verdict, with its cause. `verdict` is its boot's (None:
    it was not booted). `built`: its outputs, as sources for later segments. `times`: seconds by the plan's step.
    """

    segment: Segment
    run: SegmentRun | None
    built: Mapping[str, Source]
    times: Mapping[int, float]
    verdict: Verdict | None = None
    failure: str = ""


def run_segment(means: Means, segment: Segment, built: Mapping[str, Source], notify: Notify) -> Ended:
    """Run one segment, whose inputs are in `built`, or take what an earlier run of the very same boot gave. What goes wrong in the guest is
    a failure; raises XbootError and OSError for what goes wrong on this host.
    """
    script = segment_script(means.plan, segment, built)
    hold = nullcontext() if means.fresh else means.store.busy(means.base.sha256, script.sha256, means.stop)
    with hold:
        taken = None if means.fresh else _taken(means, segment, script, notify)
        return taken or _booted(means, segment, script, notify)


# ---------------------------------------------------------------- taken


def _taken(means: Means, segment: Segment, script: Script, notify: Notify) -> Ended | None:
    """What the store has of this boot, whole and checked; None when anything of it is not there."""
    body = means.store.verdict(means.base.sha256, script.sha256)
    if body is None:
        return None
    try:
        run, times = _from_body(body, means, segment, script)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # of another version
    if run.worker and not means.cluster:
        return None  # who names no cluster trusts none
    built = {}
    for output in run.outputs:
        file = means.store.nar(output.nar_sha256, output.nar_size)
        if file is None:
            return None
        built[output.path] = Source(output.path, SourceKind.BUILT, file, output.nar_sha256, output.nar_size, output.references)
    for number in segment.steps:
        notify(Event(Phase.BEGIN, 0.0, number - segment.first + 1, text="taken from an earlier run"))
        for output in run.outputs:
            if output.step == number:
                where = number - segment.first + 1
                notify(Event(Phase.OUTPUT, 0.0, where, output.name, "", output.nar_sha256, output.nar_size, output.references))
    return Ended(segment, run, built, times)


def _to_body(run: SegmentRun, times: Mapping[int, float], plan: str) -> dict[str, Any]:
    return {
        "format": 1,
        "plan": plan,
        "steps": list(run.steps),
        "image": run.image_sha256,
        "worker": run.worker,
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": run.seconds,
        "times": [times[number] for number in run.steps],
        "outputs": [[o.step - run.steps[0], o.name, o.path, o.nar_sha256, o.nar_size, list(o.references)] for o in run.outputs],
    }


def _from_body(body: dict[str, Any], means: Means, segment: Segment, script: Script) -> tuple[SegmentRun, dict[int, float]]:
    """The same segment as one of this plan. Raises ValueError and its like for what does not fit."""
    if body["format"] != 1:
        raise ValueError
    outputs = [BuiltOutput(segment.first + at, name, path, sha, size, refs) for at, name, path, sha, size, refs in body["outputs"]]
    wanted = [(segment.first - 1 + step.number, o.name, o.path) for step in script.steps for o in step.outputs]
    if [(o.step, o.name, o.path) for o in outputs] != wanted or len(body["times"]) != len(segment.steps):
        raise ValueError
    earlier = Earlier(str(body["plan"]), str(body["when"]))
    times = {number: float(seconds) for number, seconds in zip(segment.steps, body["times"], strict=True)}
    run = _segment_run(means, segment, script, str(body["image"]), outputs, float(body["seconds"]))
    return replace(run, earlier=earlier, worker=str(body.get("worker", ""))), times


def _segment_run(means: Means, segment: Segment, script: Script, image: str, outputs: Sequence[BuiltOutput], seconds: float) -> SegmentRun:
    sources = [SegmentSource(s.path, s.kind.value, s.nar_sha256, s.nar_size, list(s.references)) for s in script.sources]
    return SegmentRun(segment.number, list(segment.steps), script.sha256, image, means.base.sha256, sources, outputs, seconds)


# ---------------------------------------------------------------- booted


def _booted(means: Means, segment: Segment, script: Script, notify: Notify) -> Ended:
    with means.store.scratch() as folder:
        booted = means.boots(segment, script, folder, notify)
        verdict = booted.verdict
        if verdict.failure:
            return Ended(segment, None, {}, {}, verdict, verdict.failure)
        found, failure = _examined(segment, script, verdict)
        if failure:
            return Ended(segment, None, {}, {}, replace(verdict, cause=Cause.GUEST), failure)
        built = {}
        for output in found:
            file = means.store.put_nar(verdict.exports[output.path], output.nar_sha256)
            built[output.path] = Source(output.path, SourceKind.BUILT, file, output.nar_sha256, output.nar_size, output.references)
    times = {segment.first - 1 + output.step: output.seconds for output in verdict.outputs}
    done = replace(_segment_run(means, segment, script, verdict.image_sha256, found, verdict.seconds), worker=booted.worker)
    means.store.put_verdict(means.base.sha256, script.sha256, _to_body(done, times, means.plan.sha256))
    return Ended(segment, done, built, times, verdict)


def _examined(segment: Segment, script: Script, verdict: Verdict) -> tuple[list[BuiltOutput], str]:
    """What the host finds in what came out, and how that departs from what the guest said: a guest that was taken over says anything."""
    said = {output.path: output for output in verdict.outputs}
    references = {source.path: source.references for source in script.sources}
    built: list[BuiltOutput] = []
    for step in script.steps:
        candidates = {*visible(step.inputs, references), *(output.path for output in step.outputs)}
        number = segment.first - 1 + step.number
        for output in step.outputs:
            where = f"step {number} ({step.drv}): {output.path}"
            try:
                found = examine(verdict.exports[output.path], candidates, output.fixed)
            except InputError as error:
                return built, f"{where}: what was brought out is no NAR: {error.message}"
            wrong = found.wrong or _departs(said[output.path], found.sha256, found.size, found.references)
            if wrong:
                return built, f"{where}: {wrong}"
            built.append(BuiltOutput(number, output.name, output.path, found.sha256, found.size, found.references))
        references |= {output.path: output.references for output in built[-len(step.outputs) :]}
    return built, ""


def _departs(said: OutputVerdict, sha256: str, size: int, references: Sequence[str]) -> str:
    if (said.nar_sha256, said.nar_size) != (sha256, size):
        return f"the guest reported a NAR of {said.nar_size} bytes with SHA-256 {said.nar_sha256}, the host has {size} with {sha256}"
    if list(said.references) != list(references):
        more = sorted(set(said.references) ^ set(references))
        who = "guest alone says" if more[0] in said.references else "host alone finds"
        return (
            f"the {who} that it refers to {more[0]} (the guest reported {len(said.references)} references, the host has {len(references)})"
        )
    return ""


def export_nar(source: Source, folder: Path) -> Path:
    """Copy a built output to FOLDER/NAME.nar, which appears whole."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{source.path.rsplit('/', 1)[1]}.nar"
    with about_file(target), replacing(target) as part, source.location.open("rb") as file, part.open("wb") as sink:
        while piece := file.read(1 << 20):
            sink.write(piece)
    return target
