"""Serial lines of this host."""

from __future__ import annotations

import fcntl
import os
import stat
import termios
import tty
from typing import IO

from xboot.errors import UsageError

__all__ = ["open_line"]

_SPEED = termios.B115200  # what a guest sets (docs/media.md)


def open_line(path: str) -> IO[bytes]:
    """Open a serial line for us alone: 115200 baud, 8 bits, no parity, every byte as it is, nothing left of what came before; it does not
    block. Raises UsageError for what cannot be opened, is no serial line, or is in use.
    """
    try:
        line = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        hint = (
            "its owners are a group (`ls -l` names it, often dialout): join it"
            if isinstance(error, PermissionError)
            else "is the cable in?"
        )
        raise UsageError(f"serial line {path}: {error.strerror}", hint=hint) from error
    try:
        _set_up(line, path)
        return os.fdopen(line, "r+b", 0)
    except BaseException:
        os.close(line)
        raise


def _set_up(line: int, path: str) -> None:
    if not stat.S_ISCHR(os.fstat(line).st_mode) or not os.isatty(line):
        raise UsageError(f"serial line {path}: it is no serial line", hint="`ls /dev/serial/by-id` lists those of USB adapters")
    try:
        fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise UsageError(f"serial line {path}: another program uses it", hint="wait until it ends, or name another line") from error
    tty.setraw(line)
    settings = termios.tcgetattr(line)
    settings[2] |= termios.CREAD | termios.CLOCAL  # no modem
    settings[2] &= ~(termios.CSTOPB | getattr(termios, "CRTSCTS", 0))
    settings[4] = settings[5] = _SPEED
    termios.tcsetattr(line, termios.TCSANOW, settings)
    termios.tcflush(line, termios.TCIOFLUSH)
