"""`--notify CMD`: a program of the user's that is told how a long run ended. What becomes of it changes no verdict and no exit status."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from xboot.cli.consoles import err
from xboot.errors import UsageError, XbootError
from xboot.foreign import printable
from xboot.show.report import EXIT_INTERRUPTED, to_json

__all__ = ["Ending", "notifying"]

_STDERR = 2  # standard output may be a report
_PATIENCE = 60.0  # seconds that the program may take


@dataclass(slots=True)
class Ending:
    """How a command ends: `verdict` as in its report, or `error`; its exit status; its report, or the error's sentence."""

    verdict: str = "error"
    status: int = 70
    report: dict[str, Any] | None = None

    def set(self, report: dict[str, Any], status: int) -> None:
        """What came of a run that has a report."""
        self.verdict, self.status, self.report = str(report["verdict"]), status, report


@contextmanager
def notifying(command: str | None, targets: Sequence[str]) -> Iterator[Ending]:
    """Run `command`, split into words as a shell would and without one, when the block has ended in whatever way. It gets `XBOOT_VERDICT`
    and `XBOOT_STATUS`, and the report as JSON on its standard input; what it prints goes to standard error.

    Raises UsageError, before the block, for a command that is none.
    """
    words = _words(command) if command is not None else []
    ending = Ending()
    try:
        yield ending
    except KeyboardInterrupt:
        ending.verdict, ending.status = "interrupted", EXIT_INTERRUPTED
        raise
    except XbootError as error:
        ending.status, ending.report = error.exit_code, {"error": error.message, "hint": error.hint or None}
        raise
    except OSError as error:
        ending.status, ending.report = 4, {"error": str(error), "hint": None}
        raise
    finally:
        if words:
            _tell(words, ending, targets)


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--notify {command}: {error}") from None
    if not words or shutil.which(words[0]) is None:
        raise UsageError(f"--notify {command}: there is no program {words[0] if words else ''!r}", hint="name one, with its arguments")
    return words


def _tell(words: Sequence[str], ending: Ending, targets: Sequence[str]) -> None:
    env = os.environ | {"XBOOT_VERDICT": ending.verdict, "XBOOT_STATUS": str(ending.status)}
    told = {"targets": list(targets), "verdict": ending.verdict, "status": ending.status, "report": ending.report}
    err.file.flush()
    try:
        done = subprocess.run(words, input=to_json(told).encode(), env=env, stdout=_STDERR, timeout=_PATIENCE, check=False)
        why = f"ended with {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        why = f"was ended after {_PATIENCE:.0f} s"
    except OSError as error:
        why = f"did not start: {error.strerror or error}"
    if why:
        err.print(printable(f"--notify: {words[0]} {why}; the verdict stands"), soft_wrap=True, highlight=False, markup=False)
