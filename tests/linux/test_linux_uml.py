"""User-Mode Linux: a kernel that is a program of this host, and the machine that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.errors import BackendError, MissingToolError, NotTakenError, UsageError
from xboot.hooks import BackendOptions
from xboot.model import EMPTY_SCRIPT, Boot, Module, Protocol, Script, Window, Wiring
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.testing.boot import Booted, boot
from xboot.testing.builders import Builders
from xboot.voter import Voter
from xboot_linux import uml
from xboot_linux.uml import WIRING, UmlMachine
from xboot_qemu.command import refusal

pytestmark = [pytest.mark.boot, pytest.mark.apt, pytest.mark.compiler]

UML = {"kernel": "uml"}
BOOT = Boot(Protocol.PROGRAM, Path("linux"), 64, (Module(Path("initrd")),), "quiet", wiring=WIRING)
LOOKS = """
[ "$(uname -m)" = x86_64 ] && [ "$(date +%Y)" = 2030 ] || exit 1
mkdir host
mount -t hostfs none host && exit 1
unshare -Ur mount -t hostfs none host && exit 1
[ -z "$(ls host)" ] || exit 1
for i in 1 2 3 4 5; do (echo $i | cat) & done; wait
echo built > $out
"""


@pytest.fixture
def walls() -> None:
    if not UmlMachine().confinement(replace(BOOT, kernel=uml.uml_kernel(Cache()).path), uml.MachineOptions()):
        pytest.skip("bubblewrap is not installed, or namespaces are not allowed here")
    if " amx_tile " in Path("/proc/cpuinfo").read_text():
        pytest.skip("this machine's processor has AMX, with which User-Mode Linux does not run")


def run(script: Script, plugins: Plugins, folder: Path, machine: str = "uml", executor: str = "") -> Booted:
    settings = UML if machine == "uml" else {}
    return boot(script, "linux", folder / machine, plugins=plugins, settings=settings, machine=machine, executor=executor, export=False)


@pytest.mark.usefixtures("walls")
def test_the_same_hash_as_in_an_emulator(xboot_builders: Callable[[str], Builders], xboot_plugins: Plugins, tmp_path: Path) -> None:
    """And the host's files are out of a builder's reach, although this kernel knows how to reach them."""
    script = xboot_builders("x86_64-linux").shell("wide", LOOKS)
    one, other = run(script, xboot_plugins, tmp_path), run(script, xboot_plugins, tmp_path, "qemu")
    assert one.ok, one.verdict.failure + one.console
    assert other.ok, other.verdict.failure + other.console
    (path,) = script.results
    assert one.built[path].nar_sha256 == other.built[path].nar_sha256
    assert one.verdict.done_alone and one.verdict.confinement == "bubblewrap"


@pytest.mark.usefixtures("walls")
def test_the_executor_in_scheme(xboot_builders: Callable[[str], Builders], xboot_plugins: Plugins, tmp_path: Path) -> None:
    one = run(xboot_builders("x86_64-linux").shell("wide", "echo x > $out"), xboot_plugins, tmp_path, executor="scheme")
    assert one.ok, one.verdict.failure + one.console


def test_narrow_builders_are_refused_before_the_boot(
    xboot_builders: Callable[[str], Builders], xboot_plugins: Plugins, tmp_path: Path
) -> None:
    with pytest.raises(BackendError, match="does not run i686-linux builders on User-Mode Linux"):
        run(xboot_builders("i686-linux").shell("narrow", "echo x > $out"), xboot_plugins, tmp_path)


def test_what_it_makes_you_trust(xboot_plugins: Plugins) -> None:
    measured = Pipeline(xboot_plugins).measure(Request(voters=[Voter("linux", "", "uml")], settings=UML, spare=1), EMPTY_SCRIPT)
    (kernel,) = [component for component in measured.components if component.name == "kernel"]
    assert kernel.prebuilt and kernel.lines is None and kernel.origin.startswith("Debian user-mode-linux")
    assert [component.name for component in measured.below] == ["C library of this host", "host kernel"]


def test_never_without_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uml, "starts", lambda command: False)
    with pytest.raises(MissingToolError, match="bubblewrap"):
        UmlMachine().prepare(BOOT)
    assert UmlMachine().confinement(BOOT, uml.MachineOptions()) == ""


@pytest.mark.parametrize("flags", ["fpu sse avx512f", "fpu sse avx512f amx_tile amx_int8"])
def test_never_on_a_processor_with_registers_it_has_no_room_for(monkeypatch: pytest.MonkeyPatch, flags: str) -> None:
    monkeypatch.setattr(uml, "starts", lambda command: True)
    monkeypatch.setattr(Path, "read_text", lambda self: f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: amx_tile\n")
    if "amx_tile" in flags:
        with pytest.raises(MissingToolError, match="AMX"):
            UmlMachine().prepare(BOOT)
    else:
        UmlMachine().prepare(BOOT)


def test_what_is_taken() -> None:
    machine = UmlMachine()
    assert machine.takes(BOOT) == ""
    assert "--set kernel=uml" in machine.takes(replace(BOOT, protocol=Protocol.PVH))
    assert "window" in machine.takes(replace(BOOT, window=Window(1 << 26, 1 << 20)))
    assert "exit port" in machine.takes(replace(BOOT, wiring=Wiring()))
    assert "program" in refusal(BOOT)


def test_settings_that_do_not_go_together(xboot_plugins: Plugins, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kernel=uml has 64 bits alone"):
        Pipeline(xboot_plugins).prepare("linux", EMPTY_SCRIPT, BackendOptions(settings={**UML, "bits": "32"}))


def test_the_usual_machine_refuses_it(xboot_builders: Callable[[str], Builders], xboot_plugins: Plugins, tmp_path: Path) -> None:
    script = xboot_builders("x86_64-linux").shell("wide", "echo x > $out")
    with pytest.raises(NotTakenError, match="runs no kernel that is a program of the host"):
        boot(script, "linux", tmp_path, plugins=xboot_plugins, settings=UML, export=False)
