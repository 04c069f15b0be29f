"""What a comparison says beside its runs follows from them: who agrees, where the difference begins, and who went on with whose outputs.

Like all that checks a report, this was written without what runs anything, and computes again what it can.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NoReturn

from xboot._records import dataclass
from xboot.compare.independent import largest_apart
from xboot.errors import InputError, UsageError
from xboot.foreign import printable
from xboot.model import Script
from xboot.segments.divergence import Content, Evidence, inputs_to_go_on_with, step_states
from xboot.words import counted

__all__ = ["SaidRun", "check_comparison", "given_outputs"]

_STOPPED = re.compile(r"stopped before step ([1-9][0-9]{0,8}): the voters differ at step ([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class SaidRun:
    """One run of a comparison, whose report was checked by itself. `wrong`: outputs that are not what somebody expected."""

    evidence: Evidence
    failure: str
    sealed: bool
    wrong: Sequence[str]


def given_outputs(
    value: Mapping[str, Any], script: Script, made: Mapping[str, Mapping[str, Content]], where: str
) -> dict[str, dict[str, Content]]:
    """Of each voter the outputs of which it saw another's version, in a comparison that went on after a difference. `made`: voter → all
    that its run says that it built. Raises InputError, which names `where`, for wishes that no comparison has.
    """
    keep_going, of, quorum = value.get("keepGoing", False), value.get("inputsOf"), _quorum(value, where)
    if not isinstance(keep_going, bool) or not (of is None or isinstance(of, str)):
        _changed(where, "keepGoing or inputsOf is not what it can be")
    if of is not None and (not keep_going or of not in {*made, *_names(value.get("failures"))}):
        _changed(where, f"says that all went on with what {of[:100]!r} made, which is none of its voters, or that they did not go on")
    given: dict[str, dict[str, Content]] = {name: {} for name in made}
    if not keep_going:
        return given
    for output in (output.path for step in script.steps for output in step.outputs):
        by = {name: of_it[output] for name, of_it in made.items() if output in of_it}
        hashes = {name: content.sha256 for name, content in by.items()}
        for name in by:
            source = inputs_to_go_on_with(hashes, name, quorum=quorum, of=of)
            if source is not None and source != name:
                given[name][output] = by[source]
    return given


def check_comparison(value: Mapping[str, Any], runs: Mapping[str, SaidRun], script: Script, where: str) -> None:
    """Raises InputError, which names `where`, for a comparison that says of its runs what they do not say."""
    hashes = {
        o.path: {name: run.evidence.outputs[o.path] for name, run in runs.items() if o.path in run.evidence.outputs}
        for step in script.steps
        for o in step.outputs
    }
    said = value.get("outputs")
    if not isinstance(said, list) or [o.get("path") if isinstance(o, dict) else None for o in said] != list(hashes):
        _changed(where, "the comparison's outputs are not those of the script")
    places = {o.path: (step.number, step.drv, o.name) for step in script.steps for o in step.outputs}
    if any((o.get("step"), o.get("drv"), o.get("name")) != places[o["path"]] for o in said):
        _changed(where, "the comparison's outputs are not those of the script's steps")
    complete = [name for name, run in runs.items() if not run.failure]
    if value.get("complete") != complete:
        _changed(where, f"the voters that ran every step are {complete}, not those that it names")
    if any(o.get("narSha256") != hashes[o["path"]] or o.get("agreed") != (len(set(hashes[o["path"]].values())) <= 1) for o in said):
        _changed(where, "the comparison's hashes are not those of its runs")
    wrong = sorted({path for run in runs.values() for path in run.wrong})
    if value.get("wrong", wrong) != wrong:
        _changed(where, "the outputs that were not what was expected are not those that it names")
    failures = value.get("failures", {})
    if not isinstance(failures, dict) or any(failures.get(name) != run.failure for name, run in runs.items() if run.failure):
        _changed(where, "why voters did not run every step is not what their runs say")
    if set(failures) & set(complete):
        _changed(where, "a voter that ran every step is said to have failed")
    differs = {places[path][0] for path, found in hashes.items() if len(set(found.values())) > 1}
    _check_word(value, bool(differs), wrong, len(complete), where)
    _check_independent(value, complete, where)
    _check_steps(value, runs, script, differs, where)


def _check_word(value: Mapping[str, Any], differs: bool, wrong: Sequence[str], complete: int, where: str) -> None:
    """The verdict is what the runs say."""
    word = value.get("verdict")
    if word == "agreed" and (differs or wrong or _quorum(value, where) > complete):
        _changed(where, "says that all agree, which its runs contradict")
    if (differs or wrong) and word != "differs":
        _changed(where, f"its runs differ, and it says {str(word)[:40]!r}")
    if not (differs or wrong) and word == "differs":
        _changed(where, "says that voters differ, which its runs contradict")
    if word not in ("agreed", "differs", "could not run", "interrupted"):
        _changed(where, f"its verdict is {str(word)[:40]!r}")


def _check_independent(value: Mapping[str, Any], complete: Sequence[str], where: str) -> None:
    """The independent voters follow from who is said to share what, and voters of one backend or machine are said to share it. What the
    voters were made of is the report's word.
    """
    said = value.get("independent")
    if said is None:  # of before there were any
        return
    try:
        pairs = [(tuple(one["voters"]), bool(one["guestCode"]), bool(one["below"])) for one in said["shared"]]
        guest, below = ({names for names, *of in pairs if of[which]} for which in (0, 1))
        found = [list(largest_apart(complete, sorted(names))) for names in (guest, below, guest | below)]
    except (KeyError, TypeError, ValueError, UsageError):
        _changed(where, "what it says of independent voters cannot be followed")
    if [said.get(name) for name in ("guestCode", "machines", "both")] != found:
        _changed(where, "the independent voters are not those that follow from what voters share")
    for one, other in combinations(complete, 2):
        mine, theirs = value["runs"][one], value["runs"][other]  # each was checked by itself, and names its voter
        if mine["backend"] == theirs["backend"] and (one, other) not in guest:
            _changed(where, f"{one} and {other} are one backend, and are said to share no guest code")
        if mine.get("machine") == theirs.get("machine") and (one, other) not in below:
            _changed(where, f"{one} and {other} are on one machine, and are said to share none")
    asked, machines = said.get("asked"), said.get("askedMachines")
    if not (asked is None or (isinstance(asked, int) and not isinstance(asked, bool))) or not isinstance(machines, bool):
        _changed(where, "how many independent voters were asked for is not what it can be")
    if value.get("verdict") == "agreed" and len(found[2] if machines else found[0]) < (asked or 0):
        _changed(where, "says that all agree, and too few are independent")


def _check_steps(value: Mapping[str, Any], runs: Mapping[str, SaidRun], script: Script, differs: set[int], where: str) -> None:
    """Where the difference begins, who stopped because of it, and how all were sealed."""
    for name, run in runs.items():
        stopped = _STOPPED.fullmatch(run.failure)
        if stopped is None:
            continue
        before, at = int(stopped[1]), int(stopped[2])
        ran = {step.number for step in script.steps if all(o.path in run.evidence.outputs for o in step.outputs)}
        if value.get("keepGoing", False) or at not in differs or at >= before or ran != set(range(1, before)):
            _changed(where, f"{name} is said to have {run.failure}, which its runs contradict")
    states = step_states(script, {name: run.evidence for name, run in runs.items()})
    expected = [
        {"step": s.step, "drv": s.drv, "state": s.state.value, "voters": [list(group) for group in s.groups],
         "given": {name: list(paths) for name, paths in s.given.items()}}
        for s in states
    ]  # fmt: skip
    said = value.get("steps")
    if said is None and not value.get("keepGoing", False):  # of before there were any
        return
    if not isinstance(said, list) or len(said) != len(expected):
        _changed(where, f"does not say of each of the script's {counted(len(expected), 'step')} what came of it")
    for mine, theirs in zip(expected, said, strict=True):
        if mine != theirs:
            state = theirs.get("state") if isinstance(theirs, dict) else None
            other = "" if state == mine["state"] else f"; by its runs it is {mine['state']!r}"
            _changed(where, f"step {mine['step']} is said to be {str(state)[:40]!r}, by other voters or inputs than its runs have{other}")
    sealed = "steps" if runs and all(run.sealed for run in runs.values()) else "run"
    if value.get("seal") != sealed:
        _changed(where, f"says that it is sealed by {str(value.get('seal'))[:40]!r}, which its runs contradict")


def _quorum(value: Mapping[str, Any], where: str) -> int:
    quorum = value.get("quorum")
    if not isinstance(quorum, int) or isinstance(quorum, bool) or quorum < 1:
        _changed(where, f"its quorum is {str(quorum)[:40]!r}")
    return quorum


def _names(value: object) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _changed(where: str, why: str) -> NoReturn:
    raise InputError(f"{where}: {printable(why)}; it was changed")
