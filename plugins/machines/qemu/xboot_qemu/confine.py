"""QEMU shut in by bubblewrap: no network, no other process, no file but its own program, its firmware, the image and one folder.

QEMU's authors say that TCG is no security boundary, so a guest is taken to own the QEMU that runs it. What it can do then is to write into
that folder, and to say on the sockets what it likes. Namespaces are not to be had everywhere (in a chroot, in some containers); then QEMU's
own seccomp filter is all that there is, and `xboot doctor` and the report say so.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from xboot.machine import MachineOptions
from xboot.model import Boot
from xboot_qemu.guard import unguarded

# Programs, libraries and firmware of the distributions; no home, no /etc but the loader's cache, no /var, no /run but NixOS's profile.
_SYSTEM = (
    "/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store", "/gnu/store",
    "/run/current-system",
)  # fmt: skip
SECCOMP = ("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny")
_LIMIT = 10.0  # seconds for the probe


def confinement(program: str, options: MachineOptions) -> str:
    """What holds a QEMU that was taken over: `bubblewrap and seccomp`, `seccomp`, or nothing (empty). Besides, when
    QEMU's defect (guard.py) opens the kernel's memory to programs: `far calls are not watched`. `program` is QEMU's path.
    """
    held = ["bubblewrap"] if _has_walls(program) and not options.gdb else []
    if has_seccomp(program):
        held.append("seccomp")
    return " and ".join([*held, "far calls are not watched"] if unguarded(program, options) else held)


def has_seccomp(program: str) -> bool:
    """Whether this QEMU was built with its seccomp filter."""
    return _has_walls(program) or _starts([program, *SECCOMP, "-version"])


def walls(program: str, boot: Boot, options: MachineOptions, guard: Path | None = None) -> list[str]:
    """The words before those that start the QEMU at `program`, so that it sees and reaches only what it needs; none where that is not
    possible, and with a debugger, which comes over the network.
    """
    if options.gdb or not _has_walls(program):
        return []
    kvm = ["--dev-bind", "/dev/kvm", "/dev/kvm"] if options.accelerator == "kvm" else []
    files = {boot.kernel, *(module.path for module in boot.modules), *([guard] if guard else [])}
    place = ["--bind", str(options.folder), str(options.folder)] if options.folder is not None else []
    return [*_walls(program), *kvm, *_read_only(sorted(files)), *place, "--"]


def _walls(program: str) -> list[str]:
    return [
        "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv", "--setenv", "PATH", os.defpath,
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",  # noqa: S108 - an empty one, inside
        *_read_only(path for path in map(Path, (*_SYSTEM, *_prefix(program))) if path.exists()),
    ]  # fmt: skip


def _read_only(paths: Iterable[Path]) -> list[str]:
    return [word for path in paths for word in ("--ro-bind", str(path), str(path))]


def _prefix(program: str) -> Sequence[str]:
    """The folder of a QEMU that no distribution installed: above the program's (with share/ or pc-bios/), unless homes lie there; the
    program's, or the program alone, if they do.
    """
    path = Path(program).resolve()
    if any(path.is_relative_to(system) for system in _SYSTEM):
        return ()
    private = (Path.home().resolve(), Path("/tmp"))  # noqa: S108
    open_places = (place for place in (path.parent.parent, path.parent) if not any(home.is_relative_to(place) for home in private))
    return [str(next(open_places, path))]


def _has_walls(program: str) -> bool:
    """Whether QEMU starts behind these walls here, with its filter."""
    return shutil.which("bwrap") is not None and _starts((*_walls(program), "--", program, *SECCOMP, "-version"))


def _starts(command: Sequence[str]) -> bool:
    return _status(tuple(command)) == 0


@functools.cache
def _status(command: Sequence[str]) -> int | None:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
