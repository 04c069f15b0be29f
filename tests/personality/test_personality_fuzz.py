"""Random system calls with hostile arguments: nothing crashes, no rule of machine.h is broken, all that a process held is given back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from guest_tree import payload, tiny_program

from xboot.guest import build

pytestmark = pytest.mark.compiler

PERSONALITY = Path(build.__file__).parent / "personality"


def run(fuzzer: Path, tmp_path: Path, seed: int, calls: int, frames: int) -> subprocess.CompletedProcess[str]:
    archive = tmp_path / "payload"
    archive.write_bytes(payload(tiny_program()))
    return subprocess.run(
        [str(fuzzer), str(seed), str(calls), str(frames), str(archive)],
        capture_output=True, text=True, errors="replace", timeout=120, check=False, env={"ASAN_OPTIONS": "detect_leaks=0"},
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_random_calls(fuzzer: Path, tmp_path: Path, seed: int) -> None:
    done = run(fuzzer, tmp_path, seed, calls=20_000, frames=2000)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    assert "spaces 1 threads 1" in done.stdout  # only process 1 is left


@pytest.mark.parametrize("seed", range(100, 106))
def test_random_calls_when_memory_is_short(fuzzer: Path, tmp_path: Path, seed: int) -> None:
    done = run(fuzzer, tmp_path, seed, calls=20_000, frames=60)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    assert "spaces 1 threads 1" in done.stdout


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:200], "cut short"),
        (lambda data: data.replace(b"070701", b"070702", 1), "not a newc archive"),
        (lambda data: data[:14] + b"zz" + data[16:], "not hexadecimal"),
        (lambda data: data.replace(b"dev/console", b"dew/console"), "before its directory"),
        (lambda data: data.replace(b"\x7fELF", b"\x7fFLE"), "/init cannot be run"),
        (lambda data: data.replace(b"dev/zero\0", b"dev/null\0"), "stands there twice"),
        (lambda data: data.replace(b"dev/console\0", b"dev/consolf\0"), "no /dev/console"),
    ],
)
def test_damaged_payloads_are_refused(fuzzer: Path, tmp_path: Path, damage, reason: str) -> None:
    archive = tmp_path / "payload"
    archive.write_bytes(damage(payload(tiny_program())))
    done = subprocess.run([str(fuzzer), "1", "10", "500", str(archive)], capture_output=True, text=True, timeout=60, check=False)
    assert reason in done.stdout, done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize(
    "compiler",
    [
        ("i386-tcc", "-Wall", "-Werror", "-nostdinc"),
        ("gcc", "-m32", "-ffreestanding", "-fno-builtin", "-O1", "-Wall", "-Wextra", "-Wno-sign-compare", "-Werror"),
        ("gcc", "-m64", "-ffreestanding", "-fno-builtin", "-O1", "-Wall", "-Wextra", "-Wno-sign-compare", "-Werror"),
    ],
    ids=["i386-tcc", "gcc -m32", "gcc -m64"],
)
def test_every_file_compiles_without_a_word(tmp_path: Path, compiler: tuple[str, ...]) -> None:
    for source in sorted(PERSONALITY.glob("*.c")):
        done = subprocess.run([*compiler, "-c", str(source), "-o", str(tmp_path / "o")], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), source.name


def test_memory_that_ends_anywhere(failing: Path, tmp_path: Path) -> None:
    """Each call with each of its requests of memory refused: an error that says so, nothing half done, nothing left (host/failing.c)."""
    archive = tmp_path / "payload"
    archive.write_bytes(payload(tiny_program()))
    done = subprocess.run(
        [str(failing), str(archive)], capture_output=True, text=True, timeout=120, check=False, env={"ASAN_OPTIONS": "detect_leaks=0"}
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    requests = [int(line.split()[-2]) for line in done.stdout.splitlines()]
    assert len(requests) >= 50, "calls were left out"
    assert sum(requests) >= 200, "requests of memory were not refused"
