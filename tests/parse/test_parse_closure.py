"""Reading a graph: lookups, and refusal of every path that does not belong to its content."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from xboot.errors import InputError, RefusedError
from xboot.hooks import ReadOptions
from xboot.model import Closure, Derivation, Output
from xboot.parse import hash_derivation_modulo, parse_derivation, read_closure, write_derivation
from xboot.parse.closure import _inputs_first
from xboot.parse.modulo import text_references
from xboot.storepath import fixed_output_path, store_name, text_path

STAGE0 = "guix-stage0-posix-i686-linux"
SIZES = {STAGE0: (16, 25, 9), "guix-mes-boot-i686-linux": (20, 34, 11), "guix-hello": (228, 2129, 108)}


def root_of(folder: Path) -> str:
    return (folder / "ROOTS").read_text().split()[0]


def read(target: str | Path, *stores: Path, seeds: tuple[str, ...] = ()) -> Closure:
    return read_closure(str(target), ReadOptions(stores=stores, seeds=seeds))


@pytest.fixture
def stage0(graphs: Path, tmp_path: Path) -> Path:
    """A copy of the smallest real graph, to be damaged."""
    return Path(shutil.copytree(graphs / STAGE0, tmp_path / "stage0"))


@pytest.mark.parametrize("name", SIZES)
def test_real_graphs_verify(graphs: Path, name: str) -> None:
    folder = graphs / name
    closure = read(root_of(folder), folder)
    drvs = closure.derivations
    assert (len(drvs), sum(len(d.input_drvs) for d in drvs.values()), sum(d.is_fixed_output for d in drvs.values())) == SIZES[name]
    assert sorted(closure.missing) == sorted((folder / "INPUT_SRCS").read_text().split())
    assert all(path in drvs[user].input_srcs for path, user in closure.missing.items())
    assert closure.store_dir == "/gnu/store"
    assert closure.sources == {}
    seen: set[str] = set()
    for path, drv in drvs.items():  # inputs stand before their users
        assert seen.issuperset(drv.input_drvs)
        seen.add(path)


def test_hash_modulo_alone_agrees_with_the_walk(graphs: Path) -> None:
    """An output path computed from nothing but the public functions."""
    drvs = read(root_of(graphs / STAGE0), graphs / STAGE0).derivations
    modulo: dict[str, str] = {}
    for path, drv in drvs.items():
        modulo[path] = hash_derivation_modulo(drv, {used: modulo[used] for used in drv.input_drvs})
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in modulo.values())
    assert len(set(modulo.values())) == len(modulo)


@pytest.mark.parametrize("how", ["file", "relative", "link", "renamed", "chroot"])
def test_targets(stage0: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    root = root_of(stage0)
    file, stores, target = stage0 / store_name(root), (), ""
    if how == "file":
        target = str(file)
    elif how == "relative":
        monkeypatch.chdir(stage0)
        target = file.name
    elif how == "link":
        (stage0.parent / "a.drv").symlink_to(file)
        target = str(stage0.parent / "a.drv")
    elif how == "renamed":
        target = str(file.rename(stage0 / "mine.drv"))
        stores = (stage0,)
    elif how == "chroot":
        (stage0.parent / "root/gnu").mkdir(parents=True)
        stage0.rename(stage0.parent / "root/gnu/store")
        target, stores = root, (stage0.parent / "root",)
    closure = read(target, *stores)
    assert closure.roots == (root,)
    assert len(closure.derivations) == 16


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/nonexistent", "not a derivation"),
        ("nonexistent.drv", "no such file"),
        ("", "a folder"),
        ("/gnu/store/6y48gzhac5v36dlqgn2xbr2mr5agh2i1-nonexistent.drv", "not found in"),
        ("/gnu/store/" + "e" * 32 + "-a.drv", "not nix32"),
    ],
)
def test_targets_that_are_none(tmp_path: Path, target: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read(target, tmp_path)


def test_a_store_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be used as a store"):
        read("/gnu/store/6y48gzhac5v36dlqgn2xbr2mr5agh2i1-a.drv", tmp_path / "missing")


# ---------------------------------------------------------------- derivations that lie


def some_input(folder: Path) -> Path:
    return sorted(folder.glob("*-gash-boot-0.3.1.drv"))[0]


def test_changed_text_is_refused(stage0: Path) -> None:
    file = some_input(stage0)
    file.write_bytes(file.read_bytes().replace(b"C.UTF-8", b"C.UTF-9"))
    with pytest.raises(
        InputError, match=f"{file.name}: its content belongs to another path, /gnu/store/[0-9a-z]{{32}}-gash-boot-0.3.1.drv"
    ):
        read(root_of(stage0), stage0)


def forge(folder: Path, drv: Derivation, name: str) -> str:
    """Put a derivation into a folder under the path that is right for its text."""
    text = write_derivation(drv)
    path = text_path(name, text, text_references(drv), "/gnu/store")
    (folder / store_name(path)).write_bytes(text)
    return path


def test_wrong_output_path_is_refused(stage0: Path) -> None:
    """The text is true to its path, but the output's path is not what the text calls for."""
    root = root_of(stage0)
    drv = parse_derivation((stage0 / store_name(root)).read_bytes(), root)
    out = drv.outputs["out"].path
    env = {**drv.env, b"LC_CTYPE": b"C"}
    lying = forge(
        stage0,
        Derivation("", drv.outputs, drv.input_drvs, drv.input_srcs, drv.system, drv.builder, drv.args, env),
        "stage0-posix-1.6.0.drv",
    )
    with pytest.raises(InputError, match=f"{lying}: the path of its output out is given as {out}, but computes to /gnu/store/"):
        read(lying, stage0)


