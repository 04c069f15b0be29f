"""From `xboot run` to the first builder and to the exit, on a warm cache, for every backend; beside nix on the same derivation.

    python -m bench.start [--runs N] [--megabytes N]

Backends take turns; the best of the runs counts. Nix starts a sandbox on the running kernel, xboot a machine with a kernel of its own.
With `--megabytes`, not hello but a step behind so many bytes of sources, which the guest checks before its first builder; without nix.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from bench.seeds import make_trees
from xboot.testing.recipes import recipe_text, shell_step

HELLO = Path(__file__).parent.parent / "examples" / "hello" / "recipe.toml"
XBOOT = [sys.executable, "-m", "xboot"]


def _xboot(*arguments: str) -> str:
    return subprocess.run([*XBOOT, *arguments], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def _nix(folder: Path, busybox: Path) -> float | None:
    """Seconds that nix takes for the same derivation in a fresh private store."""
    if shutil.which("nix-store") is None:
        return None
    environment = os.environ | {"NIX_REMOTE": f"local?root={folder}", "HOME": str(folder), "NIX_PATH": ""}
    hello = tomllib.loads(HELLO.read_text())["derivation"]["hello"]
    expression = (
        f'let busybox = builtins.path {{ path = {busybox}; name = "busybox-static"; }}; '
        'in derivation { name = "hello"; system = "i686-linux"; '
        f'builder = "${{busybox}}/bin/sh"; args = {json.dumps(hello["args"]).replace("[", "[ ").replace(", ", " ")}; }}'
    )
    made = subprocess.run(["nix-instantiate", "-E", expression], env=environment, check=True, capture_output=True, text=True)
    options = ["--option", "sandbox", "true", "--option", "build-users-group", "", "--option", "substituters", ""]
    begin = time.perf_counter()
    subprocess.run(["nix-store", "--realise", *options, made.stdout.strip()], env=environment, check=True, capture_output=True)
    return time.perf_counter() - begin


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="bench.start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=0, help="of sources, in trees like those of compilers")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="xboot-bench-") as folder:
        recipe = HELLO
        if options.megabytes:
            recipe = _behind(options.megabytes, Path(folder))
            os.environ["XBOOT_STORE"] = str(Path(folder) / "store")  # gone afterwards, with what was made for this
        _measure(recipe, options.runs)
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)


def _behind(megabytes: int, folder: Path) -> Path:
    """A recipe of one step that has so many bytes of sources."""
    trees = make_trees(folder / "trees", megabytes * 1_000_000)
    sources = {tree.name: {"type": "tree", "path": str(tree)} for tree in trees}
    uses = " ".join(f"{{{tree.name}}}" for tree in trees)
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe_text({"hello": shell_step(f"echo {uses} > $out")}, sources))
    return recipe


def _measure(recipe: Path, turns: int) -> None:
    forms = {name: [name] for name in sorted(json.loads(_xboot("backends", "--json"))["backends"])}
    if "tccboot" in forms:  # its second kernel, which otherwise boots for x86_64 alone
        forms["tccboot, 64 bits"] = ["tccboot", "--set", "bits=64"]
    drv = Path(_xboot("derive", str(recipe)).split()[1])
    (busybox,) = (path for path in drv.parent.glob("*-busybox-static") if path.name in drv.read_text())
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in forms}
    nix: list[float] = []
    with tempfile.TemporaryDirectory(prefix="xboot-bench-") as folder:
        for turn in range(turns + 1):  # the first turn warms the caches
            for name, words in forms.items():
                begin = time.perf_counter()
                report = json.loads(_xboot("run", "--json", "--seal", "run", "--accel", "tcg", "--backend", *words, str(drv)))
                whole = time.perf_counter() - begin
                if turn:
                    figures[name].append((whole, report["firstBuilderSeconds"], report["seconds"]))
            seconds = _nix(Path(folder) / f"nix{turn}", busybox) if recipe == HELLO else None
            if turn and seconds is not None:
                nix.append(seconds)
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    if nix:
        print(f"nix              {min(nix):.3f} s   nix-store --realise, sandboxed")
    for name, runs in figures.items():
        whole, first, machine = min(runs)
        print(f"{name:<16} {whole:.3f} s   command to exit; machine to first builder {first:.3f}, to its end {machine:.3f} (TCG)")


if __name__ == "__main__":
    main()
