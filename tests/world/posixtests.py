"""Debian's posixtestsuite on the kernels: compiled by the toolroot, run in guests, counted.

Usage: python tests/world/posixtests.py [--voters A,B,…] [--cases PATTERN] [--keep DIR] [--write] (`make test-world` runs all of it).
The suite comes from Debian's source package and is no part of xboot. Some cases share a boot, and what they ended with is kept in DIR as
it comes: a run that was interrupted goes on where it was, for as long as the voter's kernel and executor are the same (a voter with
others begins anew). What passes on the first voter and not on another, and is no exception, is run once more at the end. A line is
printed for each boot and each voter, then each case that passes on the first voter and not on another.
--write records the counts in posix/counts.json and in docs/conformance.md. Exit status: 0 if no case but those in posix/exceptions.txt
passes on the first voter alone, 1 if one does, 2 if something could not be run.
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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import worldtable

from xboot import nar
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import XbootError
from xboot.files import replacing
from xboot.parts.lock import LOCK
from xboot.recipe.tarball import unpack_tarball
from xboot.toolroot import tools

HERE = Path(__file__).parent / "posix"
_DEVELOPMENT = ("libc6", "libc6-dev", "linux-libc-dev", "libgcc-12-dev")  # Debian's i386 packages that a program is compiled with
_MEANINGS = {0: "pass", 1: "fail", 2: "unresolved", 4: "unsupported", 5: "untested"}  # the suite's own words for its statuses
_KILLED = "ended by a signal, or its time was over"
_COLUMNS = (*_MEANINGS.values(), _KILLED)
_ENDED = 256  # what a case ended with that ended its whole boot: no status of a program
_BOOT = 240  # cases
_LEFT = 6  # status of `xboot run`: the guest did not get to its end
_RECORD, _PAGE = HERE / "counts.json", HERE.parents[2] / "docs" / "conformance.md"


def compiled(work: Path, pattern: str = "*") -> list[str]:
    """Compile the cases whose names match into `work`/cases; those that do not compile. Raises MissingToolError, BackendError."""
    cache = Cache()
    debian = DebianPackages(cache)
    (work / "suite").mkdir()
    unpack_tarball(debian.source("posixtestsuite").tarballs[0].path, work / "suite")
    for package in _DEVELOPMENT:
        shutil.copytree(debian.unpacked(package, "i386")[0], work / "root", symlinks=True, dirs_exist_ok=True)
    (work / "wanted").write_text("".join(f"{name} {file}\n" for name, file in _cases(work) if fnmatch.fnmatch(name, pattern)))
    shutil.copyfile(HERE / "compile.sh", work / "compile.sh")
    tools(cache, "locked", (), {}).run(["sh", "compile.sh"], work, what="posixtestsuite")
    return (work / "failed").read_text().split()


def suite_key() -> str:
    """What cases are compiled from and how, and what they are run by: those of another key are compiled, and run, anew."""
    read = (LOCK, HERE / "compile.sh", HERE / "run.sh", HERE / "recipe.toml")
    return hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()


def _cases(work: Path) -> list[tuple[str, Path]]:
    """(name, source) of the suite's cases of interfaces and behaviour; what is no program of its own is left out."""
    found = []
    for path in sorted((work / "suite" / "conformance").glob("*/**/*-*.c")):
        parts = path.relative_to(work / "suite" / "conformance").with_suffix("").parts
        if parts[0] in ("interfaces", "behavior") and "main" in path.read_text(errors="replace"):
            found.append((".".join(parts), path.relative_to(work)))
    return found


class UnfinishedError(XbootError):
    """The guest did not get to its end."""


def results(voter: str, cases: Path, names: Iterable[str], seconds: int) -> Mapping[str, int]:
    """Run these cases of a folder in one boot: name → exit status. Raises UnfinishedError, XbootError when it could not be run."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "cases").mkdir()
        for name in names:
            shutil.copy(cases / name, work / "cases")
        for name in ("recipe.toml", "run.sh"):
            shutil.copy(HERE / name, work)
        limits = ["--memory", "1500", "--step-timeout", str(seconds), "--run-timeout", str(seconds + 60)]
        done = _xboot("run", "-b", voter, *limits, "--export", "out", "recipe.toml", cwd=work)
        if done.returncode:
            kind = UnfinishedError if done.returncode == _LEFT else XbootError
            raise kind(f"posixtestsuite on {voter} ended with status {done.returncode}: {(done.stderr or done.stdout)[-800:]}")
        (archive,) = (work / "out").glob("*.nar")
        with archive.open("rb") as stream:
            (text,) = [b"".join(entry.chunks).decode() for entry in nar.read(stream) if entry.kind == "regular"]
    return {name: int(status) for name, status in (line.split() for line in text.splitlines())}


def _xboot(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *arguments]
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def by_boots(run: Callable[[Sequence[str]], Mapping[str, int]], names: Sequence[str]) -> Iterator[Mapping[str, int]]:
    """What the cases ended with, boot by boot. Those of a boot that did not get to its end run in two; one alone has ended it."""
    for start in range(0, len(names), _BOOT):
        yield from _boot(run, names[start : start + _BOOT])


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


class Kept:
    """What a voter's cases ended with until now, in a file; forgotten when the voter's kernel or executor is another."""

    def __init__(self, file: Path, digest: str) -> None:
        """Read the file, if there is one; `digest` says what the cases and the voter's image are."""
        self._file, self._digest = file, digest
        kept = json.loads(file.read_text()) if file.exists() else {}
        self.cases: dict[str, int] = kept["cases"] if kept.get("digest") == digest else {}

    def add(self, cases: Mapping[str, int]) -> None:
        """Keep these too, at once and whole."""
        self.cases.update(cases)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self._file) as scratch:
            scratch.write_text(json.dumps({"digest": self._digest, "cases": self.cases}, indent=0))


