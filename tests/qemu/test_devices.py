"""The devices that a guest finds: the fewer, the less of QEMU it can attack."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from xboot.machine import MachineOptions
from xboot.model import Boot, Protocol
from xboot_linux.backend import _MICROVM
from xboot_mirage.backend import _QEMU
from xboot_qemu.command import command_line

FEW = {
    "fw_cfg_io", "hpet", "i440FX", "i440FX-pcihost", "i8042", "i8257", "ioapic", "isa-debug-exit", "isa-fdc", "isa-i8259", "isa-pcspk",
    "isa-pit", "isa-serial", "isabus-bridge", "kvmclock", "kvmvapic", "mc146818rtc", "microvm-pcihost", "piix3-ide", "PIIX3", "PIIX4_PM",
    "port92", "ps2-kbd", "ps2-mouse", "smbus-eeprom", "virtio-mmio", "vmmouse", "vmport",
}  # fmt: skip
"""Every kind of device on any of the machines. Behind `virtio-mmio`, `piix3-ide` and `isa-fdc` is nothing: places for a card or a drive."""


@pytest.mark.boot
@pytest.mark.parametrize("hints", [("-M", "pc"), ("-M", _MICROVM), _QEMU], ids=["pc", "linux", "mirage"])
def test_the_machine_has_few_devices(hints: Sequence[str], tmp_path: Path) -> None:
    """No network, no USB, no drives, no display: what QEMU itself lists, in a machine that has not begun to run."""
    boot = Boot(Protocol.MULTIBOOT, tmp_path / "kernel", 32, hints={"qemu": tuple(hints)})
    command = command_line(boot, MachineOptions("tcg"), "", "null", "null")
    kernel = command.index("-kernel")
    del command[kernel : kernel + 2]
    questions = "info qtree\ninfo block\ninfo network\nquit\n"
    command += ["-S", "-monitor", "stdio"]
    asked = subprocess.run(command, input=questions, capture_output=True, text=True, check=True, timeout=60)
    found = set(re.findall(r"dev: ([\w-]+),", asked.stdout))
    assert {"isa-serial", "isa-debug-exit"} <= found
    assert found <= FEW, f"more devices than are known: {sorted(found - FEW)}"
    assert not re.search(r"virtio-(?!mmio)|usb|scsi|\be1000|nvme|floppy0|ide0-", asked.stdout)
