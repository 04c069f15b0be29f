"""The loader: Debian's TCC as a library, and our boot code around it, compiled and linked by Debian's i386-tcc.

No other compiler has a part in it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianFile, DebianPackages
from xboot.errors import BackendError
from xboot.guest.sources import dependencies
from xboot.guest.tcc import INCLUDE, LIBTCC1, Tcc
from xboot.model import Artifact, Region, Role

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

LOADER = Path(__file__).parent / "guest" / "loader"
_TEXT = 0x2000000  # where the loader is linked: main.c has the memory map
_FILES = ("boot.S", "main.c", "file.c", "memory.c", "string.c", "print.c", "stubs.c", "sha256.c", "tcc.c")
# What TCC's configure script would write. CONFIG_TCCBOOT is TCC's own switch for a library that runs nothing and catches no faults.
_CONFIG = '#define TCC_VERSION "{version}"\n#define CONFIG_TCC_STATIC 1\n#define CONFIG_TCCBOOT 1\n'
_RECIPE = "4"
_COMPILER = "tcc.c"  # the one of _FILES that is TCC; all others are ours
_LOADED = (".text", ".data")
_ALIGNMENT = 4  # of every section that TCC makes for this target
_REGIONS_FILE = "regions.json"


def build_loader(tcc: Tcc, debian: DebianPackages, cache: Cache) -> Artifact:
    """The loader as an ELF file that QEMU boots by multiboot, from the cache or built now (about a second)."""
    source = debian.source("tcc")
    (tarball,) = [file for file in source.tarballs if ".tar." in file.path.name]
    own = {str(path.relative_to(LOADER)): file_sha256(path) for path in sorted(LOADER.rglob("*")) if path.is_file()}
    key = {**tcc.tools.key(), "source": tarball.sha256, "recipe": _RECIPE} | own
    folder = cache.folder("tccboot-loader", key, lambda work: _build(tcc, tarball, work))
    elf = folder / "loader.elf"
    names = (folder / "sources").read_text().splitlines()
    files = [folder / "tcc" / name[4:] if name.startswith("tcc/") else LOADER / name for name in names]
    return Artifact(
        name="loader", path=elf, sha256=file_sha256(elf), size=elf.stat().st_size, role=Role.LOADER,
        origin=f"xboot, and Debian source tcc {source.version} (sha256 {tarball.sha256})", version=source.version,
        built_with=tcc.tools.names("tcc"),
        source_files=[path for path in files if not path.is_relative_to(folder)], lines_method="dependency files",
    )  # fmt: skip


def loader_parts(loader: Artifact) -> tuple[dict[str, Artifact], list[Region]]:
    """What stands in the loader's file beside the loader itself, and whose each of the file's bytes is."""
    folder = loader.path.parent
    regions = [Region("loader", offset, size, name) for offset, size, name in json.loads((folder / _REGIONS_FILE).read_text())]
    data = loader.path.read_bytes()

    def part(name: str, role: Role, origin: str, sources: Sequence[Path]) -> Artifact:
        content = b"".join(data[r.offset : r.offset + r.size] for r in regions if r.component == name)
        return Artifact(
            name, loader.path, hashlib.sha256(content).hexdigest(), len(content), role, origin, loader.version, loader.built_with, sources,
            loader.lines_method if sources else "opaque",
        )  # fmt: skip

    names = (folder / "sources").read_text().splitlines()
    tcc = part("tcc", Role.COMPILER, loader.origin.removeprefix("xboot, and "), [folder / n for n in names if n.startswith("tcc/")])
    support = part("libtcc1", Role.LOADER, f"TCC's support library, as a binary from {loader.built_with[0]}", [])
    return {part.name: part for part in (tcc, support)}, regions


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
    shutil.copytree(LOADER, work / "loader")
    flags = ["-nostdlib", "-nostdinc", "-Iloader", "-Iloader/include", f"-I{INCLUDE}", "-Itcc", "-DTCC_TARGET_I386"]
    objects: list[str] = []
    used: set[str] = set()
    for name in _FILES:
        obj, deps = f"{name}.o", f"{name}.d"
        tcc.tools.run(["i386-tcc", *flags, "-MD", "-MF", deps, "-c", f"loader/{name}", "-o", obj], work, what="the loader")
        used |= {f"loader/{name}", *dependencies(work / deps)}
        objects.append(obj)
    linking = ["-nostdlib", "-static", f"-Wl,-Ttext={_TEXT:#x}", "-o", "loader.elf", *objects, LIBTCC1]
    tcc.tools.run(["i386-tcc", *linking], work, what="the loader")
    (work / _REGIONS_FILE).write_text(json.dumps(_regions(work / "loader.elf", [work / obj for obj in objects])))
    (work / "sources").write_text("".join(f"{line}\n" for line in sorted(_names(used))))
    for path in (*work.glob("*.o"), *work.glob("*.d")):
        path.unlink()
    shutil.rmtree(work / "loader")


def _regions(elf: Path, objects: Sequence[Path]) -> list[tuple[int, int, str]]:
    """Offset, size and owner of every byte of the file: TCC's linker puts the objects' sections one behind the other, in the order of the
    command line, and what the support library gave at the end.
    """
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - every command loads this module, and few read ELF

    owned: list[tuple[int, int, str]] = []

    def own(offset: int, end: int, name: str) -> None:
        if end > offset:
            owned.append((offset, end - offset, name))

    at = 0
    with elf.open("rb") as file:
        linked = ELFFile(file)
        for name in _LOADED:
            start, size = _section(linked, name)
            inside = 0
            own(at, start, "loader")  # headers and padding
            for path in objects:
                begin = -(-inside // _ALIGNMENT) * _ALIGNMENT
                owner = "tcc" if path.name.startswith(_COMPILER) else "loader"
                own(start + inside, start + begin, "loader")
                with path.open("rb") as obj:
                    inside = begin + _section(ELFFile(obj), name)[1]
                own(start + begin, start + inside, owner)
            at = start + size
            if inside > size:
                raise BackendError(f"the loader's section {name} has {size} bytes, its objects have {inside}")
            own(start + inside, at, "libtcc1")
    own(at, elf.stat().st_size, "loader")
    return owned


def _section(elf: ELFFile, name: str) -> tuple[int, int]:
    """Offset and size."""
    section = elf.get_section_by_name(name)
    if section is None:
        raise BackendError(f"TCC made a file without a section {name}")
    return int(section["sh_offset"]), int(section["sh_size"])


def _names(used: set[str]) -> set[str]:
    """Names of the files that went into the loader: our own, and with `tcc/` before them TCC's.

    The compiler's own headers (stdarg.h, stddef.h) are not among them: they come with the compiler.
    """
    return {str(PurePosixPath(name)).removeprefix("loader/") for name in used if not name.startswith("/")}
