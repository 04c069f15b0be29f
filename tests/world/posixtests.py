"""Debian's posixtestsuite on the kernels: compiled by the toolroot, run in guests, counted.

Usage: python tests/world/posixtests.py [--voters A,B,…] [--cases PATTERN] (`make test-world` runs all of it). The suite comes from Debian's
source package and is no part of xboot. A line is printed for each voter, then each case that passes on the first voter and not on
another. Exit status: 0 if there is none but those in posix/exceptions.txt, 1 if there is one, 2 if something could not be run.
"""

from __future__ import annotations

import argparse
import collections
import fnmatch
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot import nar
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import XbootError
from xboot.recipe.tarball import unpack_tarball
from xboot.toolroot import tools

HERE = Path(__file__).parent / "posix"
_DEVELOPMENT = ("libc6", "libc6-dev", "linux-libc-dev", "libgcc-12-dev")  # Debian's i386 packages that a program is compiled with
_MEANINGS = {0: "pass", 1: "fail", 2: "unresolved", 4: "unsupported", 5: "untested"}  # the suite's own words for its statuses


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


def allowed() -> Mapping[str, str]:
    """Cases that need not pass everywhere → why, from posix/exceptions.txt."""
    lines = [line.split(None, 1) for line in (HERE / "exceptions.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {pattern: reason for pattern, reason in lines}


def differing(first: Mapping[str, int], other: Mapping[str, int]) -> list[str]:
    """The cases that pass on the first and not on the other, without those that may."""
    passed = [name for name, status in first.items() if status == 0 and not any(fnmatch.fnmatch(name, pattern) for pattern in allowed())]
    return [name for name in passed if other.get(name) != 0]


def counts(of: Mapping[str, int]) -> str:
    """How many cases there are of each end."""
    ends = collections.Counter(_MEANINGS.get(status, "ended by a signal, or its time was over") for status in of.values())
    return ", ".join(f"{ends[word]} {word}" for word in (*_MEANINGS.values(), "ended by a signal, or its time was over") if ends[word])


def main(arguments: Sequence[str]) -> int:
    """The command; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--voters", default="linux,mirage,tccboot,hurd")
    parser.add_argument("--cases", default="*", help="names, with * and ?")
    parser.add_argument("--seconds", type=int, default=3600, help="that one voter may take")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        try:
            failed = compiled(work, chosen.cases)
            print(f"compiled {len(list((work / 'cases').iterdir()))}, {len(failed)} do not compile", flush=True)
            found: dict[str, Mapping[str, int]] = {}
            for voter in chosen.voters.split(","):
                found[voter] = results(voter, work, chosen.seconds)
                print(f"{voter}: {counts(found[voter])}", flush=True)
        except XbootError as error:
            print(f"posix: {error}")
            return 2
    first, *others = found
    bad = {voter: differing(found[first], found[voter]) for voter in others}
    for voter, names in bad.items():
        for name in names:
            print(f"{voter}: {name} ended with {found[voter].get(name)}, and passes on {first}")
    return int(any(bad.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
