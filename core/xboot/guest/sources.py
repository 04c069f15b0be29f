"""The guest code that several backends compile into what they boot, and what can be read off it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["I386", "PERSONALITY", "served_calls"]

PERSONALITY = Path(__file__).parent / "personality"
"""The Linux personality: C above a backend's machine layer (personality/machine.h)."""
I386 = Path(__file__).parent / "i386"
"""What every such machine on i386 needs beside: the personality as one unit of compilation, memory routines, serial ports and clock."""

_TABLE = "table.c"


def served_calls(files: Iterable[Path]) -> Sequence[str]:
    """The names of the system calls in the personality's table, if `files` have it."""
    tables = [path for path in files if path.name == _TABLE]
    if not tables:
        return ()
    text = tables[0].read_text()
    names = "".join(re.findall(r'"([^"]*)"', text.split("names[] =", 1)[1].split(";", 1)[0])).split()
    return tuple(names[int(number)] for number in re.findall(r"\[(\d+)\] = call_", text))
