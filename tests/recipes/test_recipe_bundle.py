"""Bundles: one file, the same every time, verified on reading; and the front-ends for bundles and recipes."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xboot.cache import Cache
from xboot.errors import InputError
from xboot.frontends.bundle import BundleFrontEnd, unpack_bundle, write_bundle
from xboot.frontends.recipe import plugin as recipe_front_end
from xboot.hooks import ReadOptions
from xboot.model import Closure
from xboot.parse import read_closure
from xboot.recipe import derive
from xboot.storepath import store_name

RECIPE = """
[source.tree]
type = "tree"
path = "tree"

[source.script]
type = "file"
path = "build.sh"
name = "a-script-whose-name-is-so-long-that-it-does-not-fit-into-the-name-field-of-a-classic-tar-header-of-a-hundred-bytes.sh"

[derivation.one]
builder = "{tree}/sh"
args = ["{script}"]

[derivation.two]
builder = "{tree}/sh"
args = ["{one}"]
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XBOOT_STORE", str(tmp_path / "store"))
    (tmp_path / "tree" / "empty").mkdir(parents=True)
    (tmp_path / "tree" / "sh").write_text("#!\n")
    (tmp_path / "tree" / "sh").chmod(0o755)
    (tmp_path / "tree" / "link").symlink_to("sh")
    (tmp_path / "build.sh").write_text("echo > $out\n")
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


def closure_of(recipe: Path, name: str = "two") -> Closure:
    derived = derive(recipe, names=[name])
    return read_closure(str(derived.store / store_name(derived.derivations[name])), ReadOptions(stores=[derived.store]))


def test_the_same_closure_gives_the_same_bytes(recipe: Path, tmp_path: Path) -> None:
    closure = closure_of(recipe)
    first = write_bundle(closure, tmp_path / "a.xboot")
    os.utime(closure.sources[next(iter(closure.sources))].location, (5, 5))
    second = write_bundle(closure_of(recipe), tmp_path / "b.xboot")
    assert (tmp_path / "a.xboot").read_bytes() == (tmp_path / "b.xboot").read_bytes()
    assert (first.sha256, first.size) == (second.sha256, second.size) and first.derivations == 2 and first.sources == 2
    with tarfile.open(tmp_path / "a.xboot") as tar:
        assert all((m.uid, m.gid, m.mtime, m.mode, m.uname) == (0, 0, 1, 0o444, "") for m in tar)


@pytest.mark.apt
@pytest.mark.compiler
def test_a_bundle_reads_as_what_was_bundled(recipe: Path, tmp_path: Path) -> None:
    closure = closure_of(recipe)
    write_bundle(closure, tmp_path / "a.xboot")
    read = BundleFrontEnd(Cache(tmp_path / "other")).xboot_read_closure(str(tmp_path / "a.xboot"), ReadOptions())
    assert read is not None
    assert (list(read.roots), read.store_dir, read.missing) == (list(closure.roots), closure.store_dir, {})
    assert read.derivations == dict(closure.derivations)
    assert {p: (s.nar_sha256, s.kind) for p, s in read.sources.items()} == {p: (s.nar_sha256, s.kind) for p, s in closure.sources.items()}
    # And once more from what was unpacked, bundled again.
    write_bundle(read, tmp_path / "b.xboot")
    assert (tmp_path / "a.xboot").read_bytes() == (tmp_path / "b.xboot").read_bytes()


def test_other_files_are_not_bundles(recipe: Path, tmp_path: Path) -> None:
    front = BundleFrontEnd(Cache(tmp_path / "other"))
    for target in (str(recipe), str(tmp_path), str(tmp_path / "nothing"), "/nix/store/x.drv"):
        assert front.xboot_read_closure(target, ReadOptions()) is None


def test_an_incomplete_closure_is_not_bundled(recipe: Path, tmp_path: Path) -> None:
    closure = closure_of(recipe)
    (script,) = [p for p in closure.sources if p.endswith(".sh")]
    (tmp_path / "store" / store_name(script)).unlink()
    drv = str(tmp_path / "store" / store_name(closure.roots[0]))
    with pytest.raises(InputError, match="a bundle must be whole"):
        write_bundle(read_closure(drv, ReadOptions(stores=[tmp_path / "store"])), tmp_path / "a.xboot")
    assert not (tmp_path / "a.xboot").exists()


