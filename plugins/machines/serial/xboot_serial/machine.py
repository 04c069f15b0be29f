"""The machine `serial`: a real PC that somebody boots from a medium, at the other end of a cable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xboot.cache import Cache
from xboot.errors import UsageError
from xboot.machine import Carrier, Machine, MachineOptions
from xboot.medium import build_loaders, components, refusal
from xboot.model import Boot, Component, MachineInfo, Role, Wiring
from xboot_serial.carrier import SerialCarrier
from xboot_serial.line import open_line


class SerialMachine(Machine):
    """Address: the serial line that the result channel comes over; after a `+`, the one of the console, if there is a second cable."""

    info: ClassVar[MachineInfo] = MachineInfo(
        name="serial",
        summary="a real PC, booted by hand from `xboot image`, at the other end of a serial cable",
        pace=10.0,  # somebody has to go there and switch it on
        address="/dev/ttyUSB0",
    )

    def takes(self, boot: Boot) -> str:
        if why := refusal(boot):
            return f"boots from a medium, which {why}"
        return "" if boot.wiring == Wiring() else "has the usual serial ports of a PC alone"

    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        """None: it is a switch."""
        raise UsageError("--keep: machine serial has no command to keep", hint="`xboot image --iso FILE` writes a medium that it boots")

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        """Listen on the line. Raises UsageError for a line that cannot be used."""
        name, _, console = options.address.partition("+")
        line = open_line(name)
        try:
            return SerialCarrier(name, line, open_line(console) if console else None)
        except BaseException:
            line.close()
            raise

    def components(self, boot: Boot) -> Sequence[Component]:
        """What the medium adds, whichever of its loaders is run, and the PC, of which nothing is known."""
        pc = Component(
            "PC and its firmware",
            Role.FIRMWARE,
            0,
            "",
            origin="whatever stands at the other end of the serial line; nothing of it is measured",
        )
        loaders = build_loaders(Cache())
        return [*components(boot, loaders, loaders), pc]


plugin = SerialMachine()
