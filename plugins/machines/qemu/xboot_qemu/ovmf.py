"""QEMU as a PC with UEFI firmware, started from a medium: the form `ovmf` of the machine `qemu`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from xboot.cache import Cache
from xboot.errors import UsageError
from xboot.machine import Carrier, MachineOptions
from xboot.medium import build_loaders, components, obtain_uefi, write_medium
from xboot.medium import refusal as medium_refusal
from xboot.model import Boot, Component, MachineInfo, Role
from xboot.pumps import FromGreeting, fill, stream_pair
from xboot.tcb import opaque_file
from xboot_qemu.base import QemuCarrier, QemuMachine
from xboot_qemu.command import doubled, refusal
from xboot_qemu.tcb import emulator

_MIB = 1 << 20
_FIRMWARES = 128
"""MiB for the firmware. Besides, what is loaded is in memory twice until the kernel runs."""
_MOST_MEMORY_32 = 2048
"""MiB: the guard knows a kernel of 32 bits by where it runs, above, and this firmware runs at the top of memory."""


class OvmfMachine(QemuMachine):
    """The medium that `xboot image` writes, as a CD, and OVMF. Nothing can be brought out."""

    info: ClassVar[MachineInfo] = replace(QemuMachine.info, abilities=("exit-status", "kvm", "gdb"))

    def takes(self, boot: Boot) -> str:
        if why := medium_refusal(boot):
            return f"boots from a medium in its form ovmf, which {why}"
        return refusal(as_pc(boot))

    def prepare(self, boot: Boot) -> None:
        super().prepare(as_pc(boot))
        obtain_uefi(Cache())
        build_loaders(Cache())

    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        """None: what it would read is written for each run."""
        raise UsageError("--keep: machine qemu:ovmf has no command to keep", hint="`xboot image --iso FILE` writes a medium that it boots")

    def accelerator(self, boot: Boot, wanted: str) -> str:
        return super().accelerator(as_pc(boot), wanted)

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        assert options.folder is not None  # the boot stage gives one
        firmware, _ = obtain_uefi(Cache())
        medium = options.folder / "medium.iso"
        write_medium(boot, build_loaders(Cache()), medium)
        words = ["-bios", str(firmware), "-drive", f"file={doubled(str(medium))},format=raw,if=ide,media=cdrom,readonly=on"]
        # QEMU writes nothing: it has no folder
        return OvmfCarrier(*await self.power_on(as_pc(boot), replace(options, folder=None), boot.bits, [firmware, medium], words))

    def components(self, boot: Boot) -> Sequence[Component]:
        """QEMU, OVMF, and what the medium adds."""
        firmware, package = obtain_uefi(Cache())
        loaders = build_loaders(Cache())
        found = replace(opaque_file("OVMF", Role.FIRMWARE, firmware, package.version), origin=f"Debian {package.package} {package.version}")
        return [*emulator(as_pc(boot)), found, *components(boot, loaders, [loaders.uefi])]

    def confinement(self, boot: Boot, options: MachineOptions) -> str:
        return super().confinement(as_pc(boot), options)


class OvmfCarrier(QemuCarrier):
    """The firmware writes to both serial ports before the guest does."""

    def __init__(self, process: asyncio.subprocess.Process, console: socket.socket, result: socket.socket, control: socket.socket) -> None:
        ours, inner = stream_pair()
        super().__init__(process, console, ours, control)
        result.setblocking(False)
        self._between = (inner, result)
        self._tasks = [asyncio.create_task(fill(inner, result, FromGreeting())), asyncio.create_task(fill(result, inner))]

    async def close(self) -> None:
        await super().close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in self._between:
            end.close()


def as_pc(boot: Boot) -> Boot:
    """The PC for a boot: its firmware has 64 bits, whatever the kernel has."""
    files = sum(-(-_size(path) // _MIB) for path in (boot.kernel, *(module.path for module in boot.modules)))
    memory = boot.memory + files + _FIRMWARES
    return replace(boot, bits=64, memory=min(memory, _MOST_MEMORY_32) if boot.bits == 32 else memory)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
