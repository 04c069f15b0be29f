"""What QEMU puts below an image: the emulator, and the firmware that its machine type loads."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from xboot.cache import file_sha256
from xboot.machine import MachineOptions
from xboot.model import Boot, Component, Role
from xboot.tcb import opaque_file
from xboot_qemu.command import hints, program_name
from xboot_qemu.firmware import firmware_components
from xboot_qemu.guard import SOURCE, made_by, needed
from xboot_qemu.said import ask, version


def substrate(boot: Boot) -> list[Component]:
    """QEMU and the firmware that it brings. A QEMU that is not installed is left out; firmware never is: it has no hash when it is not
    known.
    """
    return [*emulator(boot), *firmware_components(boot, hints(boot), program_name(boot))]


def emulator(boot: Boot) -> list[Component]:
    """QEMU alone, with the guard that it needs."""
    found = []
    name = program_name(boot)
    program = shutil.which(name)
    path = None if program is None else _binary(program)
    if program is not None and path is not None:
        ask(program)  # while it is hashed
        measured = opaque_file(name, Role.SUBSTRATE, path)
        found.append(replace(measured, version=version(program)))
    if program is not None and needed(program, MachineOptions("tcg")):
        text = SOURCE.read_text(encoding="utf-8")
        digest = file_sha256(SOURCE)
        lines = sum(1 for line in text.splitlines() if line.strip())
        found.append(
            Component(
                "guard on far calls", Role.SUBSTRATE, SOURCE.stat().st_size, digest, "xboot", "source", {"C": lines}, lines,
                "counting", {SOURCE.name: digest}, {digest: lines}, tuple(filter(None, [made_by()])),
            )
        )  # fmt: skip
    return found


def _binary(program: str) -> Path:
    """The emulator itself: Debian's qemu-system-i386 is a script that runs the program of that name in /usr/libexec."""
    path = Path(program)
    with path.open("rb") as file:
        script = file.read(2) == b"#!"
    inner = Path("/usr/libexec") / path.name
    return inner if script and inner.is_file() else path
