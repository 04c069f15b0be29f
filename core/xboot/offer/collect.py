"""Attestations from anywhere (a mail, another project's folders, somebody's bundle), put where a repository of attestations has them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from xboot.attest.agreement import Refusal, believe_files
from xboot.attest.envelope import MAX_SIZE
from xboot.attest.keys import TrustedKey
from xboot.attest.places import attestation_place
from xboot.attest.statement import Claim
from xboot.files import read_regular
from xboot.voter import Voter

__all__ = ["collect"]

_MARK = 16  # hexadecimal digits of a content's hash


def collect(
    files: Iterable[Path], keys: Mapping[str, TrustedKey], written: Callable[[Voter], str], into: Path
) -> tuple[list[tuple[str, bytes]], Sequence[Refusal]]:
    """Where each valid file goes, with its content, and what is refused. `written`: how a voter is called in a file's name; `into`: the
    repository, of which nothing is changed.

    The signer is the one whose key it is, whatever the file was called. Several of one signer and voter that are not of the same run (of
    another image, on other firmware, at another port, sealed otherwise) all have a place: the first the usual one, the others one that
    is named after their content as well. A second one of the same that says something else is refused.
    """
    believed, refused = believe_files(files, keys)
    placed: dict[str, bytes] = {}
    runs: dict[object, tuple[Path, bytes]] = {}
    for attestation in believed:
        claim = attestation.claim
        content = read_regular(attestation.file, MAX_SIZE, "an attestation")
        of = (claim.results, claim.script_sha256, attestation.signer, written(claim.voter))
        name, run = attestation_place(*of), _run(claim)
        file, other = runs.setdefault((name, run), (attestation.file, content))
        if other != content:
            reason = f"{attestation.file}: {file} is of the same signer, voter and image, and says something else"
            refused.append(Refusal(attestation.file, reason))
            continue
        if placed.get(name, content) != content or _is_of_another(into / name, run, keys):
            name = attestation_place(*of, hashlib.sha256(content).hexdigest()[:_MARK])
        placed[name] = content
    return list(placed.items()), refused


def _run(claim: Claim) -> object:
    """What was run, without what came out: the same for two claims of which at most one is right unless they are equal."""
    boots = tuple((boot.first, boot.last) for boot in claim.boots)
    return (claim.voter, claim.image_sha256, claim.tcb_sha256, claim.base, claim.accelerator, claim.seal, boots, repr(claim.components))


def _is_of_another(file: Path, run: object, keys: Mapping[str, TrustedKey]) -> bool:
    """Whether a valid attestation of another run is there already."""
    there, _ = believe_files([file], keys) if file.is_file() else ([], [])
    return any(_run(one.claim) != run for one in there)
