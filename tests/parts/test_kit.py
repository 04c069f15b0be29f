"""All images from a kit alone, built anew: no network, no cache, another user, another folder, another time; and the same bytes.

They are built once for all tests here, which takes a minute or two: nearly all of it is the Linux kernel.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from elsewhere import ALONE, Elsewhere, namespaces, run_elsewhere

from xboot.plugins import Plugins

# No compiler: this machine's are not used, and a test without that mark finds none.
pytestmark = [pytest.mark.apt, pytest.mark.timeout(3600)]
TCB = ["tcb", "--all", "--json"]
BELOW = re.compile(r"qemu-system-\w+|bios[\w-]*\.bin")  # what stands below an image, and is measured too
HERE = [sys.executable, "-m", "xboot"]


@pytest.fixture(scope="module", autouse=True)
def allowed() -> None:
    if not namespaces():
        pytest.skip("this machine allows no user namespaces")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """`xboot tcb --all --json` on another machine, from a kit that was made here."""
    folder = tmp_path_factory.mktemp("elsewhere")
    try:
        kit = folder / "kit"
        done = subprocess.run([*HERE, "parts", "--fetch", "--into", str(kit)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        yield run_elsewhere(folder, kit, *TCB)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # more than 2 GB


def measured(printed: str) -> Mapping[str, Any]:
    """Backend → what was measured of its image, without what lies below it, which is this machine's."""
    found = json.loads(printed)["backends"]
    return {name: {field: value for field, value in measures.items() if field != "below"} for name, measures in found.items()}


@pytest.mark.slow
def test_every_image_is_the_same_built_anew_by_another_user_elsewhere(elsewhere: Elsewhere) -> None:
    there = measured(elsewhere.printed)
    here = measured(subprocess.run([*HERE, *TCB], capture_output=True, text=True, check=True).stdout)
    assert there.keys() == Plugins.load().backends.keys()
    assert {name: m["imageSha256"] for name, m in there.items()} == {name: m["imageSha256"] for name, m in here.items()}
    assert {m["base"] for m in there.values()} == {"locked"}
    assert there == here  # and every figure


@pytest.mark.slow
def test_a_build_reads_only_parts_the_repository_and_what_it_made(elsewhere: Elsewhere) -> None:
    """What xboot itself opens and starts. What compilers can open is in tests/toolroot: the toolroot and the work, for they see no more."""
    stdlib = Path(sysconfig.get_path("stdlib")).resolve()
    python = {stdlib, stdlib.parent / f"python{sys.version_info.major}{sys.version_info.minor}.zip", Path(sys.prefix).resolve()}
    python |= {Path(sysconfig.get_path(name)).resolve() for name in ("platstdlib", "purelib", "platlib")}
    known = [*(path.resolve() for path in elsewhere.own), *python, Path("/proc"), Path("/dev/null")]
    foreign = {path for path in elsewhere.files if not any(path.is_relative_to(folder) for folder in known)}
    assert {path for path in foreign if not BELOW.fullmatch(path.name)} == set()
    # xboot begins itself again, to count lines.
    others = [path for path in elsewhere.programs if Path(path).resolve() != Path(sys.executable).resolve()]
    # TCC, each generation of which compiles the next, is no program of this machine's.
    others = [path for path in others if not any(Path(path).resolve().is_relative_to(folder.resolve()) for folder in elsewhere.own)]
    programs = {name for path in others if not BELOW.fullmatch(name := Path(path).name)}
    assert programs & {"bwrap", "unshare"}
    assert programs <= {"bwrap", "unshare", "git"}  # git is asked for its version by the library that counts lines


def test_without_kit_and_network_one_sentence(tmp_path: Path) -> None:
    env = os.environ | {"XBOOT_CACHE": str(tmp_path / "cache"), "XBOOT_STORE": str(tmp_path / "store"), "XBOOT_MIRROR": ""}
    done = subprocess.run([*ALONE, *HERE, *TCB], capture_output=True, text=True, check=False, env=env, timeout=200)
    assert done.returncode == 4 and "Traceback" not in done.stderr
    error, hint = done.stderr.strip().splitlines()[-2:]
    assert error.startswith("error: ") and "cannot be had: " in error and hint.startswith("hint: ")
    assert not list((tmp_path / "cache").rglob("*.part"))
