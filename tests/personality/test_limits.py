"""A program that asks for more address space than there is gets the usual error, and the console says which limit it met."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.tcc import obtain_tcc, run_tcc
from xboot.testing.boot import Plan, boot, source

ASKS = Path(__file__).with_name("asks.c")


@pytest.mark.boot
@pytest.mark.parametrize("backend", ["tccboot", "hurd", "mirage"])
def test_a_full_address_space_is_named(busybox: dict[str, Path], tmp_path: Path, backend: str) -> None:
    program = tmp_path / "asks"
    program.mkdir()
    run_tcc(obtain_tcc(DebianPackages(Cache())), ["-nostdlib", "-static", "-o", str(program / "asks"), str(ASKS)], program)
    plan = Plan(source(busybox["i686-linux"]))
    asks = plan.add(source(program))
    plan.sh(f"{asks.path}/asks; echo lived > $out", inputs=[asks.path], system="i686-linux")
    booted = boot(plan.script(), backend, tmp_path / "boot", export=False)
    assert booted.ok, booted.verdict.failure
    assert "limit: no free range in a process's address space" in booted.console
