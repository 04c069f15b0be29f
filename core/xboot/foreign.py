"""Text that somebody else wrote, on its way to a terminal.

Names of files, members of recipes, URLs, what a guest or a server says: all of it may hold what a terminal obeys, and a line feed may
begin a line that looks like ours. Every such text goes through `printable`, which makes one line of it. What is forgotten still cannot
move a cursor, since all consoles are of the kind that `xboot.show.safe` defines; a test walks through the code for ways around both.
"""

from __future__ import annotations

import re

__all__ = ["MAX_SHOWN", "printable", "printable_lines"]

MAX_SHOWN = 8192
"""Characters of one foreign text that are shown at most: an error may quote a name, not fill a screen for minutes."""

_RAW = re.compile(r"[^ -~]+")
_BYTE = 0xDC80  # of a file name: a byte that is not UTF-8 is kept as a half character (PEP 383)


def printable(text: bytes | str, limit: int = MAX_SHOWN) -> str:
    """`text` as one line without anything that a terminal obeys: control characters, line feeds, marks that turn the direction of
    writing and half characters become escapes. Of bytes only ASCII stays. What is beyond `limit` characters is counted, not shown.
    """
    rest = f"… ({len(text) - limit} more)" if len(text) > limit else ""
    if isinstance(text, bytes):
        return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in text[:limit]) + rest
    return _RAW.sub(lambda match: "".join(map(_shown, match[0])), text[:limit]) + rest


def _shown(character: str) -> str:
    code = ord(character)
    if character.isprintable():
        return character
    if character == "\n":
        return "\\n"
    if _BYTE <= code < _BYTE + 0x80:
        return f"\\x{code - _BYTE + 0x80:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable_lines(text: str) -> str:
    """Many lines, each of them `printable`: for what another program printed."""
    return "\n".join(printable(line) for line in text.split("\n"))
