"""Many files are counted in other processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xboot.tcb.lines import count_files, count_lines


def test_nothing_is_forked_from_a_process_that_may_have_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison measures one voter while others run; a fork of it may find a lock held by a thread that it has not."""
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("xboot.tcb.lines._MANY", 1000)
    files = [tmp_path / f"{number}.c" for number in range(130)]
    for number, file in enumerate(files):
        file.write_text("int a;\n" * number)
    forks: list[int] = []
    watching = True
    os.register_at_fork(before=lambda: forks.append(1) if watching else None)
    found = count_files(files)
    watching = False
    assert forks == []
    assert found == {file: count_lines(file) for file in files}
    assert list(found) == files
    assert found[files[7]].lines == 7


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        count_files([tmp_path / f"nothing-{number}" for number in range(60)])
