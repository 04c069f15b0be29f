"""NAR, the reference scan and the script's reader in Scheme, beside those in C and Python, on this machine."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_executor_parts import BAD

from xboot import nar
from xboot.model import FixedHash
from xboot.testing.boot import Plan, source

pytestmark = [pytest.mark.apt, pytest.mark.compiler]

VECTORS = Path(__file__).parent.parent / "data" / "nar-vectors"
ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"
QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def by_c(driver: Path, *words: str | bytes | Path) -> tuple[int, str]:
    done = subprocess.run([driver, *words], capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode("latin-1")


def vectors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nar_vectors", VECTORS / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- NAR


def test_nar_vectors(ask, tmp_path: Path) -> None:
    """The same file of vectors as tests/executor holds the C and the Python against."""
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
    """bytes: a file, executable when of odd length; str: a link; dict: a folder."""
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
@settings(QUICK, max_examples=80)
def test_three_programs_make_one_nar(ask, driver: Path, tmp_path_factory: pytest.TempPathFactory, tree: object) -> None:
    """Python's bytes are Scheme's bytes; the hash and size of all three are those of the bytes."""
    folder = tmp_path_factory.mktemp("tree")
    make(os.fsencode(folder / "t"), tree)
    expected = nar.nar_hash(folder / "t")
    assert ask("dump", folder, "t", folder / "nar") == "written"
    assert (folder / "nar").read_bytes() == b"".join(nar.dump(folder / "t"))
    assert ask("nar", folder, "t") == f"{expected.sha256} {expected.size}"
    assert by_c(driver, "nar", folder / "t") == (0, f"{expected.sha256} {expected.size}\n")


@pytest.mark.parametrize("offset", [0, 1, 65400, 65439, 65440, 65441, 65470, 65535, 65536, 131000])
def test_references_across_borders(ask, tmp_path: Path, offset: int) -> None:
    there, absent = "0123456789abcdfghijklmnpqrsvwxyz-a", "zyxwvsrqpnmlkjihgfdcba9876543210-b"
    (tmp_path / "f").write_bytes(b"z" * offset + there[:32].encode() + b"0" * 70)
    assert ask("nar", tmp_path, "f", there, absent).split(" ")[2:] == [there]


@given(seed=st.integers(0, 1 << 32), near=st.sampled_from([100, 65536]), count=st.integers(1, 30))
@settings(QUICK, max_examples=40)
def test_references_as_in_c(ask, driver: Path, tmp_path: Path, seed: int, near: int, count: int) -> None:
    """Hash parts anywhere, beside near misses; and two names with one hash part, which are both meant."""
    chance = random.Random(seed)
    parts = ["".join(chance.choices(ALPHABET, k=32)) for _ in range(count)]
    parts += [parts[0][:31] + next(c for c in ALPHABET if c != parts[0][31]), parts[0] + "-other"]
    data = bytearray(chance.choices(ALPHABET.encode(), k=near + 200) if chance.random() < 0.5 else chance.randbytes(near + 200))
    for part in chance.sample(parts, chance.randrange(len(parts))):
        at = max(0, near - 150 + chance.randrange(300)) if chance.random() < 0.8 else chance.randrange(near)
        data[at : at + 32] = part[:32].encode()
    (tmp_path / "file").write_bytes(data)
    archive = b"".join(nar.dump(tmp_path / "file"))
    found = sorted(part for part in parts if part[:32].encode() in archive)
    assert ask("nar", tmp_path, "file", *parts).split(" ")[2:] == found
    assert by_c(driver, "nar", tmp_path / "file", *parts)[1].split()[2:] == found


def test_what_a_nar_cannot_hold(ask, tmp_path: Path) -> None:
    (tmp_path / "d" / "/".join(["d"] * 64)).mkdir(parents=True)
    assert ask("nar", tmp_path, "d") == "fail output directories nested deeper than 64: d"
    (tmp_path / "tree").mkdir()
    os.mkfifo(tmp_path / "tree" / "fifo")
    assert ask("nar", tmp_path, "tree") == "fail output neither regular file, directory nor symbolic link: fifo in tree"
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate((16 << 30) + 1)
    assert ask("nar", tmp_path, "sparse") == "fail limit a file larger than 16 GiB: sparse"


# ---------------------------------------------------------------- the script


@pytest.fixture
def text(tmp_path: Path) -> bytes:
    """A script with everything that a script can have."""
    (tmp_path / "sh").write_text("x")
    (tmp_path / "b").write_text("y")
    plan = Plan(source(tmp_path / "sh"))
    plan.add(source(tmp_path / "b", [plan.shell]))
    everything = bytes(range(256))
    first = plan.sh('echo \x01\xff "quoted" \\', "first", [plan.sources[1].path], outputs=("dev", "out"), files=[("/build/f", everything)])
    fixed = FixedHash("flat", "0" * 64)
    plan.sh("true", "second", [first.outputs[0].path], graphs=[("/build/g", [plan.shell.path])], fixed=fixed)
    return plan.text()


def parse(ask, tmp_path: Path, script: bytes) -> str:
    (tmp_path / "script").write_bytes(script)
    return ask("parse", tmp_path / "script")


def test_script(ask, tmp_path: Path, text: bytes) -> None:
    assert parse(ask, tmp_path, text) == "accepted"


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_scripts_that_are_refused(ask, tmp_path: Path, text: bytes, change: tuple[bytes, bytes]) -> None:
    old, new = change
    assert old in text
    assert parse(ask, tmp_path, text.replace(old, new, 1) if old else b"").startswith("fail internal")


@given(data=st.data())
@settings(QUICK, max_examples=150)
def test_what_scheme_accepts_c_accepts(ask, driver: Path, tmp_path: Path, text: bytes, data: st.DataObject) -> None:
    script = bytearray(text)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(script) - 1))
        kind = data.draw(st.sampled_from(["cut", "flip", "drop", "repeat"]))
        if kind == "cut":
            del script[at:]
        elif kind == "flip":
            script[at] = data.draw(st.integers(0, 255))
        elif kind == "drop":
            del script[at : at + data.draw(st.integers(1, 40))]
        else:
            script[at:at] = script[at : at + 30]
        script = script or bytearray(b" ")
    answer = parse(ask, tmp_path, bytes(script))
    status, written = by_c(driver, "parse", tmp_path / "script")
    assert status in (0, 3)
    if answer == "accepted":
        assert status == 0 and bytes(script).decode("latin-1").startswith(written)
    else:
        assert answer.startswith("fail internal")


def test_the_executor_has_one_thread(ask) -> None:
    """A builder starts as a clone of the executor: a second thread could hold a lock that the clone waits for."""
    assert ask("threads") == "1"


_MAPS = """
(use-modules (xboot executor))
(call-with-input-file "/proc/self/maps"
  (lambda (port) (let loop ((c (read-char port))) (unless (eof-object? c) (write-char c) (loop (read-char port))))))
