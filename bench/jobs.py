"""What `--jobs 2` gains on two processors: equal steps, a boot for each, one at once and two at once, in one run, under TCG.

    python -m bench.jobs [--steps N] [--mebibytes N] [--turns N] [--cluster] [--save FILE] [BACKEND…]

No step sees another's output. Each hashes so many MiB of zeros, which keeps a processor busy, and writes 4 MiB, which the host hashes.
Then examples/chain without mescc: seven steps, of which few can run at once. One of the equal steps alone shows what is not of a boot.
The two kinds take turns, each as often as `--turns` says; the best of each counts. Beside the seconds, which are the report's (so that
neither reading the graph nor what the backend prepares is in them), stand the processor's, of all and of xboot's own process: where others
use the machine, seconds per processor's second show how much of it the run had. `--cluster`: also `local:1` and `local:2`. `--save`:
write what `bench.simulate` reads.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.kernels import CHAIN
from bench.measure import Took, measured
from xboot.testing.recipes import recipe_text, shell_step

_WRITTEN = 4  # MiB


def wide_recipe(steps: int, mebibytes: int) -> str:
    """The recipe of so many steps that do not see each other, and hash so many MiB each."""
    work = (
        f"{{busybox}}/bin/busybox head -c {mebibytes << 20} /dev/zero | {{busybox}}/bin/busybox md5sum > $out; "
        f"{{busybox}}/bin/busybox head -c {_WRITTEN << 20} /dev/zero >> $out; echo $name >> $out"
    )
    return recipe_text({f"wide{n}": shell_step(work) for n in range(1, steps + 1)})


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each backend, plan and kind, and the speed-up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--mebibytes", type=int, default=64)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("backends", nargs="*")
    wanted = parser.parse_args(arguments)
    kinds = {"jobs 1": ["--jobs", "1"], "jobs 2": ["--jobs", "2"]}
    if wanted.cluster:
        kinds |= {f"local:{n}": ["--cluster", f"local:{n}"] for n in (1, 2)}
    kept: dict[str, dict[str, Any]] = {}
    print(f"load at the beginning {os.getloadavg()[0]:.1f}")
    print(f"{'backend':<10}{'plan':<8}{'':<10}{'seconds':>9}{'processor':>11}{'of these xboot':>16}{'speed-up':>10}")
    for backend in wanted.backends or ["mirage", "linux"]:
        with tempfile.TemporaryDirectory(prefix="xboot-bench-") as folder:
            recipe = Path(folder) / "recipe.toml"
            recipe.write_text(wide_recipe(wanted.steps, wanted.mebibytes))
            kept[backend] = {"one": _by_turns(backend, "one", f"{recipe}:wide1", {"jobs 1": kinds["jobs 1"]}, wanted.turns)}
            for plan, target in (("wide", str(recipe)), ("chain", f"{CHAIN}:scheme,hello,fixpoint")):
                kept[backend][plan] = _by_turns(backend, plan, target, kinds, wanted.turns)
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    if wanted.save is not None:
        wanted.save.write_text(json.dumps(kept, indent=1) + "\n")


def _by_turns(backend: str, plan: str, target: str, kinds: Mapping[str, Sequence[str]], turns: int) -> dict[str, Any]:
    """Measure each kind so often, and print the best; what is kept of them. Raises SystemExit when their hashes differ."""
    runs: dict[str, list[Took]] = {kind: [] for kind in kinds}
    for turn in range(turns):
        for kind in list(kinds) if turn % 2 else reversed(kinds):
            with tempfile.TemporaryDirectory(prefix="xboot-bench-") as folder:
                runs[kind].append(measured(backend, target, Path(folder), "--seal", "steps", "--fresh", *kinds[kind]))
    if len({tuple(took.hashes.items()) for each in runs.values() for took in each}) != 1:
        raise SystemExit(f"{backend}: the hashes differ")
    best = {kind: min(each, key=lambda took: took.seconds) for kind, each in runs.items()}
    for kind, took in best.items():
        alone = best["local:1" if kind.startswith("local") else "jobs 1"].seconds
        line = f"{backend:<10}{plan:<8}{kind:<10}{took.seconds:>9.1f}{took.processor:>11.1f}{took.own:>16.1f}{alone / took.seconds:>10.2f}"
        print(line, flush=True)
    return {kind: _kept(took) for kind, took in best.items()}


def _kept(took: Took) -> dict[str, Any]:
    """What a simulation needs of a run: its seconds, the processor's of xboot itself, and of each boot its seconds, bytes and inputs."""
    segments = took.report["segments"]["segments"]
    makers = {output["path"]: segment["number"] for segment in segments for output in segment["outputs"]}
    boots = [
        {
            "seconds": segment["seconds"],
            "size": sum(output["narSize"] for output in segment["outputs"]),
            "sees": [makers[source["path"]] for source in segment["sources"] if source["kind"] == "built"],
        }
        for segment in segments
    ]
    return {"seconds": took.seconds, "own": took.own, "boots": boots}


if __name__ == "__main__":
    main()
