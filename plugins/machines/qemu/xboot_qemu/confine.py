"""QEMU shut in by bubblewrap: no network, no other process, no file but its own program, its firmware, the image and one folder.

QEMU's authors say that TCG is no security boundary, so a guest is taken to own the QEMU that runs it. What it can do then is to write into
that folder, and to say on the sockets what it likes. Namespaces are not to be had everywhere (in a chroot, in some containers); then QEMU's
own seccomp filter is all that there is, and `xboot doctor` and the report say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xboot.machine import MachineOptions
from xboot.walls import read_only, starts, walls_around
from xboot_qemu.guard import unguarded
from xboot_qemu.said import SECCOMP, starts_behind_walls


def confinement(program: str, options: MachineOptions) -> str:
    """What holds a QEMU that was taken over: `bubblewrap and seccomp`, `seccomp`, or nothing (empty). Besides, when
    QEMU's defect (guard.py) opens the kernel's memory to programs: `far calls are not watched`. `program` is QEMU's path.
    """
    held = ["bubblewrap"] if starts_behind_walls(program) and not options.gdb else []
    if has_seccomp(program):
        held.append("seccomp")
    return " and ".join([*held, "far calls are not watched"] if unguarded(program, options) else held)


def has_seccomp(program: str) -> bool:
    """Whether this QEMU was built with its seccomp filter."""
    return starts_behind_walls(program) or starts([program, *SECCOMP, "-version"])


def walls(program: str, files: Iterable[Path], options: MachineOptions) -> list[str]:
    """The words before those that start the QEMU at `program`, so that it sees and reaches only what it needs: these `files`, and the run's
    folder. None where that is not possible, and with a debugger, which comes over the network.
    """
    if options.gdb or not starts_behind_walls(program):
        return []
    kvm = ["--dev-bind", "/dev/kvm", "/dev/kvm"] if options.accelerator == "kvm" else []
    place = ["--bind", str(options.folder), str(options.folder)] if options.folder is not None else []
    return [*walls_around(program), *kvm, *read_only(sorted({*files})), *place, "--"]
