"""OCaml's runtime and standard library, compiled here from Debian's source package: the files that are named here, and no others.

What they ask of a C library is guest/libc and guest/base. Four modules of the standard library have a small one of ours in their place
(guest/stdlib), and what else of both need not be there is named, and answered, in guest/base/absent.c.
"""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianFile, DebianPackages
from xboot.errors import BackendError
from xboot.toolroot import Tools
from xboot_mirage.toolchain import C_FLAGS, GUEST, WHAT

RUNTIME = (
    "alloc.c", "amd64.S", "array.c", "callback.c", "codefrag.c", "compact.c", "compare.c", "custom.c", "domain.c", "fail_nat.c",
    "freelist.c", "gc_ctrl.c", "globroots.c", "hash.c", "ints.c", "major_gc.c", "memory.c", "minor_gc.c", "misc.c", "obj.c",
    "roots_nat.c", "signals.c", "signals_nat.c", "skiplist.c", "startup_aux.c", "startup_nat.c", "str.c",
)  # fmt: skip
"""What of the source's `runtime` is compiled."""

STDLIB = (
    "camlinternalFormatBasics", "camlinternalAtomic", "stdlib", "seq", "either", "option", "bool", "char", "uchar", "sys", "list",
    "int", "bytes", "string", "obj", "array", "int32", "int64", "map", "queue", "camlinternalLazy", "lazy", "buffer", "random", "hashtbl",
)  # fmt: skip
"""What of the source's `stdlib` is compiled, in the order of compiling; of guest/stdlib what has the same name there."""

OBJECTS, LIBRARY, COMPILED = "objects", "stdlib", "compiled.json"
"""In the folder of the libraries: the runtime's objects; the compiled library; which of the files went into which component."""

_RUNTIME_FLAGS = (
    "-fno-strict-aliasing", "-fwrapv", "-DCAML_NAME_SPACE", "-DCAMLDLLIMPORT=", "-DIN_CAML_RUNTIME", "-DNATIVE_CODE", "-DTARGET_amd64",
    "-DMODEL_default", "-DSYS_none",
)  # fmt: skip
_WITHOUT_LIBRARY = {"camlinternalFormatBasics", "camlinternalAtomic", "stdlib"}  # what the library itself stands on
_ALIASES = "(*MODULE_ALIASES*)\n"  # from here on stdlib.ml says `module List = List`, and means the file that is compiled as stdlib__List
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def ocaml_source(cache: Cache) -> DebianFile:
    """The source that is compiled. Raises MissingToolError when it is not to be had."""
    (tarball,) = DebianPackages(cache).source("ocaml").tarballs
    return tarball


def libraries(cache: Cache, by: Tools, source: DebianFile) -> Path:
    """A folder with the compiled libraries, and their sources. Raises BackendError."""

    def make(folder: Path) -> None:
        build_libraries(by, source, folder)

    return cache.folder("mirage-libraries", libraries_key(by, source), make)


def libraries_key(by: Tools, source: DebianFile) -> Mapping[str, str]:
    """All that they are made from and by."""
    own = sorted(path for name in ("libc", "stdlib") for path in (GUEST / name).rglob("*") if path.is_file())
    listing = {str(path.relative_to(GUEST)): file_sha256(path) for path in own}
    return {**by.key(), "source": source.sha256, "recipe": file_sha256(Path(__file__)), "flags": " ".join(C_FLAGS), **listing}


def build_libraries(by: Tools, source: DebianFile, folder: Path) -> None:
    """Compile into an empty folder. Raises BackendError."""
    _unpack(source.path, folder / "ocaml")
    _demand_version(by, source, folder)
    for name in ("libc", "stdlib"):
        shutil.copytree(GUEST / name, folder / "ours" / name)
    _compile_runtime(by, folder)
    _compile_library(by, folder)
    listing = {"ocaml-runtime": _sources_of_runtime(folder), "ocaml-stdlib": sorted(str(_source_of(name, folder)[0]) for name in STDLIB)}
    (folder / COMPILED).write_text(json.dumps(listing, indent=0))


