"""How a command ends: every error becomes one sentence, a hint and an exit status (docs/exit-codes.md)."""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import typer

from xboot.cli.consoles import err
from xboot.errors import XbootError
from xboot.foreign import printable
from xboot.show.safe import marked

_INTERRUPTED = 130
_OURS = "xboot-"
"""Threads of this name ask other programs something (`xboot_qemu.said`): they have nothing to finish."""
_ELSEWHERE = "XBOOT_CACHE, XBOOT_STORE and XBOOT_RESULTS name other folders to write to"
_FULL = f"free some space (`xboot cache prune` removes what can be made again), or go elsewhere: {_ELSEWHERE}"
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_HINTS = {
    **dict.fromkeys(_FULL_DISK, _FULL),
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.EROFS: _ELSEWHERE,
}


def run_to_end(command: Callable[..., object]) -> NoReturn:
    """Run the command line `command` and end the process: every error becomes one sentence, a hint, and an exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    logging.basicConfig(handlers=[_Said()], level=logging.WARNING)
    gc.disable()  # a graph of 5,000 derivations has no cycles to collect, and looking for them costs a third of the time
    status = _guarded(command)
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, signal.SIG_IGN)  # nothing is left to interrupt
    gc.freeze()  # or the interpreter would look for cycles after all, at its end: a tenth of a second
    _leave(status)


def _leave(status: int) -> NoReturn:
    """End the process. Where nothing else runs in it, without taking apart object by object what the system takes back as a whole: that is
    20 ms, the tenth part of what a command takes that boots nothing.
    """
    if any(thread is not threading.main_thread() and not thread.name.startswith(_OURS) for thread in threading.enumerate()):
        sys.exit(status)  # it waits for them
    atexit._run_exitfuncs()
    for stream in (sys.stdout, err.file):
        with suppress(OSError, AttributeError, ValueError):  # closed, or none at all; a full disk was told before
            stream.flush()
    os._exit(status)


class _Said(logging.Handler):
    """What the stages have to say beside their result, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(printable(record.getMessage()), soft_wrap=True, highlight=False, markup=False, emoji=False)


def _terminated(*_: object) -> None:
    """The same orderly end as by Ctrl-C, also where that is ignored, as in what a script has started in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def _drop_output() -> None:
    """What could not be written would be tried again at the interpreter's end, with a message and a status of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _guarded(command: Callable[..., object]) -> int:
    try:
        outcome = command(prog_name="xboot", standalone_mode=False)
        sys.stdout.flush()  # a full disk behind it is an error of ours, not of the interpreter's end
        if outcome == _INTERRUPTED:  # typer catches Ctrl-C itself
            raise KeyboardInterrupt
        return outcome if isinstance(outcome, int) else 0
    except XbootError as error:
        err.print(f"[bold red]error:[/] {marked(error.message)}", soft_wrap=True, highlight=False)
        if error.hint:
            err.print(f"[bold]hint:[/] {marked(error.hint)}", soft_wrap=True, highlight=False)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        err.print("interrupted; nothing was left running")
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 141
    except OSError as error:
        _drop_output()
        # Of a copy both ends are named; a full disk is that of the second.
        name = error.filename2 if error.filename2 and error.errno in _FULL_DISK else error.filename
        where = f"{os.fsdecode(name) if isinstance(name, bytes) else name}: " if name else ""
        err.print(f"[bold red]error:[/] {marked(where + (error.strerror or str(error)))}", soft_wrap=True, highlight=False)
        hint = _HINTS.get(error.errno or 0)
        if hint:
            err.print(f"[bold]hint:[/] {hint}", soft_wrap=True, highlight=False)
        return 4
    except Exception as error:
        if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # click's own usage errors
            err.print(f"[bold red]error:[/] {marked(error.format_message())}", soft_wrap=True, highlight=False)
            return 2
        with tempfile.NamedTemporaryFile("w", prefix="xboot-bug-", suffix=".txt", delete=False) as file:
            traceback.print_exc(file=file)
        err.print(f"[bold red]error:[/] this is a bug in xboot: {marked(f'{type(error).__name__}: {error}')}", soft_wrap=True)
        err.print(f"[bold]hint:[/] please report it with the file {file.name}")
        return 70
