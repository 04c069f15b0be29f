"""Hash parts are found wherever they stand, and nothing else is: beside a search byte by byte."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot import mentions
from xboot.mentions import HASH_LENGTH, mentioned, overlapping

DIGITS = b"0123456789abcdfghijklmnpqrsvwxyz"
OTHERS = bytes(byte for byte in range(256) if byte not in DIGITS)
MANY = 9  # more than are looked for one by one


def part(number: int) -> bytes:
    return bytes(random.Random(number).choices(DIGITS, k=HASH_LENGTH))


PARTS = [part(number) for number in range(MANY)]
pieces = st.one_of(
    st.sampled_from(PARTS),
    st.sampled_from(PARTS).flatmap(lambda whole: st.integers(1, 31).map(lambda at: whole[at:])),
    st.sampled_from(PARTS).flatmap(lambda whole: st.integers(1, 31).map(lambda at: whole[:at])),
    st.text("01abxz", max_size=90).map(str.encode),
    st.integers(0, len(OTHERS) - 1).map(lambda at: OTHERS[at : at + 1]),
    st.binary(max_size=9),
)


@pytest.mark.parametrize("count", [1, mentions._FEW, mentions._FEW + 1, MANY])
@given(found=st.lists(pieces, max_size=12), cuts=st.lists(st.integers(0, 600), max_size=5))
def test_as_byte_by_byte(count: int, found: list[bytes], cuts: list[int]) -> None:
    content, wanted = b"".join(found), PARTS[:count]
    expected = {one for one in wanted if one in content}
    assert mentioned([content], wanted) == expected
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    windows = [content[max(0, a - HASH_LENGTH + 1) : b] for a, b in itertools.pairwise(edges)]
    assert mentioned(windows, wanted) == expected


@pytest.mark.parametrize("filler", [b" ", b"a", b"\0", b"e", b"z"])
def test_at_every_place(filler: bytes) -> None:
    """Whatever the place, the fill and what comes next to it, and when the content ends with it."""
    for before, after in itertools.product(range(40), (b"", filler, filler * 3, filler * 40, b"-name")):
        content = filler * before + PARTS[3] + after
        assert mentioned([content], PARTS) == {PARTS[3]}
        assert mentioned([content.replace(PARTS[3], PARTS[3][:-1] + b"e")], PARTS) == set()


@pytest.mark.parametrize("wanted", [PARTS[:1], PARTS])
def test_across_the_border_of_two_windows(wanted: Sequence[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "_PIECE", 100)
    for before in range(60, 260):
        content = b"." * before + PARTS[0] + b"." * 200
        for size in (1, 7, 100, 4096):
            cut = [content[at : at + size] for at in range(0, len(content), size)]
            assert mentioned(overlapping(cut), wanted) == {PARTS[0]}
            assert b"".join([window[31 if at else 0 :] for at, window in enumerate(overlapping(cut))]) == content


def test_what_is_only_together_in_two_windows_is_not_there() -> None:
    """The end of one file and the beginning of the next, which the archive's framing divides."""
    assert mentioned([PARTS[0][:16] + b"\0" * 8 + PARTS[0][16:]], PARTS) == set()
