"""Calls of everyday programs, on the kernels that have the personality, beside what Linux answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.tcc import obtain_tcc, run_tcc
from xboot.testing.boot import Plan, boot, source
from xboot.testing.builders import CALLS, syscall_answers


@pytest.mark.boot
@pytest.mark.parametrize(
    ("backend", "settings"), [("tccboot", {}), ("hurd", {}), ("hurd", {"kernel": "debian"})], ids=["tccboot", "hurd", "hurd debian"]
)
def test_calls_answer_as_linux_does(busybox: dict[str, Path], tmp_path: Path, backend: str, settings: dict[str, str]) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    run_tcc(obtain_tcc(DebianPackages(Cache())), ["-nostdlib", "-static", "-o", "prog", str(CALLS)], folder)
    plan = Plan(source(busybox["i686-linux"]))
    program = plan.add(source(folder))
    step = plan.sh(f"exec {program.path}/prog > $out", inputs=[program.path], system="i686-linux")
    booted = boot(plan.script(), backend, tmp_path, settings=settings, export=True)
    assert booted.ok, booted.verdict.failure
    assert booted.content(step.outputs[0].path).decode().splitlines() == syscall_answers(CALLS)
