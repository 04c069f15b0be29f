"""`make fuzz HOURS=n`: every target one after the other, each for its share of the time; the executor's in C, the host's in Python.

What the targets find new is kept in build/fuzz/TARGET for the next run. A crash ends the run with status 1 and stays there as a file.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "c"))

import build as c_targets  # noqa: E402


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, required=True, help="for all targets together")
    hours: float = parser.parse_args().hours
    work = HERE.parents[1] / "build" / "fuzz"
    work.mkdir(parents=True, exist_ok=True)
    all_targets = commands(work)
    seconds = max(1, round(hours * 3600 / len(all_targets)))
    failed = []
    for name, command in all_targets.items():
        kept = work / name
        kept.mkdir(parents=True, exist_ok=True)
        options = [f"-max_total_time={seconds}", "-timeout=30", "-print_final_stats=1", f"-artifact_prefix={kept}-"]
        print(f"fuzz: {name} for {seconds} s", flush=True)
        # the first folder gets what is new; a target's own folder stays as it is in the tree
        program, *rest = command
        script = rest[:2] if program == sys.executable else []
        if subprocess.run([program, *script, *options, str(kept), *rest[len(script) :]], check=False).returncode:
            failed.append(name)
    print(f"fuzz: {len(all_targets)} targets, failed: {' '.join(failed) or 'none'}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
