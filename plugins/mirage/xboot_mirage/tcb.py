"""Whose each byte of the image is, and what its making makes you trust.

The linker's map gives the object of every piece. What lies between two pieces belongs to the first. All of it was compiled here: a file
that the linker took and that is no object of the build is an error. Lines: our own sources are counted, and of OCaml's runtime and library
the files that were compiled, headers included.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from xboot.cache import file_sha256
from xboot.errors import BackendError
from xboot.model import Artifact, BootImage, Component, Region, Role
from xboot.tcb import count_files, image_components
from xboot.toolroot import Tools
from xboot_mirage.toolchain import GUEST, LINKED_FILE, OBJECTS, REGIONS_FILE, SOURCES_FILE, STANDALONE_HEADERS, STANDALONE_SOURCES

__all__ = ["LINKED_FILE", "Owners", "artifacts", "component_of", "components", "image_regions", "linked", "measure"]

# Component → what it is. The order is that of the report.
_PARTS = {
    "base": (Role.KERNEL, "xboot: boot, memory, traps, serial ports, SHA-256, what the OCaml runtime asks of C"),
    "personality": (Role.KERNEL, "xboot: the Linux personality, in OCaml"),
    "executor": (Role.EXECUTOR, "xboot: script, store, NAR, steps, in OCaml"),
    "standalone": (Role.EXECUTOR, "xboot: what takes a host's place, in C; only in an image that runs without one"),
    "ocaml-stdlib": (Role.SERVICES, "OCaml's standard library, compiled here"),
    "ocaml-runtime": (Role.SERVICES, "OCaml's runtime system, compiled here"),
    "image framing": (Role.PADDING, "ELF headers and padding"),
}
_EXECUTOR = {"channel", "cpio", "executor", "hex", "main", "nar", "scan", "script", "sexp", "sha256", "store", "text", "view"}
_SECTION = re.compile(r"^ (\.[\w.]+|COMMON)[ ]+0x([0-9a-f]+)[ ]+0x([0-9a-f]+) (\S+)$", re.MULTILINE)
_LOADED = re.compile(r"^LOAD (\S+)$", re.MULTILINE)


Owners = Mapping[str, str]
"""Object, by the name that the linker's map has → component."""


def component_of(name: str) -> str:
    """Whose an object of the build is."""
    path = Path(name)
    if path.parts[0] == "libraries":
        return "ocaml-runtime" if path.parts[1] == "objects" else "ocaml-stdlib"
    if path.parts[0] == "ocaml":
        return "executor" if path.stem in _EXECUTOR else "personality"
    if path.stem in OBJECTS:
        return "base"
    return "standalone" if path.stem in STANDALONE_SOURCES else "ocaml-stdlib"  # startup.o: the table of modules


def measure(folder: Path, owners: Owners) -> list[tuple[int, int, str]]:
    """Offset, size, component for all bytes of `image` in the folder of a finished build. Raises BackendError for an object in the
    linker's map that nobody compiled here.
    """
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - every command loads this module, and few read ELF

    owner = {address: owners[name] for address, _, name in _pieces(folder, owners)}
    addresses = sorted(owner)
    with (folder / "image").open("rb") as file:
        elf = ELFFile(file)
        segments = [(s["p_vaddr"], s["p_offset"], s["p_filesz"]) for s in elf.iter_segments("PT_LOAD") if s["p_filesz"]]
        sections = sorted(
            (s["sh_offset"], s["sh_size"], s["sh_addr"]) for s in elf.iter_sections() if s["sh_type"] not in ("SHT_NULL", "SHT_NOBITS")
        )
    loaded = [(offset, size, address) for offset, size, address in sections if any(a <= address < a + n for a, _, n in segments)]
    total = (folder / "image").stat().st_size
    regions: list[tuple[int, int, str]] = []

    def own(offset: int, size: int, name: str) -> None:
        if size and regions and regions[-1][2] == name and regions[-1][0] + regions[-1][1] == offset:
            regions[-1] = (regions[-1][0], regions[-1][1] + size, name)
        elif size:
            regions.append((offset, size, name))

    at = 0
    for offset, size, address in loaded:
        own(at, offset - at, "image framing")
        here = address
        while here < address + size:
            index = bisect_right(addresses, here)
            name = owner[addresses[index - 1]] if index else "image framing"
            stop = min(addresses[index], address + size) if index < len(addresses) else address + size
            own(offset + here - address, stop - here, name)
            here = stop
        at = offset + size
    own(at, total - at, "image framing")
    return regions


