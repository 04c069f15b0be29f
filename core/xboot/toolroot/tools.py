"""What backends build with: the locked tools, or by an explicit choice this machine's own. One interface for both."""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, ClassVar

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError, MissingToolError
from xboot.model import BuildTool, Need, Setting
from xboot.parts import Lock, Part, drifted, locked
from xboot.parts.base import kept
from xboot.toolroot.enter import ENVIRONMENT, check_installed, command_in
from xboot.toolroot.tree import BUILD_FOLDER, Tree, make_tree, tree_digest

__all__ = ["ALL", "BUILD", "DEBIAN_BUILDS", "TCC", "TOOLCHAIN", "WALLS", "HostTools", "LockedTools", "Tools", "tools"]

ALL: tuple[str, ...] = ()
"""Every package of the lock's group `toolroot`."""
TCC = ("tcc", "libc6")
"""A small toolroot: TCC, and what it needs to run."""
BUILD = f"/{BUILD_FOLDER}"
"""The folder of the work as locked tools see it."""

TOOLCHAIN = Setting(
    "toolchain",
    "the compilers of xboot.lock, the same bytes on every host (`locked`), or this machine's (`host`)",
    ("locked", "host"),
    default="locked",
)
"""The setting of every backend that compiles something."""

WALLS = Need(
    "bwrap",
    "runs the locked compilers apart from this machine",
    dict.fromkeys(("debian", "fedora", "arch", "nix", "guix"), "bubblewrap"),
)
"""What a machine needs for them (`unshare` does as well)."""

DEBIAN_BUILDS = BuildTool("what Debian's builds had", origin="compilers of the archive's builders; which ones is not recorded here")
"""For `Artifact.made_by` of what came as a binary in a package."""

_REAL = {"gcc": "gcc-12"}  # the package `gcc` holds a link
_SHELL = "dash"  # a toolroot that has it needs walls
_TAIL = 800  # characters of what a program said that are shown when it fails


