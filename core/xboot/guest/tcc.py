"""Debian's TCC, which compiles programs for tests and what runs beside QEMU on this machine. No image has anything of it: own_tcc.py."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from xboot._records import dataclass
from xboot.debian import DebianPackages
from xboot.errors import BackendError
from xboot.toolroot import TCC, Tools, tools

__all__ = ["INCLUDE", "LIBTCC1", "Tcc", "obtain_tcc", "run_tcc"]

_LIBRARY = "/usr/lib/x86_64-linux-gnu/tcc"
INCLUDE, LIBTCC1 = f"{_LIBRARY}/include", f"{_LIBRARY}/i386-libtcc1.a"
"""TCC's headers and its run-time library, by the names that the compiler in `Tcc.tools` has for them."""


@dataclass(frozen=True, slots=True)
class Tcc:
    """i386-tcc: what builds are made with (`tools`); and for tests the words that run it anywhere on this machine (`command`), by the
    loader and libc of a locked package, with its headers and run-time library.
    """

    command: Sequence[str]
    include: Path
    libtcc1: Path
    tools: Tools


def obtain_tcc(debian: DebianPackages, name: str = "i386-tcc", toolchain: str = "locked") -> Tcc:
    """The compiler, from the locked package (installed or not), or with toolchain `host` this machine's. `name` is the program that
    `command` runs: `tcc` compiles for x86_64. Raises MissingToolError.
    """
    made = tools(debian.cache, toolchain, TCC, {"i386-tcc": "tcc"})
    root = Path("/") if toolchain == "host" else debian.unpacked("tcc")[0]
    program, include, libtcc1 = (root / name.lstrip("/") for name in (f"/usr/bin/{name}", INCLUDE, LIBTCC1))
    for path in (program, include, libtcc1):
        if not path.exists():
            raise BackendError(f"tcc has no {path}", hint="xboot knows 0.9.27+git20200814 of Debian 12")
    libc = Path("/") if toolchain == "host" else debian.unpacked("libc6")[0]
    loader = libc / "lib" / "x86_64-linux-gnu" / "ld-linux-x86-64.so.2"
    command = [str(program)] if toolchain == "host" else [str(loader), "--library-path", str(loader.parent), str(program)]
    return Tcc(command, include, libtcc1, made)


def run_tcc(tcc: Tcc, arguments: Sequence[str], folder: Path) -> None:
    """Compile a program for a test, on this machine, in `folder`. Raises BackendError with the compiler's first messages."""
    done = subprocess.run(
        [*tcc.command, *arguments], cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise BackendError(f"i386-tcc refuses the source: {' '.join(done.stderr.strip().splitlines()[:3])}")
