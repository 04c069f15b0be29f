"""Building the image: the base layer by gcc, the OCaml program by ocamlopt, linked with OCaml's libraries (libraries.py) into one ELF.

The build is cached by everything that goes into it (sources, compilers) and is deterministic to the byte. No object is linked that was not
compiled here: the linker's map names each, and one that is not known ends the build. Beside the image lies what the map tells of it, and
the sources of the libraries that were compiled, to be counted (tcb.py).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.hooks import Notify
from xboot.model import Artifact, Event, Phase
from xboot.toolroot import Tools
from xboot_mirage import libraries
from xboot_mirage.tcb import artifacts, component_of, linked, measure
from xboot_mirage.toolchain import (
    C_FLAGS,
    GUEST,
    LINKED_FILE,
    OBJECTS,
    REGIONS_FILE,
    SOURCES_FILE,
    STANDALONE_HEADERS,
    STANDALONE_SOURCES,
    WHAT,
    toolchain,
)

_WRAPPED = ("channel_put", "channel_get", "console_put", "machine_exit", "panic")  # guest/standalone/standalone.c has them
_RECIPE = "6"  # grows when the commands below change

# General registers only: the base also runs while a program's FPU state is live (guest/base/cpu.c).
_BASE_FLAGS = (*C_FLAGS, "-Wall", "-Wextra", "-Werror", "-mgeneral-regs-only", "-Ilibc", "-Ilibc/caml", "-Ilibraries/ocaml/runtime")
# What an interface hides and nobody uses (warning 32) is an error: no dead code behind a border.
_OCAMLFLAGS = ("-w", "+a-4-9-40-41-42-44-45-70", "-warn-error", "+32", "-inline", "100", "-nostdlib", "-I", "../libraries/stdlib")
_LDFLAGS = (
    "-static", "-nostdlib", "--gc-sections", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none",
    "-T", "base/link.ld", "-Map", "map",
)  # fmt: skip


def built_image(cache: Cache, notify: Notify, choice: str = "locked", *, standalone: bool = False) -> Mapping[str, Artifact]:
    """The image as `kernel`, and an artifact for each component in it; `standalone`: one that runs without a host. Raises MissingToolError,
    BackendError.
    """
    by = toolchain(cache, choice)
    source = libraries.ocaml_source(cache)
    folders = [GUEST / name for name in ("base", "ocaml")]
    sources = sorted(path for f in folders for path in f.iterdir() if path.suffix in (".c", ".h", ".S", ".ld", ".ml", ".mli"))
    listing = "".join(f"{path.relative_to(GUEST)} {file_sha256(path)}\n" for path in sources)
    key = {"guest": hashlib.sha256(listing.encode()).hexdigest(), "image": _RECIPE, **libraries.libraries_key(by, source)}
    if standalone:
        more = (*STANDALONE_SOURCES.values(), *STANDALONE_HEADERS)
        key["standalone"] = " ".join([*_WRAPPED, *(file_sha256(path) for path in more)])
    started = time.monotonic()

    def make(folder: Path) -> None:
        notify(Event(Phase.PREPARE, 0.0, name="kernel", text="building the OCaml image", done=0.0))
        build_image(by, libraries.libraries(cache, by, source), folder, standalone=standalone)
        notify(Event(Phase.PREPARE, time.monotonic() - started, name="kernel", text="OCaml image built", done=1.0))

    return artifacts(cache.folder("mirage-image", key, make), by)


def build_image(by: Tools, compiled: Path, folder: Path, *, standalone: bool = False) -> None:
    """Build into an existing folder: the image and the files that describe it. `compiled` is the folder of OCaml's libraries. Raises
    BackendError.
    """
    scratch = folder.parent / f"{folder.name}-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        shutil.copytree(GUEST, scratch)
        shutil.copytree(compiled, scratch / "libraries")
        read = _compile_base(by, scratch)
        objects = [f"{name}.o" for name in OBJECTS]
        flags: tuple[str, ...] = _LDFLAGS
        if standalone:
            _compile_standalone(by, scratch)
            objects += [f"{name}.o" for name in STANDALONE_SOURCES]
            flags = (*_LDFLAGS, *(f"--wrap={name}" for name in _WRAPPED))
        objects += _compile_ocaml(by, scratch)
        objects += [f"libraries/stdlib/{libraries.unit_of(name)}.o" for name in libraries.STDLIB]
        objects += [f"libraries/objects/{Path(name).stem}.o" for name in libraries.RUNTIME]
        owners = {name: component_of(name) for name in objects}
        _run(by, ["ld", *flags, "-o", "image.elf", *objects], scratch)
        _run(by, ["strip", "-o", "image", "image.elf"], scratch)
        shutil.copy(scratch / "image", folder / "image")
        shutil.copy(scratch / "image.elf", folder / "symbols")  # for debuggers; nothing of it is booted
        (folder / REGIONS_FILE).write_text(json.dumps(measure(scratch, owners), indent=0))
        (folder / LINKED_FILE).write_text(json.dumps(linked(scratch, owners), indent=0))
        _keep_sources(compiled, read, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _compile_base(by: Tools, scratch: Path) -> set[str]:
    """Gives the headers of OCaml's runtime that it read, from the folder of the libraries."""
    for name in OBJECTS:
        source = next(path for path in (scratch / "base").glob(f"{name}.[cS]"))
        flags = (*_BASE_FLAGS, "-MD", "-MF", f"{name}.d") if source.suffix == ".c" else ()
        _run(by, ["gcc", *flags, "-c", f"base/{source.name}", "-o", f"{name}.o"], scratch)
    files = {name for file in scratch.glob("*.d") for name in libraries.headers_in(file, scratch, scratch)}
    return {name.removeprefix("libraries/") for name in files if name.startswith("libraries/")}


