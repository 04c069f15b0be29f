"""Whose each byte of the image is, and what its making makes you trust.

The linker's map gives the object of every piece of C; within the one object that ocamlopt makes, symbols name the OCaml module. What lies
between two symbols belongs to the first. Lines: our own sources are counted; of the OCaml runtime and musl the source files of the members
that the linker took from their archives, in Debian's source packages; of the rest only archives are at hand, so their lines are not known.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError
from xboot.model import Artifact, BootImage, Component, Region, Role
from xboot.tcb import SourceFile, count_files, image_components
from xboot.toolroot import DEBIAN_BUILDS, Tools
from xboot_mirage.sources import LIBRARY_METHOD, library_sources
from xboot_mirage.toolchain import (
    GUEST,
    LIBRARIES,
    MEMBERS_FILE,
    OBJECTS,
    REGIONS_FILE,
    SOURCES_FILE,
    STANDALONE_HEADERS,
    STANDALONE_SOURCES,
)

# Component → what it is. The order is that of the report.
_PARTS = {
    "base": (Role.KERNEL, "xboot: boot, memory, traps, serial ports"),
    "personality": (Role.KERNEL, "xboot: the Linux personality, in OCaml"),
    "executor": (Role.EXECUTOR, "xboot: script, store, NAR, steps, in OCaml"),
    "standalone": (Role.EXECUTOR, "xboot: what takes a host's place, in C; only in an image that runs without one"),
    "ocaml-stdlib": (Role.SERVICES, "OCaml's standard library"),
    "ocaml-runtime": (Role.SERVICES, "OCaml's runtime system"),
    "mirage-libraries": (Role.SERVICES, f"MirageOS libraries: {', '.join(LIBRARIES)}"),
    "musl": (Role.SERVICES, "musl's libc.a"),
    "libgcc": (Role.SERVICES, "gcc's support library"),
    "image framing": (Role.PADDING, "ELF headers and padding"),
}
_PREBUILT = {"ocaml-stdlib", "ocaml-runtime", "mirage-libraries", "musl", "libgcc"}  # linked from archives in Debian's binary packages
_EXECUTOR = {"channel", "cpio", "executor", "hex", "main", "nar", "scan", "script", "sexp", "store"}
_SECTION = re.compile(r"^ (\.[\w.]+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$")


Archives = Mapping[str, Sequence[str]]
"""Component → the archives that it was linked from, by the names that the linker's map has."""


def measure(folder: Path, archives: Archives, symbols: str) -> list[tuple[int, int, str]]:
    """Offset, size, component for all bytes of `image` in the folder of a finished build; `symbols` is what nm says of it."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - every command loads this module, and few read ELF

    pieces = [*_sections(folder, archives), *((address, name) for address, _, name in _ocaml_symbols(symbols))]
    owner: dict[int, str] = {}
    for address, name in pieces:
        owner[address] = name  # the symbols of program.o come last and refine it
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


def _sections(folder: Path, linked: Archives) -> list[tuple[int, str]]:
    """Where each object's part of each output section begins, from the linker's map."""
    archives = {path: name for name, paths in linked.items() for path in paths}
    text = re.sub(r"\n (\.[\w.]+)\n +0x", r"\n \1 0x", (folder / "map").read_text())  # long section names stand on a line of their own
    found = []
    for line in text[text.index("Linker script and memory map") :].splitlines():
        match = _SECTION.match(line)
        if match is None or int(match[3], 16) == 0 or int(match[2], 16) == 0:
            continue
        origin = match[4].split("(")[0]
        if origin == "program.o":
            name = "ocaml-stdlib"
        elif origin.removesuffix(".o") in OBJECTS:
            name = "base"
        elif origin.removesuffix(".o") in STANDALONE_SOURCES:
            name = "standalone"
        elif origin in archives:
            name = archives[origin]
        else:
            raise BackendError(f"the linker's map names {origin}, which is no known part of the mirage image")
        found.append((int(match[2], 16), name))
    return found


def linked_members(folder: Path, linked: Archives, symbols: str) -> dict[str, list[str]]:
    """Component → what of it was linked: members of its archives, and OCaml modules (Stdlib__List)."""
    archives = {path: name for name, paths in linked.items() for path in paths}
    found: dict[str, set[str]] = {}
    for origin, member in re.findall(r"^ \S+ +0x[0-9a-f]+ +0x[0-9a-f]+ (\S+)\((\S+)\)$", (folder / "map").read_text(), re.MULTILINE):
        if origin in archives:
            found.setdefault(archives[origin], set()).add(member)
    for _, module, name in _ocaml_symbols(symbols):
        if name in ("ocaml-stdlib", "mirage-libraries"):
            found.setdefault(name, set()).add(module)
    return {name: sorted(members) for name, members in sorted(found.items())}


def _ocaml_symbols(symbols: str) -> list[tuple[int, str, str]]:
    """Address, module, component of the symbols that ocamlopt makes: camlMODULE__name or camlMODULE; MODULE may hold a library's prefix."""
    ours = {path.stem: ("executor" if path.stem in _EXECUTOR else "personality") for path in (GUEST / "ocaml").glob("*.ml")}
    libraries = tuple(library.replace("-", "_") for library in LIBRARIES)
    found = []
    for line in symbols.splitlines():
        match = re.match(r"^([0-9a-f]+) \w caml([A-Z]\w*)$", line)
        if match is None:
            continue
        words = match[2].split("__")
        module = words[0] if len(words) < 2 or not words[1][:1].isupper() else f"{words[0]}__{words[1]}"
        name = ours.get(words[0][0].lower() + words[0][1:])
        if name is None:
            name = "mirage-libraries" if words[0].lower().startswith(libraries) else "ocaml-stdlib"
        found.append((int(match[1], 16), module, name))
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
            files, method = _own_sources(name)
            version = by.names("ocaml-nox")[0] if name.startswith("ocaml-") else ""
            found[name] = Artifact(
                name,
                image,
                digests[name].hexdigest(),
                sizes[name],
                role,
                origin,
                version,
                built_with,
                files,
                method,
                prebuilt=name in _PREBUILT,
                made_by=(*made_by, DEBIAN_BUILDS) if name in _PREBUILT else made_by,
            )
    return found