def linked(folder: Path, owners: Owners) -> dict[str, int]:
    """Object → how many bytes of it are in the image, or would be if they were not zero."""
    sizes = dict.fromkeys(owners, 0)
    for _, size, name in _pieces(folder, owners):
        sizes[name] += size
    return sizes


def _pieces(folder: Path, owners: Owners) -> list[tuple[int, int, str]]:
    """Address, size and object of each part of the image, from the linker's map."""
    text = re.sub(r"\n (\.[\w.]+)\n +0x", r"\n \1 0x", (folder / "map").read_text())  # long section names stand on a line of their own
    text = text[text.index("Linker script and memory map") :]
    found = [(int(m[2], 16), int(m[3], 16), m[4]) for m in _SECTION.finditer(text) if int(m[2], 16) and int(m[3], 16)]
    for name in (*_LOADED.findall(text), *(name for _, _, name in found)):
        if name not in owners:
            raise BackendError(
                f"the linker took {name} into the mirage image, and nobody compiled that here: every object must be",
                hint="take it out of what is linked, or compile it from source (plugins/mirage/xboot_mirage/libraries.py)",
            )
    return found


def artifacts(folder: Path, by: Tools) -> dict[str, Artifact]:
    """The image as `kernel`, and one artifact for each component in it: `path` is the image, `sha256` that of the component's bytes."""
    image = folder / "image"
    data = image.read_bytes()
    built_with = by.names("gcc", "binutils", "ocaml-nox")
    made_by = by.made_by("gcc", "binutils", "ocaml-nox")
    sizes: dict[str, int] = {}
    digests = {name: hashlib.sha256() for name in _PARTS}
    for offset, size, name in _regions(folder):
        sizes[name] = sizes.get(name, 0) + size
        digests[name].update(data[offset : offset + size])
    found = {
        "kernel": Artifact("kernel", image, file_sha256(image), image.stat().st_size, Role.KERNEL, built_with=built_with, made_by=made_by)
    }
    for name, (role, origin) in _PARTS.items():
        if name in sizes:
            files, method = _sources(name, folder)
            version = by.names("ocaml-nox")[0] if name.startswith("ocaml-") else ""
            found[name] = Artifact(
                name, image, digests[name].hexdigest(), sizes[name], role, origin, version, built_with, files, method, made_by=made_by
            )
    return found


def _sources(name: str, folder: Path) -> tuple[tuple[Path, ...], str]:
    if name == "base":
        own = [path for part in ("base", "libc") for path in (GUEST / part).rglob("*") if path.suffix in (".c", ".h", ".S", ".ld")]
        return tuple(sorted(own)), "manifest"
    if name in ("personality", "executor"):
        # Interfaces (.mli) do not count: they hold no code, and can only hide what a module makes. A false type in one does not compile.
        return tuple(
            sorted(path for path in (GUEST / "ocaml").glob("*.ml") if (path.stem in _EXECUTOR) == (name == "executor"))
        ), "manifest"
    if name == "standalone":
        return (*STANDALONE_SOURCES.values(), *STANDALONE_HEADERS[:-1]), "manifest"
    listing = json.loads((folder / SOURCES_FILE).read_text())
    files = tuple(folder / "sources" / file for file in listing.get(name, ()))
    return files, "dependency files" if name == "ocaml-runtime" else "list of what is compiled" if files else "opaque"


def _regions(folder: Path) -> list[tuple[int, int, str]]:
    return [(offset, size, name) for offset, size, name in json.loads((folder / REGIONS_FILE).read_text())]


def image_regions(kernel: Artifact) -> list[Region]:
    """The regions of the file `kernel`."""
    return [Region("kernel", offset, size, name) for offset, size, name in _regions(kernel.path.parent)]


def components(image: BootImage) -> Sequence[Component]:
    """One component for each owner of bytes in the image."""
    counted = {
        name: {_label(path): found for path, found in count_files(artifact.source_files).items()}
        for name, artifact in image.artifacts.items()
        if artifact.source_files
    }
    found = image_components(image, counted)
    return [replace(c, syscalls=_served()) if c.name == "personality" else c for c in found]


def _served() -> Sequence[str]:
    """The names in the personality's two tables, without those that are listed only to answer quietly that they do not exist."""
    entries = re.findall(r'\be "(\w+)" \(?(\w+)', (GUEST / "ocaml" / "abi.ml").read_text())
    return tuple(sorted({name for name, served_by in entries if served_by != "absent"}))


def _label(path: Path) -> str:
    if path.is_relative_to(GUEST):
        return str(path.relative_to(GUEST))
    return str(Path(*path.parts[path.parts.index("sources") + 1 :])) if "sources" in path.parts else path.name
