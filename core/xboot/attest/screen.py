"""What a guest that ran without a host shows on its screen (docs/media.md), held against reports of other runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from xboot.attest.reports import Recorded, recorded_runs
from xboot.errors import InputError, UsageError
from xboot.foreign import printable

__all__ = ["Held", "Shown", "hold", "read_shown"]

_TEXT = re.compile(r"(?:XBOOT1:([0-9A-F]{64}):)?([0-9A-F]{64})", re.IGNORECASE)


class Shown(NamedTuple):
    """Of the script (empty: only the transcript was given) and of the transcript, in lower-case hex."""

    script: str
    transcript: str


def read_shown(text: str) -> Shown:
    """The text of the QR code, or the 64 digits of the transcript alone, as somebody types them: blanks, ends of lines and case do not
    matter. Raises UsageError for anything else.
    """
    found = _TEXT.fullmatch("".join(text.split()))
    if found is None:
        raise UsageError(
            f"{printable(text, 60)!r} is not what such a screen shows",
            hint="give the QR code's text (XBOOT1:… with two hashes), or the 64 digits below `transcript sha256`",
        )
    return Shown((found[1] or "").lower(), found[2].lower())


class Held(NamedTuple):
    """`differences`: name of a run that came to its end → what of it is another than on the screen, or is not what was expected, in words,
    or empty. `failures`: name of another run → why it did not.
    """

    differences: Mapping[str, str]
    failures: Mapping[str, str]


def hold(shown: Shown, report: Path) -> Held:
    """The runs in `report` held against the screen. Raises InputError for a report that is none, or with no run to its end."""
    runs = recorded_runs(report)
    ended = {name: _difference(shown, run) for name, run in runs.items() if not run.failure}
    if not ended:
        raise InputError(f"{report}: no run in it came to its end; there is nothing to hold a screen against")
    return Held(ended, {name: run.failure for name, run in runs.items() if run.failure})


def _difference(shown: Shown, run: Recorded) -> str:
    if shown.script not in ("", run.script):
        return f"it ran another script, {printable(run.script, 64)}, not {shown.script}"
    if shown.transcript != run.transcript:
        return f"its transcript has SHA-256 {run.transcript}, not {shown.transcript}: a source or an output is another"
    return "a source or an output of it is not what was expected" if run.differs else ""
