"""Strings of the contract: one way to write each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot.errors import InputError
from xboot.sexp import quote, quote_pairs, quote_words, unquote


@given(st.binary())
def test_round_trip(data: bytes) -> None:
    text = quote(data).encode("ascii")
    assert all(0x20 <= b < 0x7F for b in text)
    assert unquote(text) == data


@pytest.mark.parametrize(
    "bad", [b'"', b"", b'"a', b'a"', b'"\\q"', b'"\\x0"', b'"\\x41"', b'"\\x0a"', b'"\\xFF"', b'"\n"', b'"\xc3"', b'"a" ', b'"a"b"']
)
def test_refused(bad: bytes) -> None:
    with pytest.raises(InputError):
        unquote(bad)


_texts = st.lists(st.sampled_from([b"a", b"/nix/store", b'"', b"\\", b"\n", b"\t", b"\r", b"\0", b"\1", b"\x7f", b"\xff", b" ", b"n"])).map(
    b"".join
)


@given(st.lists(_texts | st.binary(max_size=5), max_size=6))
def test_words_at_once_are_the_words_one_by_one(words: list[bytes]) -> None:
    assert quote_words(words) == "".join(f" {quote(word)}" for word in words)


@given(st.lists(st.tuples(_texts, _texts | st.binary(max_size=5)), max_size=5))
def test_pairs_at_once_are_the_pairs_one_by_one(pairs: list[tuple[bytes, bytes]]) -> None:
    assert quote_pairs(pairs) == "".join(f" ({quote(name)} {quote(value)})" for name, value in pairs)
