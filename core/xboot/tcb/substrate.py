"""What stands below every image: the emulator with its firmware, and this machine's kernel. In no image, and trusted all the same."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

from xboot.cache import file_sha256
from xboot.model import Component, Role

# The firmware that QEMU's machine types load; Debian puts it here.
_FIRMWARE = {
    "pc": ("/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"),
    "microvm": ("/usr/share/seabios/bios-microvm.bin", "/usr/share/qemu/bios-microvm.bin"),
}


def substrate(program: str, machine_type: str) -> list[Component]:
    """QEMU, the firmware of its machine type, and the host's kernel. What cannot be found has 0 bytes and says so in its origin."""
    found = []
    path = _binary(program)
    if path is not None:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout
        version = re.search(r"version (\S+)", said)
        size, digest = Path(path).stat().st_size, file_sha256(Path(path))
        found.append(
            Component(program, Role.SUBSTRATE, size, digest, path, version[1] if version else "", lines_method="opaque", prebuilt=True)
        )
    for place in _FIRMWARE.get(machine_type, ()):
        if Path(place).is_file():
            size, digest = Path(place).stat().st_size, file_sha256(Path(place))
            found.append(Component(f"SeaBIOS for {machine_type}", Role.FIRMWARE, size, digest, place, lines_method="opaque", prebuilt=True))
            break
    found.append(
        Component(
            "host kernel", Role.SUBSTRATE, 0, "", f"{platform.system()}, running", platform.release(), lines_method="opaque", prebuilt=True
        )
    )
    return found


def _binary(program: str) -> str | None:
    """The emulator itself: Debian's qemu-system-i386 is a script that runs the program of that name in /usr/libexec."""
    path = shutil.which(program)
    if path is not None and Path(path).read_bytes()[:2] == b"#!":
        inner = Path("/usr/libexec") / program
        return str(inner) if inner.is_file() else path
    return path
