"""User-Mode Linux: Debian's Linux that is a program of this host (`--set kernel=uml`), and the machine `uml`, which runs nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import MissingToolError
from xboot.machine import Carrier, Machine, MachineOptions, ProcessCarrier, socket_pairs, start_process
from xboot.model import Artifact, Boot, Component, MachineInfo, Need, Protocol, Role, Wiring
from xboot.tcb import opaque_file
from xboot.toolroot import DEBIAN_BUILDS
from xboot.walls import read_only, starts, walls_around

__all__ = ["WIRING", "UmlMachine", "uml_kernel"]

PACKAGE = "user-mode-linux"
WIRING = Wiring(exit=None)
_WALLS = Need(
    "bwrap",
    "keeps User-Mode Linux apart from this machine",
    dict.fromkeys(("debian", "fedora", "arch", "nix", "guix"), "bubblewrap"),
    optional=True,
)


def uml_kernel(cache: Cache) -> Artifact:
    """Debian's User-Mode Linux, as packaged. Raises MissingToolError when it is not to be had."""
    folder, deb = DebianPackages(cache).unpacked(PACKAGE)
    program = folder / "usr/bin/linux.uml"
    return Artifact(
        name="kernel", path=program, sha256=file_sha256(program), size=program.stat().st_size, role=Role.KERNEL,
        origin=f"Debian {deb.package} {deb.version} (sha256 {deb.sha256})", version=deb.version, lines_method="opaque", prebuilt=True,
        made_by=(DEBIAN_BUILDS,),
    )  # fmt: skip


class UmlMachine(Machine):
    """A kernel that is a process of this host, and traces its builders, which are others. It has no exit device, and brings nothing out."""

    info: ClassVar[MachineInfo] = MachineInfo(
        name="uml",
        summary="User-Mode Linux: no emulator, this host's kernel and processor; for `-b linux@uml --set kernel=uml` alone",
        bits=(64,),
        needs=(_WALLS,),
    )

    def takes(self, boot: Boot) -> str:
        if boot.protocol is not Protocol.PROGRAM:
            return "runs Linux as a program alone: choose -b linux@uml --set kernel=uml"
        if boot.window is not None:
            return "has no export window"
        return "" if boot.wiring == WIRING else "has the usual serial ports of a PC alone, and no exit port"

    def prepare(self, boot: Boot) -> None:
        """Raises MissingToolError without walls: whoever owns this kernel reads and writes files of this host as whoever runs it."""
        if not _has_walls(boot.kernel):
            raise MissingToolError(
                "User-Mode Linux runs behind bubblewrap alone, which is not installed or not allowed: it could reach this host's files",
                hint="install bubblewrap, and allow user namespaces; or choose another machine, as in `-b linux@qemu`",
            )
        if _has_tiles(Path("/proc/cpuinfo").read_text()):
            raise MissingToolError(
                "this machine's processor has AMX, whose registers User-Mode Linux has no room for: it ends at its first program",
                hint="choose another machine, as in `-b linux@qemu`",
            )

    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        """With the console on standard output; nothing listens on the result channel."""
        return [str(boot.kernel), *_words(boot, "fd:1", "null")]

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        with socket_pairs(2) as ((console, result), theirs):
            walls = [*walls_around(str(boot.kernel)), *read_only(_files(boot)), "--"]
            command = [str(boot.kernel), *_words(boot, *(f"fd:{end.fileno()}" for end in theirs))]
            process = await start_process(command, theirs, walls)
        return ProcessCarrier(process, console, result)

    def components(self, boot: Boot) -> Sequence[Component]:
        """The C library that the kernel is a program of, which is this host's."""
        found = re.search(r" (/\S*/libc\.so\.6)$", Path("/proc/self/maps").read_text(), re.MULTILINE)
        return [opaque_file("C library of this host", Role.SUBSTRATE, Path(found[1]))] if found else []

    def confinement(self, boot: Boot, options: MachineOptions) -> str:
        return "bubblewrap" if _has_walls(boot.kernel) else ""


def _words(boot: Boot, console: str, result: str) -> list[str]:
    """The kernel's own words, and its devices: the first serial port of a PC is the console, the second the result channel."""
    devices = (f"con0=null,{console}", "con=null", "ssl=null", f"ssl1={result}")
    initrd = [f"initrd={module.path}" for module in boot.modules]
    most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (2 << 20)  # MiB: it is a file of a tmpfs, which may take half
    memory = f"mem={min(boot.memory, most)}M"
    return [memory, *initrd, "rdinit=/init", "root=/dev/ram0", "umid=xboot", "uml_dir=/tmp/", *devices, *boot.words.split()]


def _files(boot: Boot) -> list[Path]:
    return [boot.kernel, *(module.path for module in boot.modules)]


def _has_tiles(processors: str) -> bool:
    """By the text of /proc/cpuinfo. UML 6.1 keeps a program's registers in 2,696 bytes (HOST_FP_SIZE, arch/x86/um/user-offsets.c)."""
    return re.search(r"^flags\s*:.*\bamx_tile\b", processors, re.MULTILINE) is not None


def _has_walls(kernel: Path) -> bool:
    return starts((*walls_around(str(kernel)), *read_only([kernel]), "--", str(kernel), "--version"))


plugin = UmlMachine()
