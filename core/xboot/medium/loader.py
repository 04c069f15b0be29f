"""The loaders of a medium: boot.s for a BIOS, uefi.s for UEFI firmware, each assembled and linked by the lock's binutils into one file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError
from xboot.model import Artifact, Role
from xboot.toolroot import Tools, tools

__all__ = ["BIOS_SIZE", "UEFI_SIZE", "Loaders", "build_loaders"]

BIOS_SIZE, UEFI_SIZE = 2048, 4 * 2048
"""Bytes of each."""

_HERE = Path(__file__).parent
_BINUTILS = (
    "binutils", "binutils-common", "binutils-x86-64-linux-gnu", "libbinutils", "libc6", "libctf-nobfd0", "libctf0", "libgcc-s1",
    "libjansson4", "libzstd1", "zlib1g",
)  # fmt: skip
_PROGRAMS = {"as": "binutils", "ld": "binutils"}


class Loaders(NamedTuple):
    """The program for a BIOS, and the PE image for UEFI."""

    bios: Artifact
    uefi: Artifact


def build_loaders(cache: Cache, toolchain: str = "locked") -> Loaders:
    """Both, from the cache or made now. Raises MissingToolError when binutils are not to be had, BackendError when they refuse one."""
    by = tools(cache, toolchain, _BINUTILS, _PROGRAMS)
    return Loaders(
        _build(by, cache, "medium loader", "boot", BIOS_SIZE, "--32", "elf_i386", "0x7c00", "_start"),
        _build(by, cache, "medium loader for UEFI", "uefi", UEFI_SIZE, "--64", "elf_x86_64", "0x7000", "image"),
    )


def _build(by: Tools, cache: Cache, name: str, stem: str, expected: int, bits: str, form: str, place: str, entry: str) -> Artifact:
    source = _HERE / f"{stem}.s"
    commands = (
        ("as", bits, "-o", f"{stem}.o", source.name),
        ("ld", "-m", form, "-Ttext", place, "-e", entry, "--oformat", "binary", "-o", stem, f"{stem}.o"),
    )

    def make(work: Path) -> None:
        shutil.copyfile(source, work / source.name)
        for command in commands:
            by.run(command, work, what=f"the {name}")
        if (size := (work / stem).stat().st_size) != expected:
            raise BackendError(f"the {name} has {size} bytes; expected {expected}")

    program = cache.folder("medium-loader", {"source": file_sha256(source), "commands": repr(commands), **by.key()}, make) / stem
    return Artifact(
        name=name, path=program, sha256=file_sha256(program), size=expected, role=Role.LOADER, origin="xboot", version="source",
        built_with=by.names("binutils"), made_by=by.made_by("binutils"), source_files=(source,), lines_method="manifest",
    )  # fmt: skip
