"""The TCC that compiles what tccboot and hurd boot: Debian's source, compiled by itself.

Its library is not this machine's: `libc` and `compiler` beside this module, compiled with it, are all that stands between it and Linux for
i386. So it is one static program of a few source files, the same from whatever compiler the first of its line came
(docs/double-compiling.md), and runs on this machine and in every guest.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

from xboot._records import dataclass
from xboot.cache import file_sha256
from xboot.debian import DebianFile, DebianPackages
from xboot.errors import BackendError, MissingToolError
from xboot.guest.sources import dependencies
from xboot.model import BuildTool
from xboot.toolroot import TCC, Tools, tools

__all__ = ["INCLUDES", "LIBC", "LIBTCC1", "OwnTcc", "compile_tcc", "lay_out", "obtain_own_tcc"]

LIBC = Path(__file__).parent / "libc"
"""The part of C's library that TCC needs, in C, for whatever gives it open, read, write, lseek, close and unlink."""
COMPILER = Path(__file__).parent / "compiler"
"""What of TCC's program is Linux's: its entry, and those calls."""
LIBTCC1 = "lib/libtcc1.c"
"""In TCC's source: what its code calls for 64-bit numbers."""
INCLUDES = ("-nostdlib", "-nostdinc", "-Ilibc", "-Ilibc/include", "-Itcc/include", "-Itcc")
"""The words with which every file of the tree is compiled, by every compiler, and beside them the one of `defines`."""
Target = Literal["i386", "x86_64"]
"""What a TCC compiles for; each is itself a program, or a part of one, of 32 bits."""

_FILES = (
    "compiler/start.S",
    "libc/setjmp.S",
    "libc/copy.S",
    "compiler/linux.c",
    "libc/memory.c",
    "libc/string.c",
    "libc/print.c",
    "libc/stream.c",
    "libc/stubs.c",
    "tcc/tcc.c",
    f"tcc/{LIBTCC1}",
)
# What TCC's configure script would write. It finds no file by itself: each is named to it. CONFIG_TCCBOOT is TCC's own switch for a
# compiler that catches no faults.
_CONFIG = """#define TCC_VERSION "{version}"
#define CONFIG_TCC_STATIC 1
#define CONFIG_TCCBOOT 1
#define CONFIG_TCCDIR "/none"
#define CONFIG_TCC_SYSINCLUDEPATHS "/none"
#define CONFIG_TCC_LIBPATHS "/none"
#define CONFIG_TCC_CRTPREFIX "/none"
"""
_TARGET = (
    "elf.h", "i386-asm.c", "i386-asm.h", "i386-gen.c", "i386-link.c", "i386-tok.h", "libtcc.c", "libtcc.h", "stab.def", "stab.h", "tcc.c",
    "tcc.h", "tccasm.c", "tccelf.c", "tccgen.c", "tccpp.c", "tccrun.c", "tcctok.h", "tcctools.c", "x86_64-asm.h", "x86_64-gen.c",
    "x86_64-link.c", LIBTCC1, "VERSION",
)  # fmt: skip
_RECIPE = "3"
_HINTS = {
    errno.ENOEXEC: "allow 32-bit programs here (CONFIG_IA32_EMULATION), or build with this machine's i386-tcc: --set toolchain=host",
    errno.EACCES: "programs may not be run where the cache lies: let XBOOT_CACHE name another folder",
}
Run = Callable[[Sequence[str]], object]
"""Runs a compiler with these words in the folder of the tree."""


@dataclass(frozen=True, slots=True)
class OwnTcc:
    """The compiler (`tools.run(["i386-tcc", …])`, for x86_64 `["tcc", …]`, as Debian names them), and what it was made from: `source` is a
    folder of TCC's files, `libtcc1` one of them.

    `program` is the compiler itself, and None with toolchain `host`. `sha256` is of the program, `tarball` of the source package.
    `sources` are all files that were compiled into it.
    """

    tools: Tools
    source: Path
    version: str
    tarball: str
    sha256: str
    sources: Sequence[Path]
    program: Path | None = None

    @property
    def libtcc1(self) -> Path:
        """What TCC's code calls for 64-bit numbers, in C."""
        return self.source / LIBTCC1


