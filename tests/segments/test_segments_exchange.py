"""The place where NARs lie for host and workers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from xboot.cluster.exchange import Exchange


def test_what_is_laid_again_is_never_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps may have made the same bytes: one worker lays them there while the host takes what another has laid."""
    file = tmp_path / "file.nar"
    file.write_bytes(b"nar" * 1000)
    sha256, size = hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size
    exchange = Exchange(f"file://{tmp_path}/exchange")
    exchange.put(file, sha256)
    seen: list[bool] = []
    opens, moves = LocalFileSystem.open, LocalFileSystem.mv

    def opened(self: Any, path: str, mode: str = "rb", **more: Any) -> Any:
        found = opens(self, path, mode, **more)
        if mode == "wb":
            seen.append(exchange.get(sha256, size, tmp_path / "copy"))
        return found

    def moved(self: Any, *places: str, **more: Any) -> None:
        seen.append(exchange.get(sha256, size, tmp_path / "copy"))
        moves(self, *places, **more)

    monkeypatch.setattr(LocalFileSystem, "open", opened)
    monkeypatch.setattr(LocalFileSystem, "mv", moved)
    exchange.put(file, sha256)
    assert seen == [True, True]
    assert [path.name for path in (tmp_path / "exchange").rglob("*") if path.is_file()] == [f"{sha256}.nar"]


def test_what_cannot_be_laid_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file.nar"
    file.write_bytes(b"nar")

    def full(self: Any, *places: str, **more: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(LocalFileSystem, "mv", full)
    with pytest.raises(Exception, match="no space"):
        Exchange(f"file://{tmp_path}/exchange").put(file, "0" * 64)
    assert not [path for path in (tmp_path / "exchange").rglob("*") if path.is_file()]
