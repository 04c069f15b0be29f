"""Attestations from anywhere (a mail, another project's folders, somebody's bundle), put where a repository of attestations has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from xboot.attest.agreement import Refusal, believe_files
from xboot.attest.envelope import MAX_SIZE
from xboot.attest.keys import TrustedKey
from xboot.attest.places import attestation_place
from xboot.files import read_regular
from xboot.voter import Voter

__all__ = ["collect"]


def collect(
    files: Iterable[Path], keys: Mapping[str, TrustedKey], written: Callable[[Voter], str]
) -> tuple[list[tuple[str, bytes]], Sequence[Refusal]]:
    """Where each valid file goes, with its content, and what is refused. `written`: how a voter is called in a file's name. The signer is
    the one whose key it is, whatever the file was called; a second file of one signer and voter that says something else is refused.
    """
    believed, refused = believe_files(files, keys)
    places: dict[str, tuple[Path, bytes]] = {}
    for attestation in believed:
        claim = attestation.claim
        name = attestation_place(claim.results, claim.script_sha256, attestation.signer, written(claim.voter))
        content = read_regular(attestation.file, MAX_SIZE, "an attestation")
        file, other = places.setdefault(name, (attestation.file, content))
        if other != content:
            reason = f"{attestation.file}: {file} is of the same signer and voter, and says something else"
            refused.append(Refusal(attestation.file, reason))
    return [(name, content) for name, (_, content) in places.items()], refused
