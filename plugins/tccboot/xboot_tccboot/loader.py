"""The loader: TCC as a library, its little C library, and our boot code around it, compiled and linked by the TCC of that very source.

No other compiler has a part in it, and nothing in it was compiled elsewhere (docs/double-compiling.md).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError
from xboot.guest.own_tcc import INCLUDES, LIBC, LIBTCC1, OwnTcc, Target, defines
from xboot.guest.sources import dependencies
from xboot.model import Artifact, Region, Role

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

LOADER = Path(__file__).parent / "guest" / "loader"
_TEXT = 0x2000000  # where the loader is linked: main.c has the memory map
_COMPILER, _SUPPORT = "loader/tcc.c", f"tcc/{LIBTCC1}"  # the two of _FILES that are TCC's; all others are ours
_FILES = (
    "loader/boot.S", "libc/setjmp.S", "libc/copy.S", "loader/main.c", "loader/file.c", "libc/memory.c", "libc/string.c", "libc/print.c",
    "libc/stream.c", "libc/stubs.c", "loader/sha256.c", _COMPILER, _SUPPORT,
)  # fmt: skip
_TARGETS: Mapping[int, Target] = {32: "i386", 64: "x86_64"}
_RECIPE = "5"
_LOADED = (".text", ".data")
_ALIGNMENT = 4  # of every section that TCC makes for this target
_REGIONS_FILE = "regions.json"


def build_loader(tcc: OwnTcc, cache: Cache, bits: int = 32) -> Artifact:
    """The loader as an ELF file that QEMU boots by multiboot, from the cache or built now (about a second). It is 32-bit code itself; the
    TCC in it compiles for i386, or with `bits` 64 for x86_64.
    """
    folders = {"loader": LOADER, "libc": LIBC, "tcc": tcc.source}
    own = {
        f"{name}/{path.relative_to(at)}": file_sha256(path)
        for name, at in folders.items()
        for path in sorted(at.rglob("*"))
        if path.is_file()
    }
    key = {**tcc.tools.key(), "recipe": _RECIPE, "target": _TARGETS[bits]} | own
    folder = cache.folder("tccboot-loader", key, lambda work: _build(tcc, folders, work, _TARGETS[bits]))
    elf = folder / "loader.elf"
    files = [folders[name.partition("/")[0]] / name.partition("/")[2] for name in _sources(folder)]
    return Artifact(
        name="loader", path=elf, sha256=file_sha256(elf), size=elf.stat().st_size, role=Role.LOADER,
        origin=f"xboot, and Debian source tcc {tcc.version} (sha256 {tcc.tarball})", version=tcc.version,
        built_with=tcc.tools.names("tcc"), made_by=tcc.tools.made_by("tcc"),
        source_files=files, lines_method="dependency files",
    )  # fmt: skip


def loader_regions(loader: Artifact) -> list[Region]:
    """Whose each byte of the loader's file is."""
    owned = json.loads((loader.path.parent / _REGIONS_FILE).read_text())
    return [Region("loader", offset, size, name) for offset, size, name in owned]


def loader_parts(loader: Artifact) -> dict[str, Artifact]:
    """What stands in the loader's file: the loader itself, TCC, and TCC's support library, each with the files it was compiled from."""
    regions = loader_regions(loader)
    data = loader.path.read_bytes()
    files = dict(zip(_sources(loader.path.parent), loader.source_files, strict=True))

    def part(name: str, role: Role, sources: Sequence[Path]) -> Artifact:
        content = b"".join(data[r.offset : r.offset + r.size] for r in regions if r.component == name)
        return Artifact(
            name, loader.path, hashlib.sha256(content).hexdigest(), len(content), role, loader.origin.removeprefix("xboot, and "),
            loader.version, loader.built_with, sources, loader.lines_method, made_by=loader.made_by,
        )  # fmt: skip

    theirs = [name for name in files if name.startswith("tcc/") and name != _SUPPORT]
    return {
        "loader": dataclasses.replace(loader, source_files=[path for name, path in files.items() if not name.startswith("tcc/")]),
        "tcc": part("tcc", Role.COMPILER, [files[name] for name in theirs]),
        "libtcc1": part("libtcc1", Role.LOADER, [files[_SUPPORT]]),
    }


def _build(tcc: OwnTcc, folders: Mapping[str, Path], work: Path, target: Target) -> None:
    for name, folder in folders.items():
        shutil.copytree(folder, work / name)
    flags = ["-Iloader", *INCLUDES, defines(target)]
    objects: list[str] = []
    used: set[str] = set()
    for name in _FILES:
        obj = f"{name.replace('/', '-')}.o"
        deps = f"{obj}.d"
        tcc.tools.run(["i386-tcc", *flags, "-MD", "-MF", deps, "-c", name, "-o", obj], work, what="the loader")
        used |= {name, *map(os.path.normpath, dependencies(work / deps))}
        objects.append(obj)
    linking = ["-nostdlib", "-static", f"-Wl,-Ttext={_TEXT:#x}", "-o", "loader.elf", *objects]
    tcc.tools.run(["i386-tcc", *linking], work, what="the loader")
    owned = _regions(work / "loader.elf", {work / obj: name for obj, name in zip(objects, _FILES, strict=True)})
    (work / _REGIONS_FILE).write_text(json.dumps(owned))
    (work / "sources").write_text("".join(f"{line}\n" for line in sorted(used)))
    for path in (*work.glob("*.o"), *work.glob("*.d")):
        path.unlink()
    for name in folders:
        shutil.rmtree(work / name)


def _sources(folder: Path) -> list[str]:
    return (folder / "sources").read_text().splitlines()


def _regions(elf: Path, objects: Mapping[Path, str]) -> list[tuple[int, int, str]]:
    """Offset, size and owner of every byte of the file: TCC's linker puts the sections of the objects (object → source) one behind the
    other, in the order of the command line.
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
            for path, source in objects.items():
                begin = -(-inside // _ALIGNMENT) * _ALIGNMENT
                owner = {_COMPILER: "tcc", _SUPPORT: "libtcc1"}.get(source, "loader")
                own(start + inside, start + begin, "loader")
                with path.open("rb") as obj:
                    inside = begin + _section(ELFFile(obj), name)[1]
                own(start + begin, start + inside, owner)
            at = start + size
            if inside > size:
                raise BackendError(f"the loader's section {name} has {size} bytes, its objects have {inside}")
            own(start + inside, at, "loader")
    own(at, elf.stat().st_size, "loader")
    return owned


def _section(elf: ELFFile, name: str) -> tuple[int, int]:
    """Offset and size."""
    section = elf.get_section_by_name(name)
    if section is None:
        raise BackendError(f"TCC made a file without a section {name}")
    return int(section["sh_offset"]), int(section["sh_size"])
