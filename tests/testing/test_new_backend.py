"""`xboot new-backend`: what it writes installs in a fresh environment and passes its tests there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def xboot(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=cwd)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_installs_and_passes_its_tests(tmp_path: Path) -> None:
    made = xboot("new-backend", "demo", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    venv = tmp_path / "venv"
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        inside = [str(venv / "bin" / command[0]), *command[1:]]
        return subprocess.run(inside, capture_output=True, text=True, check=False, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL)

    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, env=env)
    installed = call("pip", "install", "--quiet", str(ROOT), "./xboot-demo[dev]")
    assert installed.returncode == 0, installed.stderr
    tests = call("pytest", "./xboot-demo")
    assert tests.returncode == 0, tests.stdout
    assert "6 passed" in tests.stdout
    suite = call("pytest", "--xboot-backend", "demo", "--xboot-no-boot", "./xboot-demo/tests")
    assert "12 passed" in suite.stdout, suite.stdout
    assert '"demo"' in call("xboot", "backends", "--json").stdout
    refused = call("xboot", "run", "--backend", "demo", str(ROOT / "examples" / "hello" / "recipe.toml"))
    assert refused.returncode != 0
    assert "the demo backend has no kernel yet" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["", "Demo", "2demo", "a_b", "a--b", "../x", "-x", "a b", "é"])
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    done = xboot("new-backend", "--into", str(tmp_path), "--", name, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be a backend's name" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "xboot-demo").mkdir()
    done = xboot("new-backend", "demo", cwd=tmp_path)
    assert done.returncode != 0
    assert "is there already" in done.stderr
    assert list((tmp_path / "xboot-demo").iterdir()) == []
    taken = xboot("new-backend", "linux", cwd=tmp_path)
    assert "there is a backend linux already" in taken.stderr
    nowhere = xboot("new-backend", "demo", "--into", "nowhere", cwd=tmp_path)
    assert nowhere.returncode != 0
    assert "cannot be written: No such file or directory" in nowhere.stderr


def test_an_unknown_backend_is_named() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--xboot-backend", "nothing", "--collect-only"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT / "examples")
    assert done.returncode == 4
    assert "--xboot-backend nothing: there is no backend 'nothing'; known backends: " in done.stderr


def test_a_machine_for_those_that_name_none() -> None:
    def collected(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", *options]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT / "examples")

    done = collected("--xboot-backend", "tccboot", "--xboot-backend", "hurd@v86", "--xboot-machine", "bochs")
    assert "Test_tccboot_on_bochs::" in done.stdout and "Test_hurd_on_v86::" in done.stdout, done.stderr
    done = collected("--xboot-backend", "hurd", "--xboot-machine", "abacus")
    assert done.returncode == 4 and "there is no machine 'abacus'" in done.stderr, done.stderr


@pytest.mark.boot
def test_the_suite_has_its_programs_in_this_repository_too() -> None:
    """Marks of this repository's tests hide programs from them; the suite is not one of them. One test for each system."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--xboot-backend", "tccboot", "-k", "another_script_gives"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout[-2000:]
