"""What earlier runs tell of a plan before it is cut: how large the outputs of its steps are, how long the steps take, and where it was cut.

By this a run is arranged, and nothing is verified. It is the same for every voter, so that all voters of a comparison, and `xboot plan`,
cut in the same way.
"""

from __future__ import annotations

import hashlib
import json
import math

from xboot.model import Script
from xboot.segments.cut import AUTO, Limits, Segment, cut_plan, limits_of, segments_to
from xboot.segments.store import ResultsStore

__all__ = ["limits_by_results", "stored_cut"]


def limits_by_results(store: ResultsStore | None, plan: Script, memory: int | None, max_payload: int = 0) -> Limits:
    """The limits of `limits_of`, with sizes and times from the results of this plan's steps, of whatever plan they were then. An output's
    path names all that its step is made of; where several boots made it, on whatever voter, the largest size and the longest time count.
    """
    wanted = {output.path: step.number for step in plan.steps for output in step.outputs}
    sizes: dict[str, int] = {}
    times: dict[int, float] = {}
    for body in store.verdicts() if store is not None else ():
        try:
            found = [(path, int(size), float(body["times"][at])) for at, _, path, _, size, _ in body["outputs"] if path in wanted]
        except (KeyError, IndexError, TypeError, ValueError):
            continue  # of another version
        for path, size, seconds in found:
            if size >= 0 and 0 <= seconds < math.inf:
                sizes[path] = max(size, sizes.get(path, 0))
                times[wanted[path]] = max(seconds, times.get(wanted[path], 0.0))
    return limits_of(memory, max_payload, sizes, times)


def stored_cut(
    store: ResultsStore, plan: Script, how: str, memory: int | None, max_payload: int = 0, *, fresh: bool = False, keep: bool = True
) -> list[Segment]:
    """The segments of `plan`, as `cut_plan` has them. `auto` is cut where the last run of this plan with the same limits did (but not if
    `fresh`), since what it left is of those segments and of no others; else by what earlier results say, and that is kept (if `keep`).
    """
    if how != AUTO:
        return cut_plan(plan, how)
    bare = limits_of(memory, max_payload)
    name = _name(plan, bare)
    ends = None if fresh else store.cut(name)
    if ends is None or sorted({0, *ends}) != [0, *ends] or ends[-1:] != [len(plan.steps)]:
        ends = [segment.last for segment in cut_plan(plan, AUTO, limits_by_results(store, plan, memory, max_payload))]
        if keep:
            store.put_cut(name, ends)
    return segments_to(ends)


def _name(plan: Script, limits: Limits) -> str:
    return hashlib.sha256(json.dumps([plan.sha256, limits.size, limits.seconds]).encode()).hexdigest()
