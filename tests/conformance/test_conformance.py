"""The public conformance suite on every backend that is installed, with each of its executors."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.tcc import obtain_tcc, run_tcc
from xboot.plugins import Plugins
from xboot.testing.builders import HOSTILE, SYSCALLS, load_builders, syscall_answers
from xboot.testing.suite import BackendSuite

pytestmark = pytest.mark.boot

for _name in Plugins.load().backends:
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (BackendSuite,), {"backend": _name})


def test_every_attack_says_what_would_be_won() -> None:
    attacks = load_builders(HOSTILE)
    assert len(attacks) >= 36
    assert [attack.name for attack in attacks.values() if not attack.wins] == []


def test_system_calls_are_recorded_as_linux_answers_them(tmp_path: Path) -> None:
    """programs/syscalls/*.txt is no opinion of ours: this machine's own Linux is the oracle."""
    if platform.machine() not in ("x86_64", "i686"):
        pytest.skip("the oracle is this machine's own Linux, which must run i386 programs")
    work = tmp_path / "work"
    work.mkdir()
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    run_tcc(obtain_tcc(DebianPackages(Cache())), ["-nostdlib", "-static", "-o", "prog", str(SYSCALLS)], tmp_path)
    os.chown(work, 1000, 100)
    native = subprocess.run(
        ["setpriv", "--reuid=1000", "--regid=100", "--clear-groups", str(tmp_path / "prog")],
        cwd=work, capture_output=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if native.returncode == 127 or not native.stdout:
        pytest.skip("this machine cannot run i386 programs as another user (needs root and a kernel with i386 emulation)")
    assert native.stdout.decode().splitlines() == syscall_answers()


def test_no_qemu_is_left() -> None:
    mine = os.getpid()
    left = [p for p in Path("/proc").glob("[0-9]*/stat") if _parent(p) == mine and b"qemu" in p.read_bytes()]
    assert left == []


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0
