"""One fresh virtual environment with xboot, installed from this repository, and the three example plugins, each by its own pyproject."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples" / "plugins"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run(*command: str | Path, cwd: Path | None = None, timeout: float = 500) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST"))} | {
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment's folder of programs."""
    folder = tmp_path_factory.mktemp("fresh")
    made = run(sys.executable, "-m", "venv", folder)
    assert made.returncode == 0, made.stderr
    packages = [EXAMPLES / name for name in ("xboot-stock", "xboot-junit", "xboot-shell")]
    installed = run(folder / "bin" / "pip", "install", "--quiet", REPOSITORY, *packages)
    assert installed.returncode == 0, installed.stderr[-3000:]
    return folder / "bin"


@pytest.fixture
def outside(fresh: Path, tmp_path: Path) -> Run:
    """`xboot` of that environment, run in a folder that has nothing to do with the repository."""
    return lambda *arguments, **more: run(fresh / "xboot", *arguments, cwd=tmp_path, **more)