def obtain_own_tcc(debian: DebianPackages, toolchain: str = "locked") -> OwnTcc:
    """The compiler, from the cache or made now (a second): Debian's i386-tcc makes the first, which makes the second, which makes the
    third; the last two must be the same. With toolchain `host` it is this machine's i386-tcc, which is no 32-bit program.

    Raises MissingToolError when a part is not to be had or this machine does not run the program, BackendError when a compiler refuses the
    source, or the second and the third differ.
    """
    base = tools(debian.cache, toolchain, TCC, {"i386-tcc": "tcc", "tcc": "tcc"})
    source = debian.source("tcc")
    (tarball,) = [file for file in source.tarballs if ".tar." in file.path.name]
    own = {f"{path.parent.name}/{path.name}": file_sha256(path) for path in _own_files()}
    key = {**base.key(), "source": tarball.sha256, "recipe": _RECIPE, "words": " ".join(INCLUDES), "toolchain": toolchain} | own
    folder = debian.cache.folder("own-tcc", key, lambda work: _make(base, tarball.path, work, only_source=toolchain == "host"))
    tree = folder / "tcc"
    if toolchain == "host":
        return OwnTcc(base, tree, source.version, tarball.sha256, "", ())
    program = folder / "i386-tcc"
    sha256 = file_sha256(program)
    names = (folder / "sources").read_text().splitlines()
    sources = [folder / name if name.startswith("tcc/") else Path(__file__).parent / name for name in names]
    provenance = _provenance(folder, base, source.version, tarball, sources)
    by = _OwnTools({"i386-tcc": program, "tcc": folder / "x86_64-tcc"}, source.version, sha256, provenance)
    return OwnTcc(by, tree, source.version, tarball.sha256, sha256, sources, program)


