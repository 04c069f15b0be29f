"""The `segments` part of a report: what a run of several boots says of each of them. docs/segments.md describes every field.

Nothing here runs anything: who checks a report needs this module and `cut`, and no runner.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from xboot._records import dataclass

__all__ = ["FORMAT", "Base", "BuiltOutput", "Earlier", "Material", "SegmentRun", "SegmentSource", "SegmentedRun", "segments_json"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Base:
    """What all boots of a run trust alike: everything but scripts and sources.

    `image_sha256` is that of the image without a script. `below`: name, version and SHA-256 of what stands below the image, as the machine
    and this host name them. `protocol`, `bits` and `processor` are what the backend asks of the machine.
    """

    xboot: str
    voter: str
    settings: Mapping[str, str]
    accelerator: str
    image_sha256: str
    protocol: str
    bits: int
    processor: str
    below: Sequence[tuple[str, str, str]]

    def fields(self) -> dict[str, Any]:
        """As JSON values, by the names of docs/segments.md."""
        return {
            "xboot": self.xboot,
            "voter": self.voter,
            "settings": dict(self.settings),
            "accelerator": self.accelerator,
            "imageSha256": self.image_sha256,
            "protocol": self.protocol,
            "bits": self.bits,
            "processor": self.processor,
            "below": [list(one) for one in self.below],
        }

    @property
    def sha256(self) -> str:
        """SHA-256, in hex, of `fields` as JSON in ASCII, names sorted, without white space."""
        return hashlib.sha256(json.dumps(self.fields(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SegmentSource:
    """A source of one segment. `kind` is as in the report's `sources`, or `built`: an output of an earlier segment of this run."""

    path: str
    kind: str
    nar_sha256: str
    nar_size: int
    references: Sequence[str]


@dataclass(frozen=True, slots=True)
class BuiltOutput:
    """An output of a segment, with hash, size and references as the host found them in what was brought out. `step` is the plan's."""

    step: int
    name: str
    path: str
    nar_sha256: str
    nar_size: int
    references: Sequence[str]


@dataclass(frozen=True, slots=True)
class Earlier:
    """That a segment was not booted for this run: `plan_sha256` is the plan for which it was, `when` the time of that boot's end (UTC)."""

    plan_sha256: str
    when: str


@dataclass(frozen=True, slots=True)
class SegmentRun:
    """One segment that ran to its end. `steps` are the plan's; `seconds` from the machine's start to its end, also of an earlier boot.
    `worker`: who of a cluster booted it, as the scheduler knows it; empty for this host.
    """

    number: int
    steps: Sequence[int]
    script_sha256: str
    image_sha256: str
    base_sha256: str
    sources: Sequence[SegmentSource]
    outputs: Sequence[BuiltOutput]
    seconds: float
    earlier: Earlier | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """What an attestation names of one boot: first and last step by the plan's numbers, and the SHA-256 of script and image."""

    first: int
    last: int
    script_sha256: str
    image_sha256: str


@dataclass(frozen=True, slots=True)
class SegmentedRun:
    """All boots of a run that ran to their ends, in the plan's order. `cut`: how the plan was cut, and `cuts` the steps of all segments,
    also of those that did not run.
    """

    plan_sha256: str
    voter: str
    cut: str
    cuts: Sequence[tuple[int, int]]
    base: Base
    segments: Sequence[SegmentRun]

    @property
    def sealed(self) -> bool:
        """Each step had a boot of its own."""
        return all(first == last for first, last in self.cuts)

    @property
    def materials(self) -> list[Material]:
        """Each boot, as an attestation names it."""
        return [Material(one.steps[0], one.steps[-1], one.script_sha256, one.image_sha256) for one in self.segments]


def segments_json(run: SegmentedRun) -> dict[str, Any]:
    """The report's `segments` part, as JSON values."""
    return {
        "format": FORMAT,
        "planSha256": run.plan_sha256,
        "voter": run.voter,
        "cut": run.cut,
        "cuts": [list(steps) for steps in run.cuts],
        "base": {"sha256": run.base.sha256, **run.base.fields()},
        "segments": [_segment(segment) for segment in run.segments],
    }


def _segment(segment: SegmentRun) -> dict[str, Any]:
    earlier = segment.earlier
    return {
        "number": segment.number,
        "steps": list(segment.steps),
        "scriptSha256": segment.script_sha256,
        "imageSha256": segment.image_sha256,
        "baseSha256": segment.base_sha256,
        "sources": [
            {"path": s.path, "kind": s.kind, **_hash(s.nar_sha256, s.nar_size), "references": list(s.references)} for s in segment.sources
        ],
        "outputs": [
            {"step": o.step, "name": o.name, "path": o.path, **_hash(o.nar_sha256, o.nar_size), "references": list(o.references)}
            for o in segment.outputs
        ],
        "seconds": round(segment.seconds, 3),
        "earlier": None if earlier is None else {"planSha256": earlier.plan_sha256, "when": earlier.when},
        "worker": segment.worker or None,
    }


def _hash(sha256: str, size: int) -> dict[str, Any]:
    return {"narHash": "sha256-" + base64.b64encode(bytes.fromhex(sha256)).decode(), "narSha256": sha256, "narSize": size}
