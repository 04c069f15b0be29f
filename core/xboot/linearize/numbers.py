"""Numbers in structured attributes as nix writes them: through the types of C++ (nlohmann::json as in Nix 2.8, and since).

A whole number is one of 64 bits, signed or not, else a double (`xboot.linearize.doubles`). `.attrs.sh` holds only what is whole as a C
float, and writes it as an int of 32 bits; what does not fit there becomes what a processor makes of it.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

from xboot.linearize.doubles import double_text

__all__ = ["json_text", "shell_number"]

_INT_MIN = -(1 << 31)  # x86's answer to a conversion that does not fit (Intel SDM, CVTTSD2SI)


def json_text(value: Any) -> str:
    """JSON without blanks, members in bytewise order."""
    pieces: list[str] = []
    _write(value, pieces)
    return "".join(pieces)


def _write(value: Any, pieces: list[str]) -> None:
    if isinstance(value, dict):
        pieces.append("{")
        for place, name in enumerate(sorted(value)):
            pieces.append(f"{',' if place else ''}{json.dumps(name, ensure_ascii=False)}:")
            _write(value[name], pieces)
        pieces.append("}")
    elif isinstance(value, list):
        pieces.append("[")
        for place, item in enumerate(value):
            if place:
                pieces.append(",")
            _write(item, pieces)
        pieces.append("]")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        pieces.append(json.dumps(value, ensure_ascii=False))
    else:
        number = _as_read(value)
        pieces.append(str(number) if isinstance(number, int) else double_text(number))


def _as_read(value: float) -> int | float:
    """A whole number that fits into no 64 bits is a double."""
    return float(value) if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64 else value


def shell_number(value: float) -> str | None:
    """A number as `.attrs.sh` has it; None when it is left out."""
    number = _as_read(value)
    if isinstance(number, int):
        return str((number + (1 << 31)) % (1 << 32) - (1 << 31))
    try:
        (single,) = struct.unpack("f", struct.pack("f", number))
    except OverflowError:  # infinite as a C float, and so its own ceiling
        single = math.inf
    if math.isinf(single):
        return str(_INT_MIN)
    if math.ceil(single) != single:
        return None
    whole = math.trunc(number)
    return str(whole if _INT_MIN <= whole < 1 << 31 else _INT_MIN)
