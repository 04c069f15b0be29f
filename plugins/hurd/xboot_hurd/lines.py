"""What Debian's GNU Mach was compiled from, read off the line tables of its debugging twin.

The sources themselves are not served by every mirror, so lines are counted as the debugger sees them: the distinct source lines for which
the compiler made machine code. That is fewer than the lines of the files (declarations and comments make none), and is stated as such.

The twin is a build of its own, of the same source and by the same compiler, with Mach's kernel debugger in it. The files of the debugger
are left out of the count when the kernel that boots has none. The lines that the debugger has in other files (they print a kernel's
structures) are counted with these, so the figure is a little too large.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.dwarfinfo import DWARFInfo

__all__ = ["SOURCES_FILE", "record_sources"]

SOURCES_FILE = "sources.json"
_DEBUGGER = ("ddb/", "i386/i386/db_disasm.c", "i386/i386/db_trace.c")
_HAS_NO_DEBUGGER = b"But no debugger, continuing."  # what a kernel compiled without it says in its place
_LANGUAGES = {".c": "C", ".h": "C", ".S": "Assembler", ".s": "Assembler"}
_DWARF_5 = 5


def record_sources(twin: bytes, destination: Path, kernel: bytes) -> None:
    """Write, for each source file that `twin` names, its language, lines, and a hash of which lines they are (its content is not known).
    The debugger's files are left out if `kernel`, the one that boots, says that it has no debugger.
    """
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - every command loads this module, and few read ELF

    elf = ELFFile(io.BytesIO(twin))
    absent = _DEBUGGER if _HAS_NO_DEBUGGER in kernel else ()
    lines: dict[str, set[int]] = defaultdict(set)
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        _collect(dwarf, unit, lines)
    record = {
        name: {
            "language": _LANGUAGES.get(Path(name).suffix, "C"),
            "lines": len(found),
            "sha256": hashlib.sha256(f"{name}\n{sorted(found)}".encode()).hexdigest(),
        }
        for name, found in sorted(lines.items())
        if not name.startswith(absent)
    }
    destination.write_text(json.dumps(record, indent=0, sort_keys=True))


def _collect(dwarf: DWARFInfo, unit: CompileUnit, lines: dict[str, set[int]]) -> None:
    program = dwarf.line_program_for_CU(unit)
    if program is None:
        return
    header = program.header
    base = 0 if header.version >= _DWARF_5 else 1
    folders = [entry.decode(errors="replace") for entry in header["include_directory"]]
    names = []
    for entry in header["file_entry"]:
        index = entry.dir_index - base
        folder = folders[index] if 0 <= index < len(folders) else ""
        names.append(_short(posixpath.join(folder, entry.name.decode(errors="replace"))))
    for entry in program.get_entries():
        state = entry.state
        if state is not None and not state.end_sequence and state.line and 0 <= state.file - base < len(names):
            lines[names[state.file - base]].add(state.line)


def _short(name: str) -> str:
    """Without the folders of the machine where it was compiled."""
    name = posixpath.normpath(name)
    for mark in ("/./", "/build-486-dbg/", "/build-486/"):
        name = name.rsplit(mark, 1)[-1]
    parts = [part for part in name.split("/") if part not in ("..", ".")]
    return "/".join(parts[-3:])
