"""Building the personality for the host."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from xboot.guest import build

PERSONALITY = Path(build.__file__).parent / "personality"
HOST = Path(__file__).parent / "host"
_FLAGS = (
    "-std=gnu11",
    "-g",
    "-O1",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-DMACHINE_HOSTED",
    "-include",
    "string.h",
)


def _build(name: str, folder: Path) -> Path:
    """The personality between the fake machine and one of the folder's programs, under sanitizers of addresses and undefined behaviour."""
    program = folder / name
    # pool.c stays out: fake.c gives every block by calloc, so that the sanitizers see its bounds and its end
    sources = [HOST / f"{name}.c", HOST / "fake.c", *(path for path in sorted(PERSONALITY.glob("*.c")) if path.name != "pool.c")]
    command = ["gcc", *_FLAGS, f"-I{PERSONALITY}", f"-I{HOST}", "-o", str(program), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return program


@pytest.fixture(scope="session")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random calls."""
    return _build("fuzz", tmp_path_factory.mktemp("fuzzer"))


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls for which there is no memory, at each of their requests."""
    return _build("failing", tmp_path_factory.mktemp("failing"))
