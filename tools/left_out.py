"""Writes what is left out of Linux, with its lines, into docs/backends/linux.md.

Usage: make figures. The lines were counted when the kernel was built (plugins/linux/xboot_linux/leftout.py); it is built if it is not there
yet. `make test` compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from xboot.cache import Cache
from xboot.errors import XbootError
from xboot_linux.kernel import built_kernel
from xboot_linux.leftout import FILE, LeftOut, left_out

PAGE = Path(__file__).parents[1] / "docs" / "backends" / "linux.md"
BEGIN, END = "<!-- left out: written by `make figures`, held by `make test` -->\n", "<!-- end of what is left out -->\n"


def main() -> int:
    """Count and write; the exit status."""
    try:
        text = page(PAGE.read_text(), lines())
    except (XbootError, ValueError) as error:
        print(f"left out: {error}; nothing is written")
        return 1
    if text != PAGE.read_text():
        PAGE.write_text(text)
        print(f"left out: written into {PAGE.name}")
    return 0


def lines() -> Mapping[str, int]:
    """What is left out of the kernel that `xboot run` boots → its lines. Raises XbootError when that cannot be built."""
    kernel = built_kernel(Cache(), lambda event: None)
    found: dict[str, int] = json.loads((kernel.path.parent / FILE).read_text())
    return found


def page(text: str, counted: Mapping[str, int]) -> str:
    """docs/backends/linux.md with these lines. Raises ValueError when it has no place for them."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"docs/backends/linux.md has no lines {BEGIN.strip()!r} and {END.strip()!r}")
    rows = sorted(left_out("unix", "64"), key=lambda entry: -counted[entry.what])
    table = ["| left out | why | lines |", "|---|---|---|"]
    table += [f"| {entry.what}{_where(entry)} | {entry.why} | {counted[entry.what]:,} |" for entry in rows]
    return f"{before}{BEGIN}\n" + "\n".join([*table, f"| together | | {sum(counted.values()):,} |"]) + f"\n\n{END}{after}"


def _where(entry: LeftOut) -> str:
    return " (the usual kernel)" if entry.usual else " (`net=unix`)" if entry.net else ""


if __name__ == "__main__":
    sys.exit(main())
