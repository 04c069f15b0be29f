"""Packages: locked ones as they are locked, others as a suite offers them, and another version when the locked one is nowhere."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from a_mirror import Mirror, deb

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import InputError, MissingToolError
from xboot.parts import Group, Lock, Part, Suite, catalogue
from xboot.parts.index import Index, Stanza
from xboot.recipe.select import copy_tree

pytestmark = pytest.mark.usefixtures("alone")
OLD, NEW = deb(("./usr/bin/tool", b"old")), deb(("./usr/bin/tool", b"new"))


def part(content: bytes, version: str, name: str = "tool", architecture: str = "amd64") -> Part:
    path = f"pool/main/{name[0]}/{name}/{name}_{version}_{architecture}.deb"
    return Part(name, architecture, path, version, "bookworm", hashlib.sha256(content).hexdigest(), len(content))


LOCK = Lock({"bookworm": Suite("bookworm")}, {}, [part(OLD, "1")])


def offered(content: bytes, version: str, name: str = "tool", architecture: str = "amd64") -> Stanza:
    entry = part(content, version, name, architecture)
    return {
        "package": name, "version": version, "architecture": architecture, "filename": entry.path, "sha256": entry.sha256,
        "size": str(entry.size),
        "description": "more than is kept",
    }  # fmt: skip


@pytest.fixture
def archive(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """Offers what `monkeypatch`ed stanzas say: version 2 of the tool, and a program that is not locked, in two versions."""
    offer = [offered(NEW, "2"), offered(OLD, "1.9", "other"), offered(NEW, "1.10", "other"), offered(OLD, "1", "doc", "all")]

    def stanzas(self: Index, architecture: str) -> Iterator[Stanza]:
        return iter(offer if architecture == "amd64" else [])

    monkeypatch.setenv("XBOOT_MIRROR", mirror.url)
    sums = {"main/binary-amd64/Packages.xz": "a" * 64, "main/source/Sources.xz": "b" * 64, "main/binary-i386/Packages.xz": "c" * 64}
    monkeypatch.setattr(catalogue, "read_index", lambda suite: Index(suite, "20260101T000000Z", mirror.url, sums))
    monkeypatch.setattr(Index, "stanzas", stanzas)
    monkeypatch.setattr("xboot.fetch.http.time.sleep", lambda seconds: None)
    for stanza in offer:
        mirror.files[f"/debian/{stanza['filename']}"] = NEW if stanza["sha256"] == part(NEW, "").sha256 else OLD
    return mirror


def test_a_locked_package_needs_no_index(mirror: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XBOOT_MIRROR", mirror.url)
    mirror.files[f"/debian/{LOCK.parts[0].path}"] = OLD
    packages = DebianPackages(cache, LOCK)
    assert packages.candidate("tool") == ("1", LOCK.parts[0].sha256) and mirror.asked == []
    root, found = packages.unpacked("tool")
    assert (root / "usr/bin/tool").read_bytes() == b"old" and found.version == "1" and found.sha256 == LOCK.parts[0].sha256
    assert mirror.asked == [f"/debian/{LOCK.parts[0].path}"]
    assert packages.search("^to+l$") == ["tool"]


def test_another_version_when_the_locked_one_is_nowhere(archive: Mirror, cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    packages = DebianPackages(cache, LOCK)
    with caplog.at_level(logging.WARNING):
        root, found = packages.unpacked("tool")
    assert found.version == "2" and (root / "usr/bin/tool").read_bytes() == b"new"
    assert "going on with tool 2 amd64: this is not the locked base" in caplog.text
    archive.files[f"/debian/{LOCK.parts[0].path}"] = OLD  # it is there again: the locked one is taken
    assert packages.binary("tool").version == "1"


def test_a_version_of_a_later_suite_when_the_first_one_has_only_what_is_nowhere(
    archive: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid = Suite("sid")
    lock = Lock({"bookworm": Suite("bookworm"), "sid": sid}, {}, LOCK.parts)
    sums = {"main/binary-amd64/Packages.xz": "d" * 64}
    monkeypatch.setattr(
        catalogue, "read_index",
        lambda suite: Index(suite, "", "", sums if suite == sid else {"main/binary-amd64/Packages.xz": "e" * 64}),
    )  # fmt: skip
    monkeypatch.setattr(Index, "stanzas", lambda self, _: iter([offered(NEW, "2") if self.suite == sid else offered(OLD, "1")]))
    assert DebianPackages(cache, lock).binary("tool").version == "2"
    counted = Lock(lock.suites, {"counted": Group("counted", "", "bookworm", "amd64", ("tool",), optional=True)},
                   [replace(LOCK.parts[0], groups=("counted",))])  # fmt: skip
    with pytest.raises(MissingToolError, match="404"):
        DebianPackages(cache, counted).binary("tool")


def test_a_package_that_is_not_locked(archive: Mirror, cache: Cache) -> None:
    packages = DebianPackages(cache, LOCK)
    assert packages.binary("other").version == "1.10"
    assert packages.binary("doc", "all").path.read_bytes() == OLD and packages.candidate("doc")[0] == "1"
    assert packages.search("^oth") == ["other"]
    again = DebianPackages(cache, LOCK)  # the list is kept
    assert again.candidate("other")[0] == "1.10"


def test_a_package_that_there_is_not(archive: Mirror, cache: Cache) -> None:
    packages = DebianPackages(cache, LOCK)
    with pytest.raises(MissingToolError, match="package none:i386 is neither locked nor offered by bookworm"):
        packages.binary("none", "i386")
    with pytest.raises(MissingToolError, match="source package none:source is neither"):
        packages.source("none")
    with pytest.raises(InputError, match="is not the name of a Debian package"):
        packages.binary("../none")


def test_nothing_to_be_had(cache: Cache) -> None:
    with pytest.raises(MissingToolError, match=r"tool 1 amd64 .* cannot be had: no place is known"):
        DebianPackages(cache, LOCK).binary("tool")


def test_tarballs_of_a_source(mirror: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XBOOT_MIRROR", mirror.url)
    tarballs = [replace(part(content, "1", architecture="source"), path=f"pool/main/t/tool/tool_1.orig{more}.tar.gz")
                for content, more in ((b"main", ""), (b"part", "-part"))]  # fmt: skip
    for tarball, content in zip(tarballs, (b"main", b"part"), strict=True):
        mirror.files[f"/debian/{tarball.path}"] = content
    found = DebianPackages(cache, Lock(LOCK.suites, {}, tarballs)).source("tool")
    assert [(file.path.name, file.path.read_bytes()) for file in found.tarballs] == [
        ("tool_1.orig-part.tar.gz", b"part"),
        ("tool_1.orig.tar.gz", b"main"),
    ]


@pytest.mark.parametrize("there", ["bin/tool", "usr/bin/tool"])
@pytest.mark.parametrize("asked", ["bin/tool", "usr/bin/tool", "bin/t*", "usr/bin"])
def test_both_layouts_of_a_package(tmp_path: Path, there: str, asked: str) -> None:
    tree = tmp_path / "tree"
    (tree / there).parent.mkdir(parents=True)
    (tree / there).write_text("x")
    copy_tree(tree, tmp_path / "out", [asked], "source tool", package=True)
    expected = "usr/bin/tool" if asked.startswith("usr/") else "bin/tool"
    assert [str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()] == [expected]
    if asked.rstrip("*").startswith("usr") != there.startswith("usr"):
        with pytest.raises(InputError, match="nothing in it is called"):
            copy_tree(tree, tmp_path / "other", [asked], "tree")


def test_a_name_in_neither_layout(tmp_path: Path) -> None:
    (tmp_path / "tree" / "usr" / "bin").mkdir(parents=True)
    for name in ("bin/none", "usr/bin/none", "usr/share", "sbin"):
        with pytest.raises(InputError, match=f"nothing in it is called '{name}'"):
            copy_tree(tmp_path / "tree", tmp_path / "out", [name], "source tool", package=True)
