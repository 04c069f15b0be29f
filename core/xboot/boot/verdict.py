"""From what the guest said to a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xboot.boot.channel import Message
from xboot.model import BootImage, OutputVerdict, Phase, ReferenceCheck, Script, Source, Status, Verdict


@dataclass(slots=True)
class Timing:
    """Seconds since the machine's start at which steps began and last said something."""

    begins: dict[int, float] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)

    def begin(self, step: int, seconds: float) -> None:
        self.begins[step] = seconds

    def end(self, seconds: float) -> None:
        if self.begins:
            self.ends[max(self.begins)] = seconds

    @property
    def first(self) -> float | None:
        return min(self.begins.values(), default=None)

    def of(self, step: int) -> float:
        return self.ends[step] - self.begins[step] if step in self.ends else 0.0


def judge(
    image: BootImage, messages: Sequence[Message], timing: Timing, expected: Mapping[str, Mapping[str, str]], failure:
    str, step: int | None, accelerator: str, seconds: float, tail: str, exports: Mapping[str, Path],
) -> Verdict:  # fmt: skip
    """The verdict on a run: one line for every output of the script, whether it was built or not."""
    script = image.script
    built = {message.path: message for message in messages if message.phase is Phase.OUTPUT}
    outputs = [
        _judge_output(s.number, s.drv, o.name, o.path, built.get(o.path), expected.get(o.path, {}), timing)
        for s in script.steps
        for o in s.outputs
    ]
    checked = [_judge_source(s, expected[s.path]) for s in script.sources if expected.get(s.path)]
    violation = "" if failure else next(broken_conditions(script, {path: message.references for path, message in built.items()}), "")
    return Verdict(
        backend=image.backend, script_sha256=script.sha256, image_sha256=image.sha256, accelerator=accelerator, outputs=outputs,
        failure=failure or violation, failed_step=step if failure else None, seconds=seconds, first_builder_seconds=timing.first,
        console_tail=tail, exports=dict(exports), sources=checked,
    )  # fmt: skip


def _judge_output(
    step: int, drv: str, name: str, path: str, message: Message | None, expected: Mapping[str, str], timing: Timing
) -> OutputVerdict:
    if message is None:
        return OutputVerdict(step, drv, name, path, Status.NOT_RUN, expected=dict(expected))
    if not expected:
        status = Status.UNKNOWN
    else:
        status = Status.MATCH if all(value == message.sha256 for value in expected.values()) else Status.DIFFERS
    return OutputVerdict(step, drv, name, path, status, message.sha256, message.size, message.references, dict(expected), timing.of(step))


def _judge_source(source: Source, expected: Mapping[str, str]) -> OutputVerdict:
    """The verdict on a source: of its own hash, which the host has verified and the guest checks again."""
    status = Status.MATCH if all(value == source.nar_sha256 for value in expected.values()) else Status.DIFFERS
    return OutputVerdict(0, "", "", source.path, status, source.nar_sha256, source.nar_size, source.references, dict(expected))


def broken_conditions(script: Script, built: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Sentences on the reference checks (allowedReferences and kin) that do not hold. `built`: what each output refers to."""
    references = {source.path: tuple(source.references) for source in script.sources}
    references |= {path: tuple(found) for path, found in built.items()}
    for check in script.checks:
        step = script.steps[check.step - 1]
        for output in step.outputs:
            if check.output in ("", output.name) and output.path in references:
                yield from _check(check, step.drv, output.path, references)


def _check(check: ReferenceCheck, drv: str, path: str, references: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found = _requisites(path, references) if check.kind.endswith("Requisites") else set(references[path])
    listed = set(check.paths)
    wrong = found & listed if check.kind.startswith("disallowed") else found - listed
    for reference in sorted(wrong):
        yield f"step {check.step} ({drv}): {path} refers to {reference}, which {check.kind} does not permit"


def _requisites(path: str, references: Mapping[str, Sequence[str]]) -> set[str]:
    """The closure under references. The path itself is a part of it only when something in it, or itself, refers to it."""
    found: set[str] = set()
    todo = list(references[path])
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += references.get(one, ())
    return found
