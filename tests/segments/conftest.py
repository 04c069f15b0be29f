"""A results store and a key for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from segments_bench import Bench


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results store and a key of this test's own."""
    monkeypatch.setenv("XBOOT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("XBOOT_RESULTS_KEY", str(tmp_path / "key"))
    return tmp_path / "results"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Runs plans in a folder of this test's own."""
    return Bench(tmp_path)
