"""Parse, verify and linearize a graph of 5,000 derivations, beside `nix show-derivation --recursive` on the same files in the same run.

    python -m bench.parse [--count N] [--runs N]

Nix only parses and prints; xboot recomputes every derivation's path, every output's path and the hash of every source, and writes the
script. Nix starts as a process each time, so xboot does too (the first figure); the second figure is without the start of Python. Both
take turns, the best of the runs counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.graph import Graph, make_graph

_XBOOT = """
import gc, sys, time
from pathlib import Path
gc.disable()  # as the command line does
begin = time.perf_counter()
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.linearize import linearize
from xboot.parse import read_closure
imported = time.perf_counter()
closure = read_closure(sys.argv[1], ReadOptions(stores=[Path(sys.argv[2])]))
parsed = time.perf_counter()
script = linearize(closure, LinearizeOptions(allow_missing=True))
linear = time.perf_counter()
print(imported - begin, parsed - imported, linear - parsed, len(closure.derivations), len(script.text))
gc.freeze()  # as the command line does
"""


def _nix(graph: Graph, *command: str, stdin: bytes | None = None) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(graph.folder / "home"), "NIX_REMOTE": ""}
    environment["NIX_CONFIG"] = "experimental-features = nix-command"
    command = (*command, "--store", str(graph.folder))
    subprocess.run(command, input=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=environment)


def _timed(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="bench.parse", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000, help="derivations in the graph")
    parser.add_argument("--runs", type=int, default=7, help="how often each is run")
    options = parser.parse_args(arguments)
    if shutil.which("nix") is None:
        sys.exit("bench.parse: nix is missing: apt-get install nix-bin")
    with tempfile.TemporaryDirectory(prefix="xboot-bench-") as folder:
        graph = make_graph(Path(folder) / "store", count=options.count)
        _nix(graph, "nix-store", "--load-db", stdin=graph.registration())
        nix: list[float] = []
        xboot: list[tuple[float, ...]] = []
        for _ in range(options.runs):
            nix.append(_timed(lambda: _nix(graph, "nix", "show-derivation", "--recursive", graph.root)))
            begin = time.perf_counter()
            command = [sys.executable, "-c", _XBOOT, graph.root, str(graph.folder)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            xboot.append((time.perf_counter() - begin, *map(float, out.split())))
    whole, imports, parsed, linear, derivations, size = min(xboot)
    if derivations != options.count:
        sys.exit(f"bench.parse: xboot read {derivations:.0f} derivations of {options.count}")
    work = min(run[2] + run[3] for run in xboot)
    print(f"graph            {graph.derivations} derivations, {graph.edges} edges, {graph.size / 1e6:.1f} MB")
    print(f"nix              {min(nix):.3f} s   nix show-derivation --recursive (parses, prints)")
    print(
        f"xboot, process   {whole:.3f} s   imports {imports:.3f}, parse + verify {parsed:.3f}, linearize {linear:.3f} ({size / 1e6:.1f} MB)"
    )
    print(f"xboot, work      {work:.3f} s   without the start of Python")
    print(f"ratio            {whole / min(nix):.2f} process, {work / min(nix):.2f} work (below 1: xboot is faster)")


if __name__ == "__main__":
    main()