def _compile_standalone(by: Tools, scratch: Path) -> None:
    for path in (*STANDALONE_SOURCES.values(), *STANDALONE_HEADERS):
        shutil.copyfile(path, scratch / "standalone" / path.name)
    for name, source in STANDALONE_SOURCES.items():
        _run(by, ["gcc", *_BASE_FLAGS, "-Ibase", "-fno-builtin", "-c", f"standalone/{source.name}", "-o", f"{name}.o"], scratch)


def _compile_ocaml(by: Tools, scratch: Path) -> list[str]:
    """Gives the objects: the table of modules that ocamlopt writes, and the modules. What it would link of these is not used."""
    # An interface (.mli) comes before whatever uses it: ocamldep sorts both.
    names = sorted(path.name for path in (scratch / "ocaml").glob("*.ml*"))
    order = _run(by, ["ocamldep", "-sort", *names], scratch, "ocaml").split()
    _run(by, ["ocamlopt", *_OCAMLFLAGS, "-output-obj", "-dstartup", "-o", "../program.o", "stdlib.cmxa", *order], scratch, "ocaml")
    _run(by, ["as", "-o", "startup.o", "program.o.startup.s"], scratch)
    return ["startup.o", *(f"ocaml/{Path(name).stem}.o" for name in order if name.endswith(".ml"))]


def _keep_sources(compiled: Path, read: set[str], folder: Path) -> None:
    """What of the libraries was compiled is copied, so that it can be counted as long as the image is there."""
    listing = json.loads((compiled / libraries.COMPILED).read_text())
    listing["ocaml-runtime"] = sorted({*listing["ocaml-runtime"], *read})
    for names in listing.values():
        for name in names:
            target = folder / "sources" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(compiled / name, target)
    (folder / SOURCES_FILE).write_text(json.dumps(listing, indent=0))


def _run(by: Tools, command: Sequence[str], scratch: Path, at: str = "") -> str:
    return by.run(command, scratch, at, what=WHAT)
