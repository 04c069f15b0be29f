"""Two checkouts side by side: the same commands by the code of each, in turns, and the ratio of each pair.

    python -m bench.versus [OTHER] [--rows ROW,ROW] [--runs N]

OTHER is a folder with a checkout, or a commit of this one (`HEAD~1` if nothing is named), which is laid into a folder for this. Both run in
this checkout's Python, so what they depend on is the same. Each has a store and results of its own, and a cache that has the parts and
images of this machine's (what is missing is made in the first turn, which is not counted) and nothing else. A ratio below 1 says that this
checkout is faster. What one run takes says how busy the machine was: quote medians and ratios; the processor's seconds move least.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.graph import make_graph
from bench.seeds import make_seeds, make_trees
from bench.writing import writing
from xboot._workspace import cache_root
from xboot.testing.processor import adopt, processor_seconds
from xboot.testing.recipes import recipe_text, shell_step

HERE = Path(__file__).parent.parent
HELLO = HERE / "examples" / "hello" / "recipe.toml"
PROGRAMS = HERE / "core" / "xboot" / "testing" / "programs"
BACKENDS = ("linux", "hurd", "tccboot", "mirage")
_BYTES = 200_000  # of a file that is copied by one call to read and one to write for each, as bootstrap tools do
_TOUCHED = 16  # times 64 MiB of pages
_NULLS = 2  # times 100,000 calls
_HASHED = 256  # MB of an output, so that the executor's hashing is what a run takes
_REMEMBERED = ("line-counts", "parts-unpacked", "runs", "times")  # what a side makes for itself: kinds of the cache


@dataclass(frozen=True, slots=True)
class Side:
    """A checkout, and the folder that its commands write to."""

    name: str
    checkout: Path
    folder: Path

    def run(self, *arguments: str) -> str:
        """What one command of this side prints. Raises SystemExit when it fails."""
        plugins = [*(self.checkout / "plugins").iterdir(), *(self.checkout / "plugins" / "machines").iterdir()]
        places = {name: str(self.folder / name) for name in ("XBOOT_CACHE", "XBOOT_STORE", "XBOOT_RESULTS", "XBOOT_RESULTS_KEY")}
        places["PYTHONPYCACHEPREFIX"] = str(self.folder / "pycache")  # a user's modules are compiled once
        places["PYTHONPATH"] = os.pathsep.join(map(str, [self.checkout / "core", *sorted(plugins)]))
        command = [sys.executable, "-c", "from xboot.__main__ import main; main()", *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | places
        done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"{self.name}: xboot {' '.join(arguments)}: {done.stderr[-2000:]}")
        return done.stdout

    def forget(self, *kinds: str) -> None:
        """Make the cache what it was in the beginning, in these of its kinds."""
        for kind in kinds:
            shutil.rmtree(self.folder / "XBOOT_CACHE" / kind, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured: `arguments` of xboot, and what is done before each run (not measured)."""

    arguments: Sequence[str]
    before: Callable[[Side], object] = lambda side: None


def _side(name: str, checkout: Path, folder: Path) -> Side:
    cache = folder / "XBOOT_CACHE"
    cache.mkdir(parents=True)
    for kind in cache_root().iterdir() if cache_root().is_dir() else ():
        if kind.name not in _REMEMBERED:
            (cache / kind.name).symlink_to(kind)
    return Side(name, checkout, folder)


@contextmanager
def _checkout(other: str) -> Iterator[Path]:
    """The folder `other`, or the commit of that name in a folder of its own, which is gone afterwards."""
    if Path(other).is_dir():
        yield Path(other).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="xboot-versus-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        archive = subprocess.run(["git", "archive", other], cwd=HERE, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=tree, input=archive, check=True)
        yield tree


def _nothing_derived(side: Side) -> None:
    shutil.rmtree(side.folder / "XBOOT_STORE", ignore_errors=True)
    side.forget("parts-unpacked")


