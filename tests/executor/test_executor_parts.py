"""The executor's parser, hashing and NAR code on this machine, under gcc's sanitizers."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xboot import nar
from xboot.cache import Cache
from xboot.errors import BackendError
from xboot.guest.build import EXECUTOR, build_executor
from xboot.model import FixedHash
from xboot.testing.boot import Plan, output_path, source

pytestmark = [pytest.mark.compiler, pytest.mark.apt]

VECTORS = Path(__file__).parent.parent / "data" / "nar-vectors"
ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"
DIGESTS = {
    "i386-c": ("i386-tcc -nostdinc", "start-i386.S", "sha256-block.c"),
    "i386-assembly": ("i386-tcc -nostdinc", "start-i386.S", "sha256-block-i386.S"),
    "i386-assembly-gcc": ("gcc -m32 -O2 -ffreestanding -fno-pic -no-pie -fno-stack-protector", "start-i386.S", "sha256-block-i386.S"),
    "x86_64-c": ("tcc -nostdinc", "start-x86_64.S", "sha256-block.c"),
    "x86_64-assembly": ("tcc -nostdinc", "start-x86_64.S", "sha256-block-x86_64.S"),
    "x86_64-assembly-gcc": ("gcc -O2 -ffreestanding -fno-pic -no-pie -fno-stack-protector", "start-x86_64.S", "sha256-block-x86_64.S"),
}


def run(driver: str | Path, *args: str | bytes | Path, data: bytes = b"", status: int = 0) -> bytes:
    done = subprocess.run([driver, *args], input=data, capture_output=True, check=False, timeout=60)
    assert done.returncode == status, (done.returncode, done.stdout[-500:], done.stderr[-2000:])
    return done.stdout


def load_vectors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nar_vectors", VECTORS / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- hashing


SIZES = [0, 1, 3, 55, 56, 57, 63, 64, 65, 111, 112, 119, 120, 127, 128, 4095, 4096, 4109, 8218, 100000]


@pytest.fixture(scope="module", params=["driver", *sorted(DIGESTS)])
def digest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """Commands that print the SHA-256 of what they read: the driver, and the block in C and in assembly for both widths."""
    if request.param == "driver":
        return [request.getfixturevalue("driver"), "sha256"]
    program = tmp_path_factory.mktemp("digest") / "digest"
    files = [Path(__file__).parent / "digest.c", EXECUTOR / "sha256.c", *(EXECUTOR / name for name in DIGESTS[request.param][1:])]
    subprocess.run([*DIGESTS[request.param][0].split(), "-nostdlib", "-static", f"-I{EXECUTOR}", *files, "-o", program], check=True)
    return [program]


@pytest.mark.parametrize("size", SIZES)
def test_sha256(digest: list[str | Path], size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert run(*digest, data=data).decode().strip() == hashlib.sha256(data).hexdigest()


def test_sha256_of_ones(digest: list[str | Path]) -> None:
    """Every sum carries."""
    for size in (64, 128, 4096):
        assert run(*digest, data=b"\xff" * size).decode().strip() == hashlib.sha256(b"\xff" * size).hexdigest()


def test_sha256_standard_vectors(digest: list[str | Path]) -> None:
    for data, expected in {
        b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        b"a" * 1000000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    }.items():
        assert run(*digest, data=data).decode().strip() == expected


# ---------------------------------------------------------------- NAR


def test_nar_vectors(driver: Path, tmp_path: Path) -> None:
    module = load_vectors()
    for number, vector in enumerate(module.load()):
        place = tmp_path / str(number)
        module.plant(os.fsencode(place), vector["tree"])
        assert run(driver, "nar", place).split() == [vector["sha256"].encode(), str(vector["size"]).encode()], vector["name"]
        info = nar.nar_hash(place)
        assert (info.sha256, info.size) == (vector["sha256"], vector["size"]), vector["name"]


@pytest.mark.nix
def test_nar_vectors_are_what_nix_says(tmp_path: Path) -> None:
    module = load_vectors()
    for number, vector in enumerate(module.load()):
        place = tmp_path / str(number)
        module.plant(os.fsencode(place), vector["tree"])
        archive = subprocess.run(["nix-store", "--dump", place], check=True, capture_output=True).stdout
        assert (hashlib.sha256(archive).hexdigest(), len(archive)) == (vector["sha256"], vector["size"]), vector["name"]


def test_depth_is_capped(driver: Path, tmp_path: Path) -> None:
    (tmp_path / "deep" / "/".join(["d"] * 63)).mkdir(parents=True)
    assert run(driver, "nar", tmp_path / "deep").split()[0].decode() == nar.nar_hash(tmp_path / "deep").sha256
    (tmp_path / "deep" / "/".join(["d"] * 64)).mkdir()
    assert b"fail output: directories nested deeper than 64: d in " in run(driver, "nar", tmp_path / "deep", status=3)


def test_what_a_nar_cannot_hold(driver: Path, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    os.mkfifo(tmp_path / "tree" / "fifo")
    assert b"fail output: neither regular file, directory nor symbolic link: fifo in " in run(driver, "nar", tmp_path / "tree", status=3)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate((16 << 30) + 1)
    assert b"fail limit: a file larger than 16 GiB" in run(driver, "nar", tmp_path / "sparse", status=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32), near=st.sampled_from([100, 65536, 131072]), count=st.integers(1, 40))
def test_references(driver: Path, tmp_path: Path, seed: int, near: int, count: int) -> None:
    """Hash parts anywhere, across every border of the scanner's window, beside near misses, are found and nothing else is."""
    chance = random.Random(seed)
    parts = ["".join(chance.choices(ALPHABET, k=32)) for _ in range(count)]
    parts += [parts[0][:31] + next(c for c in ALPHABET if c != parts[0][31])]
    data = bytearray(chance.choices(ALPHABET.encode(), k=near + 200) if chance.random() < 0.5 else chance.randbytes(near + 200))
    for part in chance.sample(parts, chance.randrange(len(parts))):
        at = max(0, near - 150 + chance.randrange(300)) if chance.random() < 0.8 else chance.randrange(near)
        data[at : at + 32] = part.encode()
    if chance.random() < 0.3:
        data[-31:] = parts[0][:31].encode()
    (tmp_path / "file").write_bytes(data)
    found = run(driver, "nar", tmp_path / "file", *parts).decode().split()[2:]
    archive = b"".join(nar.dump(tmp_path / "file"))
    assert found == sorted(part for part in parts if part.encode() in archive)


