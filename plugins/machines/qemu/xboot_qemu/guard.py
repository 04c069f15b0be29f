"""The guard against an emulator's defect: guard.c, compiled once, for the QEMUs that need it.

QEMU before 9.1, when it emulates the processor, lets a program's far calls and returns reach its kernel's memory: guard.c says how.
Any builder could take over any kernel, whatever that kernel does.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import BackendError, XbootError
from xboot.guest.tcc import obtain_tcc
from xboot.machine import MachineOptions
from xboot.toolroot import TCC, tools
from xboot_qemu.said import takes_plugins, version

SOURCE = Path(__file__).with_name("guard.c")
STATUS = 42
"""QEMU's exit status when the guard ended it: an even one, which no byte of a guest's becomes, and not QEMU's own 1."""
REASON = "was ended: a program reached the kernel's memory by a far call or return, which QEMU before 9.1 wrongly lets it do"
"""That end, in words that go on from "the machine"."""
_MENDED = (9, 1)  # the first version of QEMU without the defect
_PLUGINS = (4, 2)  # the first with plugins
_KIND, _INTERFACES, _WIDTHS = "qemu-guard", (1, 2), (32, 64)


def needed(program: str, options: MachineOptions) -> bool:
    """Whether the QEMU at `program`, run like this, has the defect. One whose version cannot be read is taken to have it."""
    return options.accelerator != "kvm" and _version(program) < _MENDED


def guard(program: str, options: MachineOptions, bits: int) -> Path | None:
    """The plugin for the QEMU at `program` and a kernel of so many bits; None where none is needed, or none can be had: `unguarded` tells
    which.
    """
    if not needed(program, options) or unguarded(program, options):
        return None
    return _made() / _file(2 if _version(program) >= (9, 0) else 1, bits)


def unguarded(program: str, options: MachineOptions) -> str:
    """Why a QEMU that needs the guard runs without it; empty when it needs none or has it."""
    if not needed(program, options):
        return ""
    if _version(program) < _PLUGINS or not takes_plugins(program):
        return "this QEMU takes no plugins"
    return "" if _compiler() else "there is no C compiler (gcc, cc, clang), and TCC's package is not to be had"


def made_by() -> str:
    """What compiles the guard on this machine, in words; empty when nothing does."""
    found = _compiler()
    if found is None:
        return ""
    path, identity = found
    return f"{path} of this machine" if path else f"Debian's TCC as it is locked, toolroot {identity}"


@functools.cache
def _compiler() -> tuple[str, str] | None:
    """The path of what compiles the guard (empty: the locked TCC, which needs nothing of this machine; of this machine's only if TCC's
    package is not to be had), and what tells this compiler from others.
    """
    locked = tools(Cache(), "locked", TCC, {}).key()["toolroot"]
    try:
        if not Cache().has(_KIND, _key(locked)):  # else it was to be had, and what it made is here
            obtain_tcc(DebianPackages(Cache()), "tcc")
    except (XbootError, OSError):  # not to be had, or a cache that cannot be written to
        path = next((path for name in ("gcc", "cc", "clang") if (path := shutil.which(name))), "")
        return (path, f"{path} {Path(path).stat().st_mtime_ns}") if path else None
    return "", locked


def _version(program: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", version(program))
    return (int(found[1]), int(found[2])) if found else (0,)


@functools.cache
def _made() -> Path:
    """The folder of the compiled plugins, for both widths of a kernel and both versions of QEMU's interface: from the cache, or made now.
    Raises BackendError when the compiler refuses one, MissingToolError when what was made is damaged and its compiler is gone.
    """
    found = _compiler()
    assert found is not None  # `unguarded` has looked
    path, identity = found

    def make(folder: Path) -> None:
        words = [path] if path else _tcc()
        for interface in _INTERFACES:
            for bits in _WIDTHS:
                defined = [f"-DVERSION={interface}", f"-DBITS={bits}", f"-DSTATUS={STATUS}"]
                command = [*words, "-O1", "-shared", "-fPIC", *defined, "-o", str(folder / _file(interface, bits)), str(SOURCE)]
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    raise BackendError(f"{words[0]} could not compile the guard for QEMU, {SOURCE}", hint=done.stderr.strip()[-500:])

    return Cache().folder(_KIND, _key(identity), make)


def _key(compiler: str) -> dict[str, str]:
    return {"source": file_sha256(SOURCE), "compiler": compiler, "version": f"{_INTERFACES} {STATUS} {_WIDTHS}"}


def _file(interface: int, bits: int) -> str:
    return f"guard-{interface}-{bits}.so"


def _tcc() -> list[str]:
    tcc = obtain_tcc(DebianPackages(Cache()), "tcc")
    return [*tcc.command, "-nostdlib", "-nostdinc", f"-I{tcc.include}"]