def _digest(voter: str) -> str:
    """Of the voter's kernel and executor; they are built if need be. Raises XbootError."""
    done = _xboot("tcb", "--json", "-b", voter, str(HERE.parents[2] / "examples" / "hello" / "recipe.toml"))
    if done.returncode:
        raise XbootError(f"{voter} could not be measured: {done.stderr[-800:]}")
    (measured,) = json.loads(done.stdout)["backends"].values()
    return str(measured["digest"])


def allowed(voter: str) -> list[str]:
    """Patterns of the cases that need not pass on a voter, from posix/exceptions.txt: lines of voters, pattern, reason."""
    lines = [line.split(None, 2) for line in (HERE / "exceptions.txt").read_text().splitlines() if line and not line.startswith("#")]
    return [pattern for voters, pattern, _ in lines if voter in voters.split(",")]


def differing(first: Mapping[str, int], other: Mapping[str, int], but: Sequence[str] = ()) -> list[str]:
    """The cases that pass on the first and not on the other, without those that need not (patterns)."""
    passed = [name for name, status in first.items() if status == 0 and not any(fnmatch.fnmatch(name, pattern) for pattern in but)]
    return [name for name in passed if other.get(name) != 0]


def ends(of: Mapping[str, int]) -> dict[str, int]:
    """How many cases there are of each end."""
    counted = collections.Counter(_MEANINGS.get(status, _KILLED) for status in of.values())
    return {word: counted[word] for word in _COLUMNS}


def counts(of: Mapping[str, int]) -> str:
    """The same as words."""
    return ", ".join(f"{count} {word}" for word, count in ends(of).items() if count)


def counted(found: Mapping[str, Mapping[str, int]]) -> str:
    """The record of what was found: all cases on the first voter, on the others those that pass there. One JSON object."""
    (first, whole), *others = found.items()
    of_others = {voter: {name: of.get(name, -1) for name, status in whole.items() if status == 0} for voter, of in others}
    return json.dumps({voter: ends(of) for voter, of in {first: whole, **of_others}.items()}, indent=2) + "\n"


def table(record: str) -> str:
    """The table of docs/conformance.md."""
    (first, whole), *others = json.loads(record).items()
    lines = {first: whole, **{f"{voter}, of these {whole['pass']:,}": of for voter, of in others}}
    return worldtable.rows(_COLUMNS, {name: [f"{of[word]:,}" for word in _COLUMNS] for name, of in lines.items()})


def main(arguments: Sequence[str]) -> int:
    """The command; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--voters", default="linux,mirage,tccboot,hurd")
    parser.add_argument("--cases", default="*", help="names, with * and ?")
    parser.add_argument("--seconds", type=int, default=1500, help="that one boot may take")
    parser.add_argument("--keep", type=Path, default=HERE.parents[2] / "build" / "posix", help="the folder for what cases ended with")
    parser.add_argument("--write", action="store_true", help="record the counts")
    chosen = parser.parse_args(arguments)
    try:
        found = _all(chosen.voters.split(","), chosen.cases, chosen.seconds, chosen.keep)
    except XbootError as error:
        print(f"posix: {error}")
        return 2
    first, *others = found
    bad = {voter: differing(found[first], found[voter], allowed(voter)) for voter in others}
    for voter, names in bad.items():
        for name in names:
            print(f"{voter}: {name} ended with {found[voter].get(name)}, and passes on {first}")
        for name in sorted(set(differing(found[first], found[voter])) - set(names)):
            print(f"{voter}: {name} ended with {found[voter].get(name)}, as exceptions.txt says")
    if chosen.write:
        _RECORD.write_text(counted(found))
        worldtable.write(_PAGE, "posixtestsuite", table(_RECORD.read_text()))
    return int(any(bad.values()))


def _all(voters: Sequence[str], pattern: str, seconds: int, keep: Path) -> dict[str, Mapping[str, int]]:
    """What the first voter made of the cases whose names match, and the others of those that passed. Raises XbootError."""
    work, key = keep / "suite", suite_key()
    whole = work / "whole"  # the last file that is made: what an interrupted run left is compiled again
    if not whole.exists() or whole.read_text().splitlines()[0] != key:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        failed = compiled(work)
        whole.write_text(f"{key}\ncompiled {len(list((work / 'cases').iterdir()))}, {len(failed)} do not compile")
    print(whole.read_text().splitlines()[1], flush=True)
    wanted = [path.name for path in sorted((work / "cases").iterdir()) if fnmatch.fnmatch(path.name, pattern)]
    found: dict[str, Mapping[str, int]] = {}
    for voter in voters:
        kept = Kept(keep / f"{voter.replace('/', '-')}.json", f"{key} {_digest(voter)}")
        if found:  # the others are asked for what passes on the first
            wanted = [name for name, status in found[voters[0]].items() if status == 0]

        def run(names: Sequence[str], on: str = voter) -> Mapping[str, int]:
            return results(on, work / "cases", names, seconds)

        for ended in by_boots(run, [name for name in wanted if name not in kept.cases]):
            kept.add(ended)
            print(f"{voter}: {sum(name in kept.cases for name in wanted)} of {len(wanted)}", flush=True)
        if found:  # a busy machine may have decided: what is no exception is run once more, with little beside it
            for ended in by_boots(run, differing(found[voters[0]], kept.cases, allowed(voter))):
                kept.add(ended)
        found[voter] = {name: kept.cases[name] for name in wanted}
        print(f"{voter}: {counts(found[voter])}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