"""


def test_nothing_is_packed_that_is_not_loaded(guile, tmp_path: Path) -> None:
    """Guile maps what it loads: every file of the two trees but the one that it reads, and the list of conversions."""
    (tmp_path / "maps.scm").write_text(_MAPS)
    trees = {"GUILE_SYSTEM_PATH": str(guile.tree), "GUILE_SYSTEM_COMPILED_PATH": f"{guile.tree}/ccache:{guile.modules}"}
    environment = {"LC_ALL": "C", "GC_MARKERS": "1", "GCONV_PATH": f"{guile.tree}/gconv", **trees}
    shown = subprocess.run(guile.command("-s", tmp_path / "maps.scm"), env=environment, check=True, capture_output=True, text=True).stdout
    loaded = {Path(line.split()[5]) for line in shown.splitlines() if len(line.split()) > 5}
    packed = {path for tree in (guile.tree, guile.modules) for path in tree.rglob("*") if path.is_file()}
    assert packed - loaded == {guile.tree / "gconv" / "gconv-modules", guile.modules / "start.scm"}
    modules = (Path(__file__).parents[2] / "core" / "xboot" / "guest" / "scheme" / "README.md").read_text()
    assert f"the {sum(path.suffix == '.go' for path in packed if path.is_relative_to(guile.tree))} that are loaded" in modules
