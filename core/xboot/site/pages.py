"""All files of a site, one after the other. A page's address is made of digests alone, and stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xboot import __version__
from xboot.attest.envelope import canonical
from xboot.show.html.render import render
from xboot.show.report import sri
from xboot.site import feeds
from xboot.site.evidence import AGREED, ALONE, DIFFERS, TOO_FEW, Evidence, Target, name_of
from xboot.site.history import Event, History
from xboot.site.target import MOST_ROWS, target_json, target_values

__all__ = ["site_files"]

MOST_LISTED = 5000
"""Rows of the page that lists every output."""

_MOODS = {AGREED: "good", DIFFERS: "bad", ALONE: "unsure", TOO_FEW: "unsure"}
_SEARCH = """
"use strict";
const box = document.getElementById("wanted"), rows = [...document.querySelectorAll("tbody tr")], said = document.getElementById("found");
const texts = rows.map(row => row.textContent.toLowerCase());
const search = () => {
  const words = box.value.toLowerCase().split(" ").filter(word => word);
  let shown = 0;
  rows.forEach((row, n) => { row.hidden = !words.every(word => texts[n].includes(word)); shown += !row.hidden; });
  said.textContent = words.length ? `${shown} of ${rows.length}` : "";
};
box.addEventListener("input", search);
document.getElementById("search").hidden = false;
search();
"""


def site_files(evidence: Evidence, history: History) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file. `history`: with what is new."""
    of: dict[str, list[Event]] = {}
    for event in reversed(history.events):
        of.setdefault(event.script, []).append(event)
    names: dict[str, list[Target]] = {}
    for target in evidence.targets:
        names.setdefault(target.name, []).append(target)
    yield from _page("index", "", "site-index", _index(evidence, history), _index_json(evidence))
    for target in evidence.targets:
        events = of.get(target.script, [])
        values = target_values(evidence, target, [o for o in names[target.name][: MOST_ROWS + 1] if o is not target], events)
        yield from _page(f"target/{target.script}", "../", "site-target", values, target_json(evidence, target, events))
        yield f"target/{target.script}.xml", feeds.feed(history.site, events, target).encode()
    yield from _signers(evidence)
    yield from _bases(evidence)
    rows = list(_everything(evidence))
    values = {"rows": rows[:MOST_LISTED], "hidden": max(0, len(rows) - MOST_LISTED)}
    yield from _page("everything", "", "site-everything", values, {"xbootOutputs": 1, "outputs": rows}, code=_SEARCH)
    unshown = [{"file": u.file, "reason": u.reason, "unknownKey": u.unknown} for u in evidence.unshown]
    values = {"unshown": evidence.unshown[:MOST_ROWS], "hidden": max(0, len(evidence.unshown) - MOST_ROWS)}
    yield from _page("unshown", "", "site-unshown", values, {"xbootUnshown": 1, "files": unshown})
    values = {"events": list(reversed(history.events))[:MOST_ROWS], "dropped": history.dropped + max(0, len(history.events) - MOST_ROWS)}
    values["targets"] = {target.script for target in evidence.targets}
    yield from _page("history", "", "site-history", values, history.to_json())
    yield "feed.xml", feeds.feed(history.site, list(reversed(history.events))).encode()


def _page(
    name: str, up: str, template: str, values: Mapping[str, Any], json: Mapping[str, Any], *, code: str = ""
) -> Iterator[tuple[str, bytes]]:
    """A page and the JSON beside it. `up`: the way to the top."""
    beside = f"{name.rpartition('/')[2]}.json"
    page = render(
        f"{template}.html.j2",
        scripts=[code] if code else [],
        code=code,
        up=up,
        json=beside,
        moods=_MOODS,
        sri=sri,
        version=__version__,
        **values,
    )
    yield f"{name}.html", page.encode()
    yield f"{name}.json", canonical(json) + b"\n"


def _index(evidence: Evidence, history: History) -> dict[str, Any]:
    counts = [(state, sum(t.state == state for t in evidence.targets)) for state in _MOODS]
    order = sorted(evidence.targets, key=lambda t: (t.state != DIFFERS, t.name, t.script))
    return {
        "evidence": evidence, "counts": [one for one in counts if one[1]], "targets": [_summary(t) for t in order[:MOST_ROWS]],
        "hidden": max(0, len(order) - MOST_ROWS), "events": list(reversed(history.events))[:10],
        "there": {t.script for t in evidence.targets},
        "signers": {key.signer: keyid for keyid, key in sorted(evidence.keys.items(), key=lambda k: k[1].signer)},
    }  # fmt: skip


