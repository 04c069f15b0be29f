"""Diverse double compiling of TCC: three compilers compile its source, what each of them made compiles it again, and the three that then
stand there must be one file. Writes that file's digest into docs/double-compiling.md, which says what this shows and what it does not.

Usage: make figures, or tools/double_compiling.py. `make test` compiles as well, and holds the digest.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import XbootError
from xboot.guest.own_tcc import OwnTcc, compile_tcc, lay_out, obtain_own_tcc

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "double-compiling.md"
BEGIN, END = "<!-- figures: written by `make figures`, held by `make test` -->\n", "<!-- end of figures -->\n"

# Nothing of this machine's libc, and code for i386 without what a distribution adds. TCC's source is C of 1989 with GNU's extensions.
_PLAIN = (
    "-m32", "-std=gnu89", "-w", "-O0", "-ffreestanding", "-fno-builtin", "-fno-pic", "-fno-pie", "-no-pie", "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables", "-Wl,-z,noexecstack",
)  # fmt: skip
COMPILERS: Mapping[str, Sequence[str]] = {
    "gcc": ("gcc", *_PLAIN, "-fcf-protection=none"),
    "clang": ("clang", *_PLAIN, "-fheinous-gnu-extensions"),  # casts among an asm's outputs, in libtcc1.c
    "i386-tcc": ("i386-tcc",),
}
"""Name → the words that run a compiler of this machine, before those that every compiler gets."""


def twice(command: Sequence[str], tarball: Path, folder: Path) -> str:
    """SHA-256 of the second generation: TCC, compiled by the TCC that `command` compiled, in the empty `folder`.

    Raises RuntimeError with what a compiler said that refuses the source.
    """
    lay_out(tarball, folder)
    first = compile_tcc(lambda words: _run([*command, *words], folder), folder).rename(folder / "first")
    second = compile_tcc(lambda words: _run([str(first), *words], folder), folder)
    return file_sha256(second)


def different(digests: Mapping[str, str]) -> str:
    """Which compilers differ from what most of them came to, as a sentence; empty when all are the same."""
    (most, count), *others = Counter(digests.values()).most_common()
    if not others:
        return ""
    if count == 1:
        return f"no two compilers come to the same TCC: {', '.join(digests)}"
    odd = [name for name, digest in digests.items() if digest != most]
    return f"compiled twice, TCC is another with {' and '.join(odd)} than with {' and '.join(n for n in digests if n not in odd)}"


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} refuses TCC's source: {' '.join(done.stderr.split())[-800:]}")


def figures(tcc: OwnTcc) -> str:
    """What is published of the compiler."""
    return (
        f"| | |\n|---|---|\n| SHA-256 of the program | `{tcc.sha256}` |\n| compiled from | Debian source package tcc {tcc.version}, "
        f"`{tcc.tarball}`, and {sum(1 for path in tcc.sources if 'tcc' not in path.parent.parts)} files of xboot |\n"
    )


def page(text: str, tcc: OwnTcc) -> str:
    """docs/double-compiling.md with these figures. Raises ValueError when it has no place for them."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"docs/double-compiling.md has no lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{before}{BEGIN}\n{figures(tcc)}\n{END}{after}"


def main() -> int:
    """Compile, and write; the exit status."""
    debian = DebianPackages(Cache())
    try:
        tcc = obtain_own_tcc(debian)
        (tarball,) = [file.path for file in debian.source("tcc").tarballs]
        digests = {"xboot": tcc.sha256}
        for name, command in COMPILERS.items():
            with tempfile.TemporaryDirectory() as folder:
                digests[name] = twice(command, tarball, Path(folder))
        problem = different(digests)
        text = page(PAGE.read_text(), tcc)
    except (XbootError, RuntimeError, OSError, ValueError) as error:
        problem = str(error)
    if problem:
        print(f"double compiling: {problem}; nothing is written")
        return 1
    if text != PAGE.read_text():
        PAGE.write_text(text)
        print(f"double compiling: written into {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