def _own_sources(name: str) -> tuple[tuple[Path, ...], str]:
    if name == "base":
        return tuple(sorted(path for path in (GUEST / "base").iterdir() if path.suffix in (".c", ".h", ".S", ".ld"))), "manifest"
    if name in ("personality", "executor"):
        # Interfaces (.mli) do not count: they hold no code, and can only hide what a module makes. A false type in one does not compile.
        return tuple(
            sorted(path for path in (GUEST / "ocaml").glob("*.ml") if (path.stem in _EXECUTOR) == (name == "executor"))
        ), "manifest"
    if name == "standalone":
        return (*STANDALONE_SOURCES.values(), *STANDALONE_HEADERS[:-1]), "manifest"
    return (), "opaque"


def _regions(folder: Path) -> list[tuple[int, int, str]]:
    return [(offset, size, name) for offset, size, name in json.loads((folder / REGIONS_FILE).read_text())]


def image_regions(kernel: Artifact) -> list[Region]:
    """The regions of the file `kernel`."""
    return [Region("kernel", offset, size, name) for offset, size, name in _regions(kernel.path.parent)]


def components(image: BootImage) -> Sequence[Component]:
    """One component for each owner of bytes in the image."""
    folder = image.artifacts["kernel"].path.parent
    headers = [folder / "headers" / name for name in json.loads((folder / SOURCES_FILE).read_text())]
    counted: dict[str, Mapping[str, SourceFile]] = {}
    for name, artifact in image.artifacts.items():
        if artifact.source_files:
            files = [*artifact.source_files, *(headers if name == "base" else [])]
            counted[name] = {_label(path): found for path, found in count_files(path for path in files if path.exists()).items()}
    libraries = library_sources(Cache(), json.loads((folder / MEMBERS_FILE).read_text()))
    found = image_components(image, counted | libraries)
    found = [replace(c, lines_method=LIBRARY_METHOD) if c.name in libraries else c for c in found]
    return [replace(c, syscalls=_served()) if c.name == "personality" else c for c in found]


def _served() -> Sequence[str]:
    """The names in the personality's two tables, without those that are listed only to answer quietly that they do not exist."""
    entries = re.findall(r'\be "(\w+)" \(?(\w+)', (GUEST / "ocaml" / "abi.ml").read_text())
    return tuple(sorted({name for name, served_by in entries if served_by != "absent"}))


def _label(path: Path) -> str:
    return str(path.relative_to(GUEST)) if path.is_relative_to(GUEST) else path.name
