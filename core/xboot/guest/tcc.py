"""Debian's TCC for i386, which compiles what tccboot and hurd boot: from its package, whether it is installed or not."""

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
    """Debian's i386-tcc: the program, its headers and run-time library, and the package they came in."""

    program: Path
    include: Path
    libtcc1: Path
    deb: DebianFile


def obtain_tcc(debian: DebianPackages) -> Tcc:
    """The compiler, from Debian's package, whether installed or not."""
    root, deb = debian.unpacked("tcc")
    library = root / "usr" / "lib" / "x86_64-linux-gnu" / "tcc"
    tcc = Tcc(root / "usr" / "bin" / "i386-tcc", library / "include", library / "i386-libtcc1.a", deb)
    for path in (tcc.program, tcc.include, tcc.libtcc1):
        if not path.exists():
            raise BackendError(
                f"Debian's package tcc {deb.version} has no {path.relative_to(root)}", hint="xboot knows 0.9.27+git20200814 of Debian 12"
            )
    return tcc


def run_tcc(tcc: Tcc, arguments: Sequence[str], folder: Path) -> None:
    """Run the compiler in `folder`. Raises BackendError with its first messages."""
    done = subprocess.run(
        [str(tcc.program), *arguments], cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise BackendError(f"i386-tcc refuses the source: {' '.join(done.stderr.strip().splitlines()[:3])}")
