"""Random sequences of system calls, drawn in the guests from seeds, the same program on every kernel: a hash of what each told.

The program is in the folder beside this file. Linux is the oracle: what the others told has to be what it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot.model import Script
from xboot.plugins import Plugins
from xboot.testing.boot import boot
from xboot.testing.builders import Builder, Builders
from xboot.voter import Voter

PROGRAM = Path(__file__).parent / "sequences" / "main.c"


def script(folder: Path, *words: object) -> Script:
    """One step that runs the program with these words: the first seed, how many, and `tell` or `plant N`."""
    folder.mkdir(parents=True, exist_ok=True)
    builder = Builder("sequences", PROGRAM, wins="", fails=None)
    return Builders(folder, "i686-linux", Plugins.load()).script(builder, [str(word) for word in words], to_output=True)


def lines(of: Script, voter: Voter, folder: Path) -> list[str]:
    """What the program printed on this kernel. Fails with the guest's own words when it did not come to its end."""
    booted = boot(of, voter.backend, folder, executor=voter.executor, timeout=600, run_timeout=900)
    assert booted.ok, f"{voter}: {booted.verdict.failure}\n{booted.verdict.console_tail}"
    return booted.content(of.results[0]).decode("latin-1").splitlines()


def differences(by_voter: Mapping[Voter, Sequence[str]]) -> dict[str, list[str]]:
    """Seed → the voters that said something else than the first one."""
    first, *others = by_voter.items()
    expected = dict(line.split(" ", 1) for line in first[1])
    found: dict[str, list[str]] = {}
    for voter, told in others:
        said = dict(line.split(" ", 1) for line in told)
        for seed in sorted(expected.keys() | said.keys(), key=int):
            if expected.get(seed) != said.get(seed):
                found.setdefault(seed, []).append(str(voter))
    return found


def parting(expected: Sequence[str], told: Sequence[str], before: int) -> list[str]:
    """The lines where what was told first differs, as in a diff: some that are the same, the expected one, the other."""
    for number in range(max(len(expected), len(told))):
        one, other = ((lines[number] if number < len(lines) else "(nothing)") for lines in (expected, told))
        if one != other:
            return [*(f"  {line}" for line in expected[max(0, number - before) : number]), f"- {one}", f"+ {other}"]
    return []
