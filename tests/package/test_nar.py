"""NAR reader and writer against nix itself, against each other, and against strangers."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xboot import nar
from xboot.errors import InputError

names = st.binary(min_size=1, max_size=20).filter(lambda n: n not in (b".", b"..") and not set(n) & {0, ord("/")})
files = st.tuples(st.just("file"), st.binary(max_size=40), st.booleans())
links = st.tuples(st.just("link"), st.binary(min_size=1, max_size=30).filter(lambda t: b"\0" not in t))
trees = st.recursive(files | links, lambda kids: st.tuples(st.just("tree"), st.dictionaries(names, kids, max_size=5)), max_leaves=12)


def plant(path: bytes, tree: tuple) -> None:
    if tree[0] == "file":
        with open(path, "wb") as file:
            file.write(tree[1])
        os.chmod(path, 0o755 if tree[2] else 0o644)
    elif tree[0] == "link":
        os.symlink(tree[1], path)
    else:
        os.mkdir(path)
        for name, kid in tree[1].items():
            plant(path + b"/" + name, kid)


@settings(max_examples=60, deadline=None)
@given(tree=trees)
def test_round_trip(tree: tuple, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("nar")
    plant(os.fsencode(folder / "a"), tree)
    data = b"".join(nar.dump(folder / "a"))
    info = nar.unpack(io.BytesIO(data), folder / "b")
    assert b"".join(nar.dump(folder / "b")) == data
    assert info == nar.nar_hash(folder / "a") == nar.NarInfo(hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.nix
@settings(max_examples=12, deadline=None)
@given(tree=trees)
def test_same_as_nix(tree: tuple, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("nar")
    plant(os.fsencode(folder / "a"), tree)
    by_nix = subprocess.run(["nix-store", "--dump", str(folder / "a")], check=True, capture_output=True).stdout
    assert b"".join(nar.dump(folder / "a")) == by_nix


def s(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)


def words(*parts: bytes) -> bytes:
    return b"".join(s(p) for p in (b"nix-archive-1", *parts))


def directory(*entries: tuple[bytes, ...]) -> bytes:
    parts: list[bytes] = [b"(", b"type", b"directory"]
    for name, *node in entries:
        parts += [b"entry", b"(", b"name", name, b"node", *(node or [b"(", b"type", b"regular", b"contents", b"", b")"]), b")"]
    return words(*parts, b")")


HOSTILE = {
    "empty": (b"", "too early"),
    "no contents": (words(b"(", b"type", b"regular", b")"), "contents"),
    "no contents, executable": (words(b"(", b"type", b"regular", b"executable", b"", b")"), "contents"),
    "magic": (s(b"nix-archive-2"), "nix-archive-1"),
    "dot": (directory((b".",)), "not allowed"),
    "dotdot": (directory((b"..",)), "not allowed"),
    "slash": (directory((b"a/b",)), "not allowed"),
    "nul": (directory((b"a\0b",)), "not allowed"),
    "empty name": (directory((b"",)), "not allowed"),
    "duplicate": (directory((b"a",), (b"a",)), "unique"),
    "unsorted": (directory((b"b",), (b"a",)), "in order"),
    "through a link": (
        directory((b"a", b"(", b"type", b"symlink", b"target", b"/etc", b")"), (b"a", b"(", b"type", b"directory", b")")),
        "unique",
    ),
    "trailing": (directory((b"a",)) + b"\0", "after its end"),
    "unknown type": (words(b"(", b"type", b"fifo", b")"), "fifo"),
    "huge name": (words(b"(", b"type", b"directory", b"entry", b"(", b"name") + (1 << 60).to_bytes(8, "little"), "at most 255"),
    "huge file": (words(b"(", b"type", b"regular", b"contents") + (1 << 62).to_bytes(8, "little"), "too early"),
    "padding": (words(b"(", b"type", b"regular", b"contents") + (1).to_bytes(8, "little") + b"a\1\0\0\0\0\0\0" + s(b")"), "padding"),
    "depth": (words(*([b"(", b"type", b"directory", b"entry", b"(", b"name", b"d", b"node"] * 5000)), "nested deeper than 64"),
    "empty target": (words(b"(", b"type", b"symlink", b"target", b"", b")"), "link target"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(case: str, tmp_path: Path) -> None:
    data, message = HOSTILE[case]
    with pytest.raises(InputError, match=message):
        nar.unpack(io.BytesIO(data), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_truncated_anywhere(tmp_path: Path) -> None:
    data = directory((b"a",), (b"b", b"(", b"type", b"symlink", b"target", b"x", b")"))
    for length in range(len(data)):
        with pytest.raises(InputError):
            nar.unpack(io.BytesIO(data[:length]), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_depth_is_capped_when_writing_too(tmp_path: Path) -> None:
    (tmp_path / "/".join(["a"] * 64)).mkdir(parents=True)
    assert nar.nar_hash(tmp_path / "a").size > 0
    (tmp_path / "/".join(["a"] * 65)).mkdir()
    with pytest.raises(InputError, match="deeper than 64"):
        nar.nar_hash(tmp_path / "a")


def test_devices_and_sockets_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="neither regular file"):
        nar.nar_hash(tmp_path)
