"""Where voters begin to differ: of each step of a plan, whether its inputs were the same everywhere, and whether its outputs are.

A step *differs by itself* when voters that saw the same bytes made different ones: there the difference begins. One whose inputs differed
already says nothing about itself: it is *not comparable*. Nothing here runs anything; who checks a report computes the same.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence

from xboot._records import dataclass
from xboot.model import Script, Step

__all__ = ["Content", "Evidence", "StepComparison", "StepState", "evidence_of", "inputs_to_go_on_with", "step_states"]


class StepState(enum.Enum):
    """What a comparison says of one step."""

    AGREES = "agrees"
    """All that built it saw the same and made the same, and they are two at least."""
    DIFFERS = "differs"
    """Voters that saw the same made different bits."""
    NOT_COMPARABLE = "not comparable"
    """Its inputs differed already, and of those that saw the same none made other bits than another."""
    ALONE = "alone"
    """One voter built it."""
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at a store path: the SHA-256 (hex) and the size of its NAR, and the paths that it refers to."""

    sha256: str
    size: int
    references: Sequence[str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one voter saw and made. `inputs`: step → store path → NAR SHA-256, of all that the step's builder could see. `outputs`: store
    path → NAR SHA-256 of all that was built. `given`: step → outputs of earlier steps that it saw as others made them.
    """

    inputs: Mapping[int, Mapping[str, str]]
    outputs: Mapping[str, str]
    given: Mapping[int, Sequence[str]]


@dataclass(frozen=True, slots=True)
class StepComparison:
    """One step. `groups`: the voters that built it, together those that saw the same, in the order of the voters. `given`: voter → inputs
    that it did not make itself but had from the comparison.
    """

    step: int
    drv: str
    state: StepState
    groups: Sequence[Sequence[str]]
    given: Mapping[str, Sequence[str]]


def _seen_inputs(step: Step, known: Mapping[str, Content]) -> dict[str, str]:
    """Store path → NAR SHA-256 of all that a step's builder can see or read of: what it declares, and all that this refers to, as far as it
    is in `known`.
    """
    found: dict[str, str] = {}
    todo = [*step.inputs, *(path for _, paths in step.graphs for path in paths)]
    while todo:
        path = todo.pop()
        if path not in found and path in known:
            found[path] = known[path].sha256
            todo += known[path].references
    return found


def evidence_of(plan: Script, boots: Iterable[tuple[Sequence[int], Mapping[str, Content]]], made: Mapping[str, Content]) -> Evidence:
    """What one voter saw and made. `boots`: the steps of each boot, by the plan's numbers, and its sources. `made`: all that it built."""
    inputs: dict[int, Mapping[str, str]] = {}
    given: dict[int, Sequence[str]] = {}
    for steps, sources in boots:
        known = {**made, **sources}  # what it made of a path counts for nothing where it was given another version
        for step in (plan.steps[number - 1] for number in steps):
            inputs[step.number] = seen = _seen_inputs(step, known)
            given[step.number] = sorted(path for path in seen if path in made and made[path].sha256 != seen[path])
    return Evidence(inputs, {path: content.sha256 for path, content in made.items()}, given)


def step_states(plan: Script, evidence: Mapping[str, Evidence]) -> list[StepComparison]:
    """Every step of `plan`, in order. `evidence`: by voter."""
    return [_compared(step, evidence) for step in plan.steps]


def _compared(step: Step, evidence: Mapping[str, Evidence]) -> StepComparison:
    paths = [output.path for output in step.outputs]
    built = {name: of for name, of in evidence.items() if any(path in of.outputs for path in paths)}
    groups: list[list[str]] = []
    for name, of in built.items():
        mine = of.inputs.get(step.number)
        home = next((group for group in groups if evidence[group[0]].inputs.get(step.number) == mine), None)
        if home is None:
            groups.append([name])
        else:
            home.append(name)
    differs = any(len({built[name].outputs[p] for name in group if p in built[name].outputs}) > 1 for group in groups for p in paths)
    if not built:
        state = StepState.NOT_RUN
    elif differs:
        state = StepState.DIFFERS
    elif len(groups) > 1:
        state = StepState.NOT_COMPARABLE
    else:
        state = StepState.AGREES if len(built) > 1 else StepState.ALONE
    given = {name: of.given[step.number] for name, of in built.items() if of.given.get(step.number)}
    return StepComparison(step.number, step.drv, state, groups, given)


def inputs_to_go_on_with(
    made: Mapping[str, str], own: str, *, quorum: int, of: str | None = None, outstanding: Iterable[str] = ()
) -> str | None:
    """Whose version of an output the voter `own` goes on with: a voter's name, that may be its own; None as long as those who are
    `outstanding` can still change it. `made`: voter → NAR SHA-256 of those that built it, in the order of the voters.

    With `of` it is that voter's. Otherwise the one version that `quorum` voters made and no other version has so many; where there is none,
    and where the wanted voter made nothing, everybody goes on with their own.
    """
    left = set(outstanding) - made.keys()
    if of is not None:
        wanted = made.get(of)
        if wanted is None:
            return None if of in left else own
    else:
        counts = {value: list(made.values()).count(value) for value in made.values()}
        reach = [value for value, count in counts.items() if count + len(left) >= quorum]
        if len(left) >= quorum and left:
            return None  # a version that nobody made so far
        if not reach:
            return own
        enough = [value for value in reach if counts[value] >= quorum]
        if len(reach) > 1 or not enough:
            return own if not left else None
        wanted = enough[0]
    return own if made.get(own) == wanted else next(name for name, value in made.items() if value == wanted)
