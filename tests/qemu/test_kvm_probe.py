"""KVM counts only when a guest really ran under it, and sooner than under TCG; the answer is kept until the next boot."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from xboot.errors import UsageError
from xboot.model import Boot, Protocol
from xboot_qemu import kvm
from xboot_qemu.machine import plugin as qemu

RAN = kvm._STATUS << 1 | 1
PROGRAM = "qemu-system-x86_64"
BOOT = Boot(Protocol.PVH, Path("kernel"), 64, native=True)


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that puts a stand-in for QEMU in place: what it does under KVM, in shell; under TCG its guest ends after 0.4 s."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    access = os.access
    monkeypatch.setattr(kvm.os, "access", lambda path, mode: path == "/dev/kvm" or access(path, mode))

    def install(under_kvm: str) -> Path:
        log = tmp_path / "log"
        program = tmp_path / "bin" / PROGRAM
        program.write_text(f'#!/bin/sh\necho "$*" >> {log}\ncase "$*" in *"-accel kvm"*) {under_kvm};; *) sleep 0.4; exit {RAN};; esac\n')
        program.chmod(0o755)
        return log

    return install


@pytest.mark.parametrize(
    ("under_kvm", "works"),
    [
        (f"exit {RAN}", True),
        ("exit 1", False),  # "failed to initialize kvm"
        ("exit 0", False),
        ("kill -9 $$", False),
        ("exec sleep 60", False),  # the device is there, opens, and runs nothing
        (f"sleep 1.2; exit {RAN}", False),  # nested, and slower than no KVM at all
    ],
)
def test_only_a_guest_that_ran_is_proof(emulator, under_kvm: str, works: bool) -> None:
    emulator(under_kvm)
    begin = time.monotonic()
    assert kvm.works() is works
    assert time.monotonic() - begin < 5
    assert qemu.accelerator(BOOT, "auto") == ("kvm" if works else "tcg")
    if not works:
        with pytest.raises(UsageError, match="no KVM that runs a guest"):
            qemu.accelerator(BOOT, "kvm")


def test_an_emulator_that_runs_nothing_at_all(emulator, tmp_path: Path) -> None:
    emulator("exit 1")
    (tmp_path / "bin" / PROGRAM).write_text("#!/bin/sh\nexit 1\n")
    assert not kvm.works()


def test_the_answer_is_kept_for_this_boot_and_this_emulator(emulator, tmp_path: Path) -> None:
    log = emulator("exit 1")
    assert not kvm.works()
    asked = log.read_text().count("\n")
    assert not kvm.works()
    assert log.read_text().count("\n") == asked
    memory = tmp_path / "cache" / "kvm.json"
    for damaged in ("", "[]", '{"x"', "null", json.dumps({next(iter(json.loads(memory.read_text()))): "yes"})):
        memory.write_text(damaged)
        assert not kvm.works()
    emulator(f"exit {RAN}")
    os.utime(tmp_path / "bin" / PROGRAM, (1, 1))  # another emulator
    assert kvm.works()


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator(f"exit {RAN}")
    monkeypatch.setenv("XBOOT_CACHE", "/proc/nothing")
    assert kvm.works()


def test_without_the_device_nothing_is_asked(emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    log = emulator(f"exit {RAN}")
    monkeypatch.setattr(kvm.os, "access", lambda path, mode: False)
    assert not kvm.works()
    assert not log.exists()
