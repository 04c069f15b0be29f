"""The verb `runs`: what runs of several boots have left, and how far they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from xboot.foreign import printable
from xboot.segments.store import ResultsStore
from xboot.show.report import to_json
from xboot.words import counted


def runs(console: Console, *, as_json: bool) -> None:
    """The runs, the latest first. What is noted of them is for people alone: nothing is verified by it."""
    with ResultsStore() as store:
        found = [row for name, body, going in store.runs() if (row := _row(name, body, going)) is not None]
    if as_json:
        print(to_json(found))
        return
    table = Table("state", "boots", "last", "voter", "plan", "targets", box=None, pad_edge=False)
    for row in found:
        when = datetime.fromtimestamp(row["changed"], UTC).strftime("%Y-%m-%d %H:%M")
        targets = printable(" ".join(row["targets"]), 200)
        table.add_row(row["state"], f"{row['done']}/{row['boots']}", when, row["voter"], row["planSha256"][:16], targets)
    if found:
        console.print(table)
    left = sum(row["state"] == "unfinished" for row in found)
    console.print(f"{counted(len(found), 'run')}, {left} unfinished, in {store.root}", highlight=False, soft_wrap=True, markup=False)


def prune(console: Console, days: float, size: int | None) -> None:
    """Remove results that were not used for `days` days, and what is too much for `size` MiB."""
    with ResultsStore() as store:
        removed = store.prune(days * 86400 if days or size is None else float("inf"), None if size is None else size << 20)
    console.print(f"removed {removed.removed} results, {removed.size / 1e6:.1f} MB", highlight=False)


def _row(name: str, body: dict[str, Any], going: bool) -> dict[str, Any] | None:
    """What is shown of one run; None when the file is no note of one."""
    try:
        done, boots = int(body["done"]), int(body["segments"])
        targets = [str(target) for target in body["targets"]]
        began, changed = float(body["began"]), float(body["changed"])
        plan, voter = printable(str(body["plan"]), 64), printable(str(body["voter"]), 60)
        datetime.fromtimestamp(changed, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    state = "running" if going else "done" if done == boots else "unfinished"
    return {
        "run": name, "state": state, "done": done, "boots": boots, "began": began, "changed": changed, "voter": voter,
        "planSha256": plan, "targets": targets,
    }  # fmt: skip
