"""The executor's readers under libFuzzer and sanitizers, for a moment each: what is kept, and some thousands of inputs from it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.compiler

HERE = Path(__file__).parent / "c"


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_c_build", HERE / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = load_build()


def fuzz(program: Path, target: str, work: Path, runs: int) -> subprocess.CompletedProcess[str]:
    (work / "new").mkdir(exist_ok=True)
    options = ["-seed=1", f"-runs={runs}", "-max_len=2048", "-timeout=60", "-print_final_stats=1"]
    command = [program, *options, work / "new", HERE / "corpus" / target]
    return subprocess.run(command, cwd=work, capture_output=True, text=True, errors="replace", check=False, timeout=300)


@pytest.mark.parametrize("target", BUILD.TARGETS)
def test_readers_hold(target: str, tmp_path: Path) -> None:
    done = fuzz(BUILD.build(target, tmp_path), target, tmp_path, 3000)
    assert done.returncode == 0, done.stderr[-3000:]
    found = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert found and int(found[1]) >= 3000


FAULTS = {
    "overflow": ("string", "sexp.c", "*out = 0;", "out[1] = 0;"),
    "out-of-bounds read": ("script", "sexp.c", "while (at < end && (*at == ' '", "while (at <= end && (*at == ' '"),
    "a second way to write a string": ("string", "sexp.c", "return c == '\\n' ||", "return"),
    "too little room for a link": ("nar", "nar.c", "target[MAX_PATH + 1]", "target[64]"),
    "too little room for a line": ("story", "story.c", "kept < KEPT", "kept < KEPT + 2"),
    "unchecked number of digits": ("channel", "channel.c", "i != 32 || size != 32", "i != size"),
}


@pytest.mark.parametrize(("target", "name", "old", "new"), FAULTS.values(), ids=FAULTS)
def test_planted_faults_are_found(target: str, name: str, old: str, new: str, tmp_path: Path) -> None:
    planted = tmp_path / "guest"
    for folder in (BUILD.EXECUTOR, BUILD.STANDALONE):
        shutil.copytree(folder, planted / folder.name)
    (file,) = planted.rglob(name)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    done = fuzz(BUILD.build(target, tmp_path, planted), target, tmp_path, 300000)
    assert done.returncode != 0, "the fault was not found"


def test_guest_code_has_the_style_that_is_written_down() -> None:
    files = sorted([*BUILD.EXECUTOR.glob("*.[ch]"), *BUILD.STANDALONE.glob("*.[ch]"), *HERE.glob("*.[ch]")])
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
