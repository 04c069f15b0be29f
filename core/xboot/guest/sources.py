"""The guest code that several backends compile into what they boot, and what can be read off it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["I386", "PANIC", "PERSONALITY", "X86_64", "dependencies", "served_calls"]

PERSONALITY = Path(__file__).parent / "personality"
"""The Linux personality: C above a backend's machine layer (personality/machine.h)."""
I386 = Path(__file__).parent / "i386"
"""What every such machine on i386 needs beside: the personality as one unit of compilation, memory routines, serial ports and clock."""
X86_64 = Path(__file__).parent / "x86_64"
"""What a machine in long mode needs beside these, for programs of 64 bits."""
PANIC = Path(__file__).parent / "standalone" / "kernel" / "panic.c"
"""The last words, on the screen, of such a machine whose guest runs by itself; it wants SCREEN_CELLS (i386/device.h)."""

_TABLE = "table.c"


def dependencies(file: Path) -> Sequence[str]:
    """The names in a dependency file (`-MD`), as the compiler wrote it; none when it wrote no such file.

    TCC puts each name on a line of its own and escapes nothing, so a space there is a part of a name. gcc divides names by spaces, and
    has a backslash before one that is a part of a name.
    """
    if not file.exists():
        return ()
    text = file.read_text(errors="surrogateescape").partition(": ")[2]
    if text.startswith("\\\n"):
        return [name for line in text.splitlines()[1:] if (name := line.removesuffix("\\").strip())]
    words = re.findall(r"(?:\\.|[^\s\\])+", text.replace("\\\n", " "))
    return [re.sub(r"\\(.)", r"\1", word) for word in words]


def served_calls(files: Iterable[Path]) -> Sequence[str]:
    """The names of the system calls in the personality's table, if `files` have it."""
    tables = [path for path in files if path.name == _TABLE]
    if not tables:
        return ()
    text = tables[0].read_text()
    names = "".join(re.findall(r'"([^"]*)"', text.split("names[] =", 1)[1].split(";", 1)[0])).split()
    return tuple(names[int(number)] for number in re.findall(r"\[(\d+)\] = call_", text))