class Tools(ABC):
    """Compilers and what else a build needs."""

    @abstractmethod
    def key(self) -> Mapping[str, str]:
        """What a cache must know what was built by: the same key, the same tools."""

    @abstractmethod
    def names(self, *packages: str) -> tuple[str, ...]:
        """For reports: the tools of these packages (Debian's names), with versions, and where they ran."""

    def made_by(self, *packages: str) -> tuple[BuildTool, ...]:
        """For `Artifact`: what must be believed of the tools of these packages, and of what they need to run."""
        return ()

    @abstractmethod
    def start(
        self, command: Sequence[str], work: Path, at: str = "", *, environment: Mapping[str, str] | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE, stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        """Start a program in the folder `at` of `work`. Its arguments can name nothing but what is in `work`, and the tools' own files."""

    @abstractmethod
    def folder(self, work: Path) -> str:
        """The name that the tools have for the folder `work`."""

    @abstractmethod
    def path(self, name: str) -> Path:
        """Where a file that the tools call `name` (an absolute path) lies on this machine."""

    def run(self, command: Sequence[str], work: Path, at: str = "", *, what: str = "") -> str:
        """Run a program to its end, and give what it printed. `what` is being made. Raises BackendError with what it said when it fails."""
        process = self.start(command, work, at)
        try:
            printed, said = process.communicate()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode:
            text = " ".join((said or printed).decode(errors="replace").split())
            raise BackendError(f"{what + ': ' if what else ''}{command[0]} failed (status {process.returncode}): {text[-_TAIL:]}")
        return printed.decode(errors="replace")


class LockedTools(Tools):
    """Those of xboot.lock, in a toolroot. It is made, and its parts are fetched, when a program is run for the first time."""

    def __init__(self, cache: Cache, packages: Sequence[str] = ALL, lock: Lock | None = None) -> None:
        parts = (lock or locked()).group("toolroot")
        self._parts: list[Part] = [part for part in parts if part.name in packages] if packages else parts
        self._cache = cache
        self._tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """The toolroot, made and checked. Raises MissingToolError when a part is not to be had."""
        self._tree = self._tree or make_tree(self._parts, self._cache)
        return self._tree

    def key(self) -> Mapping[str, str]:
        kept()
        return {"toolroot": tree_digest(self._parts)}

    def names(self, *packages: str) -> tuple[str, ...]:
        found = {part.name: part for part in self._parts}
        wanted = [_REAL.get(name, name) for name in packages]
        return (*(f"Debian {found[name].name} {found[name].version}" for name in wanted), f"toolroot {tree_digest(self._parts)}")

    def made_by(self, *packages: str) -> tuple[BuildTool, ...]:
        wanted = dict.fromkeys(_REAL.get(name, name) for name in packages)
        first = [part for name in wanted for part in self._parts if part.name == name]
        rest = [part for part in self._parts if part.name not in wanted]
        # The rest is one thing to believe: any program of the toolroot may run, and any library be read.
        others = BuildTool(
            "what else is in the toolroot", sha256=tree_digest(self._parts), prebuilt=False, origin=f"packages of Debian: {len(rest)}",
            made_by=tuple(map(_package, rest)),
        )  # fmt: skip
        return (*map(_package, first), others)

    def start(
        self, command: Sequence[str], work: Path, at: str = "", *, environment: Mapping[str, str] | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE, stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        if any(part.name == _SHELL for part in self._parts):
            check_installed()
        line = command_in(self.tree.folder, work.absolute(), at, command, environment)
        env = {**ENVIRONMENT, **(environment or {})}
        return subprocess.Popen(line, cwd=work / at, env=env, stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, umask=0o022)

    def folder(self, work: Path) -> str:
        return BUILD

    def path(self, name: str) -> Path:
        folder = self.tree.folder
        path = folder / name.lstrip("/")
        while path.is_symlink():  # a link of the toolroot leads inside it
            target = path.readlink()
            path = folder / str(target).lstrip("/") if target.is_absolute() else path.parent / target
        return path


class HostTools(Tools):
    """Compilers of this machine: the image's bytes are then this machine's too."""

    _VERSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "gcc": ("gcc", "--version"),
        "binutils": ("ld", "--version"),
        "tcc": ("i386-tcc", "-v"),
        "ocaml-nox": ("ocamlopt", "-version"),
    }

    def __init__(self, programs: Mapping[str, str]) -> None:
        for program, package in programs.items():
            if shutil.which(program) is None:
                raise MissingToolError(
                    f"{program} is not installed, so toolchain=host cannot build with it",
                    hint=f"install it (on Debian the package {package}), or leave out --set toolchain=host",
                )
        self._packages = tuple(dict.fromkeys(package for package in programs.values() if package in self._VERSIONS))

    def key(self) -> Mapping[str, str]:
        for name in self.names():
            drifted(f"{name} of this machine")
        return {f"host {package}": version for package, version in zip(self._packages, self.names(), strict=True)}

    def names(self, *packages: str) -> tuple[str, ...]:
        found = []
        for package in packages or self._packages:
            done = subprocess.run(self._VERSIONS[package], capture_output=True, text=True, errors="replace", check=False)
            found.append((done.stdout.splitlines() or [package])[0])
        return tuple(found)

    def made_by(self, *packages: str) -> tuple[BuildTool, ...]:
        chosen = packages or self._packages
        return tuple(_program(self._VERSIONS[package][0], version) for package, version in zip(chosen, self.names(*chosen), strict=True))

    def start(
        self, command: Sequence[str], work: Path, at: str = "", *, environment: Mapping[str, str] | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE, stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        env = {**os.environ, **ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath), **(environment or {})}
        return subprocess.Popen(command, cwd=work / at, env=env, stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, umask=0o022)

    def folder(self, work: Path) -> str:
        return str(work)

    def path(self, name: str) -> Path:
        return Path(name)


def _package(part: Part) -> BuildTool:
    return BuildTool(f"Debian {part.name}", part.version, part.sha256, part.size, part.path)


def _program(name: str, version: str) -> BuildTool:
    """A program of this machine; what it needs to run is not known."""
    path = Path(shutil.which(name) or name).resolve()
    return BuildTool(name, version, file_sha256(path), path.stat().st_size, f"{path} of this machine")


def tools(cache: Cache, toolchain: str, packages: Sequence[str], programs: Mapping[str, str]) -> Tools:
    """What to build with: `locked` tools of these packages, or with `host` this machine's `programs` (program → Debian's package).

    Raises MissingToolError when a program of this machine is missing.
    """
    return HostTools(programs) if toolchain == "host" else LockedTools(cache, packages)
