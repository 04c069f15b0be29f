"""The verb `check-screen`: is what a PC showed by itself what a recorded run had?"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from xboot.attest.screen import hold, read_shown
from xboot.show import report
from xboot.show.safe import marked

UNATTENDED = "unattended: believed as far as you believe the screen"


def check_screen(text: str, file: Path, console: Console, *, as_json: bool) -> int:
    """Hold a screen's text against the runs of a report; the exit status. Raises UsageError for a text that is none, InputError for a
    report that is none.
    """
    shown = read_shown(text)
    found, failures = hold(shown, file)
    for voter, difference in found.items():
        word = "[red]differs[/]" if difference else "[green]agrees [/]"
        said = difference or f"script and transcript are those of its run, {shown.transcript}"
        console.print(f"{word} {marked(voter)}: {marked(said)}", soft_wrap=True, highlight=False)
    for voter, why in failures.items():
        console.print(f"[yellow]no word[/] {marked(voter)}: it did not come to its end: {marked(why)}", soft_wrap=True, highlight=False)
    console.print(UNATTENDED, soft_wrap=True, highlight=False)
    if as_json:
        agrees = {voter: not difference for voter, difference in found.items()}
        whole = {"unattended": True, "transcriptSha256": shown.transcript, "agrees": agrees, "failed": list(failures)}
        print(report.to_json(whole))
    return report.EXIT_DIFFERS if any(found.values()) else report.EXIT_OK