def _rows(folder: Path, checkout: Path, wanted: Sequence[str]) -> Mapping[str, Row]:
    """The rows that are asked for, in this order; what they need is made now. Large recipes are those of the other checkout, which is the
    older one mostly: a recipe that is newer than a reader may say what that one does not know.
    """
    hello, world, chain = str(HELLO), str(checkout / "examples/world/recipe.toml"), str(checkout / "examples/chain/recipe.toml")
    rows = {
        "help": Row(["--help"]),
        **{name: Row(["run", "--quiet", "--fresh", "--accel", "tcg", "--backend", name, hello]) for name in BACKENDS},
        "compare": Row(["compare", "--quiet", "--fresh", hello]),
        "tcb": Row(["tcb"]),
        "tcb-cold": Row(["tcb"], lambda side: side.forget("line-counts")),
        "derive": Row(["derive", world]),
        "derive-cold": Row(["derive", world], _nothing_derived),
        "graph": Row([]),
        "seeds": Row([]),
        **{
            f"{what}-{name}": Row(["run", "--quiet", "--fresh", "--accel", "tcg", "--backend", name, str(folder / f"{what}.toml")])
            for what in ("hash", "touch", "nulls", "bytes", "sources")
            for name in BACKENDS
        },
        **{f"mescc-{name}": Row(["run", "--quiet", "--fresh", "--accel", "tcg", "--backend", name, f"{chain}:mescc"]) for name in BACKENDS},
    }
    unknown = set(wanted) - rows.keys()
    if unknown:
        sys.exit(f"bench.versus: no row {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    trees = make_trees(folder / "trees") if any(name.startswith("sources-") for name in wanted) or not wanted else []
    behind = shell_step(f"echo {' '.join(f'{{{tree.name}}}' for tree in trees)} > $out")
    sources = {tree.name: {"type": "tree", "path": str(tree)} for tree in trees}
    (folder / "sources.toml").write_text(recipe_text({"behind": behind}, sources))
    (folder / "hash.toml").write_text(recipe_text({"hashed": shell_step(writing(_HASHED)["hashed"])}))
    copies = f"{{busybox}}/bin/head -c {_BYTES} /dev/zero > from && {{busybox}}/bin/dd if=from of=$out bs=1"
    (folder / "bytes.toml").write_text(recipe_text({"bytes": shell_step(copies)}))
    flags = ["-m32", "-O1", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-nostdlib", "-static"]
    for what, times in (("touch", _TOUCHED), ("nulls", _NULLS)):
        subprocess.run(["gcc", *flags, "-o", str(folder / what), str(PROGRAMS / f"{what}.c")], check=True)
        step = {what: shell_step(f"{{program}} {times} && echo done > $out")}
        (folder / f"{what}.toml").write_text(recipe_text(step, {"program": {"type": "file", "path": str(folder / what)}}))
    chosen = {name: row for name, row in rows.items() if name in wanted or not wanted}
    if "graph" in chosen:
        graph = make_graph(folder / "graph")
        chosen["graph"] = Row(["plan", "--store", str(graph.folder), graph.root])
    if "seeds" in chosen:  # all that the host does before a boot: read, verify, pack
        made = make_seeds(folder / "seeds")
        trusted = [word for path in made.seeds for word in ("--seed", path)]
        chosen["seeds"] = Row(["tcb", "--backend", "linux", "--store", str(made.folder), *trusted, made.root])
    return chosen


def _one(side: Side, row: Row) -> tuple[float, float]:
    """Seconds of one run, and seconds of the processor: of the command and all that it started, the machine among them."""
    row.before(side)

    def run() -> float:
        begin = time.perf_counter()
        side.run(*row.arguments)
        return time.perf_counter() - begin

    return processor_seconds(run)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="bench.versus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", nargs="?", default="HEAD~1", help="a checkout, or a commit of this one")
    parser.add_argument("--rows", default="", help="only these, divided by commas")
    parser.add_argument("--runs", type=int, default=5, help="how often each side runs each row, after one turn that is not counted")
    options = parser.parse_args(arguments)
    adopt()
    with tempfile.TemporaryDirectory(prefix="xboot-bench-") as scratch, _checkout(options.other) as checkout:
        folder = Path(scratch)
        rows = _rows(folder, checkout, [name for name in options.rows.split(",") if name])
        here, there = _side("here", HERE, folder / "here"), _side("there", checkout, folder / "there")
        print(f"{'row':<12} {'there':>16} {'here':>16}   here / there, pair by pair: median (least to most)")
        for name, row in rows.items():
            pairs = []
            for turn in range(options.runs + 1):
                sides = (there, here) if turn % 2 else (here, there)
                took = {side.name: _one(side, row) for side in sides}
                if turn:
                    pairs.append((took["there"], took["here"]))
            for unit, what in enumerate(("seconds", "processor")):
                old, new = (statistics.median(one[unit] for one in column) for column in zip(*pairs, strict=True))
                ratios = sorted(ours[unit] / theirs[unit] for theirs, ours in pairs)
                spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
                print(f"{'' if unit else name:<12} {old:15.2f}s {new:15.2f}s   {spread} {what}", flush=True)
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)


if __name__ == "__main__":
    main()
