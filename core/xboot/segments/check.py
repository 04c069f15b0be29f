"""Does a report close? What it says of a run, in one boot or in several, is held against the plan that was computed here.

This module was written without the runner and imports nothing of it: the plan comes from the derivations, the cut and every segment's
script are computed again, and the chain of hashes is followed from the plan's sources to its outputs. docs/segments.md has the argument,
and the numbers of its points stand at the functions here.

A report is anybody's file. What is not exactly what an honest run writes is refused, by name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xboot.errors import InputError, UsageError
from xboot.foreign import printable
from xboot.model import Script, Source, SourceKind, Step
from xboot.segments.cut import AUTO, Segment, cut_plan, segment_script
from xboot.segments.divergence import Content
from xboot.segments.format import Material
from xboot.words import counted

__all__ = ["Checked", "check_segments"]

_FORMAT = 1
_HEX = r"^[0-9a-f]{64}$"
_WHEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Hashed(_Part):
    path: str
    narHash: str
    narSha256: str = Field(pattern=_HEX)
    narSize: int = Field(ge=0)
    references: list[str]


class _Source(_Hashed):
    kind: Literal["nar", "text", "fixed", "seed", "built"]


class _Output(_Hashed):
    step: int
    name: str


class _Earlier(_Part):
    planSha256: str = Field(pattern=_HEX)
    when: str


class _Segment(_Part):
    number: int
    steps: list[int]
    scriptSha256: str = Field(pattern=_HEX)
    imageSha256: str = Field(pattern=_HEX)
    baseSha256: str = Field(pattern=_HEX)
    sources: list[_Source]
    outputs: list[_Output]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    earlier: _Earlier | None
    worker: str | None = Field(min_length=1, max_length=200)


class _Base(_Part):
    sha256: str = Field(pattern=_HEX)
    xboot: str
    voter: str
    settings: dict[str, str]
    accelerator: str
    imageSha256: str = Field(pattern=_HEX)
    protocol: str
    bits: int
    processor: str
    below: list[list[str]]


class _Segments(_Part):
    format: int
    planSha256: str = Field(pattern=_HEX)
    voter: str
    cut: str
    cuts: list[list[int]]
    base: _Base
    segments: list[_Segment]


@dataclass(frozen=True, slots=True)
class Checked:
    """A chain that closes. `outputs`: store path → NAR SHA-256 (hex), NAR size and references, of every step that ran, in the plan's order.
    `whole`: every segment ran. `sealed`: each step had a boot of its own. `earlier`: numbers of segments that were taken from earlier runs.
    `base` is the digest of what all boots trust alike, `base_fields` what it is of. `materials`: what an attestation names of each boot.
    `seen`: the steps of each boot that ran, and its sources.
    """

    outputs: Mapping[str, tuple[str, int, Sequence[str]]]
    whole: bool
    sealed: bool
    boots: int
    earlier: Sequence[int]
    base: str
    base_fields: Mapping[str, Any]
    materials: Sequence[Material]
    seen: Sequence[tuple[Sequence[int], Mapping[str, Content]]]


def check_segments(value: object, plan: Script, where: str, given: Mapping[str, Content] | None = None) -> Checked:
    """Check the `segments` part of a report (format 1) of `plan`. `given`: in a comparison that went on after a difference, the outputs
    that this voter saw in later boots as others made them.

    Raises InputError, which names `where`, for one that does not close.
    """
    try:
        part = _Segments.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{where}: segments: {printable(place, 200)}: {first['msg']}") from None
    others = {path: Source(path, SourceKind.BUILT, Path(), of.sha256, of.size, of.references) for path, of in (given or {}).items()}
    return _Chain(plan, part, where, others).close()


@dataclass(slots=True)
class _Chain:
    plan: Script
    part: _Segments
    where: str
    given: Mapping[str, Source]
    built: dict[str, Source] = field(default_factory=dict)
    seen: list[tuple[Sequence[int], Mapping[str, Content]]] = field(default_factory=list)

    def close(self) -> Checked:
        part = self.part
        if part.format != _FORMAT:
            self._refuse(f"segments of format {part.format}; this xboot reads {_FORMAT}")
        if part.planSha256 != self.plan.sha256:
            self._refuse(f"segments of another plan ({part.planSha256[:16]}…, the target's is {self.plan.sha256[:16]}…)")
        self._check_base()
        cut = self._check_cut()
        ran = self._check_order(cut)
        for segment, its in zip(ran, part.segments, strict=True):
            self._check_segment(segment, its)
        return Checked(
            {path: (source.nar_sha256, source.nar_size, source.references) for path, source in self.built.items()},
            whole=len(ran) == len(cut), sealed=all(len(segment.steps) == 1 for segment in cut), boots=len(ran),
            earlier=[its.number for its in part.segments if its.earlier is not None], base=part.base.sha256,
            base_fields=part.base.model_dump(),
            materials=[Material(its.steps[0], its.steps[-1], its.scriptSha256, its.imageSha256) for its in part.segments],
            seen=self.seen,
        )  # fmt: skip

    def _check_base(self) -> None:
        """Point 4: one base, named by the digest of what it says, of the voter who ran all."""
        fields = self.part.base.model_dump(exclude={"sha256"})
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        if hashlib.sha256(text.encode()).hexdigest() != self.part.base.sha256:
            self._refuse("the digest of the base is not that of its fields")
        if self.part.base.voter != self.part.voter:
            self._refuse(f"the base is of {self.part.base.voter}, the run of {self.part.voter}")
        below = self.part.base.below
        if any(len(one) != 3 for one in below) or below != sorted(below):
            self._refuse("what stands below the image is not a sorted list of name, version and hash")

    def _check_cut(self) -> list[Segment]:
        """Point 1: the segments are the plan, every step once and in order, cut as it says."""
        cuts, count = self.part.cuts, len(self.plan.steps)
        if any(len(one) != 2 for one in cuts):
            self._refuse("a cut is not the first and the last step of a segment")
        ends = [0, *(last for _, last in cuts)]
        if ends[-1] != count or any(first != before + 1 or last < first for before, (first, last) in zip(ends, cuts, strict=False)):
            self._refuse(f"its cuts are not the plan's steps 1 to {count}, each once and in order")
        cut = [Segment(number, first, last) for number, (first, last) in enumerate(cuts, 1)]
        how = self.part.cut
        if how != AUTO:  # that one depends on memory and on times of earlier runs, which no report has
            try:
                expected = cut_plan(self.plan, how)
            except UsageError as error:
                self._refuse(f"it was cut as {how!r}: {error}")
            if expected != cut:
                self._refuse(f"the plan cut as {how!r} has other segments")
        return cut

    def _check_order(self, cut: Sequence[Segment]) -> list[Segment]:
        ran: list[Segment] = []
        for its in self.part.segments:
            if not 1 <= its.number <= len(cut) or (ran and its.number <= ran[-1].number):
                self._refuse(f"segment {its.number} is not one of the {len(cut)}, or not in the plan's order, or there twice")
            ran.append(cut[its.number - 1])
        images: dict[str, int] = {}
        for its in self.part.segments:
            if images.setdefault(its.imageSha256, its.number) != its.number:
                self._refuse(f"segments {images[its.imageSha256]} and {its.number} are of one image, which holds one script")
        return ran

    def _check_segment(self, segment: Segment, its: _Segment) -> None:
        """Points 2, 3 and 5: its script follows from the plan and from what the segments before it made."""
        name = f"segment {its.number}"
        if its.steps != list(segment.steps):
            self._refuse(f"{name}: its steps are not {segment.first} to {segment.last}")
        if its.baseSha256 != self.part.base.sha256:
            self._refuse(f"{name}: ran on another base ({its.baseSha256[:16]}…)")
        try:
            script = segment_script(self.plan, segment, {path: self.given.get(path, own) for path, own in self.built.items()})
        except KeyError as error:
            self._refuse(f"{name}: needs {error.args[0]}, which no segment before it made")
        self._check_sources(name, its.sources, script)
        if its.scriptSha256 != script.sha256:
            self._refuse(
                f"{name}: ran the script {its.scriptSha256[:16]}…; the plan and what was built before it give {script.sha256[:16]}…"
            )
        self.seen.append((segment.steps, {s.path: Content(s.nar_sha256, s.nar_size, s.references) for s in script.sources}))
        if its.earlier is not None:
            self._check_earlier(name, its.earlier)
        visible = {source.path for source in script.sources} | {output.path for step in script.steps for output in step.outputs}
        steps = [self.plan.steps[number - 1] for number in segment.steps]
        wanted = [(step, index) for step in steps for index in range(len(step.outputs))]
        if len(its.outputs) != len(wanted):
            self._refuse(f"{name}: lists {counted(len(its.outputs), 'output')}; its steps have {len(wanted)}")
        for (step, index), output in zip(wanted, its.outputs, strict=True):
            self._check_output(name, step, index, output, visible)

    def _check_sources(self, name: str, said: Sequence[_Source], script: Script) -> None:
        """Point 2: every source is one of the plan's, or was built by a segment before this one, with that hash and those references."""
        expected = {source.path: source for source in script.sources}
        for source in said:
            if source.path not in expected:
                self._refuse(f"{name}: has the source {source.path}, which its steps cannot see")
            known = expected[source.path]
            found = (source.kind, source.narSha256, source.narSize, list(source.references))
            if found != (known.kind.value, known.nar_sha256, known.nar_size, list(known.references)):
                origin = "the plan" if known.kind is not SourceKind.BUILT else "the segment that built it"
                if source.path in self.given:
                    origin = "the voter whose version it was given"
                self._refuse(f"{name}: the source {source.path} is not what {origin} says it is (kind, hash, size or references)")
            self._check_sri(name, source)
        if [source.path for source in said] != [source.path for source in script.sources]:
            self._refuse(f"{name}: its sources are not all that its steps can see, each once and in order")

    def _check_output(self, name: str, step: Step, index: int, output: _Output, visible: set[str]) -> None:
        expected = step.outputs[index]
        if (output.step, output.name, output.path) != (step.number, expected.name, expected.path):
            self._refuse(f"{name}: lists {output.path} where step {step.number} makes {expected.path}")
        self._check_sri(name, output)
        if output.references != sorted(set(output.references)) or not visible.issuperset(output.references):
            self._refuse(f"{name}: {output.path} refers to what its step could not see, or lists a path twice or in disorder")
        fixed = expected.fixed
        if fixed is not None and fixed.mode == "recursive" and fixed.sha256 != output.narSha256:
            self._refuse(f"{name}: {output.path} has not the hash that its derivation fixes")
        self.built[output.path] = Source(
            output.path, SourceKind.BUILT, Path(), output.narSha256, output.narSize, tuple(output.references)
        )  # fmt: skip

    def _check_earlier(self, name: str, earlier: _Earlier) -> None:
        try:
            moment = datetime.fromisoformat(earlier.when) if _WHEN.fullmatch(earlier.when) else None
        except ValueError:
            moment = None
        if moment is None or moment > datetime.now(UTC):
            self._refuse(f"{name}: was taken from a run that ended at {earlier.when!r}, which is no time, or not yet")

    def _check_sri(self, name: str, one: _Hashed) -> None:
        if one.narHash != "sha256-" + base64.b64encode(bytes.fromhex(one.narSha256)).decode():
            self._refuse(f"{name}: {one.path} has two different hashes")

    def _refuse(self, why: str) -> NoReturn:
        raise InputError(f"{self.where}: {printable(why)}")
