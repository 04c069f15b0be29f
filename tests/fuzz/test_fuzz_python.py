"""The fuzzing targets of the host's readers, for a short while and always the same: seeds, kept crashes, and mutations of both.

`python tests/fuzz/python/run.py TARGET` runs one of them for as long as one likes, led by coverage.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "python"
sys.path.insert(0, str(FUZZ))

import targets  # noqa: E402
from seeds import SEEDS  # noqa: E402

ROUNDS = 150  # mutations of each input; of targets that write files, a tenth
SLOW = ("bundle", "tarball", "nar", "envelope")
TOKENS = [
    b"\\n", b'\\"', b"\\x00", b"\\ud800", b"0" * 400, b"1e999", b"-1", b"{" * 300, b"[" * 300, b"(" * 70, b"..", b"/", b"\0", b"\xff",
    b"NaN", b"\x1b[2J", b"\n", b'"', b",", b":", b" ", b"null", b"true", b"\x80" + bytes(11), b"\xff" * 12, b"'", b"${", b"a." * 70,
]  # fmt: skip


def kept(name: str) -> list[bytes]:
    """What crashed once."""
    folder = FUZZ / "corpus" / name
    return [file.read_bytes() for file in sorted(folder.iterdir())] if folder.is_dir() else []


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few changes: a byte flipped, a piece taken out, doubled or moved, a token put in."""
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(data) + 1)
        end = min(len(data), place + chance.randrange(1, 1 + min(40, len(data) + 1)))
        match chance.randrange(6):
            case 0 if place < len(data):
                data = data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
            case 1:
                data = data[:place] + data[end:]
            case 2:
                data = data[:end] + data[place:end] * chance.choice((1, 1, 2, 60)) + data[end:]
            case 3:
                elsewhere = chance.randrange(len(data) + 1)
                data = data[:elsewhere] + data[place:end] + data[elsewhere:]
            case _:
                data = data[:place] + chance.choice(TOKENS) + data[chance.choice((place, end)) :]
    return data


def test_every_target_has_seeds_of_which_one_is_accepted() -> None:
    assert SEEDS.keys() == targets.TARGETS.keys()
    for name, seeds in SEEDS.items():
        accepted = [targets.execute(name, seed) for seed in seeds]
        assert any(accepted) or name == "envelope", name  # nothing is believed without a key


@pytest.mark.parametrize("name", targets.TARGETS)
def test_what_crashed_once(name: str) -> None:
    for data in kept(name):
        targets.execute(name, data)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_mutations(name: str) -> None:
    chance = random.Random(name)
    for seed in [*SEEDS[name], *kept(name), b""]:
        for _ in range(ROUNDS // 10 if name in SLOW else ROUNDS):
            data = mutated(seed, chance)
            try:
                targets.execute(name, data)
            except BaseException:
                print(f"{name}: {data!r}")
                raise


def test_the_targets_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that is broken is noticed."""
    monkeypatch.setattr(targets, "parse_derivation", lambda data, path: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        targets.execute("aterm", b"")
    monkeypatch.undo()
    monkeypatch.setattr(targets, "write_derivation", lambda drv: b"")
    with pytest.raises(AssertionError):
        targets.execute("aterm", SEEDS["aterm"][0])