def test_references_in_names_and_links(driver: Path, tmp_path: Path) -> None:
    chance = random.Random(1)
    parts = ["".join(chance.choices(ALPHABET, k=32)) for _ in range(600)]
    (tmp_path / "tree" / f"a{parts[3]}").mkdir(parents=True)
    (tmp_path / "tree" / "link").symlink_to(f"/nix/store/{parts[500]}-x")
    (tmp_path / "tree" / "run").write_text(parts[77] * 3)
    assert run(driver, "nar", tmp_path / "tree", *parts).decode().split()[2:] == sorted([parts[3], parts[77], parts[500]])


# ---------------------------------------------------------------- the script


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "sh").write_text("x")
    (tmp_path / "b").write_text("y")
    plan = Plan(source(tmp_path / "sh"))
    plan.add(source(tmp_path / "b", [plan.shell]))
    first = plan.sh(
        'echo \x01\xff "quoted" \\', "first", [plan.sources[1].path], outputs=("dev", "out"), files=[("/build/f", bytes(range(256)))]
    )
    plan.sh(
        "true",
        "second",
        [first.outputs[0].path],
        graphs=[("/build/g", [plan.shell.path])],
        fixed=FixedHash("flat", "0" * 64),
        env={b"z=": b"="},
    )
    return plan


def parse(driver: Path, tmp_path: Path, text: bytes, status: int = 0) -> bytes:
    (tmp_path / "script").write_bytes(text)
    return run(driver, "parse", tmp_path / "script", status=status)


def test_script_round_trip(driver: Path, tmp_path: Path, plan: Plan) -> None:
    text = plan.text().replace(b' ("z=" "=")', b"")  # a name with `=` cannot stand in an environment
    result = text.index(b" (result")
    assert parse(driver, tmp_path, text) == text[:result]
    assert parse(driver, tmp_path, text.replace(b"\n", b" \n\n ")) == text[:result]


