"""Content at hand: each rule by which a store names things, made by nix-bin, and everything that follows no rule."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from xboot.errors import InputError
from xboot.hooks import ReadOptions
from xboot.model import Closure, Source, SourceKind
from xboot.nar import dump, nar_hash
from xboot.parse import find_output, read_closure
from xboot.storepath import store_name

from .conftest import Nix

pytestmark = pytest.mark.nix

DRV = 'derivation { name = "d"; system = "x86_64-linux"; builder = "/bin/sh"; %s }'


def read(nix: Nix, drv: str, *stores: Path, seeds: tuple[str, ...] = ()) -> Closure:
    return read_closure(drv, ReadOptions(stores=stores or (nix.root,), seeds=seeds))


def user_of(nix: Nix, path: str) -> str:
    """A derivation with the store path `path` as a source."""
    return nix.instantiate(DRV % f'src = builtins.storePath "{path}";')[0]


def check(nix: Nix, source: Source, kind: SourceKind) -> None:
    """What xboot says of a source is what Nix says of it."""
    assert source.kind is kind
    info = nix.run("nix", "path-info", "--json", source.path).stdout.decode()
    assert f'"narSize":{source.nar_size}' in info
    stated = nix.run("nix-store", "--query", "--hash", source.path).stdout.decode().strip()
    assert nix.run("nix", "hash", "to-base16", stated).stdout.decode().strip() == source.nar_sha256
    assert source.references == tuple(nix.references(source.path))


def tree(folder: Path) -> Path:
    folder.mkdir()
    (folder / "a").write_bytes(b"payload")
    (folder / "run").write_bytes(b"#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "sub").mkdir()
    return folder


def test_trees_and_texts_with_references(nix: Nix, tmp_path: Path) -> None:
    folder = tree(tmp_path / "tree")
    expression = f"""
      let a = builtins.toFile "a" "no reference";
          b = builtins.toFile "b" "one: ${{a}}. And a path that is none: /nix/store/{"0" * 32}-x.";
          c = builtins.toFile "c" "two: ${{a}} ${{b}}${{{folder}}}";
      in {DRV % f"inherit c; tree = {folder};"}
    """
    closure = read(nix, nix.instantiate(expression)[0])
    sources = {store_name(path)[33:]: source for path, source in closure.sources.items()}
    assert sorted(sources) == ["a", "b", "c", "tree"]
    assert closure.missing == {}
    check(nix, sources["tree"], SourceKind.NAR)
    for name in "abc":
        check(nix, sources[name], SourceKind.TEXT)
    assert len(sources["c"].references) == 3


def test_a_reference_that_is_missing(nix: Nix) -> None:
    expression = 'let a = builtins.toFile "a" "x"; in ' + DRV % 'b = builtins.toFile "b" "${a}.";'
    drv = nix.instantiate(expression)[0]
    b = next(path for path in read(nix, drv).sources if path.endswith("-b"))
    a = nix.references(b)[0]
    nix.file(a).unlink()
    closure = read(nix, drv)
    assert closure.missing == {a: b}
    assert closure.sources[b].references == (a,)


@pytest.mark.parametrize("algo", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("recursive", [False, True])
def test_sources_added_with_any_hash(nix: Nix, tmp_path: Path, algo: str, recursive: bool) -> None:
    (tmp_path / "file").write_bytes(b"content")
    path = nix.add("--add-fixed", *(["--recursive"] if recursive else []), algo, str(tmp_path / "file"))
    source = read(nix, user_of(nix, path)).sources[path]
    check(nix, source, SourceKind.NAR if recursive and algo == "sha256" else SourceKind.FIXED)


@pytest.mark.parametrize("mode", ["flat", "recursive"])
@pytest.mark.parametrize("algo", ["md5", "sha1", "sha256", "sha512"])
def test_fixed_outputs_at_hand(nix: Nix, tmp_path: Path, mode: str, algo: str) -> None:
    file = tmp_path / "fetched"
    file.write_bytes(b"content")
    path = nix.add("--add-fixed", *(["--recursive"] if mode == "recursive" else []), algo, str(file))
    digest = nix.run("nix", "hash", "file" if mode == "flat" else "path", "--type", algo, "--base16", str(file)).stdout.decode().strip()
    fixed = f'outputHash = "{digest}"; outputHashAlgo = "{algo}"; outputHashMode = "{mode}";'
    fetch = f'derivation {{ name = "fetched"; system = "x86_64-linux"; builder = "builtin:fetchurl"; {fixed} }}'
    drv = nix.instantiate(DRV % f"src = {fetch};")[0]
    closure = read(nix, drv)
    check(nix, closure.sources[path], SourceKind.FIXED)

    # The same from a folder of its own, where the content is another.
    folder = tmp_path / "flat"
    folder.mkdir()
    for found in closure.derivations:
        shutil.copy(nix.file(found), folder)
    (folder / store_name(path)).write_bytes(b"other")
    with pytest.raises(InputError, match=f"{path}: the {algo} of its .* is [0-9a-f]+, but .*fetched.drv fixes {digest}"):
        read(nix, drv, folder)
    if mode == "flat":
        (folder / store_name(path)).write_bytes(b"content")
        (folder / store_name(path)).chmod(0o755)
        with pytest.raises(InputError, match="cannot be executed"):
            read(nix, drv, folder)
    (folder / store_name(path)).unlink()
    assert path not in read(nix, drv, folder).sources


def test_unpacked_and_nar_are_the_same(nix: Nix, tmp_path: Path) -> None:
    drv = nix.instantiate(DRV % f"src = {tree(tmp_path / 'tree')};")[0]
    unpacked = read(nix, drv)
    path = next(iter(unpacked.sources))
    folder = tmp_path / "flat"
    folder.mkdir()
    shutil.copy(nix.file(drv), folder)
    archive = folder / f"{store_name(path)}.nar"
    archive.write_bytes(b"".join(dump(nix.file(path))))
    packed = read(nix, str(folder / store_name(drv)), folder)
    one, other = unpacked.sources[path], packed.sources[path]
    assert (one.nar_sha256, one.nar_size, one.kind) == (other.nar_sha256, other.nar_size, other.kind)
    assert (one.location, other.location) == (nix.file(path), archive)

    data = archive.read_bytes()
    for damaged in (data[:-8], data + bytes(8), b"", data.replace(b"link", b"lin/"), os.urandom(64)):
        archive.write_bytes(damaged)
        with pytest.raises(InputError, match=f"{archive}: malformed NAR"):
            read(nix, drv, folder)
    archive.write_bytes(data.replace(b"payload", b"Payload"))
    with pytest.raises(InputError, match=f"{path}: its content, in {archive}, does not belong to it"):
        read(nix, drv, folder)


def test_changed_sources_are_refused(nix: Nix, tmp_path: Path) -> None:
    drv = nix.instantiate(DRV % f"src = {tree(tmp_path / 'tree')};")[0]
    path = next(iter(read(nix, drv).sources))
    content = nix.file(path)
    changes = (["chmod", "755", "a"], ["touch", "more"], ["sh", "-c", "rm more; chmod 644 a; echo Payload > a"])
    for change in changes:
        content.chmod(0o755)
        subprocess.run(change, cwd=content, check=True)
        with pytest.raises(InputError, match=f"{path}: its content.* does not belong to it: as a file tree it is /nix/store/"):
            read(nix, drv)


def test_a_source_replaced_by_a_link_or_a_socket(nix: Nix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drv = nix.instantiate(DRV % f"src = {tree(tmp_path / 'tree')};")[0]
    path = next(iter(read(nix, drv).sources))
    nix.file(path).rename(tmp_path / "moved")
    nix.file(path).symlink_to(tmp_path / "moved")
    with pytest.raises(InputError, match="does not belong to it"):
        read(nix, drv)
    nix.file(path).unlink()
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(nix.file(path).parent)  # the name of a socket may have 107 bytes at most
        server.bind(store_name(path))
        with pytest.raises(InputError, match=store_name(path)):
            read(nix, drv)


# ---------------------------------------------------------------- seeds


LOWER = DRV.replace('"d"', '"lower"') % ""


def put(nix: Nix, path: str, content: bytes) -> None:
    """Give an output content, as a build would have."""
    nix.file(path).write_bytes(content)
    nix.file(path).chmod(0o444)
    size = len(b"".join(dump(nix.file(path))))
    references = [found for found in _outputs(nix) if found in content.decode("latin-1")]
    lines = [path, nar_hash(nix.file(path)).sha256, str(size), "", str(len(references)), *references, ""]
    nix.run("nix-store", "--load-db", stdin="\n".join(lines).encode())


def _outputs(nix: Nix) -> list[str]:
    return [f"/nix/store/{file.name}" for file in nix.file("/nix/store").iterdir() if file.suffix != ".drv" and len(file.name) > 33]


def output_of(nix: Nix, expression: str) -> str:
    drv = nix.instantiate(expression)[0]
    path: str = nix.show(drv)[drv]["outputs"]["out"]["path"]
    return path


def test_an_output_is_only_taken_as_a_seed(nix: Nix) -> None:
    """`builtins.storePath` makes a source of an output, which follows no rule."""
    lower, upper = output_of(nix, LOWER), output_of(nix, DRV.replace('"d"', '"upper"') % "")
    put(nix, lower, b"content")
    put(nix, upper, f"see {lower}, {upper}\n".encode())
    drv = user_of(nix, upper)
    with pytest.raises(InputError, match=f"{upper}: its content.* does not belong to it") as caught:
        read(nix, drv)
    assert f"--seed {upper}" in (caught.value.hint or "")
    closure = read(nix, drv, seeds=(upper,))
    check(nix, closure.sources[upper], SourceKind.SEED)
    assert closure.sources[upper].references == tuple(sorted((lower, upper)))
    assert closure.sources[lower].kind is SourceKind.SEED  # trusted as part of what was named


def test_an_output_of_the_graph_as_a_seed(nix: Nix) -> None:
    output = output_of(nix, LOWER)
    drv = nix.instantiate(DRV % f"lower = {LOWER};")[0]
    put(nix, output, b"content")
    assert output not in read(nix, drv).sources  # at hand, but not asked for
    source = read(nix, drv, seeds=(output,)).sources[output]
    check(nix, source, SourceKind.SEED)
    assert find_output(output, ReadOptions(stores=[nix.root])) == source


def test_what_only_a_seed_needed_is_not_read(nix: Nix, tmp_path: Path) -> None:
    """Sources and fixed outputs that only make what is trusted are neither missing nor hashed; those that others need are."""
    for name in ("shared", "only"):
        (tmp_path / name).write_text(name)
    hash_ = "0" * 64
    pinned = DRV.replace('"d"', '"pinned"') % f'outputHash = "{hash_}"; outputHashAlgo = "sha256"; outputHashMode = "recursive";'
    lower = DRV.replace('"d"', '"lower"') % f"only = {tmp_path}/only; shared = {tmp_path}/shared; pinned = {pinned};"
    drv = nix.instantiate(DRV % f"lower = {lower}; shared = {tmp_path}/shared;")[0]
    output = output_of(nix, lower)
    put(nix, output, b"content")
    pinned_path = output_of(nix, pinned)
    nix.file(pinned_path).write_text("not what is fixed")
    with pytest.raises(InputError, match=pinned_path):
        read(nix, drv)
    closure = read(nix, drv, seeds=(output,))
    assert {store_name(path)[33:] for path in closure.sources} == {"lower", "shared"}
    only = next(path for path in _outputs(nix) if path.endswith("-only"))
    nix.file(only).unlink()
    assert read(nix, drv, seeds=(output,)).missing == {}
    root = nix.instantiate(lower)[0]  # what was asked for is built, whatever is trusted
    nix.file(pinned_path).unlink()
    assert only in read(nix, root, seeds=(output,)).missing


def test_seeds_that_are_none(nix: Nix) -> None:
    drv = nix.instantiate(DRV % "")[0]
    absent = f"/nix/store/{'0' * 32}-absent"
    with pytest.raises(InputError, match="the seed is not in"):
        read(nix, drv, seeds=(absent,))
    with pytest.raises(InputError, match="not a store path"):
        read(nix, drv, seeds=("/etc/passwd",))
    assert find_output(absent, ReadOptions(stores=[nix.root])) is None
