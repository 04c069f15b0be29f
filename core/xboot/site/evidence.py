"""What a repository of attestations says under a policy: its targets, who agrees on each, and what that rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from xboot._records import dataclass
from xboot.attest.agreement import Attestation, Attested, believe_files, index_keys, put_together
from xboot.attest.keys import TrustedKey
from xboot.attest.policy import Judgement, Policy, judge
from xboot.attest.statement import AttestedSource
from xboot.errors import InputError
from xboot.foreign import printable, printable_lines
from xboot.model import Component
from xboot.site.bases import Base, read_bases
from xboot.site.folder import Folder, Unshown, read_inside
from xboot.storepath import short_name, store_name

__all__ = ["AGREED", "ALONE", "DIFFERS", "TOO_FEW", "Evidence", "Target", "gather", "name_of"]

AGREED, DIFFERS, ALONE, TOO_FEW = "agreed", "differs", "alone", "too few"
"""What is said of a target. `alone`: one signer on one voter, which nobody compared with anything. `too few`: several, not yet enough."""

_MAX_DIFFERENCE = 1 << 20  # bytes of a difference's text
_SHOWN = 120
_T = TypeVar("_T")
_HASHED = re.compile(r"[0-9abcdfghijklmnpqrsvwxyz]{32}-.+")


@dataclass(frozen=True, slots=True)
class Target:
    """One script, by its SHA-256, and what is said of it. `name`: of its results, harmless. `sources`: as most signers list them;
    `sources_differ`: others list others. `difference`: an unsigned text about the first divergence.
    """

    script: str
    name: str
    found: Attested
    judgement: Judgement
    sources: Sequence[AttestedSource]
    sources_differ: bool
    difference: str = ""

    @property
    def state(self) -> str:
        if self.found.differs:
            return DIFFERS
        return self.state_of_the_rest

    @property
    def state_of_the_rest(self) -> str:
        """The state of outputs on which nobody differs, in a target where some may. Where lists differ, so does every output in them."""
        if self.found.lists_differ:
            return DIFFERS
        if len({(a.signer, a.claim.voter) for a in self.found.attestations}) <= 1:
            return ALONE
        return AGREED if self.judgement.enough else TOO_FEW


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is shown. `targets` in the order of their names; `bases` by digest: those that the repository describes."""

    folder: Folder
    policy: Policy
    keys: Mapping[str, TrustedKey]
    targets: Sequence[Target]
    bases: Mapping[str, Base]
    unshown: Sequence[Unshown]


def name_of(path: str) -> str:
    """What people call a store path: without folder and hash; one that is of no known form stays as it is. Harmless, and short."""
    base = store_name(path)
    return printable(short_name(path) if _HASHED.fullmatch(base) else base, _SHOWN)


def gather(folder: Folder, policy: Policy) -> Evidence:
    """Verify every attestation of a folder, and put together those of each script."""
    keys = index_keys(policy.keys)
    believed, refused = believe_files(folder.attestations, keys)
    by_script: dict[str, list[Attestation]] = {}
    for attestation in believed:
        by_script.setdefault(attestation.claim.script_sha256, []).append(attestation)
    texts = _differences(folder, believed)
    targets = []
    for script, attestations in by_script.items():
        found = put_together(attestations, len(keys))
        refused += found.refused
        sources, differ = _most_said(tuple(a.claim.sources) for a in found.attestations)
        results, _ = _most_said(tuple(a.claim.results) for a in found.attestations)
        names = [name_of(path) for path in (results or tuple(found.steps)[-1:])]
        name = printable(", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""), 3 * _SHOWN)
        targets.append(Target(script, name, found, judge(found, policy), sources, differ, texts.get(script, "")))
    named = {a.claim.tcb_sha256: _base(a) for t in targets for a in t.found.attestations if a.claim.components}
    bases = read_bases(folder, {a.claim.tcb_sha256 for t in targets for a in t.found.attestations}) | named
    unshown = [
        *folder.unshown,
        *(Unshown(folder.name(r.file), folder.reason(r.reason), r.unknown) for r in refused),
        *(Unshown(folder.name(f), "says what another file of this signer says") for t in targets for f in t.found.repeated),
    ]
    return Evidence(
        folder, policy, keys, sorted(targets, key=lambda t: (t.name, t.script)), bases, sorted(unshown, key=lambda u: (u.unknown, u.file))
    )


def _base(attestation: Attestation) -> Base:
    """As the attestation names its components, which were held against the digest that is signed for."""
    claim = attestation.claim
    return Base(claim.tcb_sha256, [Component(c.name, c.role, c.bytes, c.sha256, lines=c.lines) for c in claim.components if not c.below])


def _most_said(said: Iterable[tuple[_T, ...]]) -> tuple[tuple[_T, ...], bool]:
    """What most say, and whether others say something else."""
    counts: dict[tuple[_T, ...], int] = {}
    for one in said:
        counts[one] = counts.get(one, 0) + 1
    return max(counts, key=lambda one: counts[one], default=()), len(counts) > 1


def _differences(folder: Folder, believed: Sequence[Attestation]) -> dict[str, str]:
    """Script → the text in the folder in which its attestations are; for a folder with believed attestations of one script alone."""
    scripts: dict[str, set[str]] = {}
    for attestation in believed:
        scripts.setdefault(folder.top(attestation.file), set()).add(attestation.claim.script_sha256)
    texts = {}
    for top, file in folder.differences.items():
        of = scripts.get(top, set())
        try:
            if len(of) != 1:
                raise InputError("a text about a divergence, in a folder with valid attestations of one target: not here")
            text = read_inside(file, _MAX_DIFFERENCE, "the text of a difference").decode(errors="replace")
            texts[next(iter(of))] = printable_lines(text)
        except InputError as error:
            folder.unshown.append(Unshown(folder.name(file), folder.reason(error.message)))
    return texts
