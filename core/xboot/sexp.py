"""The strings of docs/contract.md section 1: how bytes stand in a script and on the result channel."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xboot.errors import InputError

_ESCAPES = {b: f"\\x{b:02x}" for b in (*range(0x20), *range(0x7F, 0x100))}
_ESCAPES |= {ord("\n"): "\\n", ord('"'): '\\"', ord("\\"): "\\\\"}
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
_COMMON = frozenset(b'\\"\n\t')  # what texts have that needs an escape; all else is rare
_TOKEN = re.compile(rb'\\(n|"|\\|x[0-9a-f]{2})')
_STRING = re.compile(rb'"((?:[ !#-\[\]-~]|\\(?:n|"|\\|x[0-9a-f]{2}))*)"')


def quote(value: bytes | str) -> str:
    """The one way to write `value` as a string; a `str` must be UTF-8 encodable."""
    data = value.encode() if isinstance(value, str) else value
    if not data.translate(None, _PLAIN):  # nearly all strings
        return f'"{data.decode("ascii")}"'
    return '"' + data.decode("latin-1").translate(_ESCAPES) + '"'


def quote_words(words: Sequence[bytes]) -> str:
    """Each of `words` as a string with a blank before it."""
    joined = _escape(b"\0".join(words), b"\0") if words else None
    if joined is None or joined.count(b"\0") != len(words) - 1:
        return "".join([f" {quote(word)}" for word in words])
    return ' "' + joined.replace(b"\0", b'" "').decode("ascii") + '"'


def quote_pairs(pairs: Sequence[tuple[bytes, bytes]]) -> str:
    """Each of `pairs` as two strings in parentheses with a blank before them.

    Most of a script is these, so they are escaped all at once, joined by two bytes that have an escape themselves: where one of them
    stands in a string, and for bytes that texts do not have, the pairs are taken one by one.
    """
    joined = _escape(b"\1".join(map(b"\0".join, pairs)), b"\0\1") if pairs else None
    if joined is None or joined.count(b"\0") != len(pairs) or joined.count(b"\1") != len(pairs) - 1:
        return "".join([f" ({quote(name)} {quote(value)})" for name, value in pairs])
    return ' ("' + joined.replace(b"\0", b'" "').replace(b"\1", b'") ("').decode("ascii") + '")'


def _escape(data: bytes, separators: bytes) -> bytes | None:
    """`data` escaped; None when it has bytes that need it and that are none of `_COMMON`."""
    special = set(data.translate(None, _PLAIN + separators))
    if not special:
        return data
    if not special <= _COMMON:
        return None
    return data.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n").replace(b"\t", b"\\x09")


def unquote(text: bytes) -> bytes:
    """The bytes that a string stands for. Raises InputError when `text` is not exactly one string in its one way of writing."""
    match = _STRING.fullmatch(text)
    if match is None:
        raise InputError(f"not a string of the xboot contract: {text[:80]!r}")
    value = _TOKEN.sub(_replace, match[1])
    if quote(value).encode() != text:
        raise InputError(f"a string that is not in its one way of writing: {text[:80]!r}")
    return value


def _replace(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if escape == b"n":
        return b"\n"
    return bytes([int(escape[1:], 16)]) if escape.startswith(b"x") else escape
