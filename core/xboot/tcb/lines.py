"""Source lines, counted by pygount: lines with code on them, without comments and blank lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from xboot.cache import file_sha256

_MANY = 50

# pygount guesses some languages by endings alone: .S and .s are the same assembler, .h is C here, and .def are TCC's tables in C.
_NAMES = {"GAS": "assembler", "S": "assembler", "Objective-C": "C", "Singularity": "C", "unknown": "other"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was compiled: its language, its lines of code, and its SHA-256 (by which two backends are found to share it)."""

    language: str
    lines: int
    sha256: str


def count_lines(path: Path) -> SourceFile:
    """Count one file. A file that pygount does not understand counts with all its lines that are not blank."""
    from pygount import SourceAnalysis  # noqa: PLC0415 - every backend imports this module, and pygount needs 80 ms

    analysis = SourceAnalysis.from_file(str(path), "xboot", encoding="automatic", fallback_encoding="iso-8859-1")
    if analysis.is_countable:
        return SourceFile(str(analysis.language), analysis.code_count + analysis.string_count, file_sha256(path))
    lines = sum(1 for line in path.read_bytes().splitlines() if line.strip())
    return SourceFile("unknown", lines, file_sha256(path))


def count_files(paths: Iterable[Path]) -> Mapping[Path, SourceFile]:
    """Count many files, on all cores when there are many."""
    wanted = list(dict.fromkeys(paths))
    if len(wanted) < _MANY:
        return {path: count_lines(path) for path in wanted}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(wanted, pool.map(count_lines, wanted, chunksize=32), strict=True))


def by_language(files: Iterable[SourceFile]) -> dict[str, int]:
    """Lines of code per language, most first."""
    total: dict[str, int] = {}
    for file in files:
        language = _NAMES.get(file.language, file.language)
        total[language] = total.get(language, 0) + file.lines
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
