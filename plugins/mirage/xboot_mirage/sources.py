"""The sources of what is linked from Debian's archives: found in its source packages by the names of the members, and counted."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from xboot.cache import Cache
from xboot.debian import DebianFile, DebianPackages, SourcePackage
from xboot.errors import XbootError
from xboot.tcb import SourceFile, count_files

LIBRARY_METHOD = "linker map, Debian source package"
# Of the MirageOS libraries no mirror has the sources of this version any more: their lines are not known.
_PACKAGES = {
    "ocaml-runtime": ("ocaml",),
    "ocaml-stdlib": ("ocaml",),
    "musl": ("musl",),
}
_SUFFIXES = (".c", ".S", ".s", ".ml")
# Where a source may lie in its tarball: the runtime's byte-code twin, tests and other processors' code are not what was linked.
_FOLDERS = {"ocaml-runtime": ("runtime/",), "ocaml-stdlib": ("stdlib/",), "musl": ("src/",)}
_OTHER_PROCESSORS = (
    "aarch64",
    "arm",
    "i386",
    "m68k",
    "mips",
    "mips64",
    "mipsn32",
    "microblaze",
    "or1k",
    "powerpc",
    "powerpc64",
    "riscv64",
    "s390x",
    "sh",
    "x32",
)


def library_sources(cache: Cache, members: Mapping[str, Sequence[str]]) -> dict[str, Mapping[str, SourceFile]]:
    """Component → file → count. A component whose source package is not to be had is left out (its lines are then unknown)."""
    debian = DebianPackages(cache)
    found: dict[str, Mapping[str, SourceFile]] = {}
    for name, packages in _PACKAGES.items():
        try:
            sources = [debian.source(package) for package in packages]
        except XbootError:
            continue
        counted = _counted(cache, name, members.get(name, ()), sources)
        if counted:
            found[name] = counted
    return found


def _counted(cache: Cache, name: str, members: Sequence[str], sources: Sequence[SourcePackage]) -> Mapping[str, SourceFile]:
    key = {"component": name, "members": hashlib.sha256("\n".join(members).encode()).hexdigest(), "recipe": "1"}
    key |= {f"tarball {number}": tarball.sha256 for number, tarball in enumerate(_tarballs(sources))}

    def make(folder: Path) -> None:
        wanted = {_stem(member) for member in members}
        with tempfile.TemporaryDirectory() as scratch:
            files: dict[str, Path] = {}
            for tarball in _tarballs(sources):
                files |= _extract(name, tarball.path, wanted, Path(scratch))
            counted = count_files(files.values())
            listing = {label: dataclasses.asdict(counted[path]) for label, path in files.items()}
        (folder / "lines.json").write_text(json.dumps(listing, indent=0))

    listing = json.loads((cache.folder("mirage-sources", key, make) / "lines.json").read_text())
    return {label: SourceFile(**values) for label, values in listing.items()}


def _tarballs(sources: Sequence[SourcePackage]) -> Iterator[DebianFile]:
    for source in sources:
        yield from source.tarballs


def _stem(member: str) -> str:
    """`array.n.o`, `memcpy.lo`, `Stdlib__List`, `Mirage_crypto__Hash` → the name of the source file, without suffix, in lower case."""
    return member.rsplit("__", maxsplit=1)[-1].split(".", maxsplit=1)[0].lower()


def _extract(name: str, tarball: Path, wanted: set[str], scratch: Path) -> dict[str, Path]:
    """The wanted files of a tarball. Of several with one name, that of x86_64 is taken."""
    chosen: dict[str, tuple[str, bytes]] = {}
    with tarfile.open(tarball) as archive:
        for entry in archive:
            path = PurePosixPath(entry.name)
            inner = "/".join(path.parts[1:])
            if not entry.isfile() or path.suffix not in _SUFFIXES or path.stem.lower() not in wanted:
                continue
            if not inner.startswith(_FOLDERS[name]) or set(path.parts) & set(_OTHER_PROCESSORS):
                continue
            stem = path.stem.lower()
            if stem not in chosen or "x86_64" in path.parts:
                stream = archive.extractfile(entry)
                assert stream is not None
                chosen[stem] = (inner, stream.read())
    found = {}
    for inner, data in chosen.values():
        target = scratch / inner.replace("/", "__")
        target.write_bytes(data)
        found[inner] = target
    return found
