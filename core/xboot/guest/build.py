"""Building the C executor: one source, two architectures, two compilers, each giving the same bytes every time.

The compilers are the locked ones, in a toolroot, unless `toolchain` is `host`. gcc needs no 32-bit libraries for i386, since nothing of a
libc or of libgcc is linked. TCC is the one that was compiled by itself (own_tcc.py); it brings its own assembler and linker, and its
run-time library (libtcc1) is not linked either.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import BackendError
from xboot.guest.own_tcc import obtain_own_tcc
from xboot.guest.sources import dependencies
from xboot.model import Artifact, Role
from xboot.parts.base import handed_out
from xboot.toolroot import ALL, Tools, tools

__all__ = ["EXECUTOR", "STANDALONE", "Architecture", "Compiler", "build_executor", "sources"]

Architecture = Literal["x86_64", "i386"]
Compiler = Literal["gcc", "tcc", "i386-tcc"]

EXECUTOR = Path(__file__).parent / "executor"
"""The folder of the executor's sources."""
STANDALONE = Path(__file__).parent / "standalone"
"""The folder of what is added to an executor that runs without a host."""

_RECIPE = "2"  # change it when the way of building changes in a manner that the flags do not show
_GCC_TOOLS = {"gcc": "gcc", "ld": "binutils"}
_TCC_TARGET = {"tcc": "x86_64", "i386-tcc": "i386"}
_MACHINE = {"x86_64": "-m64", "i386": "-m32"}
_GCC = (
    "-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror",
    "-ffreestanding", "-fno-builtin", "-nostdinc",  # nothing of the host's libc
    "-fno-tree-loop-distribute-patterns",  # or memset's own loop would become a call of memset
    "-fno-pic", "-fno-pie", "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-fno-ident",
)  # fmt: skip
_GCC_LINK = (
    "-nostdlib",
    "-static",
    "-no-pie",
    "-Wl,--build-id=none",
    "-Wl,-z,noexecstack,-z,noseparate-code,-z,norelro",
    "-Wl,--strip-all",
)
_RENAMED = ("-Dsyscall6=kernel_call",)  # so that standalone/calls.c stands between the executor and its kernel
_TCC = ("-nostdlib", "-nostdinc", "-Wall", "-Werror")


def sources(architecture: Architecture, compiler: Compiler, *, standalone: bool = False) -> list[Path]:
    """The files that are compiled for `architecture`, the entry first. Where TCC compiles, which does not optimise, what there is in
    assembly takes the place of the same in C.
    """
    found = [EXECUTOR / f"start-{architecture}.S"]
    for path in sorted(EXECUTOR.glob("*.c")):
        own = path.with_name(f"{path.stem}-{architecture}.S")
        found.append(own if own.exists() and compiler != "gcc" else path)
    return [*found, *(sorted(STANDALONE.glob("*.c")) if standalone else ())]


def _headers(*, standalone: bool) -> list[Path]:
    return [*EXECUTOR.glob("*.h"), *(STANDALONE.glob("*.h") if standalone else ())]


def build_executor(
    architecture: Architecture, compiler: Compiler, cache: Cache, toolchain: str = "locked", *, standalone: bool = False
) -> Artifact:
    """The executor as a static program, from the cache or built now (about a second). `standalone`: with what takes the host's place.

    Raises MissingToolError when the compiler is not to be had, BackendError when it refuses the source or the pair makes no sense.
    """
    if _TCC_TARGET.get(compiler, architecture) != architecture:
        raise BackendError(f"{compiler} compiles for {_TCC_TARGET[compiler]}, not for {architecture}", hint="build this executor with gcc")
    by, packages = _tools(compiler, cache, toolchain)
    files = [*sources(architecture, compiler, standalone=standalone), *_headers(standalone=standalone)]
    inputs = {path.name: file_sha256(path) for path in files}
    key = {
        "architecture": architecture,
        "compiler": compiler,
        "flags": " ".join((*_GCC, *_GCC_LINK, *_TCC)),
        "recipe": _RECIPE,
        **by.key(),
    } | inputs
    folder = cache.folder("executor", key, lambda work: _build(architecture, compiler, by, work, standalone=standalone))
    program = folder / "executor"
    places = {path.name: path for path in files}
    used = [places[name] for name in (folder / "sources").read_text().split()]
    made = Artifact(
        name="executor", path=program, sha256=file_sha256(program), size=program.stat().st_size, role=Role.EXECUTOR,
        origin="xboot", version=f"C, {architecture}", built_with=by.names(*packages), made_by=by.made_by(*packages),
        source_files=used, lines_method="dependency files",
    )  # fmt: skip
    handed_out(made)
    return made


def _tools(compiler: Compiler, cache: Cache, toolchain: str) -> tuple[Tools, list[str]]:
    """What to build with, and the packages that it is of."""
    if compiler != "gcc":
        return obtain_own_tcc(DebianPackages(cache), toolchain).tools, ["tcc"]
    return tools(cache, toolchain, ALL, _GCC_TOOLS), list(_GCC_TOOLS.values())


def _build(architecture: Architecture, compiler: Compiler, by: Tools, work: Path, *, standalone: bool) -> None:
    if compiler == "gcc":
        machine = _MACHINE[architecture]
        compiling, linking = ["gcc", machine, *_GCC], ["gcc", machine, *_GCC_LINK]
    else:
        compiling, linking = [compiler, *_TCC], [compiler, "-nostdlib", "-static"]
    tree = work / "tree"
    tree.mkdir()
    compiled = sources(architecture, compiler, standalone=standalone)
    for path in (*compiled, *_headers(standalone=standalone)):
        shutil.copyfile(path, tree / path.name)
    used: set[str] = set()
    objects: list[str] = []
    for source in compiled:
        obj, deps = f"{source.stem}.o", f"{source.stem}.d"
        renamed = _RENAMED if standalone and source.suffix == ".S" else ()
        # Compiled inside the folder, by its bare name: no path of this machine can get into the program.
        by.run([*compiling, *renamed, "-MD", "-MF", deps, "-c", source.name, "-o", obj], work, "tree", what="the executor")
        # Names of the executor's own folder alone: nothing else is on the include path.
        used |= {Path(name).name for name in dependencies(tree / deps)} | {source.name}
        objects.append(obj)
    by.run([*linking, *objects, "-o", "executor"], work, "tree", what="the executor")
    (tree / "executor").rename(work / "executor")
    (work / "executor").chmod(0o555)
    (work / "sources").write_text("\n".join(sorted(used)) + "\n")
    shutil.rmtree(tree)
