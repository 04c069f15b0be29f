"""A PC with a screen and no serial port: QEMU, asked for what stands on the screen."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import zxingcpp

COLUMNS, ROWS, CELL = 80, 25, (9, 16)
PATIENCE = 240.0  # seconds, for a machine that never gets there


class Picture:
    """A screenshot: brightness of each of its points, by rows."""

    def __init__(self, width: int, height: int, points: bytes) -> None:
        self.width, self.height, self.points = width, height, points

    @classmethod
    def of_ppm(cls, data: bytes) -> Picture:
        kind, size, most, points = data.split(b"\n", 3)
        assert (kind, most) == (b"P6", b"255")
        width, height = map(int, size.split())
        return cls(width, height, points[1::3])

    def code(self) -> str:
        """The text of the one QR code there is; empty: none."""
        found = zxingcpp.read_barcodes(memoryview(self.points).cast("B", (self.height, self.width)))
        assert len(found) < 2
        return str(found[0].text) if found else ""

    def cell(self, row: int, column: int) -> bytes:
        """Which points of a cell are lit."""
        wide, high = CELL
        lines = (self.points[(row * high + y) * self.width + column * wide :][:wide] for y in range(high))
        return b"".join(lines).translate(bytes(1) + b"\1" * 255)


class PC:
    """The machine while it runs, by its control socket (QMP)."""

    def __init__(self, control: socket.socket, folder: Path) -> None:
        self._control, self._folder = control.makefile("rw"), folder
        self._control.readline()
        self.ask("qmp_capabilities")

    def ask(self, what: str, **arguments: object) -> None:
        self._control.write(json.dumps({"execute": what, "arguments": arguments}) + "\n")
        self._control.flush()
        while "return" not in (answer := json.loads(self._control.readline())):
            assert "error" not in answer, answer

    def text(self) -> list[str]:
        """The screen's lines, out of its memory."""
        file = self._folder / "cells"
        self.ask("pmemsave", val=0xB8000, size=2 * COLUMNS * ROWS, filename=str(file))
        cells = file.read_bytes()[::2].decode("cp437")
        return [cells[at : at + COLUMNS] for at in range(0, COLUMNS * ROWS, COLUMNS)]

    def wait(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """The screen, as soon as it shows what `seen` looks for."""
        end = monotonic() + PATIENCE
        while not seen(text := self.text()):
            assert monotonic() < end, "\n".join(text)
            sleep(0.05)
        return text

    def picture(self) -> Picture:
        file = self._folder / "picture"
        self.ask("screendump", filename=str(file))
        return Picture.of_ppm(file.read_bytes())


@contextmanager
def running(medium: Path, *, memory: int = 1024, more: Sequence[str] = ("-serial", "none")) -> Iterator[PC]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = socket.socketpair()
        machine = ["qemu-system-x86_64", "-M", "pc", "-nodefaults", "-vga", "std", "-display", "none", "-no-reboot", "-m", str(memory)]
        control = ["-chardev", f"socket,id=control,fd={theirs.fileno()}", "-mon", "chardev=control,mode=control"]
        drive = ["-cpu", "Nehalem,+smep,+smap,+umip", "-drive", f"file={medium},format=raw,if=ide,media=cdrom"]
        with ours, subprocess.Popen([*machine, *control, *drive, *more], stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]) as process:
            theirs.close()
            try:
                yield PC(ours, folder)
            finally:
                process.kill()


def ended(text: list[str]) -> bool:
    return text[0].startswith(("xboot: all steps are done", "xboot: FAILED", "xboot: GAVE UP", "xboot: the kernel gave up"))
