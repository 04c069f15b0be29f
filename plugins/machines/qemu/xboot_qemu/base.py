"""QEMU as it is usually started: a process without network, disk or shared folder, two serial ports, and an exit port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from xboot.errors import GuestError, UsageError
from xboot.machine import Carrier, End, Machine, MachineOptions, ProcessCarrier, socket_pairs, start_process
from xboot.model import Boot, Component, MachineInfo, Need
from xboot_qemu import kvm
from xboot_qemu.command import command_line, find_program, hints, program_name, refusal
from xboot_qemu.confine import confinement, walls
from xboot_qemu.firmware import firmware
from xboot_qemu.guard import REASON, STATUS, guard, unguarded
from xboot_qemu.said import ask
from xboot_qemu.tcb import substrate

if TYPE_CHECKING:
    from qemu.qmp import QMPClient

logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)  # a guest that dies is not this library's business


_PACKAGES = {"debian": "qemu-system-x86", "fedora": "qemu-system-x86", "arch": "qemu-system-x86", "nix": "qemu", "guix": "qemu"}


class QemuMachine(Machine):
    """`--accel tcg` emulates the processor, `kvm` lets the guest run on the host's own; `auto` takes KVM where boot and host allow it."""

    info: ClassVar[MachineInfo] = MachineInfo(
        name="qemu",
        summary="QEMU: every processor emulated (TCG), or the host's own where KVM works; `qemu:ovmf` boots a medium by UEFI",
        abilities=("exit-status", "read-memory", "kvm", "gdb"),
        needs=(
            Need("qemu-system-x86_64", "boots x86_64 guests", _PACKAGES),
            Need("qemu-system-i386", "boots i386 guests", _PACKAGES),
        ),
        variants=("ovmf",),
    )

    def takes(self, boot: Boot) -> str:
        return refusal(boot)

    def accelerator(self, boot: Boot, wanted: str) -> str:
        if wanted not in ("auto", "tcg", "kvm"):
            raise UsageError(f"--accel {wanted}: expected auto, tcg or kvm")
        if wanted == "tcg" or (wanted == "auto" and not boot.native):
            return "tcg"
        if boot.native and kvm.works(program_name(boot)):
            return "kvm"
        if wanted == "kvm":
            raise UsageError(
                "--accel kvm: no KVM that runs a guest was found here", hint="`xboot doctor` says more; leave --accel out to use TCG"
            )
        return "tcg"

    def prepare(self, boot: Boot) -> None:
        """Nothing is made; what QEMU will be asked for is asked from here on, while the rest is made ready."""
        program = shutil.which(program_name(boot))
        if program is not None:
            ask(program)

    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        """As it is started, but with the console on standard output and the result channel on the socket `result.sock`."""
        return command_line(boot, options, "", "stdio", "socket,path=result.sock,server=on,wait=on")

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        path = firmware(hints(boot), program_name(boot))
        files = [boot.kernel, *(module.path for module in boot.modules), *([path] if path is not None else [])]
        return QemuCarrier(*await self.power_on(boot, options, boot.bits, files))

    async def power_on(
        self, boot: Boot, options: MachineOptions, bits: int, files: Sequence[Path], medium: Sequence[str] = ()
    ) -> tuple[asyncio.subprocess.Process, socket.socket, socket.socket, socket.socket]:
        """QEMU's process, and the host's ends of console, result channel and QMP. QEMU may read `files`; the kernel has so many `bits`;
        `medium` as `command_line` has it.
        """
        with socket_pairs(3) as ((control, console, result), theirs):
            plugin = guard(find_program(program_name(boot)), options, bits)
            channels = [f"socket,fd={end.fileno()}" for end in theirs]
            command = command_line(boot, options, *channels, guard=plugin, medium=medium)
            shown = walls(command[0], [*files, *([plugin] if plugin else [])], options)
            process = await start_process(command, theirs, shown)
        return process, console, result, control

    def components(self, boot: Boot) -> Sequence[Component]:
        return substrate(boot)

    def confinement(self, boot: Boot, options: MachineOptions) -> str:
        return confinement(find_program(program_name(boot)), options)

    def condition(self) -> Sequence[str]:
        program = shutil.which("qemu-system-x86_64")
        if program is None:
            return ["acceleration: unknown without QEMU"]
        held = confinement(program, MachineOptions())
        hint = (
            ""
            if "bubblewrap" in held
            else "; with bubblewrap (bwrap), where namespaces are allowed, QEMU sees no network and no files of yours"
        )
        said = [f"QEMU is confined by: {held or 'nothing'}{hint}"]
        if why := unguarded(program, MachineOptions()):
            said.append(
                f"QEMU is older than 9.1 and lets a program's far calls write to its kernel's memory, and cannot be kept from it: {why}"
            )
        try:
            return [*said, "acceleration: " + ("KVM (a probe guest ran)" if kvm.works() else "TCG (no KVM that runs a guest)")]
        except subprocess.SubprocessError as error:
            return [*said, f"acceleration: TCG (the KVM probe failed: {error})"]


class QemuCarrier(ProcessCarrier):
    """`control`: where QMP is spoken."""

    def __init__(self, process: asyncio.subprocess.Process, console: socket.socket, result: socket.socket, control: socket.socket) -> None:
        super().__init__(process, console, result, [control])
        self._control = control
        self._client: QMPClient | None = None

    def end_of(self, status: int) -> End:
        """isa-debug-exit makes the status 2 * byte + 1. QEMU's own failures end with 1, which no guest can be told from: byte 0 is none."""
        if status == STATUS:
            return End(None, REASON)
        return End(status >> 1, f"ended with status {status}") if status > 1 and status & 1 else super().end_of(status)

    async def read_memory(self, base: int, size: int, file: Path) -> None:
        """By QMP's `pmemsave`."""
        from qemu.qmp import QMPClient, QMPError  # noqa: PLC0415 - loaded while the machine runs

        try:
            if self._client is None:
                client = QMPClient("xboot")
                client.events.event_filter = lambda _: False  # nobody reads them, and a QEMU that was taken over sends any number
                await client.connect(self._control)
                self._client = client
            await self._client.execute("pmemsave", {"val": base, "size": size, "filename": str(file)})
        except QMPError as error:
            raise GuestError(f"QEMU could not save the guest's memory: {error}") from error

    async def close(self) -> None:
        await super().close()
        if self._client is not None:
            with contextlib.suppress(Exception):  # what ended the conversation is told again, and may be anything (RecursionError, of JSON)
                await self._client.disconnect()