BAD = {
    "empty": (b"", b""),
    "version": (b"(xboot-script 1", b"(xboot-script 2"),
    "trailing": (b"\n (result", b"\n (result) (result"),
    "upper-case hex": (b"\\x01", b"\\x0A"),
    "escaped printable": (b"echo", b"\\x65cho"),
    "escaped line feed": (b"echo", b"\\x0acho"),
    "unknown escape": (b"echo", b"\\echo"),
    "raw control byte": (b"echo", b"e\tcho"),
    "raw high byte": (b"echo", b"e\xffcho"),
    "NUL in an argument": (b"echo", b"\\x00"),
    "unknown input": (b"(inputs ", b'(inputs "/nix/store/00000000000000000000000000000000-none" '),
    "step number": (b"(step 2", b"(step 3"),
    "leading zero": (b"(step 1", b"(step 01"),
    "huge step number": (b"(step 1", b"(step 18446744073709551617"),
    "hash too short": (b'(nar "sha256" "', b'(nar "sha256" "0" "'),
    "other hash": (b'(nar "sha256"', b'(nar "sha512"'),
    "store with dots": (b'(store "/nix/store"', b'(store "/nix/../store"'),
    "relative cwd": (b'(cwd "/build"', b'(cwd "build"'),
    "file outside": (b'(files ("/build/f"', b'(files ("/build/../f"'),
    "missing clause": (b"  (graphs)\n", b""),
    "extra clause": (b"  (graphs)\n", b"  (graphs) (more)\n"),
    "longer word": (b"(graphs)", b"(graphsx)"),
    "no argument": (b"(argv", b"(argv) (argv"),
    "fixed mode": (b'(fixed "flat"', b'(fixed "other"'),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_scripts_that_are_refused(driver: Path, tmp_path: Path, plan: Plan, change: tuple[bytes, bytes]) -> None:
    text = plan.text().replace(b' ("z=" "=")', b"")
    old, new = change
    assert old in text
    assert parse(driver, tmp_path, text.replace(old, new, 1) if old else b"", status=3).startswith(b"fail internal: malformed script")


def test_script_with_a_path_twice(driver: Path, tmp_path: Path, plan: Plan) -> None:
    text = plan.text().replace(b' ("z=" "=")', b"")
    text = text.replace(output_path("second").encode(), output_path("first").encode())
    assert parse(driver, tmp_path, text, status=3).startswith(b"fail internal: malformed script: expected a new store path")


def test_variable_with_an_equals_sign(driver: Path, tmp_path: Path, plan: Plan) -> None:
    assert parse(driver, tmp_path, plan.text(), status=3).startswith(b"fail internal: malformed script")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutilated_scripts_never_crash(driver: Path, tmp_path: Path, plan: Plan, data: st.DataObject) -> None:
    text = bytearray(plan.text())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        kind = data.draw(st.sampled_from(["cut", "flip", "drop", "repeat"]))
        if kind == "cut":
            del text[at:]
            text = text or bytearray(b" ")
        elif kind == "flip":
            text[at] = data.draw(st.integers(0, 255))
        elif kind == "drop":
            del text[at : at + data.draw(st.integers(1, 40))]
            text = text or bytearray(b" ")
        else:
            text[at:at] = text[at : at + 30]
    (tmp_path / "script").write_bytes(text)
    done = subprocess.run([driver, "parse", tmp_path / "script"], capture_output=True, check=False, timeout=60)
    assert done.returncode in (0, 3), done.stderr[-2000:]


# ---------------------------------------------------------------- building it


def cache_with_tools(root: Path) -> Cache:
    """A cache below `root` with this machine's toolroots, as they were unpacked, and nothing else: to unpack them takes half a minute, and
    is what tests/toolroot is about. Each is held to its hash before it is used.
    """
    for entry in Cache().entries():
        if entry.kind == "toolroot":
            shutil.copytree(entry.path, root / entry.kind / entry.path.name, symlinks=True, copy_function=linked)
            linked(f"{entry.path}.sums", f"{root / entry.kind / entry.path.name}.sums")
    return Cache(root)


def linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # on another disk
        shutil.copy2(source, target, follow_symlinks=False)


@pytest.mark.parametrize(("architecture", "compiler"), [("x86_64", "gcc"), ("x86_64", "tcc"), ("i386", "gcc"), ("i386", "i386-tcc")])
def test_builds_are_reproducible(architecture: str, compiler: str, tmp_path: Path) -> None:
    one, two = (build_executor(architecture, compiler, cache_with_tools(tmp_path / n)) for n in ("short", "a longer name"))  # type: ignore[arg-type]
    assert one.sha256 == two.sha256
    assert one.size < 64 << 10
    names = {p.name for p in EXECUTOR.iterdir() if p.suffix in (".c", ".h")} | {f"start-{architecture}.S"}
    if compiler != "gcc":
        names = names - {"sha256-block.c"} | {f"sha256-block-{architecture}.S"}
    assert {p.name for p in one.source_files} == names


def test_compiler_of_another_architecture(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="i386-tcc compiles for i386, not for x86_64"):
        build_executor("x86_64", "i386-tcc", Cache(tmp_path))


def test_system_calls_are_documented() -> None:
    """README.md lists exactly the calls that sys.h has a number for."""
    numbers = {
        line.split()[1].removeprefix("SYS_")
        for line in (EXECUTOR / "sys.h").read_text().splitlines()
        if "#define SYS_" in line and "NR(" in line
    }
    readme = (EXECUTOR / "README.md").read_text()
    table = [
        line.split("|")[1]
        for line in readme.splitlines()
        if line.startswith("| `") and ".c`" not in line and ".h`" not in line and ".S`" not in line
    ]
    listed = {
        word for cell in table for word in cell.replace("`", " ").replace(",", " ").split() if word.isidentifier() and word != "mmap2"
    }
    assert listed == numbers
