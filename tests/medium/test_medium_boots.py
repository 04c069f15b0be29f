"""One file a kernel, booted by a PC's firmware as a CD, a disk and a USB stick."""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.hooks import LinearizeOptions
from xboot.machine import Carrier, MachineOptions, start_process
from xboot.model import Boot, Script
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.request import usual_read_options
from xboot.testing.boot import Booted
from xboot.testing.boot import boot as start
from xboot_qemu.command import command_line
from xboot_qemu.machine import QemuMachine, _QemuCarrier

pytestmark = pytest.mark.boot

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
HASH = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"
PLACES = {
    "cd": ("-drive", "file={},format=raw,if=ide,media=cdrom"),
    "disk": ("-drive", "file={},format=raw,if=ide,snapshot=on"),
    "stick": ("-device", "usb-ehci", "-drive", "file={},format=raw,if=none,id=s,snapshot=on", "-device", "usb-storage,drive=s,bootindex=0"),
}  # fmt: skip
KERNELS = ("linux", "tccboot", "hurd", "mirage")


def as_medium(command: list[str], medium: Path, place: str) -> list[str]:
    """QEMU's words, with a medium in the place of what it loads itself."""
    words = list(command)
    for flag in ("-kernel", "-initrd", "-append"):
        if flag in words:
            at = words.index(flag)
            del words[at : at + 2]
    return [*words, *(word.format(medium) for word in PLACES[place])]


class FromMedium(QemuMachine):
    """QEMU as a PC that has a medium, and is told nothing else."""

    info = replace(QemuMachine.info, name="pc")

    def __init__(self, medium: Path, place: str) -> None:
        self._medium, self._place = medium, place

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        pairs = [socket.socketpair() for _ in range(3)]
        channels = [f"socket,fd={theirs.fileno()}" for _, theirs in pairs]
        command = as_medium(command_line(replace(boot, hints={}), options, *channels), self._medium, self._place)
        process = await start_process(command, [theirs for _, theirs in pairs])
        for _, theirs in pairs:
            theirs.close()
        control, console, result = (ours for ours, _ in pairs)
        return _QemuCarrier(process, console, result, control)


@pytest.fixture(scope="session")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Backend → its medium for hello, as the command line writes it, once."""
    folder = tmp_path_factory.mktemp("media")

    def write(backend: str) -> Path:
        path = folder / f"{backend}.iso"
        if not path.exists():
            command = [sys.executable, "-m", "xboot", "image", "-b", backend, "--iso", str(path), str(HELLO)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, done.stderr
            assert hashlib.sha256(path.read_bytes()).hexdigest() in done.stdout
        return path

    return write


def hello() -> Script:
    pipeline = Pipeline(Plugins.load())
    request = Request([str(HELLO)], read=usual_read_options((), ()), linearize=LinearizeOptions())
    return pipeline.plan(request)


def booted(medium: Path, place: str, backend: str, folder: Path) -> Booted:
    plugins = Plugins.load()
    plugins.add(FromMedium(medium, place), "test:pc")
    script = hello()
    return start(
        script, backend, folder, plugins=plugins, machine="pc", export=False, expected=dict.fromkeys(script.results, HASH)
    )  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("backend", KERNELS)
def test_hello_from_a_medium(backend: str, place: str, medium: Callable[[str], Path], tmp_path: Path) -> None:
    run = booted(medium(backend), place, backend, tmp_path)
    assert run.ok, run.verdict.failure + run.console
    assert [output.status.value for output in run.verdict.outputs] == ["match"]


def test_a_medium_with_another_script_is_refused(medium: Callable[[str], Path], tmp_path: Path) -> None:
    """It is the script that the guest says it has read which counts, not the file that somebody put in."""
    data = medium("tccboot").read_bytes()
    assert data.count(b'(cwd "/build")') == 1
    other = tmp_path / "other.iso"
    other.write_bytes(data.replace(b'(cwd "/build")', b'(cwd "/bui1d")'))
    run = booted(other, "cd", "tccboot", tmp_path)
    assert "script" in run.verdict.failure and not run.built


@pytest.mark.parametrize(
    ("memory", "cut", "said"),
    [(48, None, "there is too little memory"), (256, 60 * 2048, "the medium cannot be read")],
    ids=["memory", "broken off"],
)
def test_the_loader_says_what_is_wrong(memory: int, cut: int | None, said: str, medium: Callable[[str], Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.iso"
    broken.write_bytes(medium("tccboot").read_bytes()[:cut])
    qemu = ["qemu-system-i386", "-M", "pc", "-nodefaults", "-display", "none", "-m", str(memory), "-serial", "stdio"]
    words = [word.format(broken) for word in PLACES["cd"]]
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
