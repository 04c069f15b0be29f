"""The example world on the kernels: which of its programs are built, to which hash, in how many seconds.

Usage: python tests/world/cells.py [--voters A,B,…] [--programs NAME,…] [--merged DIR] [--write]. The userland is merged on linux, once
(with --merged its NAR stays in DIR and is taken from there next time), and is a seed of what runs on each voter, in one boot a voter.
cells.txt is what was seen: --write records anew and writes the table of docs/world.md. Exit status: 0 if every program was built
everywhere, to one hash, and to the recorded one; 1 if not; 2 if the userland could not be had.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import worldtable

from xboot.errors import XbootError
from xboot.recipe import derive
from xboot.storepath import store_name

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORD, PAGE = HERE / "cells.txt", ROOT / "docs" / "world.md"
EXAMPLE = ROOT / "examples" / "world"
PROGRAMS = ("tools", "guile", "python", "script", "pythontests", "lua", "zlib", "hello", "gnu-sed")
VOTERS = ("linux", "mirage", "tccboot", "hurd")
_MERGE = ("--memory", "3000", "--step-timeout", "3000", "--run-timeout", "3100")  # linux exports from 3,072 MiB at most


@dataclass(frozen=True)
class Cell:
    """A program that was built: its output's NAR hash as SRI, and the seconds of its step."""

    system: str
    voter: str
    program: str
    hash: str
    seconds: float


def recorded(text: str) -> list[Cell]:
    """The cells of a record."""
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return [Cell(system, voter, program, digest, float(seconds)) for system, voter, program, digest, seconds in lines]


def record(cells: Iterable[Cell]) -> str:
    """A record of cells."""
    lines = [f"{c.system} {c.voter} {c.program} {c.hash} {c.seconds:.1f}\n" for c in cells]
    return "# Cells that were seen (tests/world/cells.py --write): system, kernel, program, hash, seconds of the step.\n" + "".join(lines)


def together(old: Iterable[Cell], new: Iterable[Cell]) -> list[Cell]:
    """The old cells with the new ones in their places, in the table's order."""
    cells = {(c.system, c.voter, c.program): c for c in (*old, *new)}
    known = [c for c in cells.values() if c.program in PROGRAMS and c.voter in VOTERS]
    return sorted(known, key=lambda c: (c.system, VOTERS.index(c.voter), PROGRAMS.index(c.program)))


def disagreeing(cells: Iterable[Cell]) -> list[str]:
    """A line for each program that has more than one hash."""
    hashes: dict[tuple[str, str], dict[str, list[str]]] = {}
    for c in cells:
        hashes.setdefault((c.system, c.program), {}).setdefault(c.hash, []).append(c.voter)
    lines = []
    for (system, program), of in hashes.items():
        if len(of) > 1:
            differs = "; ".join(f"{digest} on {', '.join(voters)}" for digest, voters in of.items())
            lines.append(f"{system} {program} differs: {differs}")
    return lines


def table(cells: Sequence[Cell]) -> str:
    """The table of docs/world.md: a line for each program, seconds for each kernel, and the hash."""
    lines = {}
    for system, program in sorted({(c.system, c.program) for c in cells}, key=lambda key: (key[0], PROGRAMS.index(key[1]))):
        of = {c.voter: c for c in cells if (c.system, c.program) == (system, program)}
        (digest,) = {c.hash for c in of.values()}
        seconds = [f"{of[voter].seconds:.0f} s" if voter in of else "not run" for voter in VOTERS]
        lines[f"{system} `{program}`"] = [*seconds, f"`{digest}`"]
    return worldtable.rows([*VOTERS, "one hash"], lines)


def _xboot(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *map(str, arguments)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def merged(recipe: Path, folder: Path) -> str:
    """The store path of the userland, whose NAR is in the folder afterwards. Raises XbootError when it could not be made."""
    path = derive(recipe, names=["debian"]).outputs["debian"]["out"]
    if not (folder / f"{store_name(path)}.nar").exists():
        done = _xboot("run", "-b", "linux", *_MERGE, "--export", folder, f"{recipe}:debian")
        if done.returncode:
            raise XbootError(f"the userland could not be merged: {done.stderr[-800:]}")
    return path


def built(voter: str, recipe: Path, programs: Sequence[str], seed: str, folder: Path) -> tuple[list[Cell], str]:
    """What of the programs was built on a voter, and why the run ended early (empty: it did not)."""
    limits = ("--step-timeout", "5000", "--run-timeout", "20000")
    done = _xboot("run", "-b", voter, *limits, "--json", "--seed", seed, "--store", folder, f"{recipe}:{','.join(programs)}")
    try:
        report: Mapping[str, object] = json.loads(done.stdout)
    except ValueError:
        return [], done.stderr[-800:]
    return cells_of(report, voter), str(report["failure"] or "")


def cells_of(report: Mapping[str, object], voter: str) -> list[Cell]:
    """The cells of a report of `xboot run --json`: outputs that were built."""
    outputs = report["outputs"]
    assert isinstance(outputs, list)
    names = {o["path"]: store_name(o["path"]).partition("-")[2] for o in outputs}
    return [Cell("i686", voter, names[o["path"]], o["narHash"], o["seconds"]) for o in outputs if o["status"] != "not run"]


def _show(voter: str, cells: Sequence[Cell], old: Mapping[tuple[str, str, str], Cell], programs: Sequence[str], failure: str) -> list[str]:
    """Print a voter's cells; what is wrong with them."""
    for c in cells:
        print(f"{c.system} {voter} {c.program}: {c.hash} in {c.seconds:.1f} s", flush=True)
    bad = [f"{voter}: {program} was not built: {failure}" for program in programs if program not in {c.program for c in cells}]
    for c in cells:
        before = old.get((c.system, c.voter, c.program))
        if before and before.hash != c.hash:
            bad.append(f"{voter}: {c.program} is {c.hash}, and was {before.hash} when it was recorded")
    return bad


def main(arguments: Sequence[str]) -> int:
    """The command; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--voters", default=",".join(VOTERS))
    parser.add_argument("--programs", help=f"of {', '.join(PROGRAMS)}; if not given, those that are recorded")
    parser.add_argument("--merged", type=Path, help="the folder where the merged userland is, or is to be put")
    parser.add_argument("--write", action="store_true", help="record what was seen")
    chosen = parser.parse_args(arguments)
    old = recorded(RECORD.read_text())
    programs = chosen.programs.split(",") if chosen.programs else [p for p in PROGRAMS if p in {c.program for c in old}]
    found: list[Cell] = []
    bad: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.merged or Path(temporary) / "merged"
        recipe = Path(shutil.copytree(EXAMPLE, Path(temporary) / "example")) / "recipe.toml"  # a lock file that moves on is not the tree's
        try:
            seed = merged(recipe, folder)
        except XbootError as error:
            print(f"world: {error}")
            return 2
        for voter in chosen.voters.split(","):
            cells, failure = built(voter, recipe, programs, seed, folder)
            bad += _show(voter, cells, {(c.system, c.voter, c.program): c for c in old}, programs, failure)
            found += cells
    bad += disagreeing(found)
    print("\n".join(bad) if bad else f"{len(found)} cells, as recorded")
    if chosen.write and not disagreeing(together(old, found)):
        RECORD.write_text(record(together(old, found)))
        worldtable.write(PAGE, "cells", table(recorded(RECORD.read_text())))
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
