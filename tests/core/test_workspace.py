"""The scratch folders of runs: whatever a machine that was taken over leaves in one, no run stumbles over it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from xboot._workspace import cache_root, run_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path))
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path / "runs"], check=True)  # pytest could not, if a test fails


def _nest(folder: Path, depth: int) -> None:
    """Folders in each other, deeper than a path can be long."""
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 200, dir_fd=place)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)


def test_folders_in_each_other(cache: Path) -> None:
    with run_folder() as folder:
        _nest(folder, 3000)
    assert list((cache / "runs").iterdir()) == []


def test_what_a_killed_run_left(cache: Path) -> None:
    left = cache / "runs" / "run-00000000"
    left.mkdir(parents=True)
    left.with_suffix(".lock").touch()
    _nest(left, 3000)
    with run_folder():
        assert not left.exists()


def test_a_relative_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU behind its walls has another working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XBOOT_CACHE", "cache")
    assert cache_root() == tmp_path / "cache"
