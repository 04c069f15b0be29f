"""GNU Mach: Debian's kernel for i386, or one that the user brings."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import BackendError, InputError
from xboot.model import Artifact, Role
from xboot.toolroot import DEBIAN_BUILDS
from xboot_hurd.lines import SOURCES_FILE, record_sources
from xboot_hurd.mend import by_words, measured_sooner, mend

PACKAGES = ("gnumach-image-1.8-486", "gnumach-image-1.8-486-up")
"""Debian 12's package, and what later releases call the same configuration."""


def debian_kernel(debian: DebianPackages, cache: Cache, *, untouched: bool = False) -> Artifact:
    """Debian's kernel, unpacked and (unless `untouched`) mended.

    With it the record of the source files that its debugging twin's line tables name.
    """
    package = _available(debian)
    root, deb = debian.unpacked(package, "i386")
    debug_root, debug = debian.unpacked(f"{package}-dbg", "i386")
    key = {"kernel": deb.sha256, "debug": debug.sha256, "recipe": "5"}

    def make(work: Path) -> None:
        kernel = _kernel_in(root, package)
        (work / "original").write_bytes(kernel)
        mended = mend(kernel)
        if mended is not None:
            (work / "mended").write_bytes(measured_sooner(by_words(mended)))
        record_sources(_kernel_in(debug_root, f"{package}-dbg"), work / SOURCES_FILE, kernel)

    folder = cache.folder("hurd-kernel", key, make)
    kernel = folder / "mended"
    origin = f"Debian package {package} {deb.version} i386 (sha256 {deb.sha256})"
    if untouched or not kernel.exists():
        kernel = folder / "original"
    else:
        changed = "one jump mended, copying by words, and a shorter measurement"
        origin += f", file {file_sha256(folder / 'original')} with {changed} (xboot_hurd/mend.py)"
    return Artifact(
        name="kernel", path=kernel, sha256=file_sha256(kernel), size=kernel.stat().st_size, role=Role.KERNEL,
        origin=origin, version=deb.version,
        built_with=("Debian's gcc, as the package's build had it",), made_by=(DEBIAN_BUILDS,), source_files=(folder / SOURCES_FILE,),
        lines_method=f"DWARF line tables of {package}-dbg {debug.version} (sha256 {debug.sha256})", prebuilt=True,
    )  # fmt: skip


def _available(debian: DebianPackages) -> str:
    problem: InputError | None = None
    for package in PACKAGES:
        try:
            debian.candidate(package, "i386")
        except InputError as error:
            problem = problem or error
        else:
            return package
    assert problem is not None
    raise problem


def _kernel_in(root: Path, package: str) -> bytes:
    found = sorted(root.glob("boot/gnumach*.gz"))
    if len(found) != 1:
        raise BackendError(f"Debian's package {package} has {len(found)} files boot/gnumach*.gz; expected one")
    return gzip.decompress(found[0].read_bytes())


def other_kernel(path: Path) -> Artifact:
    """The user's own kernel. Raises InputError when it is not an i386 ELF file (a compressed one is not taken)."""
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - every command loads this module, and few read ELF
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            good = elf.get_machine_arch() == "x86" and elf["e_type"] == "ET_EXEC"
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except ELFError as error:
        raise InputError(f"{path}: not an ELF file ({error}); expected a GNU Mach kernel for i386, not compressed") from error
    if not good:
        raise InputError(f"{path}: not an i386 kernel; expected GNU Mach for i386, not compressed")
    version = re.search(rb"GNU Mach [\w.+-]+", text)
    return Artifact(
        name="kernel", path=path, sha256=file_sha256(path), size=path.stat().st_size, role=Role.KERNEL,
        origin=f"the user's file {path.name}",
        version=version[0].decode() if version else "", lines_method="opaque",
    )  # fmt: skip
