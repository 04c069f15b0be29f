"""The stressors of Debian's stress-ng that verify what they do, on the kernels: run in guests, counted.

Usage: python tests/world/stressors.py [--voters A,B,…] [--cases PATTERN] [--keep DIR] [--write] (`make test-world` runs all of it).
stress-ng comes from Debian's package and is no part of xboot; stress/ops.list has what runs, and how many operations of each,
stress/leftout.txt what does not, and why. --write records the counts in stress/counts.json and in docs/conformance.md. Exit status: 0 if
no stressor but those in stress/exceptions.txt passes on the first voter alone, 1 if one does, 2 if something could not be run.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from suites import Suite, main

from xboot.parts import locked, obtain_part, unpack

HERE = Path(__file__).parent / "stress"


def ops() -> dict[str, str]:
    """Stressor → how many operations it does."""
    return dict(line.split() for line in (HERE / "ops.list").read_text().splitlines())


def _prepare(work: Path) -> str:
    root, tree = work / "root", work / "tree"
    root.mkdir()
    for part in locked().group("stress"):
        unpack(obtain_part(part), root)
    (tree / "lib").mkdir(parents=True)
    shutil.copy(root / "usr" / "bin" / "stress-ng", tree)
    for library in sorted(root.rglob("*.so*")):
        if library.is_file():  # what a link leads to, under the link's name
            shutil.copy(library, tree / "lib" / library.name)
    shutil.rmtree(root)
    return f"{len(ops())} stressors"


def _lay(work: Path, folder: Path, names: Sequence[str]) -> None:
    shutil.copytree(work / "tree", folder / "tree")
    count = ops()
    (folder / "tree" / "ops.list").write_text("".join(f"{name} {count[name]}\n" for name in names))


SUITE = Suite(
    name="stress-ng",
    folder=HERE,
    meanings={0: "pass", 2: "fail", 3: "no resource", 4: "not implemented"},  # stress-ng(1), EXIT STATUS
    boot=48,
    prepare=_prepare,
    names=lambda work: list(ops()),
    lay=_lay,
)

if __name__ == "__main__":
    sys.exit(main(SUITE, "stress-ng's stressors on the kernels", sys.argv[1:]))
