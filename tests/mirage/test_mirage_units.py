"""The OCaml side of the mirage guest, built for the host over a fake base layer: unit and property tests (units.ml runs them)."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from xboot.sexp import quote
from xboot_mirage.toolchain import GUEST

pytestmark = pytest.mark.compiler

HERE = Path(__file__).parent
VECTORS = HERE.parent / "data" / "nar-vectors" / "vectors.json"


def _text(value: str) -> str:
    return quote(value.encode("latin-1"))


def _tree(tree: dict[str, object]) -> str:
    if "link" in tree:
        return f"(link {_text(str(tree['link']))})"
    if "folder" in tree:
        entries = tree["folder"]
        assert isinstance(entries, list)
        return "(folder " + " ".join(f"({_text(name)} {_tree(child)})" for name, child in entries) + ")"
    content = tree["file"]
    text, times = content if isinstance(content, list) else (content, 1)
    return f"(file {_text(text)} {times} {1 if tree.get('executable') else 0})"


# FIPS 180-2, appendix B, and NIST's examples of one to three blocks; a million bytes are in units_data.ml.
_NIST = {
    b"": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu":
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
}  # fmt: skip


def _sums() -> Iterator[tuple[bytes, str]]:
    yield from _NIST.items()
    chance = random.Random(180)
    for length in (*range(1, 200), 4095, 4096, 4097, 20000):
        text = chance.randbytes(length)
        yield text, hashlib.sha256(text).hexdigest()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("units")
    for path in (GUEST / "ocaml").glob("*.ml*"):
        if path.stem != "main":
            shutil.copy(path, folder)
    for path in HERE.glob("*.ml"):
        shutil.copy(path, folder)
    where = subprocess.run(["ocamlfind", "ocamlc", "-where"], capture_output=True, text=True, check=True).stdout.strip()
    objects = []
    for source in (
        GUEST / "base" / "frames.c",
        GUEST / "base" / "aspace.c",
        GUEST / "base" / "onebyte.c",
        GUEST / "base" / "digest.c",
        GUEST / "base" / "stubs.c",
        HERE / "fake_base.c",
        HERE / "failing.c",
    ):
        subprocess.run(
            [
                "gcc",
                "-O1",
                "-g",
                "-Wall",
                "-DXBOOT_HOST",
                f"-I{GUEST / 'base'}",
                f"-I{where}",
                "-c",
                source,
                "-o",
                folder / f"{source.stem}.o",
            ],
            check=True,
        )
        objects.append(f"{source.stem}.o")
    wrapped = [
        word
        for name in ("frame_alloc", "frame_alloc_raw", "frame_alloc_kind", "frame_free_kind")
        for word in ("-ccopt", f"-Wl,--wrap={name}")
    ]
    packages = ["-package", "str"]
    names = sorted(path.name for path in folder.glob("*.ml*"))
    order = subprocess.run(
        ["ocamlfind", "ocamldep", *packages, "-sort", *names], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.split()
    subprocess.run(
        ["ocamlfind", "ocamlopt", "-g", "-w", "-a", *packages, "-linkpkg", *order, *objects, *wrapped, "-o", "units"],
        cwd=folder,
        check=True,
    )
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    (folder / "vectors").write_text(
        "\n".join(f"({_text(v['name'])} {_tree(v['tree'])} {quote(v['sha256'])} {v['size']})" for v in vectors) + "\n"
    )
    (folder / "sums").write_text("".join(f"{quote(text)} {quote(digest.encode())}\n" for text, digest in _sums()))
    done = subprocess.run(["./units", "vectors", "sums"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    found = {}
    for line in done.stdout.splitlines():
        status, _, name = line.partition(" ")
        found[name.split(":")[0]] = "ok" if status == "ok" else line
    found["the program"] = "ok" if done.returncode == 0 else f"status {done.returncode}: {done.stdout[-300:]}{done.stderr[-1000:]}"
    return found


@pytest.mark.parametrize(
    "name",
    [
        "sexp round trip", "sexp strict", "script reads", "script damaged", "content", "sparse file", "pipe", "paths", "deep tree",
        "nar vectors", "scan", "sha-256", "views", "texts",
        "files by calls", "windows", "windows are never stale", "copy on write", "zeros behind bss",
        "payload without room", "errors midway", "memory ends anywhere", "wait with a bad address", "areas never overlap",
        "copies without room", "registers over signals", "rights arrive once",
        "hostile calls i386", "hostile calls x86_64", "the program",
    ],
)  # fmt: skip
def test_unit(results: dict[str, str], name: str) -> None:
    assert results.get(name, f"did not run; {results['the program']}") == "ok"
