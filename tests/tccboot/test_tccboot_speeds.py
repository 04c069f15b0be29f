"""The speeds that the design promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xboot import nar
from xboot.guest.tcc import Tcc, run_tcc

pytestmark = [pytest.mark.boot, pytest.mark.nix]
PROGRAMS = Path(__file__).parents[2] / "core" / "xboot" / "testing" / "programs"
EXPRESSION = """{ busybox, program }: let bb = builtins.path { path = busybox; name = "busybox"; };
  p = builtins.path { path = program; name = "program"; }; in {
  x = derivation { name = "x"; system = "i686-linux"; builder = "${bb}/bin/sh"; args = [ "-c" "${p}/prog ARGS > $out" ]; }; }"""


@pytest.fixture
def output(boot, nix, busybox, tcc: Tcc, tmp_path: Path):
    """What a program of this source prints as a builder."""

    def run(source: Path, arguments: str = "") -> tuple[list[str], float | None]:
        folder = tmp_path / "program"
        folder.mkdir()
        run_tcc(tcc, ["-nostdlib", "-static", "-o", str(folder / "prog"), str(source)], folder)
        nix.root.mkdir(exist_ok=True)
        file = nix.root / f"{source.stem}.nix"
        file.write_text(EXPRESSION.replace("ARGS", arguments))
        drv = nix.instantiate(file, busybox=str(busybox["i686-linux"]), program=str(folder))["x"]
        verdict = boot(drv, export=True)
        assert verdict.ok, verdict.failure
        (exported,) = verdict.exports.values()
        with exported.open("rb") as stream:
            (content,) = [b"".join(entry.chunks) for entry in nar.read(stream)]
        return content.decode().splitlines(), verdict.first_builder_seconds

    return run


@pytest.mark.slow
def test_speeds_that_are_promised(output) -> None:
    """With room for a loaded machine; the README has the figures of an idle one."""
    lines, first = output(PROGRAMS / "microbench.c", "${bb}/bin/busybox true")
    found = {m[1]: int(m[2]) for line in lines if (m := re.fullmatch(r"(.+?) (\d+) (/s|MiB/s|us each)", line))}
    assert found["fork, exec of the other program and wait"] < 2000  # microseconds
    assert found["null call"] > 300_000
    assert found["one-byte read"] > 150_000 and found["one-byte write"] > 150_000
    assert found["file read"] > 100 and found["pipe"] > 50  # MiB/s
    assert first is not None and first < 1.6