def _unpack(tarball: Path, folder: Path) -> None:
    """The source's `runtime` and `stdlib`. Links are left out, and names stay in the folder."""
    with tarfile.open(tarball) as archive:
        for entry in archive:
            path = PurePosixPath(*PurePosixPath(entry.name).parts[1:])
            wanted = path.parts[:1] in (("runtime",), ("stdlib",)) or path == PurePosixPath("VERSION")
            stream = archive.extractfile(entry) if wanted and entry.isfile() and ".." not in path.parts else None
            if stream is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(stream.read())


def _demand_version(by: Tools, source: DebianFile, folder: Path) -> None:
    """The compiler and the libraries are of one version: each knows the other's layout of values."""
    has = (folder / "ocaml" / "VERSION").read_text().split("\n", 1)[0].strip()
    compiler = by.run(["ocamlopt", "-version"], folder, what=WHAT).strip()
    if not _VERSION.fullmatch(has) or compiler != has:
        raise BackendError(
            f"ocamlopt has version {compiler}, and the runtime's source ({source.path.name}) version {has}: they must be the same",
            hint="leave out --set toolchain=host",
        )


def _compile_runtime(by: Tools, folder: Path) -> None:
    objects = folder / OBJECTS
    objects.mkdir()
    include = ("-I../ours/libc", "-I../ours/libc/caml", "-I../ocaml/runtime")
    sources = [f"../ocaml/runtime/{name}" for name in RUNTIME]
    by.run(["gcc", *C_FLAGS, *_RUNTIME_FLAGS, *include, "-MD", "-c", *sources], folder, OBJECTS, what=WHAT)


def _sources_of_runtime(folder: Path) -> list[str]:
    """What gcc's dependency files name, headers and tables included."""
    found: set[str] = set()
    for file in (folder / OBJECTS).glob("*.d"):
        found |= headers_in(file, folder / OBJECTS, folder)
        file.unlink()
    return sorted(name for name in found if name.startswith("ocaml/"))  # those of guest/libc count with the base


def headers_in(dependencies: Path, at: Path, folder: Path) -> set[str]:
    """The files that a dependency file names, from `folder`; the compiler ran in `at`. Raises BackendError for one that is elsewhere."""
    words = re.sub(r"\\\n", " ", dependencies.read_text()).split(":", 1)[1].split()
    found = set()
    for word in words:
        path = (at / word).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise BackendError(f"{WHAT}: gcc read {word}, which is not among the sources of the image")
        found.add(str(path.relative_to(folder.resolve())))
    return found


def _source_of(name: str, folder: Path) -> Sequence[Path]:
    """From the folder: a module's source, and its interface if it has one."""
    ours = Path("ours") / "stdlib" / f"{name}.ml"
    if (folder / ours).exists():
        return [ours]
    theirs = Path("ocaml") / "stdlib" / f"{name}.ml"
    return [theirs, theirs.with_suffix(".mli")] if (folder / theirs.with_suffix(".mli")).exists() else [theirs]


def unit_of(name: str) -> str:
    """`list` is compiled as `stdlib__List`; the innermost modules and Stdlib keep their names."""
    return name if name.startswith(("camlinternal", "stdlib")) else f"stdlib__{name[0].upper()}{name[1:]}"


def _compile_library(by: Tools, folder: Path) -> None:
    library = folder / LIBRARY
    library.mkdir()
    commands = []
    for name in STDLIB:
        for path in reversed(_source_of(name, folder)):  # an interface comes first
            text = (folder / path).read_text()
            if name == "stdlib":
                before, after = text.split(_ALIASES)
                text = before + re.sub(r"^(module \w+ *= )(\w+)", r"\1Stdlib__\2", after, flags=re.MULTILINE)
            file = f"{unit_of(name)}{path.suffix}"
            (library / file).write_text(text)
            flags = ("-nopervasives", "-no-alias-deps") if name in _WITHOUT_LIBRARY else ()
            commands.append(" ".join(["ocamlopt", "-nostdlib", "-w", "-a", *flags, "-c", file]))
    units = " ".join(f"{unit_of(name)}.cmx" for name in STDLIB)
    commands.append(f"ocamlopt -nostdlib -a -o stdlib.cmxa {units}")
    by.run(["sh", "-e", "-c", "\n".join(commands)], folder, LIBRARY, what=WHAT)
