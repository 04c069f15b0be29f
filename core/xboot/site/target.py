"""The page of one target: who says what, output by output, and what that rests on; the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xboot.attest.agreement import Attestation
from xboot.show.independence import counts, sentences
from xboot.site.evidence import DIFFERS, Evidence, Target, name_of
from xboot.site.history import Event

__all__ = ["said_by", "target_json", "target_values"]

MOST_ROWS = 1000
"""Rows of a table that a page shows; the JSON beside it has all."""

MOST_VOTERS = 12
"""Columns of the table of signers and voters."""

_MOST_APART = 64  # voters; of more, who shares what with whom is not said in words
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def target_values(evidence: Evidence, target: Target, others: Sequence[Target], events: Sequence[Event]) -> dict[str, Any]:
    """What the template `site-target` shows. `others`: targets of the same name; `events`: of this one, newest first."""
    found = target.found
    differing = {d.path for d in found.divergences}
    steps = found.steps
    results = {path for a in found.attestations for path in a.claim.results}
    order = sorted(steps, key=lambda path: (path not in differing, path not in results, steps[path][0]))
    marks = _marks(found.attestations)
    sets = {mark: [a for a in found.attestations if marks[a.file] == mark] for mark in sorted(set(marks.values()))}
    return {
        "target": target, "evidence": evidence, "first": found.divergences[0] if found.divergences else None,
        "first_name": name_of(found.divergences[0].path) if found.divergences else "",
        "lists": _lists(target),
        "outputs": [_row(target, path) for path in order[:MOST_ROWS]], "hidden": max(0, len(order) - MOST_ROWS),
        "matrix": _matrix(found.attestations, marks), "sets": {mark: said_by(of) for mark, of in sets.items()} if len(sets) > 1 else {},
        "voters": _voters(evidence, target)[:MOST_ROWS], "sources": target.sources[:MOST_ROWS],
        "seeds": [s for s in target.sources if s.kind == "seed"], "hidden_sources": max(0, len(target.sources) - MOST_ROWS),
        "others": others[:MOST_ROWS], "events": events[:MOST_ROWS],
        "apart": [evidence.folder.reason(line) for line in _apart(target)],
        "files": [(evidence.folder.name(a.file), a) for a in found.attestations[:MOST_ROWS]],
    }  # fmt: skip


def _apart(target: Target) -> list[str]:
    """Who is independent of whom, in words."""
    apart = target.judgement.apart
    return list(sentences(apart)) if len(apart.voters) <= _MOST_APART else [f"independent: {counts(apart)}"]


def said_by(attestations: Sequence[Attestation]) -> str:
    """Who they are, in words: `alice on linux/c@qemu, …`."""
    names = sorted({f"{a.signer} on {a.claim.voter}" for a in attestations})
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _lists(target: Target) -> list[dict[str, Any]]:
    """Where signers list different outputs of the script: how many outputs a list has, and who signed for it."""
    return [{"outputs": len(of[0].claim.steps), "by": said_by(of)} for of in target.found.lists_differ]


def _marks(attestations: Sequence[Attestation]) -> dict[Any, str]:
    """File → letter of all that it attests: the same letter for the same outputs."""
    letters: dict[object, str] = {}
    found = {}
    for a in attestations:
        outputs = (tuple(a.claim.outputs.items()), tuple(a.claim.steps.items()))
        found[a.file] = letters.setdefault(outputs, _LETTERS[min(len(letters), len(_LETTERS) - 1)])
    return found


def _matrix(attestations: Sequence[Attestation], marks: Mapping[Any, str]) -> dict[str, Any]:
    """Signers and voters, with the letters of what each says."""
    voters = sorted({str(a.claim.voter) for a in attestations})
    cells: dict[str, dict[str, list[str]]] = {}
    for a in attestations:
        letters = cells.setdefault(a.signer, {}).setdefault(str(a.claim.voter), [])
        if marks[a.file] not in letters:
            letters.append(marks[a.file])
    return {"voters": voters[:MOST_VOTERS], "hidden": max(0, len(voters) - MOST_VOTERS), "rows": dict(sorted(cells.items()))}


def _row(target: Target, path: str) -> dict[str, Any]:
    """One output: its hashes, most said first, and who says each."""
    attestations = target.found.attestations
    step, drv = target.found.steps[path]
    by: dict[str, list[Attestation]] = {}
    for a in attestations:
        if path in a.claim.outputs:
            by.setdefault(a.claim.outputs[path], []).append(a)
    values = sorted(by, key=lambda value: (-len(by[value]), value))
    sizes = {a.claim.contents[path].size for a in attestations if path in a.claim.contents}
    return {
        "path": path, "name": name_of(path), "step": step, "drv": drv, "size": min(sizes) if len(sizes) == 1 else None,
        "state": DIFFERS if len(values) > 1 else target.state_of_the_rest,
        "values": [
            {
                "sha256": value, "by": said_by(by[value]), "signers": len({a.signer for a in by[value]}),
                "kernels": len({a.claim.backend for a in by[value]}), "machines": len({a.claim.machine for a in by[value]}),
            }
            for value in values
        ],
    }  # fmt: skip


def _voters(evidence: Evidence, target: Target) -> list[dict[str, Any]]:
    """Each voter with the trusted bases and images that were signed for it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for a in target.found.attestations:
        claim = a.claim
        row = found.setdefault(
            (str(claim.voter), claim.tcb_sha256),
            {"voter": str(claim.voter), "tcb": claim.tcb_sha256, "base": evidence.bases.get(claim.tcb_sha256),
             "images": set(), "seals": set(), "signers": set()},
        )  # fmt: skip
        row["images"].add(claim.image_sha256)
        row["seals"].add(claim.seal)
        row["signers"].add(a.signer)
    lists = ("images", "seals", "signers")
    return [{**row, **{key: sorted(row[key])[:20] for key in lists}} for _, row in sorted(found.items(), key=lambda one: one[0])]


