"""What a guest that ran without a host shows on its screen (docs/media.md), held against reports of other runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from xboot.attest.reports import recorded_runs
from xboot.errors import InputError, UsageError
from xboot.foreign import printable

__all__ = ["Shown", "differences", "read_shown"]

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


def differences(shown: Shown, report: Path) -> Mapping[str, str]:
    """Voter → what of its run is another than on the screen, in words, or empty; for every run in `report` that came to its end. Raises
    InputError for a report that is none, or with no such run.
    """
    runs = recorded_runs(report)
    if not runs:
        raise InputError(f"{report}: no run in it came to its end; there is nothing to hold a screen against")
    return {voter: _difference(shown, Shown(*run)) for voter, run in runs.items()}


def _difference(shown: Shown, run: Shown) -> str:
    if shown.script not in ("", run.script):
        return f"it ran another script, {run.script}, not {shown.script}"
    if shown.transcript != run.transcript:
        return f"its transcript has SHA-256 {run.transcript}, not {shown.transcript}: a source or an output is another"
    return ""
