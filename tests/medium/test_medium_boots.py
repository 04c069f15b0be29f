"""One file a kernel, booted by a PC's firmware, BIOS or UEFI, as a CD, a disk and a USB stick."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import xboot
from xboot.cache import Cache
from xboot.hooks import LinearizeOptions
from xboot.machine import Carrier, MachineOptions
from xboot.medium import obtain_uefi
from xboot.model import Boot, Script
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.request import usual_read_options
from xboot.testing.boot import Booted
from xboot.testing.boot import boot as start
from xboot_qemu.base import QemuCarrier, QemuMachine
from xboot_qemu.ovmf import OvmfCarrier, as_pc

pytestmark = pytest.mark.boot

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
HASH = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"
PLACES = {
    "cd": ("-drive", "file={},format=raw,if=ide,media=cdrom"),
    "disk": ("-drive", "file={},format=raw,if=ide"),
    "stick": ("-device", "usb-ehci", "-drive", "file={},format=raw,if=none,id=s", "-device", "usb-storage,drive=s,bootindex=0"),
}  # fmt: skip
KERNELS = ("linux", "tccboot", "hurd", "mirage")


class FromMedium(QemuMachine):
    """QEMU as a PC that has a medium, and is told nothing else."""

    info = replace(QemuMachine.info, name="pc")

    def __init__(self, medium: Path, place: str) -> None:
        self._medium, self._place = medium, place

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        return QemuCarrier(*await self.power_on(boot, options, boot.bits, [], self.inserted(options)))

    def inserted(self, options: MachineOptions) -> list[str]:
        """QEMU's words for a copy of the medium, in the one folder that it may write to."""
        assert options.folder is not None
        return [word.format(shutil.copy(self._medium, options.folder)) for word in PLACES[self._place]]


class FromMediumByUefi(FromMedium):
    """The same with other firmware."""

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        firmware, _ = obtain_uefi(Cache())
        words = ["-bios", str(firmware), *self.inserted(options)]
        return OvmfCarrier(*await self.power_on(as_pc(boot), options, boot.bits, [firmware], words))


class FromMediumBySecureFirmware(FromMedium):
    """A newer PC, whose firmware keeps some MiB for its return from a sleep in the middle of where kernels go."""

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        assert options.folder is not None
        code, variables = (obtain_uefi(Cache())[0].parents[1] / "OVMF" / f"OVMF_{name}.fd" for name in ("CODE_4M.secboot", "VARS_4M"))
        words = [
            "-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
            "-drive", f"if=pflash,format=raw,unit=0,file={code},readonly=on",
            "-drive", f"if=pflash,format=raw,unit=1,file={shutil.copy(variables, options.folder)}",
        ]  # fmt: skip
        process = await self.power_on(as_pc(boot), options, boot.bits, [code], [*words, *self.inserted(options)])
        return OvmfCarrier(*process)


@pytest.fixture(scope="session")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Backend, and other words → its medium for hello, as the command line writes it, once."""
    folder = tmp_path_factory.mktemp("media")

    def write(backend: str) -> Path:
        path = folder / f"{backend}.iso"
        if not path.exists():
            command = [sys.executable, "-m", "xboot", "image", "-b", *backend.split(), "--iso", str(path), str(HELLO)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, done.stderr
            assert hashlib.sha256(path.read_bytes()).hexdigest() in done.stdout
        return path

    return write


def hello() -> Script:
    pipeline = Pipeline(Plugins.load())
    request = Request([str(HELLO)], read=usual_read_options((), ()), linearize=LinearizeOptions())
    return pipeline.plan(request)


def booted(machine: FromMedium, backend: str, folder: Path) -> Booted:
    plugins = Plugins.load()
    plugins.add(machine, "test:pc")
    script = hello()
    return start(
        script, backend, folder, plugins=plugins, machine="pc", export=False, expected=dict.fromkeys(script.results, HASH)
    )  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("backend", KERNELS)
def test_hello_from_a_medium(backend: str, place: str, medium: Callable[[str], Path], tmp_path: Path) -> None:
    run = booted(FromMedium(medium(backend), place), backend, tmp_path)
    assert run.ok, run.verdict.failure + run.console
    assert [output.status.value for output in run.verdict.outputs] == ["match"]


@pytest.mark.parametrize(("backend", "place"), [*((kernel, "cd") for kernel in KERNELS), ("tccboot", "disk"), ("linux", "stick")])
def test_hello_from_the_same_medium_by_uefi(backend: str, place: str, medium: Callable[[str], Path], tmp_path: Path) -> None:
    run = booted(FromMediumByUefi(medium(backend), place), backend, tmp_path)
    assert run.ok, run.verdict.failure + run.console
    assert [output.status.value for output in run.verdict.outputs] == ["match"]
    assert "xboot medium" in run.console  # our loader, started by the firmware


def test_memory_for_a_sleep_is_memory(medium: Callable[[str], Path], tmp_path: Path) -> None:
    run = booted(FromMediumBySecureFirmware(medium("tccboot"), "cd"), "tccboot", tmp_path)
    assert run.ok, run.verdict.failure + run.console


def test_the_machine_that_boots_by_uefi() -> None:
    """As a user names it. It is the machine qemu, so that nobody takes the two for independent."""
    one = xboot.run(str(HELLO), "tccboot@qemu:ovmf", expect=("sha256:" + HASH,))
    assert one.verdict.ok, one.verdict.failure
    assert one.verdict.machine == "qemu" and str(one.voter) == "tccboot/c@qemu:ovmf"


@pytest.mark.parametrize("machine", [FromMedium, FromMediumByUefi])
def test_a_medium_with_another_script_is_refused(machine: type[FromMedium], medium: Callable[[str], Path], tmp_path: Path) -> None:
    """It is the script that the guest says it has read which counts, not the file that somebody put in."""
    data = medium("tccboot").read_bytes()
    assert data.count(b'(cwd "/build")') == 1
    other = tmp_path / "other.iso"
    other.write_bytes(data.replace(b'(cwd "/build")', b'(cwd "/bui1d")'))
    run = booted(machine(other, "cd"), "tccboot", tmp_path)
    assert "script" in run.verdict.failure and not run.built


@pytest.mark.parametrize(
    ("firmware", "memory", "cut", "what", "said"),
    [
        ("bios", 48, None, "tccboot", "there is too little memory"),
        ("bios", 256, 60 * 2048, "tccboot", "the medium cannot be read"),
        ("uefi", 72, None, "tccboot", "there is too little memory"),
        ("uefi", 256, 70 * 2048, "tccboot", "the medium cannot be read"),
        ("uefi", 256, None, "tccboot --standalone", "what comes out is shown on a text screen, which UEFI does not have"),
    ],
)
def test_the_loader_says_what_is_wrong(
    firmware: str, memory: int, cut: int | None, what: str, said: str, medium: Callable[[str], Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.iso"
    broken.write_bytes(medium(what).read_bytes()[:cut])
    qemu = ["qemu-system-x86_64", "-M", "pc", "-nodefaults", "-display", "none", "-m", str(memory), "-serial", "stdio"]
    words = [word.format(broken) for word in PLACES["cd"]]
    if firmware == "uefi":
        words += ["-bios", str(obtain_uefi(Cache())[0])]
    with subprocess.Popen([*qemu, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            seen = ""
            while "cannot go on: " not in seen or not seen.endswith("\n"):
                character = process.stdout.read(1)
                assert character, seen
                seen += character
        finally:
            process.kill()
    assert re.search(r"^xboot: cannot go on: " + said, seen, re.MULTILINE), seen
