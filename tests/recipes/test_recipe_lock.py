"""Debian sources, made sources and the lock file, with a stand-in for the archive whose packages can move on."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from xboot.cache import Cache
from xboot.debian import DebianFile, SourcePackage
from xboot.errors import InputError
from xboot.recipe import Derived, derive, sources
from xboot.recipe.store import remove_tree

RECIPE = """
[source.prog]
type = "debian"
package = "prog"
architecture = "i386"
select = ["bin/prog"]
links = { "bin/sh" = "prog" }

[source.code]
type = "debian-source"
package = "code"
select = ["*.c", "part"]

[source.seed]
type = "made"
builder = "/bin/sh"
args = ["-c", "cat '{code}/a.c' '{code}/part/p.c' > $out"]

[derivation.one]
builder = "{prog}/bin/sh"
args = ["{code}", "{seed}"]
"""


def _tarball(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


class Archive:
    """Stands in for `DebianPackages`: the same results, from files made here."""

    version = "1.0-1"
    content = b"int a;\n"
    deb, prog = b"deb", b"prog"
    offered = b""  # another .deb than the one that is had
    folder: Path
    asked: ClassVar[list[str]]  # what was unpacked

    def __init__(self, cache: Cache) -> None:
        pass

    def expected(self, package: str, architecture: str) -> Sequence[DebianFile]:
        if architecture == "source":
            return self._source(package).tarballs
        return [DebianFile(package, "1:2-3", architecture, Path("prog.deb"), hashlib.sha256(self.offered or self.deb).hexdigest())]

    def unpacked(self, package: str, architecture: str) -> tuple[Path, DebianFile]:
        self.asked.append(package)
        root = self.folder / "unpacked"
        (root / "bin").mkdir(parents=True, exist_ok=True)
        (root / "bin" / "prog").write_bytes(b"#!" + self.prog)
        (root / "bin" / "prog").chmod(0o755)
        (root / "usr").mkdir(exist_ok=True)
        deb = self.folder / "prog.deb"
        deb.write_bytes(self.deb)
        return root, DebianFile(package, "1:2-3", architecture, deb, hashlib.sha256(self.deb).hexdigest())

    def source(self, package: str) -> SourcePackage:
        self.asked.append(package)
        return self._source(package)

    def _source(self, package: str) -> SourcePackage:
        main = _tarball(self.folder / f"code_{self.version}.orig.tar.gz", {"code-1/a.c": self.content, "code-1/doc": b"d"})
        part = _tarball(self.folder / f"code_{self.version}.orig-part.tar.gz", {"p-1/p.c": b"int p;\n"})
        files = [
            DebianFile(package, self.version, "source", p, hashlib.sha256(self.content + p.name.encode()).hexdigest()) for p in (part, main)
        ]
        return SourcePackage(package, self.version, files)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Archive]:
    class Local(Archive):
        folder = tmp_path / "archive"
        asked: ClassVar[list[str]] = []

    Local.folder.mkdir()
    monkeypatch.setattr(sources, "DebianPackages", Local)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return Local


def run(tmp_path: Path, *, update: bool = False) -> Derived:
    return derive(tmp_path / "recipe.toml", tmp_path / "store", cache=Cache(tmp_path / "cache"), update_lock=update)


def test_packages_are_laid_out_and_recorded(tmp_path: Path, archive: type[Archive]) -> None:
    derived = run(tmp_path)
    store = tmp_path / "store"
    prog = store / derived.sources["prog"].rpartition("/")[2]
    assert sorted(str(p.relative_to(prog)) for p in prog.rglob("*")) == ["bin", "bin/prog", "bin/sh"]
    assert (prog / "bin" / "prog").stat().st_mode & 0o777 == 0o555
    code = store / derived.sources["code"].rpartition("/")[2]
    assert sorted(str(p.relative_to(code)) for p in code.rglob("*")) == ["a.c", "part", "part/p.c"]
    assert (store / derived.seeds["seed"].rpartition("/")[2]).read_bytes() == b"int a;\nint p;\n"
    lock = json.loads((tmp_path / "recipe.lock").read_text())
    assert lock["sources"]["prog"]["version"] == "1:2-3"
    assert lock["sources"]["prog"]["files"] == {"prog.deb": hashlib.sha256(b"deb").hexdigest()}
    assert set(lock["sources"]["code"]["files"]) == {"code_1.0-1.orig.tar.gz", "code_1.0-1.orig-part.tar.gz"}
    assert set(lock["sources"]["seed"]) == {"version", "nar"}
    assert derived.debian == {"prog": "prog 1:2-3", "code": "code 1.0-1"}


def test_deriving_again_changes_nothing(tmp_path: Path, archive: type[Archive]) -> None:
    first = run(tmp_path)
    before = (tmp_path / "recipe.lock").read_bytes(), (tmp_path / "recipe.lock").stat().st_mtime_ns
    assert run(tmp_path) == first
    assert ((tmp_path / "recipe.lock").read_bytes(), (tmp_path / "recipe.lock").stat().st_mtime_ns) == before


def test_what_the_store_has_is_neither_unpacked_nor_copied(tmp_path: Path, archive: type[Archive]) -> None:
    first = run(tmp_path)
    assert archive.asked == ["prog", "code"]
    places = [tmp_path / "store" / path.rpartition("/")[2] for path in first.sources.values()]
    before = [place.stat().st_ino for place in places]
    assert run(tmp_path) == first
    assert archive.asked == ["prog", "code"]
    assert [place.stat().st_ino for place in places] == before


def test_no_file_stays_open_for_each_package(tmp_path: Path, archive: type[Archive]) -> None:
    """A recipe may have hundreds, and a process a thousand open files."""
    run(tmp_path)
    run(tmp_path)
    still = {os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{number}")}
    assert not [name for name in still if name.startswith(str(tmp_path / "cache" / "selected"))]
    assert Cache(tmp_path / "cache").prune().removed >= 2, "and what nobody uses can go"


def test_what_is_kept_is_of_the_files_that_it_was_made_from(tmp_path: Path, archive: type[Archive]) -> None:
    """Another version is all that is to be had, when what was kept of the expected one is damaged: neither is taken for the other."""
    expected = run(tmp_path)
    kept = tmp_path / "cache" / "selected"
    for sums in kept.glob("*.sums"):
        remove_tree(sums.with_suffix(""))
    archive.offered, archive.deb, archive.prog = archive.deb, b"newer", b"newer"
    moved = run(tmp_path, update=True)
    assert moved.sources["prog"] != expected.sources["prog"]
    lock = json.loads((tmp_path / "recipe.lock").read_text())
    assert lock["sources"]["prog"]["files"] == {"prog.deb": hashlib.sha256(b"newer").hexdigest()}
    archive.deb, archive.prog = b"deb", b"prog"
    assert run(tmp_path, update=True).sources == expected.sources


def test_what_was_changed_in_the_store_is_brought_anew(tmp_path: Path, archive: type[Archive]) -> None:
    """Whatever its times say: the content is read."""
    first = run(tmp_path)
    prog = tmp_path / "store" / first.sources["prog"].rpartition("/")[2] / "bin" / "prog"
    prog.chmod(0o755)
    prog.write_bytes(b"#!evil")
    prog.chmod(0o555)
    os.utime(prog, (1, 1))
    assert run(tmp_path) == first
    assert prog.read_bytes() == b"#!prog"
    assert archive.asked == ["prog", "code", "prog"]


def test_what_the_store_has_lost_is_brought_anew(tmp_path: Path, archive: type[Archive]) -> None:
    first = run(tmp_path)
    remove_tree(tmp_path / "store" / first.sources["code"].rpartition("/")[2])
    assert run(tmp_path) == first
    assert archive.asked == ["prog", "code", "code"]


def test_another_package_or_another_wish_is_brought_anew(tmp_path: Path, archive: type[Archive]) -> None:
    first = run(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE.replace('{ "bin/sh" = "prog" }', '{ "bin/sh" = "prog", "bin/ash" = "prog" }'))
    second = run(tmp_path)
    assert second.sources["prog"] != first.sources["prog"] and second.sources["code"] == first.sources["code"]
    (tmp_path / "recipe.toml").write_text(RECIPE.replace('["*.c", "part"]', '["*.c", "part", "doc"]'))
    third = run(tmp_path)
    assert third.sources["prog"] == first.sources["prog"] and third.sources["code"] != first.sources["code"]
    assert archive.asked == ["prog", "code", "prog", "code"]
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "recipe.lock").unlink()
    archive.deb, archive.prog = b"another deb", b"another prog"
    assert run(tmp_path).sources["prog"] not in (first.sources["prog"], second.sources["prog"])


def test_a_record_that_is_wrong_names_nothing(tmp_path: Path, archive: type[Archive]) -> None:
    """The hash of what came of a package is looked for in the store and found there or not: it does not say what anything is."""
    first = run(tmp_path)
    for record in (tmp_path / "cache").rglob("nar"):
        record.write_text("0" * 64)
        sums = record.parent.with_suffix(".sums")
        sums.write_text(f"{hashlib.sha256(b'0' * 64).hexdigest()}  64  nar\n")
    assert run(tmp_path) == first
    assert archive.asked == ["prog", "code", "prog", "code"]


def test_only_the_bytes_of_a_file_count_not_its_name(tmp_path: Path, archive: type[Archive]) -> None:
    run(tmp_path)
    lock = (tmp_path / "recipe.lock").read_text().replace('"prog.deb"', '"prog_1%3a2-3.deb"')
    (tmp_path / "recipe.lock").write_text(lock)
    assert run(tmp_path).notes == () and (tmp_path / "recipe.lock").read_text() == lock


def test_a_security_update_is_taken_with_a_note(tmp_path: Path, archive: type[Archive]) -> None:
    first = run(tmp_path)
    lock = (tmp_path / "recipe.lock").read_bytes()
    archive.version, archive.content = "1.0-1+deb12u1", b"int a = 1;\n"
    second = run(tmp_path)
    assert second.derivations != first.derivations
    assert any("code 1.0-1+deb12u1 now, the lock file has 1.0-1" in note for note in second.notes)
    assert (tmp_path / "recipe.lock").read_bytes() == lock, "only --update-lock writes over what is locked"
    third = run(tmp_path, update=True)
    assert third.notes == () and json.loads((tmp_path / "recipe.lock").read_text())["sources"]["code"]["version"] == "1.0-1+deb12u1"
    assert run(tmp_path).notes == ()


def test_the_same_version_with_other_content_is_refused(tmp_path: Path, archive: type[Archive]) -> None:
    run(tmp_path)
    objects = sorted(p.name for p in (tmp_path / "store").iterdir())
    archive.content = b"int evil;\n"
    with pytest.raises(InputError, match=r"source code: code 1\.0-1 has other content"):
        run(tmp_path)
    assert sorted(p.name for p in (tmp_path / "store").iterdir()) == objects
    run(tmp_path, update=True)


def test_a_made_source_that_differs_is_refused(tmp_path: Path, archive: type[Archive]) -> None:
    run(tmp_path)
    path = tmp_path / "recipe.lock"
    lock = json.loads(path.read_text())
    lock["sources"]["seed"]["nar"] = "0" * 64
    path.write_text(json.dumps(lock))
    with pytest.raises(InputError, match=r"source seed: .* although all that it was made from is the same"):
        run(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "sources": {}}', '{"version": 1, "sources": {"a": {"version": 1}}}', "\udcff"]
)
def test_a_lock_file_that_is_none_is_an_error(tmp_path: Path, archive: type[Archive], text: str) -> None:
    (tmp_path / "recipe.lock").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"recipe\.lock: not a lock file"):
        run(tmp_path)
