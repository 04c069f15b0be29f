"""Random C programs by csmith, compiled in the guests by the chain's tcc, and run there: how each ended, and the checksum of its variables.

The host only writes them down. A program that runs for longer than twenty seconds on some kernel is not counted.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Script
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.recipe import derive
from xboot.testing.boot import boot
from xboot.voter import Voter

HERE = Path(__file__).parent
CHAIN = HERE.parents[1] / "examples" / "chain"
HEADERS = Path("/usr/include/csmith")
"""Where Debian's package libcsmith-dev has them."""
_NOT_COUNTED = ("124 ", "143 ", "not compiled", "missing")
_OPTIONS = ("--no-argc", "--no-packed-struct", "--max-funcs", "5", "--max-block-depth", "3", "--max-array-len-per-dim", "6")

# The chain's seed once more, with the library that its code calls; then the one step.
_RECIPE = """
[source.tool]
type = "made"
builder = "{host-busybox}/bin/busybox"
args = ["sh", "{tcc-script}"]
select = ["bin/tcc", "lib/libtcc1.a"]

[source.tool.env]
PATH = "{host-busybox}/bin"
system = "i686-linux"
cc = "{host-tcc}/usr/bin/i386-tcc"
tcc = "{tcc-source}"
mes = "{mes-libc}"

[source.programs]
type = "tree"
path = "programs"

[source.csmith-script]
type = "file"
path = "csmith.sh"

[derivation.csmith]
builder = "{busybox}/bin/sh"
args = ["{csmith-script}"]
env = { PATH = "{busybox}/bin", busybox = "{busybox}", tcc = "{tool}", programs = "{programs}" }
"""


def script(folder: Path, count: int, seed: int) -> Script:
    """`count` programs, of csmith's seeds from `seed` on, as one step."""
    recipe = folder / "recipe"
    shutil.copytree(CHAIN, recipe)
    (recipe / "recipe.toml").write_text((CHAIN / "recipe.toml").read_text() + _RECIPE)
    shutil.copy(HERE / "csmith.sh", recipe)
    headers = recipe / "programs" / "include"
    headers.mkdir(parents=True)
    for header in HEADERS.glob("safe_*.h"):
        shutil.copy(header, headers)
    shutil.copy(HERE / "csmith.h", headers)
    for number in range(seed, seed + count):
        made = subprocess.run(
            ["csmith", *_OPTIONS, "--seed", str(number)], cwd=folder, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
        )
        (recipe / "programs" / f"{number}.c").write_text(made.stdout)
    pipeline = Pipeline(Plugins.load())
    derived = derive(recipe / "recipe.toml", folder / "store", ["csmith"])
    closure = pipeline.read(sorted(derived.derivations.values()), ReadOptions(stores=[derived.store]))
    return pipeline.linearize(closure, LinearizeOptions())


def lines(of: Script, voter: Voter, folder: Path) -> dict[str, str]:
    """Program → what came of it on this kernel."""
    booted = boot(of, voter.backend, folder, executor=voter.executor, timeout=1200, run_timeout=1500)
    assert booted.ok, f"{voter}: {booted.verdict.failure}\n{booted.verdict.console_tail}"
    told = booted.content(of.results[0]).decode("latin-1").splitlines()
    return dict(line.split(" ", 1) for line in told if ".c " in line)


def compared(by_voter: Mapping[Voter, Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """Names of the programs that came to an end everywhere, and a line for each that did not end alike."""
    names = sorted(set().union(*by_voter.values()))
    ended = [name for name in names if not any(said.get(name, "missing").startswith(_NOT_COUNTED) for said in by_voter.values())]
    compiled = [
        name for name in names if len({said.get(name, "missing").startswith(("not compiled", "missing")) for said in by_voter.values()}) > 1
    ]
    differ = [*compiled, *(name for name in ended if len({said[name] for said in by_voter.values()}) > 1)]
    return ended, [f"{name}: " + ", ".join(f"{voter} {said.get(name, 'missing')}" for voter, said in by_voter.items()) for name in differ]
