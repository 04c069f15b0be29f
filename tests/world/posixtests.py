"""Debian's posixtestsuite on the kernels: compiled by the toolroot, run in guests, counted.

Usage: python tests/world/posixtests.py [--voters A,B,…] [--cases PATTERN] [--keep DIR] [--write] (`make test-world` runs all of it).
The suite comes from Debian's source package and is no part of xboot. A line is printed for each voter, then each case that passes on the
first voter and not on another. Each voter's results are kept in DIR, and taken from there next time. --write records the counts in
posix/counts.json and in docs/conformance.md. Exit status: 0 if no case but those in posix/exceptions.txt passes on the first voter
alone, 1 if one does, 2 if something could not be run.
"""

from __future__ import annotations

import argparse
import collections
import fnmatch
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import worldtable

from xboot import nar
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import XbootError
from xboot.recipe.tarball import unpack_tarball
from xboot.toolroot import tools

HERE = Path(__file__).parent / "posix"
_DEVELOPMENT = ("libc6", "libc6-dev", "linux-libc-dev", "libgcc-12-dev")  # Debian's i386 packages that a program is compiled with
_MEANINGS = {0: "pass", 1: "fail", 2: "unresolved", 4: "unsupported", 5: "untested"}  # the suite's own words for its statuses
_KILLED = "ended by a signal, or its time was over"
_COLUMNS = (*_MEANINGS.values(), _KILLED)
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


def _cases(work: Path) -> list[tuple[str, Path]]:
    """(name, source) of the suite's cases of interfaces and behaviour; what is no program of its own is left out."""
    found = []
    for path in sorted((work / "suite" / "conformance").glob("*/**/*-*.c")):
        parts = path.relative_to(work / "suite" / "conformance").with_suffix("").parts
        if parts[0] in ("interfaces", "behavior") and "main" in path.read_text(errors="replace"):
            found.append((".".join(parts), path.relative_to(work)))
    return found


def results(voter: str, work: Path, seconds: int) -> Mapping[str, int]:
    """Run what is in `work`/cases: name → exit status. Raises XbootError when the run ended otherwise."""
    for name in ("recipe.toml", "run.sh"):
        shutil.copyfile(HERE / name, work / name)
    out = work / f"out-{voter.replace('/', '-')}"
    command = [
        sys.executable, "-m", "xboot", "run", "-b", voter, "--memory", "1500", "--step-timeout", str(seconds),
        "--run-timeout", str(seconds + 60), "--export", str(out), "recipe.toml",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise XbootError(f"posixtestsuite on {voter} ended with status {done.returncode}: {(done.stderr or done.stdout)[-800:]}")
    (archive,) = out.glob("*.nar")
    with archive.open("rb") as stream:
        (text,) = [b"".join(entry.chunks).decode() for entry in nar.read(stream) if entry.kind == "regular"]
    return {name: int(status) for name, status in (line.split() for line in text.splitlines())}


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
    parser.add_argument("--seconds", type=int, default=3600, help="that one voter may take")
    parser.add_argument("--keep", type=Path, help="a folder for each voter's results; what is there is not run again")
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


def _all(voters: Sequence[str], pattern: str, seconds: int, keep: Path | None) -> dict[str, Mapping[str, int]]:
    """What the first voter made of the cases whose names match, and the others of those that passed. Raises XbootError.

    Results in the folder `keep` are taken from there.
    """
    found: dict[str, Mapping[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for voter in voters:
            kept = keep / f"{voter.replace('/', '-')}.json" if keep else None
            if kept and kept.exists():
                found[voter] = json.loads(kept.read_text())
            else:
                if not (work / "cases").exists():
                    failed = compiled(work, pattern)
                    print(f"compiled {len(list((work / 'cases').iterdir()))}, {len(failed)} do not compile", flush=True)
                for name, status in next(iter(found.values()), {}).items():
                    if status:  # the others are asked for what passes on the first
                        (work / "cases" / name).unlink(missing_ok=True)
                found[voter] = results(voter, work, seconds)
                if kept:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_text(json.dumps(found[voter], indent=0))
            print(f"{voter}: {counts(found[voter])}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
