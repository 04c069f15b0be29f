"""Tarballs from strangers."""

from __future__ import annotations

import gzip
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
        ([("h", "nothing", HARD), ("x", b"", FILE)], "which is no file of the archive before it"),
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


# ------------------------------------------------------------ headers by hand


def header(name: bytes, size: bytes = b"00000000000", kind: bytes = b"0", prefix: bytes = b"") -> bytes:
    """One header of a ustar archive; `size` is eleven digits, or twelve bytes in GNU's base 256."""
    block = bytearray(512)
    block[:100] = name.ljust(100, b"\0")
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136] = size.ljust(12, b"\0")
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[257:265] = b"ustar\0" + b"00"
    block[345:500] = prefix.ljust(155, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


def base256(number: int) -> bytes:
    return (number & ((1 << 95) - 1) | 1 << 95).to_bytes(12, "big") if number >= 0 else (number + (1 << 96)).to_bytes(12, "big")


END = bytes(1024)
HEADERS = {
    "a header that is read again for ever": (header(b"p/", kind=b"5") + header(b"", base256(-512)) + END, "has -512 bytes"),
    "a long name of 2^63 bytes": (header(b"x", base256(1 << 63), b"L") + END, "a header of 9223372036854775808 bytes"),
    "a size below zero": (header(b"", base256(-512)) + END, "has -512 bytes"),
    "a size below zero, with a name": (header(b"a") + header(b"b", base256(-1024)) + END, "has -1024 bytes"),
    "a size that no offset holds": (header(b"a", base256(1 << 70)) + END, "more than 200000 members or 4 GiB|a header speaks of byte"),
    "a large size": (header(b"a", base256((1 << 62) - 1)) + END, "more than 200000 members or 4 GiB"),
    "a long name of 8 GiB": (header(b"././@LongLink", base256(8 << 30), b"L") + END, "a header of 8589934592 bytes"),
    "a long name below zero": (header(b"././@LongLink", base256(-1), b"L") + b"x" * 512 + END, "invalid header|a header of"),
    "a pax record of 1 GiB": (header(b"x", b"10000000000", b"x") + END, "a header of 1073741824 bytes"),
    "a pax record below zero": (header(b"x", base256(-512), b"x") + END, "a header of -512 bytes"),
    "records without end": (header(b"x", b"00000000000", b"x") * 5000 + header(b"a") + END, "damaged|recursion"),
    "a name of 300 bytes": (header(b"n" * 100, prefix=b"p" * 155) + END, None),
    "a sparse file": (header(b"a", b"00000000000", b"S") + END, "holes|damaged"),
}


@pytest.mark.parametrize("what", HEADERS)
def test_headers_that_lie(tmp_path: Path, what: str) -> None:
    data, reason = HEADERS[what]
    archive = tmp_path / "evil.tar"
    archive.write_bytes(data)
    out = tmp_path / "out"
    out.mkdir()
    if reason is None:
        unpack_tarball(archive, out)
    else:
        with pytest.raises(InputError, match=reason):
            unpack_tarball(archive, out)


def test_a_sparse_map_that_never_ends(tmp_path: Path) -> None:
    """GNU's sparse format 1.0 has a list in front of the content; `tarfile` would wait at the end of the file for the rest of it."""
    record = b"GNU.sparse.major=1\n", b"GNU.sparse.minor=0\n", b"GNU.sparse.name=a\n", b"GNU.sparse.realsize=9\n"
    text = b"".join(f"{len(r) + 3} ".encode() + r for r in record)
    pax = header(b"p", f"{len(text):011o}".encode(), b"x") + text.ljust(512, b"\0")
    archive = tmp_path / "evil.tar"
    archive.write_bytes(pax + header(b"a", b"00000000777") + b"999999\n")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError, match=r"evil\.tar"):
        unpack_tarball(archive, out)


def test_a_long_name_in_a_small_file(tmp_path: Path) -> None:
    data = header(b"x", f"{5 << 20:011o}".encode(), b"L") + b"n" * (5 << 20) + header(b"a") + END
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(data))
    with pytest.raises(InputError, match="a header of 5242880 bytes"):
        unpack_tarball(tmp_path / "a.tar.gz", tmp_path)


def test_names_longer_than_a_file_may_have(tmp_path: Path) -> None:
    for name in ("n" * 256, "/".join(["n" * 200] * 21), "ä" * 128):
        archive = make(tmp_path / "long.tar", (name, b"x", FILE), ("y", b"", FILE))
        out = tmp_path / f"out{len(name)}"
        out.mkdir()
        with pytest.raises(InputError, match=r"long\.tar.*longer than a file's may be"):
            unpack_tarball(archive, out)
    archive = make(tmp_path / "long.tar", ("l", "t" * 5000, SYM), ("y", b"", FILE))
    with pytest.raises(InputError, match="a target of 5000 characters"):
        unpack_tarball(archive, out)


def test_hard_links_count_as_the_files_that_they_become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xboot.recipe import tarball

    monkeypatch.setattr(tarball, "_MAX_BYTES", 1000)
    links = [(f"l{n}", "a", HARD) for n in range(10)]
    archive = make(tmp_path / "links.tar", ("a", b"x" * 99, FILE), *links)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError, match="more than"):
        unpack_tarball(archive, out)
    unpack_tarball(make(tmp_path / "links.tar", ("a", b"x" * 99, FILE), *links[:9]), out)
    assert all((out / f"l{n}").read_bytes() == b"x" * 99 for n in range(9))
    assert (out / "l0").stat().st_nlink == 1
    with pytest.raises(InputError, match="no file of the archive before it"):
        unpack_tarball(make(tmp_path / "late.tar", ("l", "a", HARD), ("a", b"x", FILE)), tmp_path)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_what_unpacks_to_more_than_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    from xboot.recipe import tarball

    monkeypatch.setattr(tarball, "_MAX_BYTES", 1 << 20)
    monkeypatch.setattr(tarball, "_MAX_HEADERS", 1 << 20)
    archive = make(tmp_path / "bomb.tar", ("a", bytes(8 << 20), FILE), mode=mode)
    assert archive.stat().st_size < 1 << 20
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError, match=r"bomb\.tar: has more than 2 MiB"):
        unpack_tarball(archive, out)
    assert [p.name for p in tmp_path.iterdir() if p.name != "out"] == ["bomb.tar"]


def test_a_compressed_tarball_is_decompressed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order in which it is unpacked: `tarfile` alone would begin anew at each step back."""
    import zlib

    from xboot.recipe import compressed

    calls = []
    real = zlib.decompressobj
    monkeypatch.setattr(compressed.zlib, "decompressobj", lambda bits: calls.append(bits) or real(bits))
    members = [(f"d/{n}", b"x" * 5000, FILE) for n in range(200)] + [(f"e/{n}", f"d/{n}", HARD) for n in reversed(range(200))]
    out = tmp_path / "out"
    out.mkdir()
    unpack_tarball(make(tmp_path / "many.tar.gz", *members), out)
    assert len(calls) == 1
    assert len(list(out.rglob("*"))) == 402


def test_xz_cannot_ask_for_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xboot.recipe import compressed

    archive = make(tmp_path / "a.tar.xz", ("a", b"x", FILE), mode="w:xz")
    monkeypatch.setattr(compressed, "_XZ_MEMORY", 1 << 20)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="Memory usage limit"):
        unpack_tarball(archive, tmp_path / "out")
