"""Known faults of 64-bit kernels (history/returns.c says which), replayed on every backend that runs programs for x86_64."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from xboot import nar
from xboot.plugins import Plugins
from xboot.testing.boot import Plan, boot, output_path, source

pytestmark = [pytest.mark.boot, pytest.mark.compiler]

PROGRAM = Path(__file__).parent / "history" / "returns.c"
BACKENDS = [name for name, backend in sorted(Plugins.load().backends.items()) if "x86_64-linux" in backend.info.systems]


@pytest.mark.parametrize("backend", BACKENDS)
def test_returns_to_addresses_that_no_program_has(backend: str, tmp_path: Path) -> None:
    flags = ["-O1", "-ffreestanding", "-nostdlib", "-static", "-no-pie", "-fno-pie", "-fno-stack-protector", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, str(PROGRAM), "-o", str(tmp_path / "returns")], check=True)
    program = source(tmp_path / "returns")
    plan = Plan()
    plan.add(program)
    plan.step(program.path, inputs=[program.path], argv=[program.path.encode(), output_path("result").encode()])
    verdict = boot(plan.script(), backend, tmp_path, timeout=60).verdict
    assert not verdict.failure, f"{verdict.failure}\n{verdict.console_tail}"
    (tmp_path / "expected").write_bytes(b"ok\n")
    assert verdict.outputs[0].nar_sha256 == nar.nar_hash(tmp_path / "expected").sha256
