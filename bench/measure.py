"""One command, measured: seconds of its machines, and the processor's, of xboot and all that it started."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from bench.start import XBOOT

_TICKS = os.sysconf("SC_CLK_TCK")
_EVERY = 0.2  # seconds between two looks at the processes: what one uses after the last look is not counted


class Took(NamedTuple):
    """Seconds of the run, as the report has them; the processor's, of all that was started, and of xboot's process alone; the report."""

    seconds: float
    processor: float
    own: float
    report: dict[str, Any]

    @property
    def hashes(self) -> dict[str, str]:
        """The outputs' hashes by path."""
        return {output["path"]: output["narSha256"] for output in self.report["outputs"]}


def measured(backend: str, target: str, folder: Path, *more: str) -> Took:
    """Run `target` once, with a results store in `folder`. Raises SystemExit when the run fails."""
    command = [*XBOOT, "run", "--json", "--quiet", "--accel", "tcg", "--backend", backend, *more, target]
    env = os.environ | {"XBOOT_RESULTS": str(folder / "results"), "XBOOT_RESULTS_KEY": str(folder / "key")}
    with (folder / "report.json").open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
        used: dict[tuple[int, str], float] = {}
        while process.poll() is None:
            used |= _used(process.pid)
            time.sleep(_EVERY)
    if process.returncode:
        raise SystemExit((process.stderr.read() if process.stderr else b"").decode(errors="replace"))
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    own = max((seconds for (number, _), seconds in used.items() if number == process.pid), default=0.0)
    return Took(float(report["seconds"]), sum(used.values()), own, report)


def _used(root: int) -> dict[tuple[int, str], float]:
    """Of a process and its descendants, by number and start: the processor's seconds until now. Machines end without anybody who counts."""
    parents, found = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                number = int(entry.name)
                parents[number] = int(fields[1])
                found[number] = (fields[19], (int(fields[11]) + int(fields[12])) / _TICKS)
    mine = {root}
    while more := {number for number, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return {(number, found[number][0]): found[number][1] for number in mine & found.keys()}
