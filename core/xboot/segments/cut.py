"""The cut: which steps of a plan run together, and the script of each such segment. Pure, and the same for the same plan and limits.

A segment is a run of consecutive steps of the plan. Its script is one like any other: the steps as they stand in the plan, numbered from 1,
and as sources all that they can see that they do not make themselves: sources of the plan, and outputs of earlier segments with the hash
and the references that the host found in them (`SourceKind.BUILT`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from hashlib import sha256

from xboot._records import dataclass
from xboot.errors import UsageError
from xboot.linearize import script_text
from xboot.model import Script, Source, SourceKind, Step

__all__ = [
    "ASSUMED_SIZE",
    "AUTO",
    "EACH",
    "WHOLE",
    "Limits",
    "Segment",
    "cut_plan",
    "expected_memory",
    "expected_seconds",
    "expected_size",
    "known_before",
    "limits_of",
    "seen_sources",
    "segment_script",
    "segments_to",
    "waits_for",
]

WHOLE, EACH, AUTO = "none", "steps", "auto"
ASSUMED_SIZE = 16 << 20
"""Bytes that an output is taken to have as long as no earlier run knows better."""
USUAL_MEMORY = 3072
"""MiB that a guest is taken to have unless the user says otherwise: the cut must not depend on what is free on this host just now."""
_SHARE = 3  # of a guest's memory for what it holds: packed, unpacked, and room to work in
_DEFAULT_SIZE = USUAL_MEMORY // _SHARE << 20
_DEFAULT_SECONDS = 1800.0
_ASSUMED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Segment:
    """The steps `first` to `last` of a plan, both included, as its `number`th segment. All count from 1."""

    number: int
    first: int
    last: int

    @property
    def steps(self) -> range:
        """The numbers of its steps, as the plan has them."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What `auto` cuts by. `size`: bytes of sources and outputs that one guest may hold; `seconds`: that one boot should take.

    `sizes` (store path → bytes of its NAR) and `times` (step → seconds) are what earlier runs found; what they do not know is assumed.
    """

    size: int = _DEFAULT_SIZE
    seconds: float = _DEFAULT_SECONDS
    sizes: Mapping[str, int] = field(default_factory=dict)
    times: Mapping[int, float] = field(default_factory=dict)


def limits_of(
    memory: int | None, max_payload: int = 0, sizes: Mapping[str, int] | None = None, times: Mapping[int, float] | None = None
) -> Limits:
    """The limits for guests of `memory` MiB (None: the usual), whose kernel holds `max_payload` bytes (0: not known)."""
    size = ((memory or USUAL_MEMORY) << 20) // _SHARE
    return Limits(min(size, max_payload or size), sizes=sizes or {}, times=times or {})


def cut_plan(plan: Script, how: str, limits: Limits | None = None) -> list[Segment]:
    """The segments of `plan`, in its order; together they are all its steps. `how`: `none` (one segment), `steps` (one for each step),
    `auto` (as few as keep to `limits`, cut where the fewest bytes go over), or a number of segments of about the same number of steps.

    Raises UsageError for anything else.
    """
    count = len(plan.steps)
    if how == WHOLE:
        ends = [count] if count else []
    elif how == EACH:
        ends = list(range(1, count + 1))
    elif how == AUTO:
        ends = _ends_within(plan, limits or Limits())
    elif how.isascii() and how.isdigit() and 0 < len(how) < 10 and int(how) > 0:
        wanted = min(int(how), count)
        ends = [count * (i + 1) // wanted for i in range(wanted)]  # none of no steps
    else:
        raise UsageError(f"--segments {how}: expected none, auto, steps, or a number of segments")
    return segments_to(ends)


def segments_to(ends: Sequence[int]) -> list[Segment]:
    """Segments that end with these steps of a plan, which go up to its last."""
    starts = [1, *(end + 1 for end in ends)]
    return [Segment(number, start, end) for number, (start, end) in enumerate(zip(starts, ends, strict=False), 1)]


def segment_script(plan: Script, segment: Segment, built: Mapping[str, Source]) -> Script:
    """The script of one segment. `built` has every output of earlier segments that it can see, as a source of kind `BUILT`.

    Raises KeyError for an output that is not there: its segment has not run.
    """
    steps = [replace(plan.steps[number - 1], number=at) for at, number in enumerate(segment.steps, 1)]
    known = {source.path: source for source in plan.sources}
    own = {output.path for step in steps for output in step.outputs}
    sources = _closure((path for step in steps for path in _seen(step) if path not in own), lambda path: _source(path, known, built))
    results = [output.path for step in steps for output in step.outputs]
    text = script_text(plan.store_dir, sources, steps, results)
    there = {source.path for source in sources}
    seeds = [path for path in plan.seeds if path in there]
    return Script(text, sha256(text).hexdigest(), plan.store_dir, sources, steps, results, seeds)


def waits_for(plan: Script, segments: Sequence[Segment]) -> list[frozenset[int]]:
    """For each segment the numbers of those whose outputs it may see, and so must wait for: by what its steps declare, and by what these
    saw in turn, since a built output can refer only to what its step saw.
    """
    maker = {path: number for number, path in _outputs(plan)}
    home = {number: segment.number for segment in segments for number in segment.steps}
    sees: dict[int, frozenset[int]] = {}
    for step in plan.steps:
        direct = {maker[path] for path in _seen(step) if path in maker}
        sees[step.number] = frozenset(direct).union(*(sees[one] for one in direct))
    return [frozenset(home[one] for number in segment.steps for one in sees[number]) - {segment.number} for segment in segments]


def expected_size(plan: Script, segment: Segment, limits: Limits) -> tuple[int, int]:
    """Bytes that a segment's guest is expected to hold: of its sources (those of the plan, and of earlier segments), and of its outputs."""
    seen, own = _held(plan, segment)
    weigh = _weigher(limits, {source.path: source.nar_size for source in plan.sources})
    return sum(map(weigh, seen)), sum(map(weigh, own))


