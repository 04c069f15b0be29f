"""What sealed steps cost: examples/chain with one boot for all steps, and with one for each, on every backend, in one run, under TCG.

    python -m bench.sealed [--fixpoint | --short] [--jobs N] [BACKEND…]

`--fixpoint`: only the four steps of the fixpoint, which are short, so that a boot weighs more; `--short`: all seven but mescc and what it
alone needs, which takes four fifths of the whole. `--jobs N`: also N boots at once.
The seconds are from the (first) machine's start to the (last) one's end; with several boots, packing is among them. Beside them stand
the processor's seconds, of xboot and all that it started: they are what to compare where others use the machine too. Backends begin
with the one kind and the other by turns; nothing is taken from earlier runs.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.kernels import CHAIN, _backends
from bench.measure import measured


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a backend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixpoint", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("backends", nargs="*")
    wanted = parser.parse_args(arguments)
    target = f"{CHAIN}:fixpoint" if wanted.fixpoint else f"{CHAIN}:scheme,hello,fixpoint" if wanted.short else str(CHAIN)
    kinds = {"one boot": ["--seal", "run"], "sealed": ["--seal", "steps", "--fresh"]}
    if wanted.jobs > 1:
        kinds[f"{wanted.jobs} at once"] = ["--seal", "steps", "--fresh", "--jobs", str(wanted.jobs)]
    print(f"{'seconds':<10}" + "".join(f"{kind:>12}{'processor':>11}" for kind in kinds) + f"{'sealed/one':>14}")
    for turn, backend in enumerate(wanted.backends or _backends()):
        with tempfile.TemporaryDirectory() as folder:
            order = list(kinds) if turn % 2 else list(kinds)[::-1]
            found = {kind: measured(backend, target, Path(folder), *kinds[kind]) for kind in order}
        hashes = [took.hashes for took in found.values()]
        if any(one != hashes[0] for one in hashes):
            raise SystemExit(f"{backend}: the hashes differ")
        shown = "".join(f"{found[kind].seconds:>12.1f}{found[kind].processor:>11.1f}" for kind in kinds)
        print(f"{backend:<10}{shown}{found['sealed'].processor / found['one boot'].processor:>14.2f}", flush=True)


if __name__ == "__main__":
    main()
