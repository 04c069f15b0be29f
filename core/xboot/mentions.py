"""Which hash parts of store paths stand in bytes: how a store object's references are found, exactly as the daemons of Nix and Guix do.

A hash part that is looked for is found wherever its 32 characters stand, whatever is before and after them: in a name, in a longer word, in
an odd place of a binary, across two pieces that were read. Nothing else is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

__all__ = ["HASH_LENGTH", "mentioned", "overlapping"]

HASH_LENGTH = 32
_PIECE = 1 << 20
_FEW = 4  # so many are looked for one by one at the speed of memory
_STRIDE = 4
_IN_A_ROW = HASH_LENGTH // _STRIDE
_BASE32 = b"0123456789abcdfghijklmnpqrsvwxyz"
_BLANK_OTHERS = bytes(byte if byte in _BASE32 else 0x20 for byte in range(256))
_IS_DIGIT = bytes(byte in _BASE32 for byte in range(256))
_DIGITS = b"\1" * _IN_A_ROW


def mentioned(windows: Iterable[bytes], wanted: Collection[bytes]) -> set[bytes]:
    """Those of `wanted`, hash parts of store paths, that stand anywhere in `windows`. Each window must begin with at least the last 31
    bytes of the one before, as `overlapping` gives them.
    """
    found: set[bytes] = set()
    if len(wanted) <= _FEW:
        left = set(wanted)
        for window in windows:
            found |= {part for part in left if part in window}
            left -= found
        return found
    for window in windows:
        for run in _runs(window):
            if len(run) == HASH_LENGTH:
                if run in wanted:
                    found.add(run)
            else:
                found.update(part for place in range(len(run) - HASH_LENGTH + 1) if (part := run[place : place + HASH_LENGTH]) in wanted)
    return found


def _runs(window: bytes) -> Iterator[bytes]:
    """All runs of at least 32 digits of base 32.

    Of 32 bytes in a row, 8 are at every fourth place. So only every fourth byte is looked at, and where 8 of these in a row are digits, the
    bytes between. The first of 8 such, number i, is byte 4*i + 3; a run with all 8 begins at byte 4*i or later (else one more before were
    within it), and likewise ends before byte 4*j + 3, when the digits of the sample end with number j - 1.
    """
    sample = window[_STRIDE - 1 :: _STRIDE].translate(_IS_DIGIT)
    begin = sample.find(_DIGITS)
    while begin >= 0:
        end = sample.find(b"\0", begin + _IN_A_ROW)
        if end < 0:
            end = len(sample)
        for run in window[begin * _STRIDE : (end + 1) * _STRIDE - 1].translate(_BLANK_OTHERS).split():
            if len(run) >= HASH_LENGTH:
                yield run
        begin = sample.find(_DIGITS, end)


def overlapping(pieces: Iterable[bytes], overlap: int = HASH_LENGTH - 1) -> Iterator[bytes]:
    """The bytes of `pieces` in windows of about 1 MiB, each beginning with the last `overlap` bytes of the one before."""
    tail, size, gathered = b"", 0, []
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _PIECE:
            window = tail + b"".join(gathered)
            yield window
            tail, size, gathered = window[-overlap:], 0, []
    yield tail + b"".join(gathered)