def expected_seconds(segment: Segment, limits: Limits) -> float:
    """Seconds that a segment's boot is expected to take."""
    return sum(limits.times.get(number, _ASSUMED_SECONDS) for number in segment.steps)


def known_before(plan: Script, segment: Segment, limits: Limits) -> tuple[int, int, int, int]:
    """Of what a segment holds that is made by steps: how many sizes earlier runs found, of how many; and the same of its steps' times."""
    seen, own = _held(plan, segment)
    made = (seen | own) - {source.path for source in plan.sources}
    return len(made & limits.sizes.keys()), len(made), sum(n in limits.times for n in segment.steps), len(segment.steps)


def expected_memory(sources: int, outputs: int) -> int:
    """MiB of memory for a guest that holds so many bytes."""
    return _SHARE * -(-(sources + outputs) >> 20)


def seen_sources(plan: Script, segment: Segment) -> tuple[int, int]:
    """How many of the plan's sources a segment holds, and how many outputs of earlier ones, as far as the plan alone tells: what an output
    will refer to is not known.
    """
    seen, _ = _held(plan, segment)
    known = {source.path for source in plan.sources}
    return len(seen & known), len(seen - known)


def _held(plan: Script, segment: Segment) -> tuple[set[str], set[str]]:
    """What a segment gets, and what it makes."""
    own = {path for number, path in _outputs(plan) if number in segment.steps}
    references = {source.path: source.references for source in plan.sources}
    seen: set[str] = set()
    todo = [path for number in segment.steps for path in _seen(plan.steps[number - 1])]
    while todo:
        path = todo.pop()
        if path not in seen and path not in own:
            seen.add(path)
            todo += references.get(path, ())
    return seen, own


def _weigher(limits: Limits, size: Mapping[str, int]) -> Callable[[str], int]:
    return lambda path: size[path] if path in size else limits.sizes.get(path, ASSUMED_SIZE)


def _outputs(plan: Script) -> Iterable[tuple[int, str]]:
    return ((step.number, output.path) for step in plan.steps for output in step.outputs)


def _seen(step: Step) -> list[str]:
    """What a step declares to see: its inputs, and what it wants listed."""
    return [*step.inputs, *(path for _, paths in step.graphs for path in paths)]


def _source(path: str, known: Mapping[str, Source], built: Mapping[str, Source]) -> Source:
    source = known[path] if path in known else built[path]
    assert path in known or source.kind is SourceKind.BUILT
    return source


def _closure(paths: Iterable[str], source: Callable[[str], Source]) -> list[Source]:
    """The sources behind `paths`, and all that they refer to, in the order of their paths."""
    found: dict[str, Source] = {}
    todo = list(paths)
    while todo:
        path = todo.pop()
        if path not in found:
            found[path] = source(path)
            todo += found[path].references
    return [found[path] for path in sorted(found)]


def _ends_within(plan: Script, limits: Limits) -> list[int]:
    """The last steps of segments that keep to the limits: as few segments as possible, and of such cuts the one that carries the fewest
    bytes over. A step that is too much by itself stands alone: nothing smaller can be cut.
    """
    count = len(plan.steps)
    carried = _carried(plan, limits)
    best: list[tuple[int, int, int]] = [(0, 0, 0)]  # for the first n steps: segments, bytes carried over, where the last one begins
    for end in range(1, count + 1):
        choices = []
        for start in _starts(plan, end, limits):
            segments, size, _ = best[start - 1]
            choices.append((segments + 1, size + carried[start - 1], start))
        best.append(min(choices))
    ends: list[int] = []
    while count:
        ends.append(count)
        count = best[count][2] - 1
    return ends[::-1]


def _starts(plan: Script, end: int, limits: Limits) -> Iterable[int]:
    """The steps at which a segment that ends with step `end` may begin, from the last down."""
    weigh = _weigher(limits, {source.path: source.nar_size for source in plan.sources})
    held: set[str] = set()
    size, seconds = 0, 0.0
    for start in range(end, 0, -1):
        step = plan.steps[start - 1]
        more = {*_seen(step), *(output.path for output in step.outputs)} - held
        held |= more
        size += sum(map(weigh, more))
        seconds += limits.times.get(start, _ASSUMED_SECONDS)
        if start < end and (size > limits.size or seconds > limits.seconds):
            return
        yield start


def _carried(plan: Script, limits: Limits) -> list[int]:
    """For n = 0, 1, …: bytes of outputs of the first n steps that later ones see."""
    weigh = _weigher(limits, {})
    made = {path: number for number, path in _outputs(plan)}
    last: dict[str, int] = {}
    for step in plan.steps:
        last |= {path: step.number for path in _seen(step) if path in made}
    change = [0] * (len(plan.steps) + 2)
    for path, until in last.items():
        change[made[path]] += weigh(path)
        change[until] -= weigh(path)
    total, found = 0, []
    for n in range(len(plan.steps) + 1):
        total += change[n]
        found.append(total)
    return found
