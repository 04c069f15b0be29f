"""Debian's TCC, which compiles what tccboot and hurd boot: from its locked package, run by the loader and libc of another one, so that no
program and no library of this machine has a part in it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot.debian import DebianFile, DebianPackages
from xboot.errors import BackendError

__all__ = ["Tcc", "obtain_tcc", "run_tcc"]


@dataclass(frozen=True, slots=True)
class Tcc:
    """Debian's i386-tcc (or tcc): the program and the words that run it, its headers and run-time library, and the package they came in."""

    program: Path
    include: Path
    libtcc1: Path
    deb: DebianFile
    command: Sequence[str]


def obtain_tcc(debian: DebianPackages, name: str = "i386-tcc") -> Tcc:
    """The compiler `name` (`tcc` compiles for x86_64) of Debian's package, whether that is installed or not."""
    root, deb = debian.unpacked("tcc")
    libc, _ = debian.unpacked("libc6")
    library = root / "usr" / "lib" / "x86_64-linux-gnu" / "tcc"
    program = root / "usr" / "bin" / name
    loaders = sorted(libc.glob("**/x86_64-linux-gnu/ld-linux-x86-64.so.2"))
    command = [str(loaders[0]), "--library-path", str(loaders[0].parent), str(program)] if loaders else [str(program)]
    tcc = Tcc(program, library / "include", library / "i386-libtcc1.a", deb, command)
    for path in (tcc.program, tcc.include, tcc.libtcc1):
        if not path.exists():
            raise BackendError(
                f"Debian's package tcc {deb.version} has no {path.relative_to(root)}", hint="xboot knows 0.9.27+git20200814 of Debian 12"
            )
    return tcc


def run_tcc(tcc: Tcc, arguments: Sequence[str], folder: Path) -> None:
    """Run the compiler in `folder`. Raises BackendError with its first messages."""
    done = subprocess.run(
        [*tcc.command, *arguments], cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise BackendError(f"i386-tcc refuses the source: {' '.join(done.stderr.strip().splitlines()[:3])}")
