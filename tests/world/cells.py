"""The example world on the kernels: which of its programs are built, to which hash, in how many of the processor's seconds.

Usage: python tests/world/cells.py [--systems S,…] [--voters A,B,…] [--programs NAME,…] [--merged DIR] [--keep DIR] [--write]. The
userland of each system is merged on linux, once (with --merged its NAR stays in DIR and is taken from there next time), and is a seed of
what runs on each voter, each program in a run of its own. A voter that does not offer a system is passed over. Each cell is kept as it
comes (in DIR of --keep): a run that was interrupted goes on where it was, for as long as the program, and the voter's kernel and executor,
are the same.
cells.txt is what was seen: --write records each cell as soon as it is there (of two that write at once neither loses the other's), and
writes the table of docs/world.md. Exit status: 0 if every program was built everywhere, to one hash, and to the recorded one; 1 if not; 2
if the userland could not be had.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import worldtable
from filelock import FileLock
from suites import Kept, digest

from xboot.errors import XbootError
from xboot.recipe import derive
from xboot.storepath import store_name
from xboot.testing.processor import adopt, processor_seconds

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORD, PAGE = HERE / "cells.txt", ROOT / "docs" / "world.md"
EXAMPLE = ROOT / "examples" / "world"
PROGRAMS = (
    "tools",
    "guile",
    "python",
    "script",
    "pythontests",
    "pythonsockets",
    "pythonthreads",
    "pythonprocesses",
    "perltests",
    "lua",
    "zlib",
    "hello",
    "gnu-sed",
    "sqlite",
    "gnu-make",
)
VOTERS = ("linux", "mirage", "tccboot", "hurd")
SYSTEMS = {"i686": VOTERS, "x86_64": ("linux", "mirage", "tccboot")}  # and who offers it
_MERGE = ("--memory", "3000", "--step-timeout", "3000", "--run-timeout", "3100")  # linux exports from 3,072 MiB at most


@dataclass(frozen=True)
class Cell:
    """A program that was built: its output's NAR hash as SRI, and the processor's seconds of the whole run: xboot's, and QEMU's with all
    that it booted (None: not measured). Where a machine is busy they move less than those of the clock.
    """

    system: str
    voter: str
    program: str
    hash: str
    seconds: float | None


def derivation(program: str, system: str) -> str:
    """What the recipe calls a program for a system: i686 is the recipe's own."""
    return program if system == "i686" else f"{program}-{system}"


def recorded(text: str) -> list[Cell]:
    """The cells of a record."""
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return [
        Cell(system, voter, program, digest, None if seconds == "-" else float(seconds))
        for system, voter, program, digest, seconds in lines
    ]


def record(cells: Iterable[Cell]) -> str:
    """A record of cells."""
    lines = [f"{c.system} {c.voter} {c.program} {c.hash} {'-' if c.seconds is None else f'{c.seconds:.1f}'}\n" for c in cells]
    head = "# Cells that were seen (tests/world/cells.py --write): system, kernel, program, hash, the processor's seconds of the run.\n"
    return head + "".join(lines)


def together(old: Iterable[Cell], new: Iterable[Cell]) -> list[Cell]:
    """The old cells with the new ones in their places, in the table's order."""
    cells = {(c.system, c.voter, c.program): c for c in (*old, *new)}
    known = [c for c in cells.values() if c.program in PROGRAMS and c.voter in SYSTEMS.get(c.system, ())]
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
    """The table of docs/world.md: a line for each program, for each kernel the seconds and how many times linux' they are, and the hash."""
    lines = {}
    for system, program in sorted({(c.system, c.program) for c in cells}, key=lambda key: (key[0], PROGRAMS.index(key[1]))):
        of = {c.voter: c for c in cells if (c.system, c.program) == (system, program)}
        (digest,) = {c.hash for c in of.values()}
        missing = ["not run" if voter in SYSTEMS[system] else "not offered" for voter in VOTERS]
        took = [_took(of[voter], of.get("linux")) if voter in of else why for voter, why in zip(VOTERS, missing, strict=True)]
        lines[f"{system} `{program}`"] = [*took, f"`{digest}`"]
    return worldtable.rows([*VOTERS, "one hash"], lines)


def _took(cell: Cell, linux: Cell | None) -> str:
    if cell.seconds is None:
        return "built"
    compared = cell.voter != "linux" and linux is not None and linux.seconds
    return f"{cell.seconds:.0f} s ({cell.seconds / compared:.2f})" if compared else f"{cell.seconds:.0f} s"


