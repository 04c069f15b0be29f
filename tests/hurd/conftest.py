"""Booting derivations with the hurd backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xboot import nar
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.tcc import Tcc, obtain_tcc, run_tcc
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Verdict
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.testing.boot import boot as start

EXPRESSION = """{ busybox, program }: let bb = builtins.path { path = busybox; name = "busybox"; };
  p = builtins.path { path = program; name = "program"; }; in {
  x = derivation { name = "x"; system = "i686-linux"; builder = "${bb}/bin/sh"; args = [ "-c" "SCRIPT" ]; }; }"""


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    return Pipeline(Plugins.load())


@pytest.fixture(scope="session")
def tcc() -> Tcc:
    return obtain_tcc(DebianPackages(Cache()))


@pytest.fixture
def boot(nix, pipeline: Pipeline, tmp_path: Path) -> Callable[..., Verdict]:
    """Runs one derivation of the test's nix store; the console goes to tmp_path/console."""

    def run(drv: str, *, memory: int | None = None, timeout: float = 60, **settings: str) -> Verdict:
        script = pipeline.linearize(pipeline.read([drv], ReadOptions(stores=[nix.store])), LinearizeOptions())
        return start(script, "hurd", tmp_path, plugins=pipeline.plugins, memory=memory, timeout=timeout, settings=settings).verdict

    return run


@pytest.fixture
def derivation(nix, busybox, tcc: Tcc, tmp_path: Path) -> Callable[..., str]:
    """A derivation that runs a shell command; `${p}/prog` in it is the program compiled from `source`."""

    def make(script: str, source: Path | None = None) -> str:
        folder = tmp_path / "program"
        folder.mkdir(exist_ok=True)
        if source is not None:
            run_tcc(tcc, ["-nostdlib", "-static", "-o", str(folder / "prog"), str(source)], folder)
        nix.root.mkdir(exist_ok=True)
        file = nix.root / "x.nix"
        file.write_text(EXPRESSION.replace("SCRIPT", script))
        drv: str = nix.instantiate(file, busybox=str(busybox["i686-linux"]), program=str(folder))["x"]
        return drv

    return make


@pytest.fixture
def output(boot, derivation) -> Callable[..., list[str]]:
    """The lines that a derivation writes to `$out`."""

    def run(script: str, source: Path | None = None, **options: object) -> list[str]:
        verdict = boot(derivation(script, source), **options)
        assert verdict.ok, verdict.failure
        (file,) = verdict.exports.values()
        with file.open("rb") as stream:
            (content,) = [b"".join(entry.chunks) for entry in nar.read(stream)]
        return content.decode().splitlines()

    return run
