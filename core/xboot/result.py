"""What came of a run, whole: what reporters, comparisons and attestations are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xboot._records import dataclass
from xboot.model import Artifact, Boot, BootImage, Component, Script, Verdict
from xboot.segments.format import SegmentedRun
from xboot.voter import Voter

__all__ = ["Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run, with what was booted (the image's files are gone by then, what is known of them is not). `voter` is whole:
    its executor and its machine are named. `settings` are those that its backend was given. `components`: what
    the image makes you trust, measured from the very files that were booted, and `below` what stands below it; both are empty unless
    `Request.measure` asked for them. `unmeasured`: why that was not possible. `base`: `locked` when kernel and executor are made of what
    xboot.lock has, else `drifted: ` and what is not; empty when the backend took nothing from elsewhere. `segments`: the boots, when there
    were several; then `image` and `boot` are those of no step, and what was measured is what all have in common. `handed`: the guest code
    that this core gave to the backend while it prepared the image.
    """

    voter: Voter
    settings: Mapping[str, str]
    script: Script
    image: BootImage
    boot: Boot
    verdict: Verdict
    components: Sequence[Component] = ()
    below: Sequence[Component] = ()
    unmeasured: str = ""
    base: str = ""
    segments: SegmentedRun | None = None
    handed: Sequence[Artifact] = ()
