"""Building the C executor: the same source for two architectures and two compilers, the same bytes every time."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError, MissingToolError
from xboot.model import Artifact, Role

EXECUTOR = Path(__file__).parent / "executor"

Architecture = Literal["x86_64", "i386"]
Compiler = Literal["gcc", "i386-tcc", "tcc"]

# No hosted assumption, no stack protector, no unwind tables, no build id: nothing in the file but the source's meaning.
_GCC = (
    "-std=gnu11", "-Os", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-fno-asynchronous-unwind-tables",
    "-fcf-protection=none", "-static", "-nostdlib", "-Wl,--build-id=none", "-Wl,-z,noseparate-code", "-Wl,-s", "-Wall", "-Wextra", "-Werror",
)  # fmt: skip
_TCC = ("-nostdlib", "-static", "-Wall", "-Werror")
_PACKAGES = {"gcc": "gcc", "i386-tcc": "tcc", "tcc": "tcc"}


def sources(architecture: Architecture) -> list[Path]:
    """The files of the executor, in the order in which they are compiled and linked."""
    return [EXECUTOR / f"start-{architecture}.S", *sorted(EXECUTOR.glob("*.c"))]


def headers() -> list[Path]:
    return sorted(EXECUTOR.glob("*.h"))


def build_executor(architecture: Architecture, compiler: Compiler, cache: Cache) -> Artifact:
    """The executor as a static ELF file. Raises MissingToolError without the compiler, BackendError when it does not compile."""
    if shutil.which(compiler) is None:
        raise MissingToolError(f"{compiler} is not installed, so the executor cannot be compiled", hint=f"apt-get install {_PACKAGES[compiler]}")
    version = compiler_version(compiler)
    files = sources(architecture)
    key = {path.name: file_sha256(path) for path in (*files, *headers())}
    key |= {"compiler": version, "architecture": architecture, "flags": " ".join(_flags(architecture, compiler))}
    folder = cache.folder("executor", key, lambda work: _compile(work / "executor", files, architecture, compiler))
    path = folder / "executor"
    return Artifact(
        name="executor", path=path, sha256=file_sha256(path), size=path.stat().st_size, role=Role.EXECUTOR,
        origin="xboot core/xboot/guest/executor", built_with=(version,), source_files=(*files, *headers()), lines_method="manifest",
    )  # fmt: skip


def compiler_version(compiler: str) -> str:
    """The first line of what the compiler says of itself."""
    flag = "--version" if compiler == "gcc" else "-v"
    done = subprocess.run([compiler, flag], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def _flags(architecture: Architecture, compiler: Compiler) -> Sequence[str]:
    return (*_GCC, "-m64" if architecture == "x86_64" else "-m32") if compiler == "gcc" else _TCC


def _compile(target: Path, files: Sequence[Path], architecture: Architecture, compiler: Compiler) -> None:
    # Relative names and a fixed folder: no path of this machine gets into the file.
    command = [compiler, *_flags(architecture, compiler), "-o", str(target.absolute()), *(path.name for path in files)]
    done = subprocess.run(command, cwd=EXECUTOR, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        tail = " ".join(done.stderr.strip().splitlines()[:4])
        raise BackendError(f"{compiler} does not compile the executor for {architecture}: {tail}")
    target.chmod(0o555)
