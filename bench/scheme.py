"""The two executors of linux side by side, under TCG in one run: how quickly each serialises and hashes an output in the guest.

    python -m bench.scheme [--chain]

`--chain` also times the fixpoint of examples/chain with each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.start import XBOOT
from bench.writing import writing
from xboot.testing.recipes import recipe_text, shell_step

CHAIN = Path(__file__).parent.parent / "examples" / "chain" / "recipe.toml"
EXECUTORS = ("c", "scheme")
LIMIT = 10.0
"""Seconds that an output of five megabytes may take."""

_SIZES = (5, 32)
_RUNS = 3  # the best of them counts


def _run(executor: str, target: str) -> dict[str, Any]:
    """The report. Raises when the run fails, since a benchmark of a failure says nothing."""
    command = [*XBOOT, "run", "--json", "--seal", "run", "--accel", "tcg", "-b", f"linux/{executor}", target]
    done = subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its figures. Fails when five megabytes take longer than they may."""
    parser = argparse.ArgumentParser(prog="bench.scheme", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chain", action="store_true")
    options = parser.parse_args(arguments)
    rows: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="xboot-bench-") as folder:
        recipe = Path(folder) / "recipe.toml"
        commands = {name: shell_step(words) for size in _SIZES for name, words in writing(size, f"-{size}").items()}
        recipe.write_text(recipe_text(commands))
        for executor in EXECUTORS:
            took: dict[str, float] = {}
            for output in (output for _ in range(_RUNS) for output in _run(executor, str(recipe))["outputs"]):
                name = output["drv"][44:].removesuffix(".drv")
                took[name] = min(output["seconds"], took.get(name, output["seconds"]))
            for size in _SIZES:
                rows.setdefault(f"a step with an output of {size} MB (s)", []).append(took[f"hashed-{size}"])
            size = _SIZES[-1]
            speed = size / max(took[f"hashed-{size}"] - took[f"unhashed-{size}"], 1e-3)
            rows.setdefault("NAR and SHA-256 (MB/s)", []).append(speed)
            if options.chain:
                rows.setdefault("tcc fixpoint, machine (s)", []).append(float(_run(executor, f"{CHAIN}:fixpoint")["seconds"]))
    print(f"{'executor':<40}" + "".join(f"{executor:>12}" for executor in EXECUTORS))
    for row, values in rows.items():
        print(f"{row:<40}" + "".join(f"{value:>12.4g}" for value in values))
    five = rows[f"a step with an output of {_SIZES[0]} MB (s)"][EXECUTORS.index("scheme")]
    if five > LIMIT:
        raise SystemExit(f"bench.scheme: 5 MB took {five:.1f} s, more than {LIMIT:.0f} s")


if __name__ == "__main__":
    main()
