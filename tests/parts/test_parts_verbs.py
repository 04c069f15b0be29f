"""`xboot parts`, `xboot bundle --with-parts`, and what comes with a bundle."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from a_mirror import CONTENT, PART, Mirror
from rich.console import Console

from xboot.cache import Cache
from xboot.cli import parts as verbs
from xboot.errors import InputError, MissingToolError
from xboot.frontends.bundle import BundleFrontEnd, write_bundle
from xboot.hooks import ReadOptions
from xboot.model import Closure
from xboot.parse import read_closure
from xboot.parts import Group, Lock, Suite, obtain_part, places
from xboot.recipe import derive
from xboot.storepath import store_name

pytestmark = pytest.mark.usefixtures("alone")
LOCK = Lock({"bookworm": Suite("bookworm", date="20260101T000000Z")}, {}, [PART])


def a_closure(folder: Path) -> Closure:
    (folder / "sh").write_bytes(b"#!")
    (folder / "recipe.toml").write_text(
        '[recipe]\nsystem = "i686-linux"\n[source.sh]\ntype = "file"\npath = "sh"\n[derivation.one]\nbuilder = "{sh}"\n'
    )
    drv = derive(folder / "recipe.toml", folder / "store", cache=Cache(folder / "cache")).derivations["one"]
    return read_closure(str(folder / "store" / store_name(drv)), ReadOptions(stores=[folder / "store"]))


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Console:
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(verbs, "locked", lambda: LOCK)
    monkeypatch.setattr("xboot.parts.obtaining.locked", lambda: LOCK)
    return Console(file=io.StringIO(), width=200)


def said(console: Console) -> str:
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_the_list_and_what_is_at_hand(console: Console, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XBOOT_MIRROR", mirror.url)
    mirror.files[f"/debian/{PART.path}"] = CONTENT
    verbs.parts([], console, as_json=False)
    assert "tool 1:1.0+b1 amd64 0.0 MB no" in " ".join(said(console).split()) and "at hand: 0 parts" in said(console)
    verbs.fetch([], tmp_path / "kit", console)
    assert (tmp_path / "kit" / PART.path).read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "kit").rglob("*") if path.is_file()] == [PART.file_name]
    verbs.parts([], console, as_json=False)
    assert "at hand: 1 part," in said(console)
    with pytest.raises(InputError, match="no group 'none'"):
        verbs.parts(["none"], console, as_json=False)


def test_the_list_as_json(console: Console, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    verbs.parts([], console, as_json=True)
    found = json.loads(capsysbinary.readouterr().out)
    assert found["suites"] == {"bookworm": "20260101T000000Z"}
    assert found["parts"][0]["sha256"] == PART.sha256 and found["parts"][0]["atHand"] is False


def test_a_part_that_no_place_has_stops_the_kit(console: Console, tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="cannot be had"):
        verbs.fetch([], tmp_path / "kit", console)
    assert not list(tmp_path.glob("kit/**/*.deb"))


def test_a_part_that_no_image_needs_is_left_out(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Group("counted", "", "bookworm", "amd64", ("tool",), optional=True)
    lock = Lock(LOCK.suites, {"counted": counted}, [replace(PART, groups=("counted",))])
    monkeypatch.setattr(verbs, "locked", lambda: lock)
    verbs.fetch([], tmp_path / "kit", console)
    assert "0 parts, 0.0 MB, at hand" in said(console)


def test_parts_that_come_with_a_bundle(console: Console, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XBOOT_MIRROR", mirror.url)
    mirror.files[f"/debian/{PART.path}"] = CONTENT
    closure = a_closure(tmp_path)
    info = write_bundle(closure, tmp_path / "kit.xboot", parts=verbs.everything(lambda event: None))
    assert info.parts == 1 and info.size > len(CONTENT)
    assert write_bundle(closure, tmp_path / "again.xboot", parts=verbs.everything(lambda event: None)).sha256 == info.sha256
    # another machine, without a network
    monkeypatch.delenv("XBOOT_MIRROR")
    monkeypatch.setattr(places, "_also", {})
    other = Cache(tmp_path / "other")
    with pytest.raises(MissingToolError):
        obtain_part(PART, other, LOCK)
    read = BundleFrontEnd(other).xboot_read_closure(str(tmp_path / "kit.xboot"), ReadOptions())
    assert read is not None and read.roots == closure.roots
    assert obtain_part(PART, other, LOCK).read_bytes() == CONTENT


def test_a_bundle_with_other_bytes_for_a_part(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = tmp_path / "evil"
    evil.write_bytes(b"x" * len(CONTENT))
    closure = a_closure(tmp_path)
    write_bundle(closure, tmp_path / "kit.xboot", parts={PART.path: (evil, PART.sha256)})
    monkeypatch.setattr(places, "_also", {})
    with pytest.raises(InputError, match="its manifest says"):
        BundleFrontEnd(Cache(tmp_path / "other")).xboot_read_closure(str(tmp_path / "kit.xboot"), ReadOptions())
