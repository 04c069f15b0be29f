"""What is wrong with the text of a derivation, and where: a plain recursive descent over the bytes, used only when the fast reader gave
up.
"""

from __future__ import annotations

from collections.abc import Callable

from xboot.errors import InputError, RefusedError

__all__ = ["diagnose"]

_ESCAPES = b'"\\nrt'
_RAW = {0x0A: "line feed", 0x0D: "carriage return", 0x09: "tab"}


def diagnose(data: bytes, path: str) -> InputError:
    """The error, to be raised, that tells why `data` is not the text of a derivation."""
    if data.startswith(b"DrvWithVersion("):
        version = data[15:60].partition(b",")[0].decode("latin-1")
        return RefusedError(
            f"{path}: a dynamic derivation (DrvWithVersion {version}), which xboot does not build", hint="see docs/refusals.md"
        )
    walk = _Walk(data)
    try:
        walk.derivation()
    except _Fault as fault:
        return InputError(f"{path}: not a derivation: at byte {fault.offset} of {len(data)}: {fault.problem}")
    return InputError(f"{path}: not a derivation")


class _Fault(Exception):
    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.offset = offset
        self.problem = problem


class _Walk:
    """A cursor over the text; each method takes one part of the grammar."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def derivation(self) -> None:
        self._literal(b"Derive(")
        self._list(lambda: self._tuple(self._string, self._string, self._string, self._string), empty=False)
        self._literal(b",")
        self._list(lambda: self._tuple(self._string, lambda: self._list(self._string, empty=False)))
        self._literal(b",")
        self._list(self._string)
        for _ in ("system", "builder"):
            self._literal(b",")
            self._string()
        self._literal(b",")
        self._list(self._string)
        self._literal(b",")
        self._list(lambda: self._tuple(self._string, self._string))
        self._literal(b")")
        if self._at != len(self._data):
            raise _Fault(self._at, f"{len(self._data) - self._at} bytes after the end of the derivation")

    def _literal(self, expected: bytes) -> None:
        found = self._data[self._at : self._at + len(expected)]
        if found != expected:
            if expected.startswith(found):
                raise _Fault(len(self._data), f"the text ends where {expected.decode()!r} was expected")
            raise _Fault(self._at, f"found {self._data[self._at : self._at + 16]!r} where {expected.decode()!r} was expected")
        self._at += len(expected)

    def _list(self, item: Callable[[], None], *, empty: bool = True) -> None:
        self._literal(b"[")
        if empty and self._data[self._at : self._at + 1] == b"]":
            self._at += 1
            return
        item()
        while self._data[self._at : self._at + 1] == b",":
            self._at += 1
            item()
        self._literal(b"]")

    def _tuple(self, *items: Callable[[], None]) -> None:
        self._literal(b"(")
        for place, item in enumerate(items):
            if place:
                self._literal(b",")
            item()
        self._literal(b")")

    def _string(self) -> None:
        self._literal(b'"')
        start = self._at - 1
        while True:
            if self._at >= len(self._data):
                raise _Fault(len(self._data), f"the text ends inside the string that begins at byte {start}")
            byte = self._data[self._at]
            if byte == 0x22:
                self._at += 1
                return
            if byte in _RAW:
                raise _Fault(self._at, f"a {_RAW[byte]} inside a string stands for itself; Nix writes it with a backslash")
            if byte == 0x5C:
                escape = self._data[self._at + 1 : self._at + 2]
                if escape and escape not in _ESCAPES:
                    raise _Fault(self._at, f'\\{escape.decode("latin-1")} is none of the escapes \\n \\r \\t \\" \\\\')
                self._at += 1
            self._at += 1
