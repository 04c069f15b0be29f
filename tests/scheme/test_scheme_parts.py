"""SHA-256, NAR and the reference scan in Scheme, on this machine, by the Guile that goes into the guest."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xboot import nar
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.scheme import build_scheme_executor

VECTORS = Path(__file__).parent.parent / "data" / "nar-vectors"
Ask = Callable[..., str]


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    tree = build_scheme_executor(Cache()).path
    modules = "usr/lib/x86_64-linux-gnu/guile/3.0/ccache"
    whole = DebianPackages(Cache()).unpacked("guile-3.0-libs")[0]
    environment = {
        "LC_ALL": "C", "GUILE_AUTO_COMPILE": "0",
        "GUILE_SYSTEM_PATH": str(whole / "usr/share/guile/3.0"), "GUILE_SYSTEM_COMPILED_PATH": f"{tree}/ccache:{whole / modules}",
    }  # fmt: skip
    command = [tree / "lib/ld-linux-x86-64.so.2", "--library-path", tree / "lib", tree / "guile", "-s", Path(__file__).parent / "serve.scm"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None

        def answer(*words: str) -> str:
            process.stdin.write(" ".join(words) + "\n")
            process.stdin.flush()
            return process.stdout.readline().rstrip("\n")

        yield answer
        process.stdin.close()


@pytest.mark.parametrize("size", [0, 1, 3, 55, 56, 57, 63, 64, 65, 111, 112, 119, 120, 127, 128, 4095, 4096, 65535, 65536, 65537, 200000])
def test_sha256_lengths(ask: Ask, tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (tmp_path / "f").write_bytes(data)
    assert ask("sha256", f"{tmp_path}/f") == hashlib.sha256(data).hexdigest()


def test_sha256_nist_vectors(ask: Ask, tmp_path: Path) -> None:
    for data, digest in {
        b"": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        b"a" * 1000000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    }.items():
        (tmp_path / "f").write_bytes(data)
        assert ask("sha256", f"{tmp_path}/f") == digest


def vectors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nar_vectors", VECTORS / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nar_vectors(ask: Ask, tmp_path: Path) -> None:
    module = vectors()
    for number, vector in enumerate(module.load()):
        module.plant(os.fsencode(tmp_path / str(number)), vector["tree"])
        assert ask("nar", str(tmp_path), str(number)) == f"{vector['sha256']} {vector['size']}", vector["name"]


NAMES = st.binary(min_size=1, max_size=12).filter(lambda n: n not in (b".", b"..") and not set(n) & set(b"/\0"))
TREES = st.recursive(
    st.one_of(st.binary(max_size=300), st.text("abc/.é", min_size=1, max_size=40)),
    lambda inner: st.dictionaries(NAMES, inner),
    max_leaves=12,
)


def make(path: bytes, tree: object) -> None:
    if isinstance(tree, bytes):
        with open(path, "wb") as file:
            file.write(tree)
        os.chmod(path, 0o700 if len(tree) % 2 else 0o600)
    elif isinstance(tree, str):
        os.symlink(tree, path)
    else:
        assert isinstance(tree, dict)
        os.mkdir(path)
        for name, inner in tree.items():
            make(path + b"/" + name, inner)


@given(tree=TREES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nar_as_python_makes_it(ask: Ask, tmp_path_factory: pytest.TempPathFactory, tree: object) -> None:
    folder = tmp_path_factory.mktemp("tree")
    make(os.fsencode(folder / "t"), tree)
    expected = nar.nar_hash(folder / "t")
    assert ask("nar", str(folder), "t") == f"{expected.sha256} {expected.size}"


@pytest.mark.parametrize("offset", [0, 1, 65400, 65439, 65440, 65441, 65470, 65535, 65536, 131000])
def test_references_across_borders(ask: Ask, tmp_path: Path, offset: int) -> None:
    there, absent = "0123456789abcdfghijklmnpqrsvwxyz-a", "zyxwvsrqpnmlkjihgfdcba9876543210-b"
    (tmp_path / "f").write_bytes(b"z" * offset + there[:32].encode() + b"0" * 70)
    assert ask("nar", str(tmp_path), "f", there, absent).split(" ")[2:] == [there]


def test_too_deep(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "d" / "/".join(["d"] * 64)).mkdir(parents=True)
    assert ask("nar", str(tmp_path), "d") == "fail output directories nested deeper than 64: d"
