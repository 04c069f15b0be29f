"""Walls around a machine's program: bubblewrap, without network or other processes; of files only what is its own or named.

For machines that are programs (`xboot.machine.start_process` takes the words). Namespaces are not to be had everywhere: not in a chroot,
nor in some containers.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["prefix", "read_only", "starts", "walls_around"]

# Programs, libraries and firmware of the distributions; no home, no /etc but the loader's cache, no /var, no /run but NixOS's profile.
_SYSTEM = (
    "/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store", "/gnu/store",
    "/run/current-system",
)  # fmt: skip
_LIMIT = 10.0  # seconds for a probe


def walls_around(program: str) -> list[str]:
    """Bubblewrap's words for a program, which sees the distribution's files and its own; more may follow, then `--` and the command."""
    return [
        "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv", "--setenv", "PATH", os.defpath,
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",  # noqa: S108 - an empty one, inside
        *read_only(path for path in map(Path, (*_SYSTEM, *prefix(program))) if path.exists()),
    ]  # fmt: skip


def read_only(paths: Iterable[Path]) -> list[str]:
    """Words that show these files and folders, under their own names."""
    return [word for path in paths for word in ("--ro-bind", str(path), str(path))]


def prefix(program: str) -> Sequence[str]:
    """The folder of a program that no distribution installed: above the program's (with share/ or pc-bios/), unless homes lie there; the
    program's, or the program alone, if they do.
    """
    path = Path(program).resolve()
    if any(path.is_relative_to(system) for system in _SYSTEM):
        return ()
    private = (Path.home().resolve(), Path("/tmp"))  # noqa: S108
    open_places = (place for place in (path.parent.parent, path.parent) if not any(home.is_relative_to(place) for home in private))
    return [str(next(open_places, path))]


def starts(command: Sequence[str]) -> bool:
    """Whether this command ends with success, within a few seconds; asked once."""
    return shutil.which(command[0]) is not None and _status(tuple(command)) == 0


@functools.cache
def _status(command: Sequence[str]) -> int | None:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