def test_wrong_fixed_output_path_is_refused(stage0: Path) -> None:
    output = Output("out", f"/gnu/store/{'0' * 32}-f", "sha256", "a" * 64)
    lying = forge(stage0, Derivation("", {"out": output}, {}, (), "builtin", b"b", (), {b"out": output.path.encode()}), "f.drv")
    with pytest.raises(InputError, match="computes to /gnu/store/"):
        read(lying, stage0)


def test_wrong_output_variable_is_refused(stage0: Path) -> None:
    tar = next(stage0.glob("*-tar.drv"))
    drv = parse_derivation(tar.read_bytes(), f"/gnu/store/{tar.name}")
    for value, found in ((b"/gnu/store/" + b"0" * 32 + b"-tar", "'/gnu/store/000"), (None, "not set")):
        env = {name: text for name, text in drv.env.items() if name != b"out"} | ({b"out": value} if value else {})
        env = dict(sorted(env.items()))
        lying = forge(stage0, Derivation("", drv.outputs, {}, drv.input_srcs, drv.system, drv.builder, drv.args, env), "tar.drv")
        with pytest.raises(InputError, match=f"its variable out should be .*, but is {found}"):
            read(lying, stage0)


def test_an_output_that_the_input_does_not_have_is_refused(stage0: Path) -> None:
    root = root_of(stage0)
    drv = parse_derivation((stage0 / store_name(root)).read_bytes(), root)
    inputs = {path: ("doc",) for path in drv.input_drvs}
    lying = forge(
        stage0, Derivation("", drv.outputs, inputs, drv.input_srcs, drv.system, drv.builder, drv.args, drv.env), "stage0-posix-1.6.0.drv"
    )
    with pytest.raises(InputError, match="has no output 'doc', only out"):
        read(lying, stage0)


def test_a_missing_input_names_its_user(stage0: Path) -> None:
    file = some_input(stage0)
    file.unlink()
    with pytest.raises(InputError, match=rf"{file.name}: not found in .*, but /gnu/store/.*\.drv needs it") as caught:
        read(root_of(stage0), stage0)
    assert "--store" in (caught.value.hint or "")


def test_derivations_that_need_each_other(stage0: Path) -> None:
    """In files: whichever is read first has a path that is not its own. In the order: named as a cycle."""
    a, b = (f"/gnu/store/{letter * 32}-{letter}.drv" for letter in "ab")
    blank = {"out": Output("out", "")}
    drvs = {path: Derivation(path, blank, {other: ("out",)}, (), "builtin", b"", (), {}) for path, other in ((a, b), (b, a))}
    for path, drv in drvs.items():
        (stage0 / store_name(path)).write_bytes(write_derivation(drv))
    with pytest.raises(InputError, match="its content belongs to another path"):
        read(a, stage0)
    with pytest.raises(InputError, match=f"derivations that need each other: {a} needs {b} needs {a}"):
        _inputs_first(a, drvs)


def test_a_deep_graph(tmp_path: Path) -> None:
    """Nothing recurses: 3,000 derivations, each the only input of the next (fixed outputs, so that their paths are quick to tell)."""
    inputs: dict[str, tuple[str, ...]] = {}
    path = ""

    for i in range(3000):
        out = Output("out", fixed_output_path(f"d{i}", "sha256", "b" * 64, False, "/gnu/store"), "sha256", "b" * 64)
        path = forge(tmp_path, Derivation("", {"out": out}, inputs, (), "builtin", b"b", (), {b"out": out.path.encode()}), f"d{i}.drv")
        inputs = {path: ("out",)}
    assert len(read(path, tmp_path).derivations) == 3000


def test_links_and_other_things_in_the_place_of_a_derivation(stage0: Path) -> None:
    file = some_input(stage0)
    moved = file.rename(stage0.parent / "elsewhere")
    file.symlink_to(moved)
    with pytest.raises(InputError, match="it is a symbolic link"):
        read(root_of(stage0), stage0)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(InputError, match="must be a regular file"):
        read(root_of(stage0), stage0)
    file.unlink()
    file.mkdir()
    with pytest.raises(InputError, match="must be a regular file"):
        read(root_of(stage0), stage0)


def test_a_linked_store_folder_is_not_followed(stage0: Path) -> None:
    (stage0.parent / "root/gnu").mkdir(parents=True)
    (stage0.parent / "root/gnu/store").symlink_to(stage0)
    with pytest.raises(InputError, match="not found"):
        read(root_of(stage0), stage0.parent / "root")


def test_a_dynamic_derivation_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / f"{'0' * 32}-a.drv").write_bytes(b'DrvWithVersion("xp-dyn-drv",[("out","","","")],[],[],"x","y",[],[])')
    with pytest.raises(RefusedError, match="dynamic derivation"):
        read(tmp_path / f"{'0' * 32}-a.drv")
