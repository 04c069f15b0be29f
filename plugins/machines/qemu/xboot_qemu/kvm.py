"""Does KVM work here? `/dev/kvm` can exist, open, answer KVM_CREATE_VM and still run no guest, so only a guest that really ran is proof.

Nor is that enough: there are nested KVMs that get a guest of ten instructions to its end in seconds and a kernel
nowhere at all. So the same probe guest, firmware included, runs under TCG too, and KVM counts as working only when it
is the faster of the two: otherwise there is nothing to gain from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from xboot.cache import Cache
from xboot_qemu.command import find_program

_STATUS = 0x2A
_LIMIT = 10.0
_EXIT_PORT = 0xF4


def works(program: str = "qemu-system-x86_64") -> bool:
    """True when a probe guest ran under KVM. The answer is kept until the next boot of this machine."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    path = find_program(program)
    key = f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {path} {os.stat(path).st_mtime_ns}"
    memory = Cache().root / "kvm.json"
    try:
        known = json.loads(memory.read_text())
        if isinstance(known.get(key), bool):
            return bool(known[key])
    except (OSError, ValueError, AttributeError):
        known = {}
    answer = _probe(path)
    with contextlib.suppress(OSError):  # then it is asked again the next time
        memory.parent.mkdir(parents=True, exist_ok=True)
        scratch = memory.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps({key: answer}))
        scratch.replace(memory)
    return answer


def _probe(program: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="xboot-kvm-") as folder:
        kernel = Path(folder) / "probe"
        kernel.write_bytes(_probe_guest())
        emulated = _time(program, "tcg", kernel, _LIMIT)
        return emulated is not None and _time(program, "kvm", kernel, emulated) is not None


def _time(program: str, accelerator: str, kernel: Path, limit: float) -> float | None:
    """Seconds that the probe guest took; None when it did not end as it should within `limit` seconds."""
    command = [
        program, "-accel", accelerator, "-M", "pc", "-m", "16M", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-device", f"isa-debug-exit,iobase={_EXIT_PORT:#x},iosize=4", "-kernel", str(kernel),
    ]  # fmt: skip
    start = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return None
    return time.monotonic() - start if done.returncode == (_STATUS << 1 | 1) else None


def _probe_guest() -> bytes:
    """A multiboot kernel of a few bytes (Multiboot 0.6.96, section 3.1, address fields used): `mov al, STATUS; out 0xf4, al; hlt`."""
    magic, flags, base = 0x1BADB002, 1 << 16, 0x100000
    code = bytes([0xB0, _STATUS, 0xE6, _EXIT_PORT, 0xF4, 0xEB, 0xFD])
    header = struct.pack("<8I", magic, flags, -(magic + flags) & 0xFFFFFFFF, base, base, 0, 0, base + 32)
    return (header + code).ljust(64, b"\0")
