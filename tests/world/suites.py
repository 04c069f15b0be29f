"""Suites of tests that others wrote, on the kernels: each of their cases in a guest, and what it ended with, counted.

A suite is a folder beside this file, with a recipe whose one output has a line for each case: its name, and its exit status. Cases share
a boot, and what they ended with is kept as it comes: a run that was interrupted goes on where it was, for as long as the suite, and the
voter's kernel and executor, are the same. What passes on the first voter and not on another, and is no exception, is run once more at
the end.
"""

from __future__ import annotations

import argparse
import collections
import fnmatch
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import worldtable

from xboot import nar
from xboot.errors import XbootError
from xboot.files import replacing
from xboot.parts.lock import LOCK

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
KILLED = "ended by a signal, or its time was over"
_ENDED = 256  # what a case ended with that ended its whole boot: no status of a program
_LEFT = 6  # status of `xboot run`: the guest did not get to its end


_Kept = TypeVar("_Kept", int, str)


class UnfinishedError(XbootError):
    """The guest did not get to its end."""


@dataclass(frozen=True)
class Suite:
    """A suite: its name (of the table, too), its folder, what its cases' statuses are called, and how many cases share a boot.

    `prepare` makes in an empty folder what its cases are run from, and says in words what that came to; `names` are those of the cases in
    such a folder; `lay` puts what one boot needs of it beside the recipe. Each may raise XbootError.
    """

    name: str
    folder: Path
    meanings: Mapping[int, str]
    boot: int
    prepare: Callable[[Path], str]
    names: Callable[[Path], list[str]]
    lay: Callable[[Path, Path, Sequence[str]], None]

    @property
    def columns(self) -> tuple[str, ...]:
        """The ends that are counted."""
        return (*self.meanings.values(), KILLED)

    @property
    def record(self) -> Path:
        """Where the counts are recorded."""
        return self.folder / "counts.json"

    def key(self) -> str:
        """What cases are made of and how, and what they are run by: those of another key are made, and run, anew."""
        read = (LOCK, *sorted(path for path in self.folder.iterdir() if path.suffix in (".sh", ".toml", ".list")))
        return hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()

    def results(self, voter: str, work: Path, names: Sequence[str], seconds: int) -> Mapping[str, int]:
        """Run these cases in one boot: name → exit status. Raises UnfinishedError, XbootError when it could not be run."""
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            self.lay(work, folder, names)
            for name in ("recipe.toml", "run.sh"):
                shutil.copy(self.folder / name, folder)
            limits = ["--memory", "1500", "--step-timeout", str(seconds), "--run-timeout", str(seconds + 60)]
            done = _xboot("run", "-b", voter, *limits, "--export", "out", "recipe.toml", cwd=folder)
            if done.returncode:
                kind = UnfinishedError if done.returncode == _LEFT else XbootError
                raise kind(f"{self.name} on {voter} ended with status {done.returncode}: {(done.stderr or done.stdout)[-800:]}")
            (archive,) = (folder / "out").glob("*.nar")
            with archive.open("rb") as stream:
                (text,) = [b"".join(entry.chunks).decode() for entry in nar.read(stream) if entry.kind == "regular"]
        return {name: int(status) for name, status in (line.split() for line in text.splitlines())}

    def allowed(self, voter: str) -> list[str]:
        """Patterns of the cases that need not pass on a voter, from exceptions.txt: lines of voters, pattern, reason."""
        text = (self.folder / "exceptions.txt").read_text()
        lines = [line.split(None, 2) for line in text.splitlines() if line and not line.startswith("#")]
        return [pattern for voters, pattern, _ in lines if voter in voters.split(",")]

    def by_boots(self, run: Callable[[Sequence[str]], Mapping[str, int]], names: Sequence[str]) -> Iterator[Mapping[str, int]]:
        """What the cases ended with, boot by boot. Those of a boot that did not get to its end run in two; one alone has ended it."""
        for start in range(0, len(names), self.boot):
            yield from _boot(run, names[start : start + self.boot])

    def ends(self, of: Mapping[str, int]) -> dict[str, int]:
        """How many cases there are of each end."""
        counted = collections.Counter(self.meanings.get(status, KILLED) for status in of.values())
        return {word: counted[word] for word in self.columns}

    def counts(self, of: Mapping[str, int]) -> str:
        """The same as words."""
        return ", ".join(f"{count} {word}" for word, count in self.ends(of).items() if count)

    def counted(self, found: Mapping[str, Mapping[str, int]]) -> str:
        """The record of what was found: all cases on the first voter, on the others those that pass there. One JSON object."""
        (first, whole), *others = found.items()
        of_others = {voter: {name: of.get(name, -1) for name, status in whole.items() if status == 0} for voter, of in others}
        return json.dumps({voter: self.ends(of) for voter, of in {first: whole, **of_others}.items()}, indent=2) + "\n"

    def table(self, record: str) -> str:
        """The table of docs/conformance.md."""
        (first, whole), *others = json.loads(record).items()
        lines = {first: whole, **{f"{voter}, of these {whole['pass']:,}": of for voter, of in others}}
        return worldtable.rows(self.columns, {name: [f"{of[word]:,}" for word in self.columns] for name, of in lines.items()})


