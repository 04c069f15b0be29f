"""System calls answer as this machine's Linux answers them: the same programs, run here and in the guest, print the same lines."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mirage_guest as guest
import pytest

pytestmark = pytest.mark.boot

CALLS = Path(__file__).parent / "calls"
NAMES = sorted(path.stem for path in CALLS.glob("*.c"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calls")
    for name in NAMES:
        program = folder / name / "bin" / name
        program.parent.mkdir(parents=True)
        subprocess.run(["gcc", "-O1", "-w", "-static", "-pthread", CALLS / f"{name}.c", "-o", program], check=True)
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an ordinary user may write to, in memory where there is such a place."""
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if place.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def _default_signals() -> None:
    """A shell that starts the tests in the background has them ignore signals, and /proc/self/status tells."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)


def _without_reserved(line: str) -> str:
    """Signals 32 and 33 are the C library's: what they were inherited as, no program can change through it."""
    title, tab, value = line.partition("\t")
    return f"{title}{tab}{int(value, 16) & ~(3 << 31):016x}" if title == "SigIgn:" else line


@pytest.mark.parametrize("name", NAMES)
def test_the_same_lines(programs: Path, tmp_path: Path, open_folder: Path, name: str) -> None:
    program = shutil.copy(programs / name / "bin" / name, open_folder / f"{name}-program")
    native = subprocess.run(
        [program],
        cwd=open_folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        user=1000,
        group=100,
        extra_groups=[],
        env={},
        stdin=subprocess.DEVNULL,
        preexec_fn=_default_signals,
    )
    assert native.returncode == 0, native.stderr
    tree = guest.source(programs / name)
    builder = f"{tree.path}/bin/{name}"
    step = guest.step(1, builder, [builder], [tree.path], "x86_64-linux")
    outcome = guest.boot(tmp_path / "o", guest.script([tree], [step]))
    found = [line for line in outcome.console.replace("\r", "").splitlines() if line and not line.startswith("xboot: ")]
    assert found == [_without_reserved(line) for line in native.stdout.splitlines()]
    assert "did not make" in outcome.verdict.failure
