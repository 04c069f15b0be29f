"""Debian's posixtestsuite on the kernels: compiled by the toolroot, run in guests, counted.

Usage: python tests/world/posixtests.py [--voters A,B,…] [--cases PATTERN] [--keep DIR] [--write] (`make test-world` runs all of it).
The suite comes from Debian's source package and is no part of xboot. A line is printed for each boot and each voter, then each case that
passes on the first voter and not on another. --write records the counts in posix/counts.json and in docs/conformance.md. Exit status: 0
if no case but those in posix/exceptions.txt passes on the first voter alone, 1 if one does, 2 if something could not be run.
"""

from __future__ import annotations

import fnmatch
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from suites import Suite, main

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.recipe.tarball import unpack_tarball
from xboot.toolroot import tools

HERE = Path(__file__).parent / "posix"
_DEVELOPMENT = ("libc6", "libc6-dev", "linux-libc-dev", "libgcc-12-dev")  # Debian's i386 packages that a program is compiled with


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


def _prepare(work: Path) -> str:
    failed = compiled(work)
    return f"compiled {len(_names(work))}, {len(failed)} do not compile"


def _names(work: Path) -> list[str]:
    return [path.name for path in (work / "cases").iterdir()]


def _lay(work: Path, folder: Path, names: Sequence[str]) -> None:
    (folder / "cases").mkdir()
    for name in names:
        shutil.copy(work / "cases" / name, folder / "cases")


SUITE = Suite(
    name="posixtestsuite",
    folder=HERE,
    meanings={0: "pass", 1: "fail", 2: "unresolved", 4: "unsupported", 5: "untested"},  # the suite's own words for its statuses
    boot=240,
    prepare=_prepare,
    names=_names,
    lay=_lay,
)

if __name__ == "__main__":
    sys.exit(main(SUITE, "Debian's posixtestsuite on the kernels", sys.argv[1:]))
