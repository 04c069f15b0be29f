"""What sealed steps cost: examples/chain with one boot for all steps, and with one for each, on every backend, in one run, under TCG.

    python -m bench.sealed [--fixpoint] [--jobs N] [BACKEND…]

`--fixpoint`: only the four steps of the fixpoint, which are short, so that a boot weighs more. `--jobs N`: also N boots at once.
The seconds are from the (first) machine's start to the (last) one's end; with several boots, packing is among them. Backends begin with
the one kind and the other by turns; nothing is taken from earlier runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.kernels import CHAIN, _backends
from bench.start import XBOOT


def _run(backend: str, target: str, folder: Path, *more: str) -> tuple[float, dict[str, str]]:
    """Seconds of the machines, as the report has them, and the hashes. Raises when the run fails."""
    command = [*XBOOT, "run", "--json", "--quiet", "--accel", "tcg", "--backend", backend, *more, target]
    env = os.environ | {"XBOOT_RESULTS": str(folder / "results"), "XBOOT_RESULTS_KEY": str(folder / "key")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env)
    report: dict[str, Any] = json.loads(done.stdout)
    return float(report["seconds"]), {output["path"]: output["narSha256"] for output in report["outputs"]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a backend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixpoint", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("backends", nargs="*")
    wanted = parser.parse_args(arguments)
    target = f"{CHAIN}:fixpoint" if wanted.fixpoint else str(CHAIN)
    kinds = {"one boot": ["--seal", "run"], "sealed": ["--seal", "steps", "--fresh"]}
    if wanted.jobs > 1:
        kinds[f"{wanted.jobs} at once"] = ["--seal", "steps", "--fresh", "--jobs", str(wanted.jobs)]
    print(f"{'seconds':<10}" + "".join(f"{kind:>12}" for kind in kinds) + f"{'sealed/one':>14}")
    for turn, backend in enumerate(wanted.backends or _backends()):
        with tempfile.TemporaryDirectory() as folder:
            order = list(kinds) if turn % 2 else list(kinds)[::-1]
            found = {kind: _run(backend, target, Path(folder), *kinds[kind]) for kind in order}
        hashes = [took[1] for took in found.values()]
        if any(one != hashes[0] for one in hashes):
            raise SystemExit(f"{backend}: the hashes differ")
        shown = "".join(f"{found[kind][0]:>12.1f}" for kind in kinds)
        print(f"{backend:<10}{shown}{found['sealed'][0] / found['one boot'][0]:>14.2f}", flush=True)


if __name__ == "__main__":
    main()
