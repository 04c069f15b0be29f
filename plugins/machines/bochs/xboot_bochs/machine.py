"""The machine `bochs`: an emulator that shares no code with QEMU, started from a medium, with two serial ports and nothing else."""

from __future__ import annotations

import os
import tty
from collections.abc import Sequence
from pathlib import Path
from typing import IO, ClassVar

from xboot.cache import Cache
from xboot.errors import UsageError
from xboot.machine import Carrier, Machine, MachineOptions, start_process
from xboot.medium import build_loaders, components, write_medium
from xboot.model import Boot, Component, MachineInfo
from xboot.walls import read_only, starts, walls_around
from xboot_bochs.carrier import BochsCarrier
from xboot_bochs.command import configuration, reason
from xboot_bochs.program import NEEDS, Bochs, obtain_bochs

_RESULT = "/tmp/result"  # noqa: S108 - the terminal's name behind the walls, in a folder that is theirs


class BochsMachine(Machine):
    """Bochs interprets every instruction. It cannot bring anything out, and has no debugger here."""

    info: ClassVar[MachineInfo] = MachineInfo(
        name="bochs",
        summary="Bochs 3.0: every processor interpreted, by code that QEMU does not have",
        abilities=("exit-status",),
        pace=5.0,
        needs=NEEDS,
    )

    def takes(self, boot: Boot) -> str:
        return reason(boot)

    def prepare(self, boot: Boot) -> None:
        """Compile Bochs, if it is not in the cache (some minutes)."""
        obtain_bochs()
        build_loaders(Cache())

    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        """None: what it would read is written for each run."""
        raise UsageError("--keep: machine bochs has no command to keep", hint="`xboot image --iso FILE` writes a medium that it boots")

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        assert options.folder is not None  # the boot stage gives one
        bochs = obtain_bochs()
        medium, settings = options.folder / "medium.iso", options.folder / "bochsrc"
        write_medium(boot, build_loaders(Cache()), medium)
        files: list[IO[bytes]] = []
        try:
            for read, write in (os.pipe(), os.pipe(), os.openpty()):
                files += [os.fdopen(read, "r+b" if os.isatty(read) else "rb", 0), os.fdopen(write, "r+b" if os.isatty(write) else "wb", 0)]
            console, its_console, log, its_log, terminal, held = files
            tty.setraw(held.fileno())
            os.set_blocking(terminal.fileno(), False)
            name = os.ttyname(held.fileno())
            walls = _walls(bochs, [medium, settings], name)
            text = configuration(boot, bochs, medium, its_console.fileno(), its_log.fileno(), _RESULT if walls else name)
            settings.write_text(text)
            process = await start_process([str(bochs.program), "-q", "-f", str(settings)], [its_console, its_log], walls)
        except BaseException:
            for file in files:
                file.close()
            raise
        its_console.close()
        its_log.close()
        return BochsCarrier(process, console, log, terminal, held)

    def components(self, boot: Boot) -> Sequence[Component]:
        """Bochs and its firmware, and what the medium adds."""
        loaders = build_loaders(Cache())
        return [*obtain_bochs().components(), *components(boot, loaders, [loaders.bios])]

    def confinement(self, boot: Boot, options: MachineOptions) -> str:
        return "bubblewrap" if _has_walls(obtain_bochs()) else ""


def _has_walls(bochs: Bochs) -> bool:
    """Whether Bochs starts behind walls here."""
    return starts((*walls_around(str(bochs.program)), "--", str(bochs.program), "--help"))


def _walls(bochs: Bochs, files: Sequence[Path], terminal: str) -> list[str]:
    """The words before Bochs', so that it reaches what it reads and its serial ports alone; none where that is not possible."""
    if not _has_walls(bochs):
        return []
    shown = read_only([*files, bochs.bios, bochs.display])
    return [*walls_around(str(bochs.program)), *shown, "--dev-bind", terminal, _RESULT, "--"]


plugin = BochsMachine()