def test_a_source_that_changed_meanwhile_is_noticed(recipe: Path, tmp_path: Path) -> None:
    closure = closure_of(recipe)
    (script,) = [s for p, s in closure.sources.items() if p.endswith(".sh")]
    script.location.chmod(0o644)
    script.location.write_text("ECHO > $out\n")
    with pytest.raises(InputError, match="changed while the bundle was written"):
        write_bundle(closure, tmp_path / "a.xboot")
    assert not [p for p in tmp_path.iterdir() if "a.xboot" in p.name]


def members(path: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(path) as tar:
        return [(m.name, tar.extractfile(m).read()) for m in tar]  # type: ignore[union-attr]


def pack(path: Path, content: list[tuple[str, bytes | str]], kind: bytes = tarfile.SYMTYPE) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in content:
            info = tarfile.TarInfo(name)
            info.mode, info.mtime = 0o444, 1
            if isinstance(data, str):
                info.type, info.linkname = kind, data
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


def test_hostile_bundles_are_refused(recipe: Path, tmp_path: Path) -> None:
    write_bundle(closure_of(recipe), tmp_path / "good.xboot")
    good: list[tuple[str, bytes | str]] = [*members(tmp_path / "good.xboot")]
    manifest = good[0][1]
    assert isinstance(manifest, bytes)
    lines = manifest.decode().splitlines(keepends=True)
    nar = next(i for i, (name, _) in enumerate(good) if name.endswith(".nar"))

    def with_manifest(text: str) -> list[tuple[str, bytes | str]]:
        return [(good[0][0], text.encode()), *good[1:]]

    cases: dict[str, list[tuple[str, bytes | str]]] = {
        "it does not begin with": good[1:],
        "where .* was expected": [good[0], *good[2:]],
        "nothing where": good[:-1],
        "does not end after the last file": [*good, ("store/../../escape", b"x")],
        "where .*, a regular file of .*, was expected": [*good[:nar], (good[nar][0], "/etc/passwd"), *good[nar + 1 :]],
        "the bundle is damaged": [*good[:nar], (good[nar][0], good[nar][1][:-1] + b"x"), *good[nar + 1 :]],  # type: ignore[list-item, operator]
        "not a bundle of version 1": with_manifest(manifest.decode().replace("xboot-bundle 1", "xboot-bundle 2")),
        "is there twice, or out of order": with_manifest("".join([*lines, lines[-1]])),
        "names no root": with_manifest("".join(line for line in lines if not line.startswith("root"))),
        "has no meaning": with_manifest("".join([*lines, "file 00 1 store/x\n"])),
        "not a store path|is not a store path": with_manifest("".join([*lines, f"file {'0' * 64} 1 store/..drv\n"])),
        "not ASCII": [(good[0][0], b"xboot-bundle 1\nstore /\xff\n"), *good[1:]],
    }
    for number, (expected, content) in enumerate(cases.items()):
        bundle = pack(tmp_path / f"{number}.xboot", content)
        folder = tmp_path / f"out{number}"
        folder.mkdir()
        with pytest.raises(InputError, match=expected):
            unpack_bundle(bundle, folder)
        assert not (tmp_path / "escape").exists()
    folder = tmp_path / "link"
    folder.mkdir()
    unpack_bundle(pack(tmp_path / "again.xboot", good), folder)  # the helper itself makes good bundles


def test_a_lying_bundle_does_not_verify(recipe: Path, tmp_path: Path) -> None:
    """A bundle whose manifest fits its content, but whose content does not fit its store paths."""
    write_bundle(closure_of(recipe), tmp_path / "good.xboot")
    content = members(tmp_path / "good.xboot")
    place = next(i for i, (name, data) in enumerate(content) if name.endswith(".nar") and b"echo" in data)
    name, nar = content[place]
    lie = nar.replace(b"echo", b"evil")
    manifest = content[0][1].replace(hashlib.sha256(nar).hexdigest().encode(), hashlib.sha256(lie).hexdigest().encode())
    bundle = pack(tmp_path / "lie.xboot", [("xboot-bundle", manifest), *content[1:place], (name, lie), *content[place + 1 :]])
    with pytest.raises(InputError, match="does not belong to it"):
        BundleFrontEnd(Cache(tmp_path / "other")).xboot_read_closure(str(bundle), ReadOptions())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_damage_goes_unnoticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damage")
    nar = b"\x0d\0\0\0\0\0\0\0nix-archive-1\0\0\0"
    name, drv = f"store/{'1' * 32}-x.nar", f"store/{'2' * 32}-x.drv"
    files = "".join(
        f"file {hashlib.sha256(content).hexdigest()} {len(content)} {file}\n" for file, content in ((name, nar), (drv, b"Derive"))
    )
    manifest = f"xboot-bundle 1\nstore /nix/store\nroot /nix/{drv}\n{files}"
    good = pack(folder / "good", [("xboot-bundle", manifest.encode()), (name, nar), (drv, b"Derive")]).read_bytes()
    (folder / "out").mkdir()
    unpack_bundle(folder / "good", folder / "out")
    cut = data.draw(st.integers(0, len(good) - 1))
    flip = data.draw(st.integers(0, len(good) - 1))
    for number, bad in enumerate((good[:cut], good[:flip] + bytes([good[flip] ^ 0x41]) + good[flip + 1 :])):
        (folder / "bad").write_bytes(bad)
        out = folder / f"out{number}"
        out.mkdir()
        with pytest.raises(InputError):
            unpack_bundle(folder / "bad", out)


def test_a_header_that_promises_gigabytes_costs_none(tmp_path: Path) -> None:
    """A pax header is read whole by tar readers, however large it says that it is."""
    info = tarfile.TarInfo("xboot-bundle")
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE):
        info.type, info.size, info.mode, info.mtime = kind, 8**11 - 1, 0o444, 1
        (tmp_path / "bad").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
        tracemalloc.start()
        with pytest.raises(InputError):
            unpack_bundle(tmp_path / "bad", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


def test_a_recipe_is_a_target(recipe: Path, tmp_path: Path) -> None:
    both = recipe_front_end.xboot_read_closure(str(recipe), ReadOptions())
    one = recipe_front_end.xboot_read_closure(f"{recipe}:one", ReadOptions())
    assert both is not None and one is not None
    assert [store_name(root)[33:] for root in one.roots] == ["one.drv"]
    assert sorted(store_name(root)[33:] for root in both.roots) == ["one.drv", "two.drv"]
    assert set(one.derivations) < set(both.derivations) and not both.missing
    assert recipe_front_end.xboot_read_closure("/nix/store/x.drv", ReadOptions()) is None
    assert (tmp_path / "store").is_dir()


def test_a_bundle_that_changes_between_two_looks_is_refused(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hash is the name under which it is kept: what is unpacked must be what was hashed."""
    from xboot.frontends import bundle as module

    write_bundle(closure_of(recipe, "two"), tmp_path / "a.xboot")
    write_bundle(closure_of(recipe, "one"), tmp_path / "b.xboot")
    real = module.unpack_bundle

    def swapped(path: Path, *rest: object) -> list[str]:
        (tmp_path / "b.xboot").replace(path)
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "unpack_bundle", swapped)
    with pytest.raises(InputError, match="was changed while it was read"):
        BundleFrontEnd(Cache(tmp_path / "other")).xboot_read_closure(str(tmp_path / "a.xboot"), ReadOptions())
    assert not Cache(tmp_path / "other").entries()


def test_a_bundle_of_many_roots_is_refused(recipe: Path, tmp_path: Path) -> None:
    closure = closure_of(recipe)
    closure = dataclasses.replace(closure, roots=list(closure.roots) * 257)
    write_bundle(closure, tmp_path / "a.xboot")
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="names 257 roots, from one to 256"):
        unpack_bundle(tmp_path / "a.xboot", tmp_path / "out")
