"""Archives that broke the readers of others: each is refused by a sentence, and nothing is written.

CVE: CVE-2024-45593, CVE-2026-44028
Wins: a file outside of the folder that an archive is unpacked into; memory of the reader, by a stack that has no end
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from xboot import nar
from xboot.errors import InputError


def words(*parts: bytes) -> bytes:
    return b"".join(struct.pack("<Q", len(part)) + part + bytes(-len(part) % 8) for part in parts)


def entry(name: bytes, *node: bytes) -> tuple[bytes, ...]:
    return (b"entry", b"(", b"name", name, b"node", b"(", *node, b")", b")")


def folder(*entries: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (b"type", b"directory", *(word for one in entries for word in one))


FILE = (b"type", b"regular", b"contents", b"evil")


def link(target: Path) -> tuple[bytes, ...]:
    return (b"type", b"symlink", b"target", bytes(target))


@pytest.mark.parametrize("first", [b"a", b"A", b"a.", "\u00e9".encode(), "e\u0301".encode()])
@pytest.mark.parametrize("second", [b"a", b"a\0", b"a/", b"./a", b"a/evil"])
def test_a_link_and_then_something_of_its_name(tmp_path: Path, first: bytes, second: bytes) -> None:
    """An entry that is a link out of the folder, then one that would be written through it."""
    (tmp_path / "outside").mkdir()
    for through in (FILE, folder(entry(b"evil", *FILE))):
        data = words(b"nix-archive-1", b"(", *folder(entry(first, *link(tmp_path / "outside")), entry(second, *through)), b")")
        if first == second or not nar_name(second) or second < first:
            with pytest.raises(InputError):
                nar.unpack(io.BytesIO(data), tmp_path / "out")
        else:  # two names that are two files on this host
            nar.unpack(io.BytesIO(data), tmp_path / "out")
            (tmp_path / "out" / second.decode()).lstat()
            break
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["outside"]


def nar_name(name: bytes) -> bool:
    return b"/" not in name and b"\0" not in name


def test_the_top_is_a_link_that_is_there(tmp_path: Path) -> None:
    """What is unpacked never goes through what is there already."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "outside")
    data = words(b"nix-archive-1", b"(", *folder(entry(b"evil", *FILE)), b")")
    with pytest.raises((InputError, OSError)):
        nar.unpack(io.BytesIO(data), tmp_path / "out")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("depth", [65, 1000, 200_000])
def test_folders_without_end(tmp_path: Path, depth: int) -> None:
    """Refused at the same depth however deep it goes; no reader's stack grows with it."""
    data = words(b"nix-archive-1") + words(b"(", b"type", b"directory", b"entry", b"(", b"name", b"d", b"node") * depth
    with pytest.raises(InputError, match="nested deeper than 64"):
        nar.unpack(io.BytesIO(data), tmp_path / "out")
    with pytest.raises(InputError, match="nested deeper than 64"):
        for _ in nar.read(io.BytesIO(data)):
            pass
    assert list(tmp_path.iterdir()) == []
