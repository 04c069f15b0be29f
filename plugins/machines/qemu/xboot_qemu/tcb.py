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
from xboot_qemu.firmware import firmware_components
from xboot_qemu.guard import SOURCE, made_by, needed


def substrate(boot: Boot) -> list[Component]:
    """QEMU and the firmware that it brings. A QEMU that is not installed is left out; firmware never is: it has no hash when it is not
    known.
    """
    return [*emulator(boot), *firmware_components(boot, hints(boot), program_name(boot))]


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


def _binary(program: str) -> Path | None:
    """The emulator itself: Debian's qemu-system-i386 is a script that runs the program of that name in /usr/libexec."""
    path = shutil.which(program)
    if path is None:
        return None
    if Path(path).read_bytes()[:2] == b"#!":
        inner = Path("/usr/libexec") / program
        return inner if inner.is_file() else Path(path)
    return Path(path)
