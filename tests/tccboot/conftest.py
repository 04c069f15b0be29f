"""Booting derivations, and bare kernels, with the tccboot backend."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.own_tcc import OwnTcc, obtain_own_tcc
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Verdict
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.testing.boot import boot as start
from xboot_tccboot.backend import plugin
from xboot_tccboot.loader import build_loader

NAME = "tccboot"
sys.path.insert(0, str(Path(__file__).parents[1] / "personality"))  # guest_tree


@pytest.fixture
def pipeline() -> Pipeline:
    """The stages over all plugins, this backend among them whether or not its entry point is installed."""
    found = Plugins.load()
    if NAME not in found.backends:
        found.add(plugin, "test:tccboot")
    return Pipeline(found)


@pytest.fixture(scope="session")
def tcc() -> OwnTcc:
    return obtain_own_tcc(DebianPackages(Cache()))


@pytest.fixture(scope="session")
def loader(tcc: OwnTcc) -> Path:
    return build_loader(tcc, Cache()).path


@pytest.fixture
def boot(nix, pipeline: Pipeline, tmp_path: Path) -> Callable[..., Verdict]:
    """Runs one derivation of the test's nix store; the console goes to tmp_path/console."""

    def run(drv: str, *, timeout: float = 60, memory: int | None = None, expected: str | None = None, export: bool = False) -> Verdict:
        script = pipeline.linearize(pipeline.read([drv], ReadOptions(stores=[nix.store])), LinearizeOptions())
        return start(
            script, NAME, tmp_path, plugins=pipeline.plugins, memory=memory, timeout=timeout,
            expected=dict.fromkeys(script.results, expected) if expected else None, export=export,
        ).verdict  # fmt: skip

    return run


@pytest.fixture
def qemu(loader: Path, qemu_with: Callable[..., tuple[int, str]]) -> Callable[..., tuple[int, str]]:
    """The loader under QEMU with these modules: exit status and console."""

    def run(*modules: Path, memory: int = 256, processor: str = "qemu32,+smep,+smap,+nx") -> tuple[int, str]:
        return qemu_with(loader, *modules, memory=memory, processor=processor, program="qemu-system-i386")

    return run


@pytest.fixture
def qemu_with() -> Callable[..., tuple[int, str]]:
    """The same with the loader that is named first."""

    def run(loader: Path, *modules: Path, memory: int = 256, processor: str, program: str = "qemu-system-x86_64") -> tuple[int, str]:
        initrd = ",".join(str(module).replace(",", ",,") for module in modules)
        command = [
            "timeout", "60", program, "-M", "pc", "-cpu", processor, "-m", str(memory),
            "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", str(loader),
            *(["-initrd", initrd] if modules else []), "-serial", "stdio", "-serial", "null",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False, env=os.environ)
        return done.returncode, done.stdout.decode(errors="replace")

    return run
