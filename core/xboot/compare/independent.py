"""How many of the voters that agree are independent: what two of them share, both can get wrong in the same way.

A voter is made of parts, each known by a SHA-256: the components of its image, the source files that were compiled into them, and what
stands below the image. Two voters share guest code when a part of one image is a part of the other, or when they are one backend; they
share a machine when anything below them is the same. What is not known is shared: a voter whose kernel or executor nobody lists the sources
of may hold anybody's code, so it is independent of nobody.

Only this module says what independent means. It is given what was measured (`xboot.compare.makeup`) or what somebody signed for
(`xboot.attest`), and runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from itertools import combinations

from xboot._records import dataclass
from xboot.errors import UsageError

__all__ = ["MOST_KINDS", "MOST_VOTERS", "Independence", "Makeup", "Shared", "independence", "largest_apart", "shared"]

MOST_KINDS = 32
"""Different kinds of voters among which the largest set is searched for, exactly."""

MOST_VOTERS = 256
"""Voters whose parts are held against each other."""


@dataclass(frozen=True, slots=True)
class Makeup:
    """What one voter is made of. `guest` and `below` map the SHA-256 of a part to the component that it is, or is compiled into.

    `unknown` are components of the image whose sources nobody lists, although builders rely on them: a kernel, an executor. `opaque` are
    others of which nobody does; they are known by their bytes alone. An empty `below` means that it was not measured.
    """

    name: str
    backend: str
    machine: str
    guest: Mapping[str, str]
    below: Mapping[str, str]
    unknown: Sequence[str] = ()
    opaque: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """What two voters share, in words: of guest code, and of what is below. `unknown` and `unmeasured` say why they may share more, for
    which they count as sharing it.
    """

    one: str
    other: str
    guest: Sequence[str]
    below: Sequence[str]
    unknown: Sequence[str] = ()
    unmeasured: Sequence[str] = ()

    @property
    def in_guest(self) -> Sequence[str]:
        """All that keeps the two from being independent by their guest code; empty when nothing does."""
        return [*self.guest, *self.unknown]

    @property
    def in_machine(self) -> Sequence[str]:
        """The same by what is below."""
        return [*self.below, *self.unmeasured]


@dataclass(frozen=True, slots=True)
class Independence:
    """Largest sets of voters of which no two share guest code (`guest`), what is below (`machines`), or either (`both`), by name.

    `pairs` has every two that share something. `unknown`: voter → components because of which it is independent of nobody, and `opaque`
    those that are known by their bytes alone. `unmeasured`: voters of which nobody measured what is below. `voters`: all of them, without
    those that were `left_out` because there were more than can be searched among.
    """

    guest: Sequence[str] = ()
    machines: Sequence[str] = ()
    both: Sequence[str] = ()
    pairs: Sequence[Shared] = ()
    unknown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    opaque: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unmeasured: Sequence[str] = ()
    voters: Sequence[str] = ()
    left_out: int = 0

    def enough(self, wanted: int | None, *, machines: bool) -> bool:
        """Whether so many are independent as were asked for: by guest code, and if `machines` by what is below as well."""
        return len(self.both if machines else self.guest) >= (wanted or 0)


def shared(one: Makeup, other: Makeup) -> Shared:
    """What two voters share. One backend or one machine is said in its name alone, whatever it is made of."""
    return Shared(
        one.name,
        other.name,
        [f"the backend {one.backend}"] if one.backend == other.backend else _in_both(one.guest, other.guest),
        [f"the machine {one.machine}"] if one.machine == other.machine else _in_both(one.below, other.below),
        [f"{name} of {voter.name}, whose sources nobody lists" for voter in (one, other) for name in voter.unknown],
        [f"what is below {voter.name}, which was not measured" for voter in (one, other) if not voter.below],
    )


def independence(voters: Sequence[Makeup]) -> Independence:
    """Who of `voters`, whose names differ, is independent of whom. Raises UsageError for more kinds of voters than can be searched."""
    if len(voters) > MOST_VOTERS:
        raise UsageError(f"{len(voters)} different voters; independent ones are searched for among at most {MOST_VOTERS}")
    pairs = [shared(one, other) for one, other in combinations(voters, 2)]

    def largest(touch: Callable[[Shared], bool]) -> Sequence[str]:
        return largest_apart([voter.name for voter in voters], [(pair.one, pair.other) for pair in pairs if touch(pair)])

    return Independence(
        largest(lambda pair: bool(pair.in_guest)),
        largest(lambda pair: bool(pair.in_machine)),
        largest(lambda pair: bool(pair.in_guest or pair.in_machine)),
        [pair for pair in pairs if pair.in_guest or pair.in_machine],
        {voter.name: voter.unknown for voter in voters if voter.unknown},
        {voter.name: voter.opaque for voter in voters if voter.opaque},
        [voter.name for voter in voters if not voter.below],
        [voter.name for voter in voters],
    )


def largest_apart(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Sequence[str]:
    """A largest set of `names` that holds no two of a pair, in the order of `names`; of several that large, one with early names.

    The search is exact. Raises UsageError when more than `MOST_KINDS` names differ in whom they are paired with.
    """
    touched: dict[str, set[str]] = {name: {name} for name in names}
    for one, other in pairs:
        touched[one].add(other)
        touched[other].add(one)
    kinds: dict[frozenset[str], str] = {}  # of names that are paired with each other and with the same others, one is enough
    for name in names:
        kinds.setdefault(frozenset(touched[name]), name)
    alone = {name for name in names if touched[name] == {name}}
    kept = [name for name in kinds.values() if name not in alone]
    if len(kept) > MOST_KINDS:
        raise UsageError(
            f"{len(kept)} kinds of voters share something with one another; independent ones are searched for among at most {MOST_KINDS}",
            hint="name fewer voters, or fewer files",
        )
    places = {name: place for place, name in enumerate(kept)}
    near = [sum(1 << places[other] for other in touched[name] if other in places) for name in kept]
    chosen = _largest((1 << len(kept)) - 1, near, {0: 0})
    return [name for name in names if name in alone or (name in places and chosen >> places[name] & 1)]


def _largest(left: int, near: Sequence[int], known: dict[int, int]) -> int:
    """A largest set, as bits, of those in `left` of which none is near another. `near` of each has its own bit set, too."""
    if left in known:
        return known[left]
    members = [place for place in range(left.bit_length()) if left >> place & 1]
    degrees = {place: (near[place] & left).bit_count() - 1 for place in members}
    least = min(members, key=degrees.__getitem__)
    if degrees[least] <= 1:  # nothing is lost by taking one that is near one other at most
        found = 1 << least | _largest(left & ~near[least], near, known)
    else:
        most = max(members, key=degrees.__getitem__)
        taken = 1 << most | _largest(left & ~near[most], near, known)
        passed = _largest(left & ~(1 << most), near, known)
        found = taken if taken.bit_count() >= passed.bit_count() else passed
    known[left] = found
    return found


def _in_both(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The components of `one` of which a part is in `other`, each with the name that `other` has for it where that is another."""
    names = dict.fromkeys((one[part], other[part]) for part in one if part in other)
    return [mine if mine == theirs else f"{mine}/{theirs}" for mine, theirs in names]
