"""The verb `check-screen`: is what a PC showed by itself what a recorded run had?"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from xboot.attest.screen import differences, read_shown
from xboot.show import report
from xboot.show.safe import marked

UNATTENDED = "unattended: believed as far as you believe the screen"


def check_screen(text: str, file: Path, console: Console, *, as_json: bool) -> int:
    """Hold a screen's text against the runs of a report; the exit status. Raises UsageError for a text that is none, InputError for a
    report that is none.
    """
    shown = read_shown(text)
    found = differences(shown, file)
    for voter, difference in found.items():
        word = "[red]differs[/]" if difference else "[green]agrees [/]"
        said = difference or f"script and transcript are those of its run, {shown.transcript}"
        console.print(f"{word} {marked(voter)}: {marked(said)}", soft_wrap=True, highlight=False)
    console.print(UNATTENDED, soft_wrap=True, highlight=False)
    if as_json:
        print(report.to_json({"unattended": True, "transcriptSha256": shown.transcript, "agrees": {v: not d for v, d in found.items()}}))
    return report.EXIT_DIFFERS if any(found.values()) else report.EXIT_OK
