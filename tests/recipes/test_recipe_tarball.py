"""Tarballs from strangers."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from xboot.errors import InputError
from xboot.recipe.tarball import unpack_tarball


def make(path: Path, *members: tuple[str, bytes | str | None, bytes], mode: str = "w:gz") -> Path:
    """A tarball of (name, content or link target, tar type)."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = 0o755
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content or ""
                tar.addfile(info)
    return path


FILE, DIR, SYM, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_good_tarball_loses_its_top_folder(tmp_path: Path, mode: str) -> None:
    members = (
        ("./top/", None, DIR), ("top/a", b"A", FILE), ("top/sub/b", b"B", FILE), ("top/link", "sub/b", SYM), ("top/sub/up", "../a", SYM),
        ("top/same", "top/a", HARD),
    )  # fmt: skip
    archive = make(tmp_path / "good.tar", *members, mode=mode)
    out = tmp_path / "out"
    out.mkdir()
    unpack_tarball(archive, out)
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*")) == ["a", "link", "same", "sub", "sub/b", "sub/up"]
    assert (out / "link").read_bytes() == b"B"
    assert (out / "sub" / "up").read_bytes() == b"A"
    assert (out / "same").read_bytes() == b"A"


def test_without_one_top_folder_nothing_is_stripped(tmp_path: Path) -> None:
    archive = make(tmp_path / "flat.tar.gz", ("a", b"A", FILE), ("lib/b", b"B", FILE))
    out = tmp_path / "out"
    out.mkdir()
    unpack_tarball(archive, out)
    assert (out / "a").exists() and (out / "lib" / "b").exists()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([("../escape", b"x", FILE)], "leads out of the tree"),
        ([("a/../../escape", b"x", FILE)], "leads out of the tree"),
        ([("/etc/escape", b"x", FILE)], "is absolute"),
        ([("a", b"x", FILE), ("a", b"y", FILE)], "is in it twice"),
        ([("d", "/etc", SYM)], "points out of the tree"),
        ([("d", "../..", SYM), ("x", b"", FILE)], "points out of the tree"),
        ([("d/l1", "..", SYM), ("d/l2", "l1/../x", SYM), ("y", b"", FILE)], "points out of the tree"),
        ([("d", "sub", SYM), ("d/file", b"x", FILE), ("sub/y", b"", FILE)], "goes through"),
        ([("h", "../../etc/passwd", HARD), ("x", b"", FILE)], "leads out of the tree"),
        ([("h", "nothing", HARD), ("x", b"", FILE)], "which is no file of the archive"),
        ([("dev", None, tarfile.CHRTYPE), ("x", b"", FILE)], "neither file, folder nor link"),
        ([("fifo", None, tarfile.FIFOTYPE), ("x", b"", FILE)], "neither file, folder nor link"),
        ([("/".join(["d"] * 70), b"x", FILE)], "nested deeper than 64"),
        ([], "is empty"),
    ],
)
def test_a_hostile_tarball_is_refused(tmp_path: Path, members: list[tuple[str, bytes | str | None, bytes]], expected: str) -> None:
    archive = make(tmp_path / "evil.tar.gz", *members)
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    before = sorted(p for p in tmp_path.rglob("*") if out not in p.parents)
    with pytest.raises(InputError, match=r"evil\.tar\.gz") as caught:
        unpack_tarball(archive, out)
    assert expected in caught.value.message
    assert sorted(p for p in tmp_path.rglob("*") if out not in p.parents) == before, "something was written outside"


@pytest.mark.parametrize(
    "damage", [lambda d: d[: len(d) // 2], lambda d: d[:100] + bytes([d[100] ^ 255]) + d[101:], lambda d: b"not a tar at all" * 64]
)
@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_damaged_tarball_is_refused(tmp_path: Path, mode: str, damage: Callable[[bytes], bytes]) -> None:
    import random

    noise = random.Random(1).randbytes(60_000)
    archive = make(tmp_path / "damaged.tar", ("top/a", noise, FILE), ("top/b", noise[::-1], FILE), mode=mode)
    archive.write_bytes(damage(archive.read_bytes()))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError, match=r"damaged\.tar"):
        unpack_tarball(archive, out)