def _xboot(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *map(str, arguments)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def merged(recipe: Path, system: str, folder: Path) -> str:
    """The store path of a system's userland, whose NAR is in the folder afterwards. Raises XbootError when it could not be made."""
    name = derivation("debian", system)
    path = derive(recipe, names=[name]).outputs[name]["out"]
    if not (folder / f"{store_name(path)}.nar").exists():
        done = _xboot("run", "-b", "linux", *_MERGE, "--export", folder, f"{recipe}:{name}")
        if done.returncode:
            raise XbootError(f"the userland could not be merged: {done.stderr[-800:]}")
    return path


def settings(voter: str) -> tuple[str, ...]:
    """The options of xboot that a voter runs these programs with."""
    return ("--set", "linux.net=loopback") if voter == "linux" else ()  # the others have one in any case


def built(system: str, voter: str, recipe: Path, program: str, seed: str, folder: Path) -> tuple[list[Cell], str]:
    """The cell of a program that was built on a voter; none, and why, if it was not."""
    limits = ("--fresh", "--step-timeout", "5000", "--run-timeout", "20000")
    target = f"{recipe}:{derivation(program, system)}"
    done, seconds = processor_seconds(
        lambda: _xboot("run", "-b", voter, *limits, *settings(voter), "--json", "--seed", seed, "--store", folder, target)
    )
    try:
        report: Mapping[str, object] = json.loads(done.stdout)
    except ValueError:
        return [], done.stderr[-800:]
    return cells_of(report, system, voter, seconds), str(report["failure"] or "")


def cells_of(report: Mapping[str, object], system: str, voter: str, seconds: float | None = None) -> list[Cell]:
    """The cells of a report of `xboot run --json`: outputs that were built, in these seconds."""
    outputs = report["outputs"]
    assert isinstance(outputs, list)
    names = {o["path"]: store_name(o["path"]).partition("-")[2].removesuffix(f"-{system}") for o in outputs}
    return [Cell(system, voter, names[o["path"]], o["narHash"], seconds) for o in outputs if o["status"] != "not run"]


def write(found: Sequence[Cell]) -> None:
    """Record these cells, and write the page's table; not if they disagree with others."""
    with FileLock(Path(tempfile.gettempdir()) / "xboot-world-cells.lock"):
        cells = together(recorded(RECORD.read_text()), found)
        if not disagreeing(cells):
            RECORD.write_text(record(cells))
            worldtable.write(PAGE, "cells", table(recorded(RECORD.read_text())))  # of rounded seconds, as the test has them


def _wrong(found: Sequence[Cell], old: Iterable[Cell]) -> list[str]:
    """A line for each cell that was recorded with another hash."""
    before = {(c.system, c.voter, c.program): c.hash for c in old}
    lines = []
    for c in found:
        was = before.get((c.system, c.voter, c.program), c.hash)
        if was != c.hash:
            lines.append(f"{c.system} {c.voter}: {c.program} is {c.hash}, and was {was} when it was recorded")
    return lines


def main(arguments: Sequence[str]) -> int:
    """The command; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--voters", default=",".join(VOTERS))
    parser.add_argument("--programs", help=f"of {', '.join(PROGRAMS)}; if not given, those that are recorded")
    parser.add_argument("--merged", type=Path, help="the folder where the merged userland is, or is to be put")
    parser.add_argument("--keep", type=Path, default=ROOT / "build" / "world", help="the folder for the cells that were seen")
    parser.add_argument("--write", action="store_true", help="record what was seen")
    chosen = parser.parse_args(arguments)
    adopt()
    old = recorded(RECORD.read_text())
    found: list[Cell] = []
    bad: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.merged or Path(temporary) / "merged"
        recipe = Path(shutil.copytree(EXAMPLE, Path(temporary) / "example")) / "recipe.toml"  # a lock file that moves on is not the tree's
        for system in chosen.systems.split(","):
            known = [p for p in PROGRAMS if (system, p) in {(c.system, c.program) for c in old}]
            programs = chosen.programs.split(",") if chosen.programs else known
            try:
                seed = merged(recipe, system, folder)
            except XbootError as error:
                print(f"world: {error}")
                return 2
            of_system = [v for v in chosen.voters.split(",") if v in SYSTEMS[system]]
            kept = {v: Kept[str](chosen.keep / f"{system}-{v}.json", digest(v, *settings(v))) for v in of_system}
            for program, voter in itertools.product(programs, of_system):  # its voters are compared: a machine's pace changes within hours
                name = derivation(program, system)
                key = derive(recipe, names=[name]).outputs[name]["out"]  # of all that the program is built from
                cells, failure = recorded(kept[voter].cases.get(key, "")), ""
                if not cells:
                    cells, failure = built(system, voter, recipe, program, seed, folder)
                    kept[voter].add({key: record(cells)} if cells else {})
                for c in cells:
                    print(f"{system} {voter} {program}: {c.hash}, {c.seconds:.1f} s of the processor", flush=True)
                if not cells:
                    bad.append(f"{system} {voter}: {program} was not built: {failure}")
                if chosen.write:
                    write(cells)
                found += cells
    bad += _wrong(found, old) + disagreeing(found)
    print("\n".join(bad) if bad else f"{len(found)} cells, as recorded")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