def _xboot(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *arguments]
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def _boot(run: Callable[[Sequence[str]], Mapping[str, int]], names: Sequence[str]) -> Iterator[Mapping[str, int]]:
    try:
        yield run(names)
    except UnfinishedError as error:
        print(f"{len(names)} cases did not get to their end: {error}", flush=True)
        if len(names) == 1:
            yield {names[0]: _ENDED}
        else:
            yield from _boot(run, names[: len(names) // 2])
            yield from _boot(run, names[len(names) // 2 :])


class Kept(Generic[_Kept]):
    """What a voter's cases ended with until now, in a file; forgotten when the voter's kernel or executor is another."""

    def __init__(self, file: Path, digest: str) -> None:
        """Read the file, if there is one; `digest` says what the cases and the voter's image are."""
        self._file, self._digest = file, digest
        kept = json.loads(file.read_text()) if file.exists() else {}
        self.cases: dict[str, _Kept] = kept["cases"] if kept.get("digest") == digest else {}

    def add(self, cases: Mapping[str, _Kept]) -> None:
        """Keep these too, at once and whole."""
        self.cases.update(cases)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self._file) as scratch:
            scratch.write_text(json.dumps({"digest": self._digest, "cases": self.cases}, indent=0))


def digest(voter: str, *options: str) -> str:
    """Of the voter's kernel and executor, with these options of xboot; they are built if need be. Raises XbootError."""
    done = _xboot("tcb", "--json", "-b", voter, *options, str(ROOT / "examples" / "hello" / "recipe.toml"))
    if done.returncode:
        raise XbootError(f"{voter} could not be measured: {done.stderr[-800:]}")
    (measured,) = json.loads(done.stdout)["backends"].values()
    return str(measured["digest"])


def differing(first: Mapping[str, int], other: Mapping[str, int], but: Sequence[str] = ()) -> list[str]:
    """The cases that pass on the first and not on the other, without those that need not (patterns)."""
    passed = [name for name, status in first.items() if status == 0 and not any(fnmatch.fnmatch(name, pattern) for pattern in but)]
    return [name for name in passed if other.get(name) != 0]


def main(suite: Suite, about: str, arguments: Sequence[str]) -> int:
    """The command of a suite; the exit status: 0 if no case but the exceptions passes on the first voter alone, 1 if one does, 2 if
    something could not be run.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--voters", default="linux,mirage,tccboot,hurd")
    parser.add_argument("--cases", default="*", help="names, with * and ?")
    parser.add_argument("--seconds", type=int, default=1500, help="that one boot may take")
    parser.add_argument("--keep", type=Path, default=ROOT / "build" / suite.folder.name, help="the folder for what cases ended with")
    parser.add_argument("--write", action="store_true", help="record the counts")
    chosen = parser.parse_args(arguments)
    try:
        found = _all(suite, chosen.voters.split(","), chosen.cases, chosen.seconds, chosen.keep)
    except XbootError as error:
        print(f"{suite.name}: {error}")
        return 2
    first, *others = found
    bad = {voter: differing(found[first], found[voter], suite.allowed(voter)) for voter in others}
    for voter, names in bad.items():
        for name in names:
            print(f"{voter}: {name} ended with {found[voter].get(name)}, and passes on {first}")
        for name in sorted(set(differing(found[first], found[voter])) - set(names)):
            print(f"{voter}: {name} ended with {found[voter].get(name)}, as exceptions.txt says")
    if chosen.write:
        suite.record.write_text(suite.counted(found))
        worldtable.write(PAGE, suite.name, suite.table(suite.record.read_text()))
    return int(any(bad.values()))


def _all(suite: Suite, voters: Sequence[str], pattern: str, seconds: int, keep: Path) -> dict[str, Mapping[str, int]]:
    """What the first voter made of the cases whose names match, and the others of those that passed. Raises XbootError."""
    work, key = keep / "suite", suite.key()
    whole = work / "whole"  # the last file that is made: what an interrupted run left is made again
    if not whole.exists() or whole.read_text().splitlines()[0] != key:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        whole.write_text(f"{key}\n{suite.prepare(work)}")
    print(whole.read_text().splitlines()[1], flush=True)
    wanted = [name for name in sorted(suite.names(work)) if fnmatch.fnmatch(name, pattern)]
    found: dict[str, Mapping[str, int]] = {}
    for voter in voters:
        kept = Kept[int](keep / f"{voter.replace('/', '-')}.json", f"{key} {digest(voter)}")
        if found:  # the others are asked for what passes on the first
            wanted = [name for name, status in found[voters[0]].items() if status == 0]

        def run(names: Sequence[str], on: str = voter) -> Mapping[str, int]:
            return suite.results(on, work, names, seconds)

        for ended in suite.by_boots(run, [name for name in wanted if name not in kept.cases]):
            kept.add(ended)
            print(f"{voter}: {sum(name in kept.cases for name in wanted)} of {len(wanted)}", flush=True)
        if found:  # a busy machine may have decided: what is no exception is run once more, with little beside it
            for ended in suite.by_boots(run, differing(found[voters[0]], kept.cases, suite.allowed(voter))):
                kept.add(ended)
        found[voter] = {name: kept.cases[name] for name in wanted}
        print(f"{voter}: {suite.counts(found[voter])}", flush=True)
    return found
