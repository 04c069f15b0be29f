"""The loader of a medium: boot.s, assembled and linked by the lock's binutils into one program of 2048 bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError
from xboot.model import Artifact, Role
from xboot.toolroot import tools

__all__ = ["SIZE", "SOURCE", "build_boot_loader"]

SOURCE = Path(__file__).with_name("boot.s")
SIZE = 2048
"""Bytes: one sector of a CD."""

_BINUTILS = (
    "binutils", "binutils-common", "binutils-x86-64-linux-gnu", "libbinutils", "libc6", "libctf-nobfd0", "libctf0", "libgcc-s1",
    "libjansson4", "libzstd1", "zlib1g",
)  # fmt: skip
_PROGRAMS = {"as": "binutils", "ld": "binutils"}
_COMMANDS = (
    ("as", "--32", "-o", "boot.o", "boot.s"),
    ("ld", "-m", "elf_i386", "-Ttext", "0x7c00", "-e", "_start", "--oformat", "binary", "-o", "boot", "boot.o"),
)


def build_boot_loader(cache: Cache, toolchain: str = "locked") -> Artifact:
    """The loader, from the cache or made now. Raises MissingToolError when binutils are not to be had, BackendError when they refuse it."""
    by = tools(cache, toolchain, _BINUTILS, _PROGRAMS)

    def make(work: Path) -> None:
        shutil.copyfile(SOURCE, work / SOURCE.name)
        for command in _COMMANDS:
            by.run(command, work, what="the loader of a medium")
        if (size := (work / "boot").stat().st_size) != SIZE:
            raise BackendError(f"the loader of a medium has {size} bytes; expected {SIZE}")

    program = cache.folder("medium-loader", {"source": file_sha256(SOURCE), "commands": repr(_COMMANDS), **by.key()}, make) / "boot"
    return Artifact(
        name="medium loader", path=program, sha256=file_sha256(program), size=SIZE, role=Role.LOADER, origin="xboot", version="source",
        built_with=by.names("binutils"), source_files=(SOURCE,), lines_method="manifest",
    )  # fmt: skip
