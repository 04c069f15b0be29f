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


@pytest.fixture(scope="session")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The personality above the fake machine, with random calls for user code, under the address and undefined-behaviour sanitizers."""
    program = tmp_path_factory.mktemp("fuzzer") / "fuzz"
    # pool.c stays out: fake.c gives every block by calloc, so that the sanitizers see its bounds and its end
    sources = [*sorted(HOST.glob("*.c")), *(path for path in sorted(PERSONALITY.glob("*.c")) if path.name != "pool.c")]
    command = ["gcc", *_FLAGS, f"-I{PERSONALITY}", f"-I{HOST}", "-o", str(program), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return program
