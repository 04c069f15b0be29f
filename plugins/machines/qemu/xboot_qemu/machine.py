"""The machine `qemu` in all its forms, which is the plugin."""

from __future__ import annotations

from xboot.machine import Machine
from xboot_qemu.base import QemuMachine
from xboot_qemu.ovmf import OvmfMachine


class Qemu(QemuMachine):
    """QEMU that loads a kernel itself, unless `ovmf` is asked for."""

    def at(self, address: str) -> Machine:
        return OvmfMachine() if address == "ovmf" else self


plugin = Qemu()
