"""Building the C executor: one source, two architectures, two compilers, each giving the same bytes every time.

gcc, this machine's, needs no 32-bit libraries for i386, since nothing of a libc or of libgcc is linked. TCC is Debian's, of the locked
package: `tcc` for x86_64, the cross compiler `i386-tcc` for i386; it brings its own assembler and linker, and its run-time library
(libtcc1) is not linked either.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import BackendError, MissingToolError
from xboot.guest.tcc import obtain_tcc
from xboot.model import Artifact, Role
from xboot.parts import drifted

__all__ = ["EXECUTOR", "Architecture", "Compiler", "build_executor", "sources"]

Architecture = Literal["x86_64", "i386"]
Compiler = Literal["gcc", "tcc", "i386-tcc"]

EXECUTOR = Path(__file__).parent / "executor"
"""The folder of the executor's sources."""

_RECIPE = "1"  # change it when the way of building changes in a manner that the flags do not show
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
_TCC = ("-nostdlib", "-nostdinc", "-Wall", "-Werror")


def sources(architecture: Architecture) -> list[Path]:
    """The files that are compiled for `architecture`, the entry first."""
    return [EXECUTOR / f"start-{architecture}.S", *sorted(EXECUTOR.glob("*.c"))]


def build_executor(architecture: Architecture, compiler: Compiler, cache: Cache) -> Artifact:
    """The executor as a static program, from the cache or built now (about a second).

    Raises MissingToolError when gcc is not installed or tcc's package not to be had, BackendError when the compiler refuses the source or
    the pair makes no sense.
    """
    if _TCC_TARGET.get(compiler, architecture) != architecture:
        raise BackendError(f"{compiler} compiles for {_TCC_TARGET[compiler]}, not for {architecture}", hint="build this executor with gcc")
    command, tools = _compiler(compiler, cache)
    inputs = {path.name: file_sha256(path) for path in (*sources(architecture), *EXECUTOR.glob("*.h"))}
    key = {
        "architecture": architecture,
        "tools": "\n".join(tools),
        "flags": " ".join((*_GCC, *_GCC_LINK, *_TCC)),
        "recipe": _RECIPE,
    } | inputs
    folder = cache.folder("executor", key, lambda work: _build(architecture, compiler, command, work))
    program = folder / "executor"
    used = [EXECUTOR / name for name in (folder / "sources").read_text().split()]
    return Artifact(
        name="executor", path=program, sha256=file_sha256(program), size=program.stat().st_size, role=Role.EXECUTOR,
        origin="xboot", version=f"C, {architecture}", built_with=tools, source_files=used, lines_method="dependency files",
    )  # fmt: skip


def _build(architecture: Architecture, compiler: Compiler, command: Sequence[str], work: Path) -> None:
    if compiler == "gcc":
        machine = _MACHINE[architecture]
        compiling, linking = [*command, machine, *_GCC], [*command, machine, *_GCC_LINK]
    else:
        compiling, linking = [*command, *_TCC], [*command, "-nostdlib", "-static"]
    used: set[str] = set()
    scrap: list[Path] = []
    objects: list[str] = []
    for source in sources(architecture):
        obj, deps = work / f"{source.stem}.o", work / f"{source.stem}.d"
        # Compiled inside the folder, by its bare name: no path of this machine can get into the program.
        _run([*compiling, "-MD", "-MF", str(deps), "-c", source.name, "-o", str(obj)])
        used |= _dependencies(deps) | {source.name}
        scrap += [obj, deps]
        objects.append(str(obj))
    _run([*linking, *objects, "-o", str(work / "executor")])
    (work / "executor").chmod(0o555)
    (work / "sources").write_text("\n".join(sorted(used)) + "\n")
    for path in scrap:
        path.unlink(missing_ok=True)


def _dependencies(deps: Path) -> set[str]:
    """The names in a dependency file; all are of the executor's own folder, since nothing else is on the include path."""
    return {Path(word).name for word in deps.read_text().replace("\\\n", " ").split(":", 1)[1].split()} if deps.exists() else set()


def _compiler(compiler: Compiler, cache: Cache) -> tuple[Sequence[str], tuple[str, ...]]:
    """The words that run the compiler, and what it is, in words."""
    if compiler != "gcc":
        tcc = obtain_tcc(DebianPackages(cache), compiler)
        return tcc.command, (f"Debian tcc {tcc.deb.version} ({compiler}, sha256 {tcc.deb.sha256})",)
    if shutil.which("gcc") is None:
        raise MissingToolError("gcc is not installed, so the executor cannot be built", hint="apt-get install gcc")
    commands = [["gcc", "--version"], ["ld", "--version"]]
    tools = tuple(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0] for command in commands)
    drifted(f"{tools[0]} of this machine")
    return ["gcc"], tools


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, cwd=EXECUTOR, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        tail = " ".join(done.stderr.strip().splitlines()[:3])
        raise BackendError(
            f"{command[0]} refuses the executor's source: {tail}", hint="is this compiler much older or newer than Debian's?"
        )
