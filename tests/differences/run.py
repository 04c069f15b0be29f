"""`make differences`: random derivations built by nix and by every kernel, batch after batch; one boot a kernel and batch. Or sequences of
system calls, or C programs.

A derivation's difference is printed, its batch's Nix file stays in build/differences, and the command ends with status 1.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import compared  # noqa: E402
import csmith  # noqa: E402
import sequences  # noqa: E402

from conftest import NixStore, busybox_tree  # noqa: E402
from xboot.plugins import Plugins  # noqa: E402
from xboot.voter import Voter, parse_voters  # noqa: E402

BATCH = 50
"""Derivations in one boot."""


def programs(count: int, seed: int, voters: Sequence[Voter], deadline: float) -> int:
    """csmith's programs on all kernels."""
    ended, differ = 0, 0
    for first in range(seed, seed + count, 100):
        if time.monotonic() > deadline:
            break
        with tempfile.TemporaryDirectory(prefix="xboot-csmith-") as name:
            folder = Path(name)
            script = csmith.script(folder, min(100, seed + count - first), first)
            same, other = csmith.compared({voter: csmith.lines(script, voter, folder / str(voter)) for voter in voters})
        ended, differ = ended + len(same), differ + len(other)
        print("".join(f"{line}\n" for line in other), end="")
        print(f"differences: {ended} C programs ended on {', '.join(map(str, voters))}: {differ} differ", flush=True)
    return bool(differ)


def calls(count: int, seed: int, voters: Sequence[Voter], deadline: float) -> int:
    """Random sequences of system calls on all kernels, the first of which is right."""
    done, found = 0, 0
    for first in range(seed, seed + count, 500):
        if time.monotonic() > deadline:
            break
        part = min(500, seed + count - first)
        with tempfile.TemporaryDirectory(prefix="xboot-sequences-") as name:
            folder = Path(name)
            script = sequences.script(folder, first, part)
            told = {voter: sequences.lines(script, voter, folder / str(voter)) for voter in voters}
        differ = sequences.differences(told)
        done, found = done + part, found + len(differ)
        print("".join(f"seed {number}: {', '.join(others)}\n" for number, others in differ.items()), end="")
        print(f"differences: {done} sequences of calls on {', '.join(map(str, voters))}: {found} differ", flush=True)
    return bool(found)


def tell(seed: int, voters: Sequence[Voter]) -> int:
    """Where a sequence's answers part from those of the first kernel."""
    with tempfile.TemporaryDirectory(prefix="xboot-sequences-") as name:
        folder = Path(name)
        script = sequences.script(folder, seed, 1, "tell")
        first, *others = ((voter, sequences.lines(script, voter, folder / str(voter))) for voter in voters)
    parted = {str(voter): sequences.parting(first[1], told, 10) for voter, told in others}
    for voter, lines in parted.items():
        print("\n".join([f"{voter}: " + (f"parts from {first[0]}" if lines else f"as {first[0]}"), *lines]))
    return any(parted.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="derivations")
    parser.add_argument("--seed", type=int, default=1000, help="of the first batch; the next has the next")
    parser.add_argument("--voters", default=",".join(sorted(Plugins.load().backends)))
    parser.add_argument("--csmith", type=int, default=0, help="C programs instead, a hundred in a boot")
    parser.add_argument(
        "--sequences", type=int, default=0, help="sequences of system calls instead, five hundred in a boot; linux is right"
    )
    parser.add_argument("--tell", type=int, help="show where this sequence parts from linux")
    parser.add_argument("--minutes", type=float, default=1e9, help="no new batch begins after so many")
    options = parser.parse_args()
    kept = HERE.parents[1] / "build" / "differences"
    kept.mkdir(parents=True, exist_ok=True)
    voters = parse_voters(options.voters.split(","))
    started, built, outputs, found = time.monotonic(), 0, 0, 0
    if options.sequences or options.tell is not None:
        voters = sorted(voters, key=lambda voter: voter.backend != "linux")
        if options.tell is not None:
            return tell(options.tell, voters)
        return calls(options.sequences, options.seed, voters, started + options.minutes * 60)
    if options.csmith:
        return programs(options.csmith, options.seed, voters, started + options.minutes * 60)
    for seed in range(options.seed, options.seed + -(-options.count // BATCH)):
        if time.monotonic() - started > options.minutes * 60:
            break
        folder = Path(tempfile.mkdtemp(prefix="xboot-differences-"))
        try:
            nix = NixStore(folder / "nix")
            batch = compared.by_nix(nix, busybox_tree(folder / "busybox", "i386"), folder, BATCH, seed)
            for voter in voters:
                for line in batch.differences(compared.by_kernel(batch, voter)):
                    found += 1
                    print(f"seed {seed}, {voter}: {line}", flush=True)
                    shutil.copy(batch.file, kept)
            built, outputs = built + len(batch.script.steps), outputs + len(batch.hashes)
        finally:
            nix.remove()
            shutil.rmtree(folder, ignore_errors=True)
        print(f"differences: {built} derivations, {outputs} outputs, by nix and {options.voters}: {found} differ", flush=True)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
