"""Who of several voters is independent of whom, in words and as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xboot.compare.independent import Independence, Shared
from xboot.words import counted

__all__ = ["counts", "independence_report", "sentences"]


def counts(found: Independence) -> str:
    """How many of how many voters are independent, and who: of several sets that large, one."""

    def of(names: Sequence[str], words: str) -> str:
        return f"{words} ({', '.join(names)})" if len(names) > 1 else words

    return (
        f"{len(found.guest)} of {counted(len(found.voters), 'voter')} {of(found.guest, 'by guest code')}, "
        f"{len(found.machines)} {of(found.machines, 'by machine')}, {len(found.both)} {of(found.both, 'by both')}"
    )


def sentences(found: Independence) -> Iterator[str]:
    """All that is to be said of several voters: the counts, who shares what, and who is independent of nobody. Nothing of one alone."""
    if len(found.voters) < 2:
        return
    yield f"independent: {counts(found)}"
    if found.left_out:
        yield f"unknown {counted(found.left_out, 'other voter')}: more than can be searched among; of each signer there are as many"
    for names, what in _groups(found.pairs, lambda pair: pair.guest):
        yield f"shared  guest code of {', '.join(names)}: {', '.join(what)}"
    for names, what in _groups(found.pairs, lambda pair: pair.below):
        yield f"shared  below {', '.join(names)}: {', '.join(what)}"
    for name, what in found.unknown.items():
        yield f"unknown {name}: nobody lists the sources of {', '.join(what)}, so it is independent of nobody"
    if found.unmeasured:
        yield f"unknown what is below {', '.join(found.unmeasured)}: it was not measured, and counts as shared"


def independence_report(found: Independence, asked: int | None, *, machines: bool) -> dict[str, Any]:
    """The same as JSON values (docs/compare.md)."""
    return {
        "asked": asked,
        "askedMachines": machines,
        "guestCode": list(found.guest),
        "machines": list(found.machines),
        "both": list(found.both),
        "shared": [
            {"voters": [pair.one, pair.other], "guestCode": list(pair.in_guest), "below": list(pair.in_machine)} for pair in found.pairs
        ],
        "unknown": {name: list(what) for name, what in found.unknown.items()},
        "opaque": {name: list(what) for name, what in found.opaque.items()},
        "unmeasured": list(found.unmeasured),
    }


def _groups(pairs: Sequence[Shared], touch: Callable[[Shared], Sequence[str]]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Voters that hang together by what they share, and all that any two of them share."""
    groups: list[tuple[dict[str, None], dict[str, None]]] = []
    for pair in pairs:
        what = touch(pair)
        if not what:
            continue
        names, words = dict.fromkeys((pair.one, pair.other)), dict.fromkeys(what)
        apart = []
        for group in groups:
            if names.keys() & group[0].keys():
                names, words = group[0] | names, group[1] | words
            else:
                apart.append(group)
        groups = [*apart, (names, words)]
    yield from ((list(names), list(words)) for names, words in groups)
