"""Which cut a run gets: from what its user said, or the usual one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from xboot.errors import UsageError
from xboot.model import EMPTY_SCRIPT
from xboot.pipeline import resolve
from xboot.plugins import Plugins
from xboot.request import USUAL_CUT, Request
from xboot.segments.cut import EACH, WHOLE, cut_plan
from xboot.voter import Voter

__all__ = ["settle_cut", "wanted_cut"]


def wanted_cut(seal: str | None, segments: str | None) -> str:
    """How to cut, from what a user said. Raises UsageError for what contradicts itself or is unknown."""
    if seal not in (None, EACH, "run"):
        raise UsageError(f"--seal {seal}: expected steps or run")
    if seal == EACH and segments not in (None, EACH):
        raise UsageError(f"--seal steps and --segments {segments}: sealed steps have one boot each", hint="leave out one of them")
    how = EACH if seal == EACH else segments or (WHOLE if seal else USUAL_CUT)
    if how != USUAL_CUT:
        cut_plan(EMPTY_SCRIPT, how)
    return how


def settle_cut(request: Request, voters: Iterable[Voter], plugins: Plugins) -> Request:
    """The same request with a cut that is named: unless the user named one, each step has a boot of its own (docs/segments.md). All steps
    are in one boot where that cannot be: a wish is about one image, or a backend or machine of `voters` cannot bring out what a step made.

    Raises UsageError for a voter that there is not.
    """
    if request.segments != USUAL_CUT:
        return request
    whole = [resolve(voter, plugins, request.machine) for voter in voters]
    can = all(_brings_out(voter, plugins) for voter in whole) and request.run.keep is None and not request.run.gdb
    return replace(request, segments=EACH if can else WHOLE)


def _brings_out(voter: Voter, plugins: Plugins) -> bool:
    return (
        "export" in plugins.backend(voter.backend).abilities
        and "read-memory" in plugins.machine(voter.machine, voter.address).info.abilities
    )
