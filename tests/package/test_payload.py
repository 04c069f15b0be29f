"""The payload and the image: the same to the byte wherever and whenever they are made, and every byte has an owner."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from xboot import nar
from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError, InputError
from xboot.hooks import LinearizeOptions
from xboot.linearize import linearize
from xboot.model import Artifact, Closure, Derivation, Output, Region, Role, Script, Source, SourceKind
from xboot.package import assemble, write_payload

STORE = "/nix/store"
SRC = f"{STORE}/{'0' * 32}-src"


def plant(folder: Path, *, reverse: bool = False) -> Path:
    tree = folder / "tree"
    tree.mkdir(parents=True)
    names = ["a", "b-c", "b", "z é"]
    for name in reversed(names) if reverse else names:
        (tree / name).write_text(name)
    (tree / "d").mkdir()
    (tree / "d" / "run").write_text("#!/bin/sh\n")
    (tree / "d" / "run").chmod(0o755)
    (tree / "link").symlink_to("/a/b")
    return tree


def script_of(location: Path) -> Script:
    info = nar.nar_hash(location if location.suffix != ".nar" else location.parent / "tree")
    source = Source(SRC, SourceKind.NAR, location, info.sha256, info.size)
    drv = Derivation(
        f"{STORE}/{'1' * 32}-x.drv",
        {"out": Output("out", f"{STORE}/{'2' * 32}-x")},
        {},
        [SRC],
        "i686-linux",
        f"{SRC}/bin/sh".encode(),
        [],
        {},
    )
    return linearize(Closure(STORE, [drv.path], {drv.path: drv}, {SRC: source}), LinearizeOptions())


@pytest.fixture
def init(tmp_path: Path) -> Artifact:
    path = tmp_path / "init"
    path.write_bytes(b"\x7fELF init")
    return Artifact("executor", path, file_sha256(path), path.stat().st_size, Role.EXECUTOR)


def test_same_bytes_everywhere(tmp_path: Path, init: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_payload(script_of(plant(tmp_path / "one")), tmp_path / "p1", init)
    old = os.umask(0o077)
    try:
        monkeypatch.setenv("TZ", "Pacific/Auckland")
        monkeypatch.setenv("LC_ALL", "C")
        tree = plant(tmp_path / "somewhere else" / "two", reverse=True)
        os.utime(tree / "a", (1, 1))
        second = write_payload(script_of(tree), tmp_path / "p2", init)
    finally:
        os.umask(old)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert [(r.offset, r.size, r.component) for r in first.regions] == [(r.offset, r.size, r.component) for r in second.regions]


def test_a_packed_source_gives_the_same_bytes(tmp_path: Path, init: Artifact) -> None:
    tree = plant(tmp_path)
    packed = tmp_path / f"{SRC.rsplit('/', 1)[1]}.nar"
    packed.write_bytes(b"".join(nar.dump(tree)))
    one = write_payload(script_of(tree), tmp_path / "p1", init)
    two = write_payload(script_of(packed), tmp_path / "p2", init)
    assert one.path.read_bytes() == two.path.read_bytes()


def test_cpio_reads_it(tmp_path: Path, init: Artifact) -> None:
    payload = write_payload(script_of(plant(tmp_path)), tmp_path / "payload", init)
    listing = subprocess.run(["cpio", "--list", "--quiet"], input=payload.path.read_bytes(), capture_output=True, check=True).stdout.split(
        b"\n"
    )
    name = SRC.rsplit("/", 1)[1].encode()
    assert [n for n in listing if n] == [
        b"dev", b"dev/console", b"dev/mem", b"dev/null", b"dev/port", b"dev/ttyS1", b"init", b"xboot", b"xboot/script", b"xboot/store",
        *(b"xboot/store/" + name + rest for rest in (b"", b"/a", b"/b", b"/b-c", b"/d", b"/d/run", b"/link", "/z é".encode())),
    ]  # fmt: skip


def test_every_byte_has_an_owner(tmp_path: Path, init: Artifact) -> None:
    script = script_of(plant(tmp_path))
    payload = write_payload(script, tmp_path / "initrd", init)
    image = assemble("test", script, {"initrd": payload.path}, payload.regions, {"executor": init})
    assert sum(r.size for r in image.regions) == payload.size
    hole = [r for r in payload.regions if r.component != "script"]
    with pytest.raises(BackendError, match="has no owner"):
        assemble("test", script, {"initrd": payload.path}, hole, {})
    with pytest.raises(BackendError, match="claimed twice"):
        assemble("test", script, {"initrd": payload.path}, [*payload.regions, Region("initrd", 10, 5, "thief")], {})
    with pytest.raises(BackendError, match="have an owner"):
        assemble("test", script, {"initrd": payload.path}, payload.regions[:-1], {})
    with pytest.raises(BackendError, match="does not have"):
        assemble("test", script, {"initrd": payload.path}, [*payload.regions, Region("ghost", 0, 1, "x")], {})


def test_a_source_that_changed_is_refused(tmp_path: Path, init: Artifact) -> None:
    tree = plant(tmp_path)
    script = script_of(tree)
    (tree / "a").write_text("other")
    with pytest.raises(InputError, match="when it was verified"):
        write_payload(script, tmp_path / "payload", init)


def test_cache_is_made_once_checked_and_mended(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "f").write_text("content")

    cache = Cache(tmp_path / "cache")
    first = cache.folder("kind", {"a": "1"}, make)
    assert cache.folder("kind", {"a": "1"}, make) == first
    assert len(made) == 1
    (first / "f").write_text("damaged")
    assert (cache.folder("kind", {"a": "1"}, make) / "f").read_text() == "content"
    assert len(made) == 2
    assert cache.folder("kind", {"a": "2"}, make) != first
    assert len(cache.entries()) == 2
    assert cache.prune()[0] == 2
    assert cache.entries() == []


def test_a_failed_make_leaves_nothing(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise BackendError("no")

    cache = Cache(tmp_path / "cache")
    with pytest.raises(BackendError):
        cache.folder("kind", {"a": "1"}, make)
    assert cache.entries() == []
    assert [p for p in (tmp_path / "cache" / "kind").iterdir() if p.is_dir()] == []


def test_image_hash_is_over_names_sizes_and_contents(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(b"kernel")
    script = script_of(plant(tmp_path))
    image = assemble("test", script, {"kernel": tmp_path / "k"}, [Region("kernel", 0, 6, "kernel")], {})
    line = f"kernel 6 {hashlib.sha256(b'kernel').hexdigest()}\n"
    assert image.sha256 == hashlib.sha256(line.encode()).hexdigest()
