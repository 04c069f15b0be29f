"""QEMU as a PC at the other end of a serial cable: booted from a medium by its firmware, it knows nothing of the host."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.hooks import LinearizeOptions
from xboot.machine import Carrier, MachineOptions
from xboot.medium import build_loaders, write_medium
from xboot.model import Boot
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.request import usual_read_options
from xboot.testing.boot import Booted
from xboot.testing.boot import boot as start
from xboot_serial.machine import SerialMachine

pytestmark = pytest.mark.boot

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
HASH = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"
QEMU = [
    "qemu-system-x86_64",
    "-nodefaults",
    "-display",
    "none",
    "-no-reboot",
    "-rtc",
    "base=2030-01-01",
    "-cpu",
    "Nehalem,+smep,+smap,+umip",
]


class ByCable(SerialMachine):
    """A PC that is switched on, with the medium of its boot in it, once xboot listens. `spoil`: what the cable makes of its words."""

    info = replace(SerialMachine.info, name="pc", address="")

    def __init__(self, folder: Path, spoil: Callable[[bytes], bytes]) -> None:
        self._medium, self._spoil = folder / "medium.iso", spoil
        self.pc: subprocess.Popen[bytes] | None = None

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        write_medium(boot, build_loaders(Cache()), self._medium)
        cable, ours = pty.openpty()
        carrier = await super().start(boot, replace(options, address=os.ttyname(ours)))
        os.close(ours)
        port, its_port = socket.socketpair()
        its_port.set_inheritable(True)
        words = ["-m", str(boot.memory), "-drive", f"file={self._medium},format=raw,if=ide,media=cdrom", "-serial", "null"]
        words += ["-chardev", f"socket,id=cable,fd={its_port.fileno()}", "-serial", "chardev:cable"]
        self.pc = subprocess.Popen([*QEMU, *words], pass_fds=[its_port.fileno()], stdin=subprocess.DEVNULL)
        its_port.close()
        threading.Thread(target=self._hear, args=[port, cable], daemon=True).start()
        threading.Thread(target=self._speak, args=[port, cable], daemon=True).start()
        return carrier

    def _hear(self, port: socket.socket, cable: int) -> None:
        """Byte by byte, as a cable does."""
        with suppress(OSError):
            while data := os.read(cable, 1):
                port.sendall(data)

    def _speak(self, port: socket.socket, cable: int) -> None:
        with suppress(OSError):
            while data := port.recv(5):
                os.write(cable, self._spoil(data))


def by_cable(backend: str, folder: Path, spoil: Callable[[bytes], bytes] = bytes) -> Booted:
    plugins = Plugins.load()
    machine = ByCable(folder, spoil)
    plugins.add(machine, "test:pc")
    request = Request([str(HELLO)], read=usual_read_options((), ()), linearize=LinearizeOptions())
    script = Pipeline(plugins).plan(request)
    try:
        return start(script, backend, folder, plugins=plugins, machine="pc", export=False, expected=dict.fromkeys(script.results, HASH))
    finally:
        if machine.pc is not None:
            machine.pc.kill()
            machine.pc.wait()


@pytest.mark.parametrize("backend", ["linux", "tccboot", "hurd", "mirage"])
def test_hello_on_a_pc(backend: str, tmp_path: Path) -> None:
    run = by_cable(backend, tmp_path)
    assert run.ok, run.verdict.failure
    assert run.verdict.done_alone
    assert [output.status.value for output in run.verdict.outputs] == ["match"]


def test_a_cable_that_garbles_is_no_verdict(tmp_path: Path) -> None:
    run = by_cable("tccboot", tmp_path, lambda data: data.replace(b"u", b"w"))
    assert not run.ok and "broke the result channel's rules" in run.verdict.failure, run.verdict.failure
