"""The kernels side by side: one small static program, of each system the same binary on every backend, and the tcc fixpoint; under TCG.

    python -m bench.kernels [--systems i686-linux,x86_64-linux] [--chain] [--whole]

The program is compiled for each system, and runs where that is offered. `--chain` also times the fixpoint of examples/chain on every
backend, `--whole` all of its nine steps.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.start import XBOOT
from bench.writing import writing
from xboot.testing.recipes import recipe_text, shell_step

PROGRAM = Path(__file__).parent.parent / "core" / "xboot" / "testing" / "programs" / "microbench.c"
CHAIN = Path(__file__).parent.parent / "examples" / "chain" / "recipe.toml"
PEER = "linux"
SYSTEMS = {"i686-linux": "-m32", "x86_64-linux": "-m64"}  # and what gcc is told

_LINE = re.compile(r"^([a-z][^\n\t:]*?) (\d+) (/s|MiB/s|us each)\r?$", re.MULTILINE)

_MEGABYTES = 32


def _run(backend: str, target: str, log: Path) -> float:
    """Seconds of the machine. Raises when the run fails, since a benchmark of a failure says nothing."""
    # mirage's clock moves with the calls that are made, unless it is told to follow the machine: only that measures anything
    settings = ["--set", "clock=real"] if backend == "mirage" else []
    command = [*XBOOT, "run", "--json", "--seal", "run", "--accel", "tcg", "--backend", backend, *settings, "--log", str(log), target]
    done = subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _backends(system: str) -> list[str]:
    shown = subprocess.run([*XBOOT, "backends", "--json"], check=True, capture_output=True, text=True).stdout
    names = [name for name, info in json.loads(shown)["backends"].items() if system in info["systems"]]
    return sorted(names, key=lambda name: (name != PEER, name))


def _table(title: str, rows: dict[str, dict[str, float]]) -> None:
    """One line a measure, and below it how many times as fast as the peer each is. Rates end with `/s)`, all else is time."""
    names = list(next(iter(rows.values())))
    print(f"{title:<58}" + "".join(f"{name:>12}" for name in names))
    for row, values in rows.items():
        print(f"{row:<58}" + "".join(f"{values[name]:>12.4g}" for name in names))
        if PEER in values:
            ratios = [values[name] / values[PEER] if row.endswith("/s)") else values[PEER] / values[name] for name in names]
            print(f"{'  times as fast as ' + PEER:<58}" + "".join(f"{ratio:>12.2f}" for ratio in ratios))


def _microbench(system: str, backends: Sequence[str], folder: Path) -> None:
    binary = folder / "microbench"
    flags = [SYSTEMS[system], "-O1", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-nostdlib", "-static"]
    subprocess.run(["gcc", *flags, "-o", str(binary), str(PROGRAM)], check=True)
    recipe = folder / "recipe.toml"
    hashed = {name: shell_step(commands) for name, commands in writing(_MEGABYTES).items()}
    microbench = shell_step("{program} {busybox}/bin/true && echo done > $out")
    sources = {"program": {"type": "file", "path": str(binary)}}
    recipe.write_text(recipe_text({"microbench": microbench, **hashed}, sources, system=system))
    rows: dict[str, dict[str, float]] = {}
    for backend in backends:
        log = folder / f"{backend}.log"
        report = _run(backend, str(recipe), log)
        took = {output["drv"][44:].removesuffix(".drv"): output["seconds"] for output in report["outputs"]}
        speed = _MEGABYTES / max(took["hashed"] - took["unhashed"], 1e-3)
        rows.setdefault("the executor: NAR and SHA-256 (MB/s)", dict.fromkeys(backends, float("nan")))[backend] = speed
        for name, value, unit in _LINE.findall(log.read_text(errors="replace")):
            rows.setdefault(f"{name.strip()} ({unit.strip()})", dict.fromkeys(backends, float("nan")))[backend] = float(value)
    _table(f"microbench, {system}", rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="bench.kernels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chain", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="xboot-bench-") as name:
        folder = Path(name)
        for system in options.systems.split(","):
            if system not in SYSTEMS or not (backends := _backends(system)):
                sys.exit(f"bench.kernels: no backend runs {system}, or there is no program for it")
            _microbench(system, backends, folder)
        if options.chain or options.whole:
            target = str(CHAIN) if options.whole else f"{CHAIN}:fixpoint"
            times = {backend: float(_run(backend, target, folder / "chain.log")["seconds"]) for backend in _backends("i686-linux")}
            _table("the chain" if options.whole else "tcc fixpoint", {"machine (s)": times})


if __name__ == "__main__":
    main()
