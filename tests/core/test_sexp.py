"""Strings of the contract: one way to write each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot.errors import InputError
from xboot.sexp import quote, unquote


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