def lay_out(tarball: Path, tree: Path) -> None:
    """Put all that is compiled into the empty folder `tree`: TCC's files, and ours. Raises BackendError for one that the tarball lacks."""
    found = set()
    with tarfile.open(tarball) as archive:
        for member in archive.getmembers():
            name = member.name.removeprefix("./")
            file = archive.extractfile(member) if member.isfile() and (name in _TARGET or Path(name).parent == Path("include")) else None
            if file is not None:
                target = tree / "tcc" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read())
                found.add(name)
    missing = sorted(set(_TARGET) - found)
    if missing:
        raise BackendError(f"{tarball.name} has no {missing[0]}", hint="xboot knows the source of tcc 0.9.27+git20200814")
    version = (tree / "tcc" / "VERSION").read_text().split()[0]
    (tree / "tcc" / "config.h").write_text(_CONFIG.format(version=version))
    for path in _own_files():
        target = tree / path.relative_to(Path(__file__).parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def defines(target: Target) -> str:
    """The word that makes a TCC of its source that compiles for `target`."""
    return f"-DTCC_TARGET_{target.upper()}"


def compile_tcc(run: Run, tree: Path, flags: Sequence[str] = (), target: Target = "i386") -> Path:
    """Compile TCC and its library with a compiler that `run` runs in `tree`, with `flags` of its own; the program. What `run` raises passes
    through.
    """
    objects = []
    for name in _FILES:
        objects.append(f"{name.replace('/', '-')}.o")
        run([*flags, *INCLUDES, defines(target), "-MD", "-MF", f"{objects[-1]}.d", "-c", name, "-o", objects[-1]])
    run([*flags, "-nostdlib", "-static", "-o", f"{target}-tcc", *objects])
    return tree / f"{target}-tcc"


def _own_files() -> Iterator[Path]:
    for folder in (LIBC, COMPILER):
        yield from sorted(path for path in folder.rglob("*") if path.suffix in (".c", ".h", ".S"))


def _make(base: Tools, tarball: Path, work: Path, *, only_source: bool) -> None:
    tree = work / "tree"
    tree.mkdir()
    lay_out(tarball, tree)
    if not only_source:
        program = _made_by_itself(base, work, tree)
        (work / "first").write_text(f"{file_sha256(tree / 'generation-1')} {(tree / 'generation-1').stat().st_size}\n")
        used = {os.path.normpath(name) for file in tree.glob("*.d") for name in dependencies(file)}
        other = compile_tcc(_running(_OwnTools({"i386-tcc": program}, "", ""), work), tree, target="x86_64")
        for made, name in ((program, "i386-tcc"), (other, "x86_64-tcc")):
            made.rename(work / name)
            (work / name).chmod(0o555)
        (work / "sources").write_text("".join(f"{name}\n" for name in sorted({*_FILES, *used})))
    (tree / "tcc").rename(work / "tcc")
    shutil.rmtree(tree)


def _made_by_itself(first: Tools, work: Path, tree: Path) -> Path:
    """The second of three generations, in `tree`, which compiled the third to the same bytes."""
    by, made = first, []
    for number in (1, 2, 3):
        program = compile_tcc(_running(by, work), tree).rename(tree / f"generation-{number}")
        made.append(program)
        by = _OwnTools({"i386-tcc": program}, "", "")
    if made[1].read_bytes() != made[2].read_bytes():
        raise BackendError("TCC, compiled by itself, is not the TCC that compiled it: its first compiler does not do as its source says")
    return made[1]


def _provenance(folder: Path, base: Tools, version: str, tarball: DebianFile, sources: Sequence[Path]) -> BuildTool:
    """The program, what compiled it, what compiled that."""
    origin = f"compiled here from Debian source tcc {version} (sha256 {tarball.sha256}) and xboot's C library"
    sha256, size = (folder / "first").read_text().split()
    first = BuildTool("TCC, first generation", version, sha256, int(size), origin, False, tuple(sources), base.made_by("tcc"))
    program = folder / "i386-tcc"
    return BuildTool(
        "TCC", version, file_sha256(program), program.stat().st_size,
        f"{origin}; docs/double-compiling.md says what gcc and clang make of it", False, tuple(sources), (first,),
    )  # fmt: skip


def _running(by: Tools, work: Path) -> Run:
    return lambda words: by.run(["i386-tcc", *words], work, "tree", what="TCC")


class _OwnTools(Tools):
    """The programs by themselves. They run no other, and open no file that is not named to them: nothing here need be hidden from them."""

    def __init__(self, programs: Mapping[str, Path], version: str, sha256: str, provenance: BuildTool | None = None) -> None:
        self._programs, self._version, self._sha256, self._provenance = programs, version, sha256, provenance

    def key(self) -> Mapping[str, str]:
        return {name: file_sha256(path) for name, path in self._programs.items()}

    def names(self, *packages: str) -> tuple[str, ...]:
        return (f"tcc {self._version}, compiled by itself (sha256 {self._sha256})",)

    def made_by(self, *packages: str) -> tuple[BuildTool, ...]:
        return (self._provenance,) if self._provenance else ()

    def start(
        self, command: Sequence[str], work: Path, at: str = "", *, environment: Mapping[str, str] | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE, stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        if command[0] not in self._programs:
            raise BackendError(f"{command[0]} is not among the tools of this build: it has {' and '.join(self._programs)} alone")
        try:
            return subprocess.Popen(
                [command[0], *command[1:]], executable=self._programs[command[0]], cwd=work / at, env=dict(environment or {}),
                stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, umask=0o022,
            )  # fmt: skip
        except OSError as error:
            hint = _HINTS.get(error.errno or 0)
            if hint is None:
                raise
            program = self._programs[command[0]]
            raise MissingToolError(
                f"this machine does not run {program}, TCC as a static program for i386 ({os.strerror(error.errno or 0)})", hint=hint
            ) from error

    def folder(self, work: Path) -> str:
        return str(work)

    def path(self, name: str) -> Path:
        return Path(name)
