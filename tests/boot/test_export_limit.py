"""What a run brings out is bounded by what the guest announces, before the first byte is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.boot.channel import Message
from xboot.boot.export import MAX_EXPORTS, Exporter
from xboot.errors import GuestError
from xboot.model import Phase


def piece(name: str, size: int) -> Message:
    return Message(Phase.EXPORT, 1, "out", f"/nix/store/{'0' * 32}-{name}", "0" * 64, size, offset=0, length=4)


def test_a_file_of_holes_does_not_fill_the_disk(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path / "export", tmp_path)
    (tmp_path / "part").write_bytes(b"1234")
    exporter.append(piece("a", MAX_EXPORTS - 100), tmp_path / "part")
    exporter.close()
    with pytest.raises(GuestError, match="more than are brought out of a guest"):
        exporter.append(piece("b", 101), tmp_path / "part")
    exporter.close()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["export", "part"]