def _summary(target: Target) -> dict[str, Any]:
    found = target.found
    return {
        "name": target.name, "script": target.script, "state": target.state, "signers": found.signers[:20], "kernels": found.backends[:20],
        "machines": sorted({a.claim.machine for a in found.attestations})[:20], "outputs": len(found.steps),
        "differing": len(found.divergences), "listsDiffer": bool(found.lists_differ), "missing": target.judgement.missing,
    }  # fmt: skip


def _index_json(evidence: Evidence) -> dict[str, Any]:
    policy = evidence.policy
    return {
        "xbootSite": 1,
        "policy": {
            "signers": {key.signer: keyid for keyid, key in evidence.keys.items()}, "quorum": policy.signers, "kernels": policy.kernels,
            "machines": policy.machines, "onlyKernels": list(policy.only_kernels), "onlyMachines": list(policy.only_machines),
            "independent": policy.independent, "independentMachines": policy.independent_machines,
        },
        "targets": [_summary(target) for target in evidence.targets],
        "unshown": len(evidence.unshown),
    }  # fmt: skip


def _signers(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """A page for each key that the policy names, by its key id, with the targets that it signed for."""
    signed: dict[str, list[Target]] = {}
    for target in evidence.targets:
        for signer in target.found.signers:
            signed.setdefault(signer, []).append(target)
    for keyid, key in evidence.keys.items():
        targets = signed.get(key.signer, [])
        values = {
            "signer": key.signer, "keyid": keyid, "public": key.key.keyval["public"], "targets": [_summary(t) for t in targets[:MOST_ROWS]],
            "hidden": max(0, len(targets) - MOST_ROWS),
        }  # fmt: skip
        said = {"xbootSigner": 1, "signer": key.signer, "keyId": keyid, "ed25519": values["public"], "targets": [t.script for t in targets]}
        yield from _page(f"signer/{keyid}", "../", "site-signer", values, said)


def _bases(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """A page for each trusted base that somebody signed for, by its digest."""
    uses: dict[str, list[tuple[Target, str, str]]] = {}
    for target in evidence.targets:
        for a in target.found.attestations:
            uses.setdefault(a.claim.tcb_sha256, []).append((target, a.signer, str(a.claim.voter)))
    for digest, used in uses.items():
        base = evidence.bases.get(digest)
        voters = sorted({voter for _, _, voter in used})
        rows = [(target.name, target.script, signer, voter) for target, signer, voter in used]
        values = {
            "digest": digest, "base": base, "voters": voters[:20], "used": rows[:MOST_ROWS], "hidden": max(0, len(rows) - MOST_ROWS)
        }  # fmt: skip
        yield from _page(f"base/{digest}", "../", "site-base", values, _base_json(digest, voters, rows, evidence))


def _base_json(digest: str, voters: Sequence[str], rows: Sequence[tuple[str, str, str, str]], evidence: Evidence) -> dict[str, Any]:
    base = evidence.bases.get(digest)
    parts = None if base is None else [
        {"role": c.role.value, "name": c.name, "bytes": c.bytes, "sha256": c.sha256 or None, "lines": c.lines} for c in base.components
    ]  # fmt: skip
    used = [{"script": script, "signer": signer, "voter": voter} for _, script, signer, voter in rows]
    return {
        "xbootBase": 1, "digest": digest, "voters": list(voters), "bytes": base.size if base else None,
        "lines": base.lines if base else None, "components": parts, "usedBy": used,
    }  # fmt: skip


def _everything(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Every output of every target: what is searched."""
    for target in evidence.targets:
        differing = {d.path for d in target.found.divergences}
        hashes: dict[str, dict[str, None]] = {}
        for a in target.found.attestations:
            for path, value in a.claim.outputs.items():
                hashes.setdefault(path, {})[value] = None
        for path, (step, _) in target.found.steps.items():
            yield {
                "name": name_of(path), "path": path, "target": target.name, "scriptSha256": target.script, "step": step,
                "state": DIFFERS if path in differing else target.state_of_the_rest,
                "narSha256": sorted(hashes[path]),
            }  # fmt: skip
