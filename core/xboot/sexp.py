"""The strings of docs/contract.md section 1: how bytes stand in a script and on the result channel."""

from __future__ import annotations

import re

from xboot.errors import InputError

_ESCAPES = {b: f"\\x{b:02x}" for b in (*range(0x20), *range(0x7F, 0x100))}
_ESCAPES |= {ord("\n"): "\\n", ord('"'): '\\"', ord("\\"): "\\\\"}
_PLAIN = re.compile(rb"[ !#-\[\]-~]*")
_TOKEN = re.compile(rb'\\(n|"|\\|x[0-9a-f]{2})')
_STRING = re.compile(rb'"((?:[ !#-\[\]-~]|\\(?:n|"|\\|x[0-9a-f]{2}))*)"')


def quote(value: bytes | str) -> str:
    """The one way to write `value` as a string; a `str` must be UTF-8 encodable."""
    data = value.encode() if isinstance(value, str) else value
    if _PLAIN.fullmatch(data):  # nearly all strings; a graph of 5,000 derivations has 10 MB of them
        return f'"{data.decode("ascii")}"'
    return '"' + data.decode("latin-1").translate(_ESCAPES) + '"'


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
