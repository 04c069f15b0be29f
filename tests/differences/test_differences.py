"""A few random derivations, always the same, built by nix and by every kernel: one boot a kernel. `make differences` draws more."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.model import Verdict
from xboot.plugins import Plugins
from xboot.voter import Voter

sys.path.insert(0, str(Path(__file__).parent))

import compared
import derivations

COUNT, SEED = 16, 3
VOTERS = [
    Voter(name, executor) for name, backend in sorted(Plugins.load().backends.items()) if "i686-linux" in backend.info.systems
    for executor in backend.info.executors
]  # fmt: skip


@pytest.fixture(scope="module")
def batch(nix, busybox: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> compared.Batch:
    return compared.by_nix(nix, busybox["i686-linux"], tmp_path_factory.mktemp("differences"), COUNT, SEED)


verdicts: dict[Voter, Verdict] = {}


def verdict_of(batch: compared.Batch, voter: Voter) -> Verdict:
    """One boot a voter, whoever asks."""
    if voter not in verdicts:
        verdicts[voter] = compared.by_kernel(batch, voter)
    return verdicts[voter]


@pytest.mark.boot
@pytest.mark.nix
@pytest.mark.parametrize("voter", VOTERS, ids=str)
def test_random_derivations_are_as_nix_builds_them(batch: compared.Batch, voter: Voter) -> None:
    assert batch.differences(verdict_of(batch, voter)) == []


def test_the_same_seed_gives_the_same_text_and_another_gives_another() -> None:
    first = derivations.text(COUNT, SEED)
    assert derivations.text(COUNT, SEED) == first
    assert derivations.text(COUNT, SEED + 1) != first
    for word in ("__structuredAttrs", "passAsFile", "exportReferencesGraph", "ln -s", "printf %s ${d", "chmod 000", '"dev"'):
        assert word in first, f"nothing of it is drawn: {word}"


@pytest.mark.boot
@pytest.mark.nix
def test_a_difference_is_seen(batch: compared.Batch) -> None:
    """The comparison can fail: another hash, other references, an output that is not there, a run that failed."""
    verdict = verdict_of(batch, VOTERS[0])
    path = next(iter(batch.hashes))
    assert len(replace(batch, hashes=batch.hashes | {path: "0" * 64}).differences(verdict)) == 1
    assert len(replace(batch, references=batch.references | {path: ["/nix/store/other"]}).differences(verdict)) == 1
    assert len(replace(batch, hashes=batch.hashes | {"/nix/store/other": "0" * 64}).differences(verdict)) == 1
