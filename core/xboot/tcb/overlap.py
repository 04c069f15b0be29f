"""What two images have in common: kernels vouch for one another only as far as they differ."""

from __future__ import annotations

from collections.abc import Sequence

from xboot._records import dataclass
from xboot.model import Component, Role


@dataclass(frozen=True, slots=True)
class Overlap:
    """`lines`: source lines compiled into both, by the hash of their files. `bytes`: components that are the same to
    the byte, by name in `components`.

    The seeds and the script are the derivation's, the same for every backend by design, and are not counted.
    """

    lines: int
    bytes: int
    components: Sequence[str]


def overlap(one: Sequence[Component], other: Sequence[Component]) -> Overlap:
    """The overlap of two images."""
    lines = {sha: count for c in one for sha, count in c.source_lines.items()}
    theirs = {sha for c in other for sha in c.source_lines}
    same = {c.sha256 for c in other if c.sha256}
    shared = [c for c in one if c.sha256 in same and c.role not in (Role.SEED, Role.SCRIPT, Role.PADDING)]
    return Overlap(sum(count for sha, count in lines.items() if sha in theirs), sum(c.bytes for c in shared), [c.name for c in shared])
