"""Source lines, counted by pygount: lines with code on them, without comments and blank lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path

from xboot.cache import file_sha256
from xboot.tcb.counted import Counted, SourceFile

_MANY = 200_000  # bytes that one process counts in a second, which is what it costs to begin another and more

# pygount guesses some languages by endings alone: .S and .s are the same assembler, .h is C here, and .def are TCC's tables in C.
_NAMES = {"GAS": "assembler", "S": "assembler", "Objective-C": "C", "Singularity": "C", "unknown": "other"}


def count_lines(path: Path) -> SourceFile:
    """Count one file. A file that pygount does not understand counts with all its lines that are not blank."""
    from pygount import SourceAnalysis  # noqa: PLC0415 - every backend imports this module, and pygount needs 80 ms

    analysis = SourceAnalysis.from_file(str(path), "xboot", encoding="automatic", fallback_encoding="iso-8859-1")
    if analysis.is_countable:
        return SourceFile(str(analysis.language), analysis.code_count + analysis.string_count, file_sha256(path))
    lines = sum(1 for line in path.read_bytes().splitlines() if line.strip())
    return SourceFile("unknown", lines, file_sha256(path))


def count_files(paths: Iterable[Path]) -> Mapping[Path, SourceFile]:
    """Count many files, those that were not counted before (`Counted`) on all cores when they are large. Raises OSError for a file that
    cannot be read.
    """
    wanted = list(dict.fromkeys(paths))
    counted = Counted()
    found = {path: known for path in wanted if (known := counted.of(path)) is not None}
    new = _count([path for path in wanted if path not in found])
    counted.keep(new)
    found |= new
    return {path: found[path] for path in wanted}


def _count(paths: Sequence[Path]) -> dict[Path, SourceFile]:
    sizes = {path: path.stat().st_size for path in paths}
    cores = min(os.cpu_count() or 1, 1 + sum(sizes.values()) // _MANY, len(paths))
    if cores < 2:
        return {path: count_lines(path) for path in paths}
    # Largest first, one to each process in turn: so all have the same to do.
    ordered = sorted(paths, key=lambda path: -sizes[path])
    parts = [ordered[at::cores] for at in range(cores)]
    found: dict[Path, SourceFile] = {}
    with ThreadPoolExecutor(cores) as pool:
        for part, files in zip(parts, pool.map(_count_apart, parts), strict=True):
            found |= zip(part, files, strict=True)
    return found


def _count_apart(paths: Sequence[Path]) -> list[SourceFile]:
    """Count in a process that is begun anew. A fork of this one would have its locks, and threads of this one may hold them at that moment:
    then it would wait for ever. What goes wrong there is tried again, and told, here.
    """
    command = [sys.executable, "-P", "-c", f"from {__name__} import _count_given; _count_given()"]
    done = subprocess.run(command, input=json.dumps([str(path) for path in paths]), capture_output=True, text=True, check=False)
    if done.returncode:
        return [count_lines(path) for path in paths]
    return [SourceFile(*fields) for fields in json.loads(done.stdout)]


def _count_given() -> None:
    """The other end: paths on standard input, what is in them on standard output."""
    json.dump([astuple(count_lines(Path(path))) for path in json.load(sys.stdin)], sys.stdout)


def by_language(files: Iterable[SourceFile]) -> dict[str, int]:
    """Lines of code per language, most first."""
    total: dict[str, int] = {}
    for file in files:
        language = _NAMES.get(file.language, file.language)
        total[language] = total.get(language, 0) + file.lines
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
