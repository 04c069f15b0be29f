"""Bochs itself: compiled once, from the source that the lock names, without its debugger and without a display. And the firmware it runs.

Debian's own package stops in the debugger and is several times as slow. The compiler is this machine's g++, since the lock has none: the
program's bytes are this host's, and its component names the compiler.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import BackendError, MissingToolError
from xboot.medium import obtain_firmware
from xboot.model import Component, Need, Role
from xboot.parts import locked
from xboot.tcb import SourceFile, by_language, count_files, opaque_file

__all__ = ["NEEDS", "Bochs", "at_hand", "obtain_bochs"]

_OPTIONS = (
    "--with-nogui", "--enable-x86-64", "--enable-cpu-level=6", "--enable-all-optimizations", "--enable-pci", "--enable-avx",
    "--enable-evex",    "--disable-docbook", "--disable-debugger", "--disable-debugger-gui",
)  # fmt: skip
_FLAGS = "-O2 -MD"
_GCC = {"debian": "g++", "fedora": "gcc-c++", "arch": "gcc", "nix": "gcc", "guix": "gcc-toolchain"}
NEEDS = (
    Need("g++", "compiles Bochs, once", _GCC, optional=True),
    Need("make", "compiles Bochs, once", dict.fromkeys(("debian", "fedora", "arch", "guix"), "make") | {"nix": "gnumake"}, optional=True),
    Need(
        "bwrap",
        "keeps Bochs apart from this machine",
        dict.fromkeys(("debian", "fedora", "arch", "nix", "guix"), "bubblewrap"),
        optional=True,
    ),
)
_TAIL = 500


@dataclass(frozen=True, slots=True)
class Bochs:
    """The program, its BIOS and its display's, and the record of what was compiled into it."""

    program: Path
    bios: Path
    display: Path
    sources: Path
    version: str
    compiler: str

    def components(self) -> list[Component]:
        """The emulator by lines, the firmware opaque."""
        files = {name: SourceFile(**entry) for name, entry in json.loads(self.sources.read_text()).items()}
        program = Component(
            "bochs", Role.SUBSTRATE, self.program.stat().st_size, file_sha256(self.program),
            f"Debian source bochs {self.version}, compiled on this host by {self.compiler}",
            self.version,            by_language(files.values()), sum(file.lines for file in files.values()), "dependency files",
            {name: file.sha256 for name, file in files.items()}, {file.sha256: file.lines for file in files.values()},
            (self.compiler,),
        )  # fmt: skip
        return [program, opaque_file("Bochs BIOS", Role.FIRMWARE, self.bios), opaque_file("VGA BIOS", Role.FIRMWARE, self.display)]


def obtain_bochs(cache: Cache | None = None) -> Bochs:
    """Bochs from the cache, or compiled now (some minutes). Raises MissingToolError without a compiler, or when a part is not to be had;
    BackendError when it cannot be compiled.
    """
    cache = cache or Cache()
    debian = DebianPackages(cache)
    source = debian.source("bochs")
    (tarball,) = source.tarballs
    compiler = _compiler()
    folder = cache.folder("bochs", _key(tarball.sha256, compiler), lambda work: _build(tarball.path, work))
    return Bochs(folder / "bochs", *obtain_firmware(cache), folder / "sources.json", source.version, compiler)


def at_hand() -> bool:
    """Whether Bochs has been compiled by this machine's compiler, and is in the cache."""
    (part,) = locked().files("bochs", "source")
    return all(map(shutil.which, ("g++", "make"))) and Cache().has("bochs", _key(part.sha256, _compiler()))


def _key(source: str, compiler: str) -> dict[str, str]:
    return {"source": source, "options": " ".join((*_OPTIONS, _FLAGS)), "compiler": compiler, "recipe": "1"}


def _compiler() -> str:
    for need in NEEDS[:2]:
        if shutil.which(need.program) is None:
            raise MissingToolError(
                f"{need.program} is not installed, so Bochs cannot be compiled",
                hint="install it (`xboot doctor` names the package), or choose another machine, as in `-b tccboot@qemu`",
            )
    done = subprocess.run(["g++", "--version"], capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL)
    return (done.stdout.splitlines() or ["g++"])[0]


def _build(tarball: Path, work: Path) -> None:
    tree = work / "tree"
    tree.mkdir()
    _run(["tar", "-xf", str(tarball), "--strip-components=1"], tree)
    _run(["./configure", *_OPTIONS], tree)
    _run(["make", f"-j{os.cpu_count() or 1}", "bochs"], tree)
    program = work / "bochs"
    shutil.copyfile(tree / "bochs", program)
    program.chmod(0o555)
    counted = count_files(sorted(_compiled(tree)))
    record = {str(path.relative_to(tree)): asdict(file) for path, file in counted.items()}
    (work / "sources.json").write_text(json.dumps(record, sort_keys=True, indent=1))
    shutil.rmtree(tree)


def _compiled(tree: Path) -> set[Path]:
    """The files of the source that the dependency files of the compiler name."""
    found = set()
    for deps in tree.rglob("*.d"):
        if deps.is_file():
            words = deps.read_text(errors="replace").replace("\\\n", " ").partition(":")[2].split()
            # make runs in each library's folder, and the objects lie beside their sources
            found |= {path for word in words if (path := (deps.parent / word).resolve()).is_relative_to(tree.resolve()) and path.is_file()}
    return {tree / path.relative_to(tree.resolve()) for path in found}


def _run(command: Sequence[str], folder: Path) -> None:
    env = {**os.environ, "CFLAGS": _FLAGS, "CXXFLAGS": _FLAGS, "LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise BackendError(
            f"Bochs could not be compiled: {command[0]} failed (status {done.returncode})", hint=done.stderr.strip()[-_TAIL:]
        )