def target_json(evidence: Evidence, target: Target, events: Sequence[Event]) -> dict[str, Any]:
    """Everything that is known of a target, as JSON values (docs/site.md)."""
    found, apart = target.found, target.judgement.apart
    return {
        "xbootTarget": 1, "name": target.name, "scriptSha256": target.script, "state": target.state,
        "missing": list(target.judgement.missing),
        "counted": {
            "signers": list(target.judgement.signers), "kernels": list(target.judgement.kernels),
            "machines": list(target.judgement.machines),
        },
        "outputs": [
            {"path": path, "step": step, "drv": drv, "agreed": len(values) == 1 and not found.lists_differ, "narSha256": values}
            for path, (step, drv) in found.steps.items()
            for values in [_who(found.attestations, path)]
        ],
        "divergences": [d.path for d in found.divergences],
        "listsDiffer": _lists(target),
        "attestations": [
            {"file": evidence.folder.name(a.file), "signer": a.signer, "voter": str(a.claim.voter), "backend": a.claim.backend,
             "executor": a.claim.executor, "machine": a.claim.machine, "accelerator": a.claim.accelerator, "seal": a.claim.seal,
             "imageSha256": a.claim.image_sha256, "tcbSha256": a.claim.tcb_sha256}
            for a in found.attestations
        ],
        "independent": {
            words: [evidence.folder.reason(name) for name in names]
            for words, names in (("guestCode", apart.guest), ("machines", apart.machines), ("both", apart.both))
        },
        "sources": [{"path": s.path, "narSha256": s.nar_sha256, "narSize": s.nar_size, "kind": s.kind} for s in target.sources],
        "sourcesDiffer": target.sources_differ,
        "difference": target.difference or None,
        "history": [{"time": e.time, "what": e.what} for e in events],
    }  # fmt: skip


def _who(attestations: Sequence[Attestation], path: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for a in attestations:
        if path in a.claim.outputs:
            found.setdefault(a.claim.outputs[path], []).append(f"{a.signer} on {a.claim.voter}")
    return {value: sorted(who) for value, who in sorted(found.items())}
