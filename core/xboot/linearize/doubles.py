"""Doubles in decimal as nlohmann::json writes them, which nix uses: Grisu2 (F. Loitsch, "Printing Floating-Point Numbers Quickly and
Accurately with Integers", PLDI 2010, section 5).

Grisu2 gives digits that read back as the same double; in one case of a thousand they are not the fewest, or not the nearest, so no other
way of printing gives the same text. The powers of ten and the notation are those of nlohmann's `dtoa_impl`.
"""

from __future__ import annotations

import functools
import struct
from typing import NamedTuple

__all__ = ["double_text"]

_ALPHA = -60  # the scaled number has an exponent from here to -32
_POWERS_FROM, _POWERS_STEP = -300, 8
_FIXED_FROM, _FIXED_TO = -4, 15  # decimal exponents that are written without `e`
_LOG10_2 = 78913  # over 2^18


class _Scaled(NamedTuple):
    """`f` times 2^`e`, with `f` of 64 bits."""

    f: int
    e: int

    def times(self, other: _Scaled) -> _Scaled:
        return _Scaled((self.f * other.f + (1 << 63)) >> 64, self.e + other.e + 64)

    def normal(self) -> _Scaled:
        shift = 64 - self.f.bit_length()
        return _Scaled(self.f << shift, self.e - shift)


@functools.cache
def _power(exponent: int) -> _Scaled:
    """10^`exponent` with 64 bits, rounded."""
    if exponent >= 0:
        number, e = 10**exponent, 0
    else:
        e = -(10**-exponent).bit_length() - 66
        number = (1 << -e) // 10**-exponent
    shift = number.bit_length() - 64
    if shift > 0:
        return _Scaled((number + (1 << shift >> 1)) >> shift, e + shift)
    return _Scaled(number << -shift, e + shift)


def _truncated(number: int, divisor: int) -> int:
    return number // divisor if number >= 0 else -(-number // divisor)


def _boundaries(value: float) -> tuple[_Scaled, _Scaled, _Scaled]:
    """The places halfway to the doubles below and above, and the number itself between them."""
    bits = int.from_bytes(struct.pack(">d", value))
    exponent, fraction = bits >> 52, bits & ((1 << 52) - 1)
    v = _Scaled(fraction, -1074) if exponent == 0 else _Scaled(fraction + (1 << 52), exponent - 1075)
    plus = _Scaled(2 * v.f + 1, v.e - 1).normal()
    closer = fraction == 0 and exponent > 1
    minus = _Scaled(4 * v.f - 1, v.e - 2) if closer else _Scaled(2 * v.f - 1, v.e - 1)
    return _Scaled(minus.f << (minus.e - plus.e), plus.e), v.normal(), plus


def _digits(value: float) -> tuple[list[int], int]:
    """Decimal digits, and the power of ten that the last of them counts."""
    minus, v, plus = _boundaries(value)
    f = _ALPHA - plus.e - 1
    k = _truncated(f * _LOG10_2, 1 << 18) + (f > 0)
    k = _POWERS_FROM + _truncated(-_POWERS_FROM + k + _POWERS_STEP - 1, _POWERS_STEP) * _POWERS_STEP
    power = _power(k)
    w, low, high = v.times(power), minus.times(power), plus.times(power)
    upper = high.f - 1
    delta, distance = upper - (low.f + 1), upper - w.f
    bits = -high.e
    whole, rest = upper >> bits, upper & ((1 << bits) - 1)
    left = len(str(whole))
    digits: list[int] = []
    while left:
        left -= 1
        digit, whole = divmod(whole, 10**left)
        digits.append(digit)
        remaining = (whole << bits) + rest
        if remaining <= delta:
            _round(digits, distance, delta, remaining, 10**left << bits)
            return digits, left - k
    places = 0
    while True:
        rest, delta, distance = rest * 10, delta * 10, distance * 10
        digits.append(rest >> bits)
        rest &= (1 << bits) - 1
        places += 1
        if rest <= delta:
            _round(digits, distance, delta, rest, 1 << bits)
            return digits, -places - k


def _round(digits: list[int], distance: int, delta: int, rest: int, unit: int) -> None:
    """Lower the last digit while that comes nearer to the number."""
    while rest < distance and delta - rest >= unit and (rest + unit < distance or distance - rest > rest + unit - distance):
        digits[-1] -= 1
        rest += unit


def double_text(value: float) -> str:
    """A finite double, as JSON."""
    sign = "-" if struct.pack(">d", value)[0] & 0x80 else ""
    if value == 0:
        return f"{sign}0.0"
    found, last = _digits(abs(value))
    digits = "".join(map(str, found))
    point = len(digits) + last
    if len(digits) <= point <= _FIXED_TO:
        return f"{sign}{digits}{'0' * (point - len(digits))}.0"
    if 0 < point <= _FIXED_TO:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if _FIXED_FROM < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if point < 1 else '+'}{abs(point - 1):02d}"
