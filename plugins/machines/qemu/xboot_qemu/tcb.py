"""What QEMU puts below an image: the emulator, and the firmware that its machine type loads."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from xboot.cache import file_sha256
from xboot.machine import MachineOptions
from xboot.model import Boot, Component, Role
from xboot.tcb import opaque_file
from xboot_qemu.command import hints, program_name
from xboot_qemu.guard import SOURCE, made_by, needed

# The firmware that QEMU's machine types load; Debian puts it here.
_FIRMWARE = {
    "pc": ("/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"),
    "microvm": ("/usr/share/seabios/bios-microvm.bin", "/usr/share/qemu/bios-microvm.bin"),
}


def substrate(boot: Boot) -> list[Component]:
    """QEMU and the firmware that it brings. What is not installed is left out: such an image cannot be booted here."""
    found = emulator(boot)
    kind = _machine_type(boot)
    firmware = next((Path(place) for place in _FIRMWARE.get(kind, ()) if Path(place).is_file()), None)
    if firmware is not None:
        found.append(opaque_file(f"SeaBIOS for {kind}", Role.FIRMWARE, firmware))
    return found


def emulator(boot: Boot) -> list[Component]:
    """QEMU alone, with the guard that it needs."""
    found = []
    name = program_name(boot)
    path = _binary(name)
    if path is not None:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout
        version = re.search(r"version (\S+)", said)
        found.append(opaque_file(name, Role.SUBSTRATE, path, version[1] if version else ""))
    if path is not None and needed(str(path), MachineOptions("tcg")):
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


def _machine_type(boot: Boot) -> str:
    words = hints(boot)
    return words[words.index("-M") + 1].split(",")[0]


def _binary(program: str) -> Path | None:
    """The emulator itself: Debian's qemu-system-i386 is a script that runs the program of that name in /usr/libexec."""
    path = shutil.which(program)
    if path is None:
        return None
    if Path(path).read_bytes()[:2] == b"#!":
        inner = Path("/usr/libexec") / program
        return inner if inner.is_file() else Path(path)
    return Path(path)
