"""Run by `unshare` in namespaces of its own: mounts what a build sees, makes the toolroot /, and becomes the program.

inside.py ROOT WORK FOLDER NUMBER VARIABLE… COMMAND…   (NUMBER variables NAME=VALUE; needs Python's standard library alone)
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18
_NO_SUID, _NO_DEVICES = 2, 4
_TIMES = 1024 | 2048  # noatime, nodiratime: the same bits in statvfs and mount


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, None):
        number = ctypes.get_errno()
        sys.exit(f"{target} cannot be mounted: {os.strerror(number)}")


def main(arguments: list[str]) -> None:
    """Never returns: ends as the program, or with a message."""
    root, work, folder, number = arguments[:4]
    variables, command = arguments[4 : 4 + int(number)], arguments[4 + int(number) :]
    _mount("none", "/", "none", _PRIVATE | _RECURSIVE)
    _mount(root, root, "none", _BIND)
    kept = os.statvfs(root).f_flag & _TIMES  # what a mount has of these, nobody but its owner may take away
    _mount("none", root, "none", _BIND | _REMOUNT | _READ_ONLY | _NO_SUID | _NO_DEVICES | kept)
    _mount("tmpfs", f"{root}/tmp", "tmpfs", _NO_SUID | _NO_DEVICES)  # noqa: S108 - its own
    _mount("tmpfs", f"{root}/dev", "tmpfs", _NO_SUID)
    for name in ("null", "zero", "full", "random", "urandom"):
        with open(f"{root}/dev/{name}", "wb"):
            pass
        _mount(f"/dev/{name}", f"{root}/dev/{name}", "none", _BIND)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"{root}/dev/{name}")
    _mount("proc", f"{root}/proc", "proc", _NO_SUID | _NO_DEVICES)
    _mount(work, f"{root}/build", "none", _BIND)
    socket.sethostname("xboot")
    os.chroot(root)
    os.chdir(folder)
    environment = dict(variable.split("=", 1) for variable in variables)
    problem = "No such file or directory"
    for place in [""] if "/" in command[0] else environment["PATH"].split(":"):
        try:
            os.execve(os.path.join(place, command[0]), command, environment)  # noqa: S606 - this is what it is for
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = str(error.strerror)
    sys.exit(f"{command[0]}: {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
