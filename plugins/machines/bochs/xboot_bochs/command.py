"""Bochs' configuration for a `Boot`, and what it takes."""

from __future__ import annotations

from pathlib import Path

from xboot.medium import refusal
from xboot.model import Boot, Wiring
from xboot_bochs.program import Bochs

__all__ = ["configuration", "reason"]

# The levels of `Boot.processor` as Bochs' models. Mach faults on newer ones, and Linux stops at a register that they should have.
_LEVELS = {"i686": "p4_prescott_celeron_336", "x86-64-v2": "corei5_lynnfield_750"}
_ADDED = ("smep", "smap", "umip")  # to the second model, which has the leaf of CPUID where they stand
_THERE = ("nx",)  # on the second model
_MOST_MEMORY = 2048
"""MiB: a kernel that may use more is given as many, and finds out by itself."""

_LINES = """\
display_library: nogui
romimage: file={bios}
vgaromimage: file={display}
cpu: model={model}, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1{features}
memory: guest={memory}, host={memory}
clock: sync=none, time0=1893456000, rtc_sync=0
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={medium}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=/dev/fd/{console}
com2: enabled=1, mode=term, dev={result}
log: /dev/fd/{log}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore, unmapped=report
"""


def reason(boot: Boot) -> str:
    """Why Bochs cannot run `boot`; empty when it can."""
    if why := refusal(boot):
        return f"boots from a medium, which {why}"
    if boot.bits not in (32, 64):
        return f"has no processor of {boot.bits} bits"
    level, *features = boot.processor.split("+")
    if level not in _LEVELS:
        return f"has no processor {level}, only {', '.join(_LEVELS)}"
    if unknown := sorted({*features} - {*_ADDED, *_THERE}):
        return f"has no processor with {unknown[0]}"
    if boot.wiring != Wiring():
        return "has the usual serial ports and exit port of a PC alone"
    return ""


def configuration(boot: Boot, bochs: Bochs, medium: Path, console: int, log: int, result: str) -> str:
    """The text of bochsrc. `console`, `log`: descriptors of pipes; `result`: the path of a terminal. The clock starts when each step's does
    (docs/contract.md), whatever the time of day at the host.
    """
    level, *features = boot.processor.split("+")
    model = _LEVELS["x86-64-v2" if features else level]
    added = " ".join(feature for feature in features if feature in _ADDED)
    more = f', add_features="{added}"' if added else ""
    return _LINES.format(
        bios=bochs.bios, display=bochs.display, model=model, features=more, memory=min(boot.memory, _MOST_MEMORY), medium=medium,
        console=console, log=log, result=result,
    )  # fmt: skip
