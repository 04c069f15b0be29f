"""What was counted once is not counted again, and what was changed is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from xboot.tcb import count_files, lines
from xboot.tcb.counted import SourceFile


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """An empty cache, and the files that were counted since."""
    found: list[Path] = []
    count: Callable[[Path], SourceFile] = lines.count_lines
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(lines, "count_lines", lambda path: (found.append(path), count(path))[1])
    return found


def test_a_file_is_counted_once(tmp_path: Path, asked: list[Path]) -> None:
    file = tmp_path / "a.c"
    file.write_text("int x;\nint y;\n")
    first = count_files([file])
    assert count_files([file]) == first
    assert asked == [file]
    assert first[file].lines == 2


def test_a_changed_file_is_counted_anew_whatever_its_times_say(tmp_path: Path, asked: list[Path]) -> None:
    file = tmp_path / "a.c"
    file.write_text("int x;\nint y;\n")
    before = file.stat()
    count_files([file])
    file.write_text("int x; int y;\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert count_files([file])[file].lines == 1
    assert asked == [file, file]


def test_the_name_says_the_language(tmp_path: Path, asked: list[Path]) -> None:
    files = [tmp_path / "a.c", tmp_path / "a.py"]
    for file in files:
        file.write_text("# x\n")
    assert [count_files([file])[file].language for file in files] == ["C", "Python"]
    assert asked == files


@pytest.mark.parametrize(
    "record", ["", "[]", '{"madeBy": 1}', '{"madeBy": HERE, "counts": {"KEY": ["C"]}}', '{"madeBy": HERE, "counts": {"KEY": ["C", "9"]}}']
)
def test_a_damaged_record_is_none(tmp_path: Path, asked: list[Path], record: str) -> None:
    file = tmp_path / "a.c"
    file.write_text("int x;\n")
    right = count_files([file])
    (kept,) = (tmp_path / "cache").rglob("counts.json")
    said = json.loads(kept.read_text())
    (key,) = said["counts"]
    kept.write_text(record.replace("HERE", json.dumps(said["madeBy"])).replace("KEY", key))
    assert count_files([file]) == right
    assert asked == [file, file]


def test_other_versions_count_anew(tmp_path: Path, asked: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.c"
    file.write_text("int x;\n")
    count_files([file])
    monkeypatch.setattr("xboot.tcb.counted._made_by", lambda: ["another"])
    count_files([file])
    assert asked == [file, file]


def test_a_cache_that_cannot_be_written_to_costs_the_record_only(tmp_path: Path, asked: list[Path]) -> None:
    file = tmp_path / "a.c"
    file.write_text("int x;\n")
    (tmp_path / "cache").write_text("a file, not a folder")
    assert count_files([file])[file].lines == 1
    assert count_files([file])[file].lines == 1
    assert asked == [file, file]
