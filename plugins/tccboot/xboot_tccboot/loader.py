"""The loader: Debian's TCC as a library, and our boot code around it, compiled and linked by Debian's i386-tcc.

No other compiler has a part in it.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianFile, DebianPackages
from xboot.guest.tcc import Tcc, run_tcc
from xboot.model import Artifact, Role

LOADER = Path(__file__).parent / "guest" / "loader"
_TEXT = 0x2000000  # where the loader is linked: main.c has the memory map
_FILES = ("boot.S", "main.c", "file.c", "memory.c", "string.c", "print.c", "stubs.c", "sha256.c", "tcc.c")
# What TCC's configure script would write. CONFIG_TCCBOOT is TCC's own switch for a library that runs nothing and catches no faults.
_CONFIG = '#define TCC_VERSION "{version}"\n#define CONFIG_TCC_STATIC 1\n#define CONFIG_TCCBOOT 1\n'
_RECIPE = "1"


def build_loader(tcc: Tcc, debian: DebianPackages, cache: Cache) -> Artifact:
    """The loader as an ELF file that QEMU boots by multiboot, from the cache or built now (about a second)."""
    source = debian.source("tcc")
    (tarball,) = [file for file in source.tarballs if ".tar." in file.path.name]
    own = {str(path.relative_to(LOADER)): file_sha256(path) for path in sorted(LOADER.rglob("*")) if path.is_file()}
    key = {"tcc": tcc.deb.sha256, "source": tarball.sha256, "recipe": _RECIPE} | own
    folder = cache.folder("tccboot-loader", key, lambda work: _build(tcc, tarball, work))
    elf = folder / "loader.elf"
    names = (folder / "sources").read_text().splitlines()
    files = [folder / "tcc" / name[4:] if name.startswith("tcc/") else LOADER / name for name in names]
    return Artifact(
        name="loader", path=elf, sha256=file_sha256(elf), size=elf.stat().st_size, role=Role.LOADER,
        origin=f"xboot, and Debian source tcc {source.version} (sha256 {tarball.sha256})", version=source.version,
        built_with=(f"Debian tcc {tcc.deb.version} (i386-tcc, sha256 {tcc.deb.sha256})",),
        source_files=files, lines_method="dependency files",
    )  # fmt: skip


def _build(tcc: Tcc, tarball: DebianFile, work: Path) -> None:
    tree = work / "tcc"
    tree.mkdir()
    with tarfile.open(tarball.path) as archive:
        members = [m for m in archive.getmembers() if m.isfile() and re.fullmatch(r"(\./)?[\w-]+\.([ch]|def)|(\./)?VERSION", m.name)]
        for member in members:
            file = archive.extractfile(member)
            assert file is not None  # a regular file always has content
            (tree / Path(member.name).name).write_bytes(file.read())
    version = (tree / "VERSION").read_text().split()[0]
    (tree / "config.h").write_text(_CONFIG.format(version=version))
    flags = ["-nostdlib", "-nostdinc", f"-I{LOADER}", f"-I{LOADER}/include", f"-I{tcc.include}", f"-I{tree}", "-DTCC_TARGET_I386"]
    objects: list[str] = []
    used: set[Path] = set()
    for name in _FILES:
        obj, deps = work / f"{name}.o", work / f"{name}.d"
        run_tcc(tcc, [*flags, "-MD", "-MF", str(deps), "-c", str(LOADER / name), "-o", str(obj)], work)
        used |= (
            {LOADER / name} | {Path(word) for word in deps.read_text().replace("\\\n", " ").split(":", 1)[1].split()}
            if deps.exists()
            else {LOADER / name}
        )
        objects.append(str(obj))
    run_tcc(tcc, ["-nostdlib", "-static", f"-Wl,-Ttext={_TEXT:#x}", "-o", str(work / "loader.elf"), *objects, str(tcc.libtcc1)], work)
    (work / "sources").write_text("".join(f"{line}\n" for line in sorted(_names(used, tree))))
    for path in (*work.glob("*.o"), *work.glob("*.d")):
        path.unlink()


def _names(used: set[Path], tree: Path) -> set[str]:
    """Names of the files that went into the loader: our own, and with `tcc/` before them TCC's.

    The compiler's own headers (stdarg.h, stddef.h) are not among them: they come with the compiler.
    """
    names = set()
    for path in used:
        if path.is_relative_to(LOADER):
            names.add(str(path.relative_to(LOADER)))
        elif path.is_relative_to(tree):
            names.add(f"tcc/{path.relative_to(tree)}")
    return names
