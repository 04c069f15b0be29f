"""A few hundred random sequences of system calls, always the same, on every kernel: one boot a kernel. `make differences` draws more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xboot.plugins import Plugins
from xboot.voter import Voter

sys.path.insert(0, str(Path(__file__).parent))

import sequences

FIRST, COUNT = 1, 150
LINUX = Voter("linux")
OTHERS = [
    Voter(name) for name, backend in sorted(Plugins.load().backends.items())
    if "i686-linux" in backend.info.systems and name != LINUX.backend
]  # fmt: skip


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the sequences told on Linux."""
    folder = tmp_path_factory.mktemp("sequences")
    return sequences.lines(sequences.script(folder / "script", FIRST, COUNT), LINUX, folder / "linux")


@pytest.mark.boot
@pytest.mark.compiler
@pytest.mark.parametrize("voter", OTHERS, ids=str)
def test_random_sequences_are_answered_as_linux_does(expected: list[str], voter: Voter, tmp_path: Path) -> None:
    assert len(expected) == COUNT
    told = sequences.lines(sequences.script(tmp_path / "script", FIRST, COUNT), voter, tmp_path / "boot")
    assert sequences.differences({LINUX: expected, voter: told}) == {}, "`run.py --tell SEED` shows where it begins"


@pytest.mark.boot
@pytest.mark.compiler
def test_another_answer_is_seen(expected: list[str], tmp_path: Path) -> None:
    """One bit of what a sequence tells is another one: this sequence differs, and no other; so they are also the same twice."""
    told = sequences.lines(sequences.script(tmp_path / "script", FIRST, 20, "plant", 7), LINUX, tmp_path / "boot")
    assert sequences.differences({LINUX: expected[:20], Voter("planted"): told}) == {"7": ["planted"]}


def test_what_differs_is_named() -> None:
    said = ["1 aa 10", "2 bb 20", "3 cc 30"]
    assert sequences.differences({Voter("one"): said, Voter("two"): said}) == {}
    found = sequences.differences({Voter("one"): said, Voter("two"): ["1 aa 10", "2 bb 21"], Voter("three"): ["1 ab 10", *said[1:]]})
    assert found == {"1": ["three"], "2": ["two"], "3": ["two"]}


def test_where_two_sequences_part() -> None:
    assert sequences.parting(["a", "b", "c", "d"], ["a", "b", "x"], 1) == ["  b", "- c", "+ x"]
    assert sequences.parting(["a"], ["a", "b"], 5) == ["  a", "- (nothing)", "+ b"]
    assert sequences.parting(["a"], ["a"], 5) == []
