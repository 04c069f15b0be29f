"""`make fuzz HOURS=n`: every target in turn, in slices, until the time is over; the executor's in C, the host's in Python.

What the targets find new is kept in build/fuzz/TARGET for the next run, and how many inputs each has executed, over all runs, in
build/fuzz/counts.json. A crash ends the run with status 1 and stays there as a file; SIGTERM ends it after what runs is counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "c"))

import build as c_targets  # noqa: E402

SLICE = 40.0
"""Seconds that a target runs before the next has its turn."""
LENGTHS = (256, 4096)
"""The longest input in bytes, in one round and in the next: short ones are ten times as many, long ones reach further."""


def commands(work: Path) -> Mapping[str, list[str]]:
    """Name → how the target is started, libFuzzer's options to follow. The Python targets only where atheris is installed."""
    found = {}
    for name in c_targets.TARGETS:
        found[f"c/{name}"] = [str(c_targets.build(name, work)), str(HERE / "c" / "corpus" / name)]
    python = HERE / "python"
    if (python / "run.py").exists() and importlib.util.find_spec("atheris"):
        listed = subprocess.run(
            [sys.executable, "-c", "import targets; print(*targets.TARGETS)"], cwd=python, capture_output=True, text=True, check=True
        )
        for name in listed.stdout.split():
            found[f"python/{name}"] = [sys.executable, str(python / "run.py"), name]
    else:
        print("fuzz: without the Python targets (atheris is not installed)", file=sys.stderr)
    return found


class Campaign:
    """All targets, one at a time, until the deadline or SIGTERM; counts are kept over runs."""

    def __init__(self, work: Path, deadline: float) -> None:
        self.work, self.deadline = work, deadline
        self.stopped = False
        self.failed: set[str] = set()
        self._running: subprocess.Popen[str] | None = None
        self._file = work / "counts.json"
        self.counts: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """The target that runs ends as libFuzzer does at SIGINT: with its statistics."""
        self.stopped = True
        if self._running:
            self._running.send_signal(signal.SIGINT)

    def turn(self, name: str, command: list[str], longest: int) -> None:
        """One slice of one target."""
        kept = self.work / name
        kept.mkdir(parents=True, exist_ok=True)
        seconds = max(1, round(min(SLICE, self.deadline - time.monotonic())))
        options = [f"-max_total_time={seconds}", f"-max_len={longest}", "-timeout=30", "-print_final_stats=1", f"-artifact_prefix={kept}-"]
        # the first folder gets what is new; a target's own folder stays as it is in the tree
        program, *rest = command
        script = rest[:2] if program == sys.executable else []
        with (self.work / "log").open("w+") as log:
            self._running = subprocess.Popen(
                [program, *script, *options, str(kept), *rest[len(script) :]], stdout=log, stderr=log, text=True
            )
            status = self._running.wait()
            self._running = None
            log.seek(0)
            told = log.read()
        executed = re.findall(r"number_of_executed_units: (\d+)", told)
        self.counts[name] = self.counts.get(name, 0) + sum(map(int, executed))
        self._file.write_text(json.dumps(self.counts, indent=1, sort_keys=True) + "\n")
        print(f"fuzz: {name}: {self.counts[name]:,}", flush=True)
        if status and not self.stopped:
            self.failed.add(name)
            print(told[-4000:], flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, required=True, help="for all targets together")
    parser.add_argument("--only", default="", help="only targets whose name begins so: c/, python/, c/nar")
    options = parser.parse_args()
    work = HERE.parents[1] / "build" / "fuzz"
    work.mkdir(parents=True, exist_ok=True)
    targets = {name: command for name, command in commands(work).items() if name.startswith(options.only)}
    campaign = Campaign(work, time.monotonic() + options.hours * 3600)
    signal.signal(signal.SIGTERM, campaign.stop)
    for number in itertools.count():
        for name, command in targets.items():
            if campaign.stopped or time.monotonic() >= campaign.deadline:
                break
            if name not in campaign.failed:
                campaign.turn(name, command, LENGTHS[number % len(LENGTHS)])
        else:
            if len(campaign.failed) < len(targets):
                continue
        break
    total = sum(campaign.counts.values())
    print(f"fuzz: {total:,} executions so far; {len(targets)} targets, failed: {' '.join(sorted(campaign.failed)) or 'none'}")
    return bool(campaign.failed)


if __name__ == "__main__":
    sys.exit(main())
