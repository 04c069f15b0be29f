"""The verbs `offer` and `collect`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from xboot.attest.agreement import collect_files, index_keys
from xboot.attest.places import folder_name
from xboot.attest.policy import Policy
from xboot.cli.attest import EXIT_REFUSED, Wanted, check
from xboot.errors import UsageError
from xboot.foreign import printable
from xboot.offer import nix, others
from xboot.offer.agreed import agreed_outputs
from xboot.offer.collect import collect
from xboot.offer.files import copy_nars, write_files
from xboot.pipeline import short
from xboot.plugins import Plugins
from xboot.voter import Voter

FORMATS = ("nix", "sums", "link")


def offer_outputs(format: str, wanted: Wanted, key_file: Path, into: Path, nars: Path | None, console: Console) -> int:
    """Write what enough agree on in one of `FORMATS`; the exit status of `verify-attestation`, and nothing is written unless it is 0."""
    if format not in FORMATS:
        raise UsageError(f"{format!r}: expected {', '.join(FORMATS)}")
    if nars is not None and format != "nix":
        raise UsageError(f"--nars: {format} holds no NARs")
    key = nix.load_signing_key(key_file)
    checked = check(wanted, console)
    if checked.status:
        _say(console, "nothing was written")
        return checked.status
    found = checked.found
    outputs = agreed_outputs(found, wanted.policy)
    claim = found.attestations[0].claim
    if format == "sums":
        files = list(others.sums(outputs, key, folder_name(claim.results, claim.script_sha256)))
    elif format == "link":
        files = list(others.links(outputs, key, claim.script_sha256))
    else:
        files = list(nix.binary_cache(outputs, key))
        if nars is not None:
            copy_nars(into, outputs, nars)
    for path in write_files(into, files):
        _say(console, f"{path}  written")
    if format == "nix":
        _say(console, f"trusted-public-keys = {nix.nix_public_key(key)}")
    return 0


def collect_attestations(files: Sequence[Path], policy: Policy, into: Path, console: Console, *, skip_unknown: bool) -> int:
    """Put valid attestations into a repository; 3 when one is refused, and then the others are there all the same."""
    plugins = Plugins.load()

    def written(voter: Voter) -> str:
        return str(short(voter, plugins) if voter.backend in plugins.backends else voter)

    placed, refused = collect(collect_files(files), index_keys(policy.keys), written, into)
    for path in write_files(into, placed):
        _say(console, f"{path}  written")
    counted = [one for one in refused if not (one.unknown and skip_unknown)]
    for refusal in refused:
        _say(console, f"{'refused' if refusal in counted else 'skipped'} {refusal.reason}")
    return EXIT_REFUSED if counted else 0


def _say(console: Console, text: str) -> None:
    console.print(printable(text), soft_wrap=True, highlight=False, emoji=False, markup=False)
