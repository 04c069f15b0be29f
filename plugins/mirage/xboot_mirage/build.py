"""Building the image: the base layer by gcc, the OCaml program by ocamlopt, linked with the OCaml runtime and musl's libc.a into one ELF.

The build is cached by everything that goes into it (sources, compilers, archives) and is deterministic to the byte. Beside the image lies
what the linker's map and the symbols tell of it: whose each byte is, and which members of the archives were linked (tcb.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.hooks import Notify
from xboot.model import Artifact, Event, Phase
from xboot.toolroot import Tools
from xboot_mirage.tcb import artifacts, linked_members, measure
from xboot_mirage.toolchain import (
    GUEST,
    LIBRARIES,
    MEMBERS_FILE,
    OBJECTS,
    REGIONS_FILE,
    SOURCES_FILE,
    STANDALONE_HEADERS,
    STANDALONE_SOURCES,
    library_archives,
    toolchain,
)
from xboot_mirage.toolchain import key as key_of

_WRAPPED = ("channel_put", "channel_get", "console_put", "machine_exit", "panic")  # guest/standalone/standalone.c has them
_RECIPE = "5"  # grows when the commands below change

# General registers only: the base also runs while a program's FPU state is live (guest/base/cpu.c).
_CFLAGS = (
    "-O2", "-Wall", "-Wextra", "-Werror", "-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only", "-fno-stack-protector",
    "-ffreestanding", "-fno-pic", "-fno-pie", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
)  # fmt: skip
# What an interface hides and nobody uses (warning 32) is an error: no dead code behind a border.
_OCAMLFLAGS = ("-w", "+a-4-9-40-41-42-44-45-70", "-warn-error", "+32", "-inline", "100")
_LDFLAGS = ("-static", "-nostdlib", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none", "-T", "base/link.ld", "-Map", "map")


def built_image(cache: Cache, notify: Notify, choice: str = "locked", *, standalone: bool = False) -> Mapping[str, Artifact]:
    """The image as `kernel`, and an artifact for each component in it; `standalone`: one that runs without a host. Raises MissingToolError,
    BackendError.
    """
    by = toolchain(cache, choice)
    folders = [GUEST / name for name in ("base", "ocaml")]
    sources = sorted(path for f in folders for path in f.iterdir() if path.suffix in (".c", ".h", ".S", ".ld", ".ml", ".mli"))
    listing = "".join(f"{path.relative_to(GUEST)} {file_sha256(path)}\n" for path in sources)
    key = {"guest": hashlib.sha256(listing.encode()).hexdigest(), "recipe": _RECIPE, **key_of(by, GUEST)}
    if standalone:
        more = (*STANDALONE_SOURCES.values(), *STANDALONE_HEADERS)
        key["standalone"] = " ".join([*_WRAPPED, *(file_sha256(path) for path in more)])
    started = time.monotonic()

    def make(folder: Path) -> None:
        notify(Event(Phase.PREPARE, 0.0, name="kernel", text="building the OCaml image", done=0.0))
        build_image(by, folder, standalone=standalone)
        notify(Event(Phase.PREPARE, time.monotonic() - started, name="kernel", text="OCaml image built", done=1.0))

    return artifacts(cache.folder("mirage-image", key, make), by)


def build_image(by: Tools, folder: Path, *, standalone: bool = False) -> None:
    """Build into an existing folder: the image and the files that describe it."""
    scratch = folder.parent / f"{folder.name}-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        shutil.copytree(GUEST, scratch)
        archives = library_archives(by, scratch)
        _compile_base(by, scratch)
        _compile_ocaml(by, scratch)
        objects = [f"{name}.o" for name in OBJECTS]
        flags: tuple[str, ...] = _LDFLAGS
        if standalone:
            _compile_standalone(by, scratch)
            objects += [f"{name}.o" for name in STANDALONE_SOURCES]
            flags = (*_LDFLAGS, *(f"--wrap={name}" for name in _WRAPPED))
        linked = [name for names in archives.values() for name in names]
        _run(by, ["ld", *flags, "-o", "image.elf", *objects, "program.o", "--start-group", *linked, "--end-group"], scratch)
        _run(by, ["strip", "-o", "image", "image.elf"], scratch)
        symbols = _run(by, ["nm", "image.elf"], scratch)
        shutil.copy(scratch / "image", folder / "image")
        shutil.copy(scratch / "image.elf", folder / "symbols")  # for debuggers; nothing of it is booted
        (folder / REGIONS_FILE).write_text(json.dumps(measure(scratch, archives, symbols), indent=0))
        (folder / MEMBERS_FILE).write_text(json.dumps(linked_members(scratch, archives, symbols), indent=0))
        (folder / SOURCES_FILE).write_text(json.dumps(_c_headers(by, scratch, folder / "headers"), indent=0))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _compile_base(by: Tools, scratch: Path) -> None:
    include = f"-I{_run(by, ['ocamlfind', 'ocamlc', '-where'], scratch).strip()}"
    for name in OBJECTS:
        source = next(path for path in (scratch / "base").glob(f"{name}.[cS]"))
        flags = (*_CFLAGS, "-MMD", "-MF", f"{name}.d", include) if source.suffix == ".c" else ()
        _run(by, ["gcc", *flags, "-c", f"base/{source.name}", "-o", f"{name}.o"], scratch)


def _compile_standalone(by: Tools, scratch: Path) -> None:
    for path in (*STANDALONE_SOURCES.values(), *STANDALONE_HEADERS):
        shutil.copyfile(path, scratch / "standalone" / path.name)
    for name, source in STANDALONE_SOURCES.items():
        _run(
            by, ["gcc", *_CFLAGS, "-fno-builtin", "-MMD", "-MF", f"{name}.d", "-c", f"standalone/{source.name}", "-o", f"{name}.o"], scratch
        )


def _compile_ocaml(by: Tools, scratch: Path) -> None:
    packages = ["-package", ",".join(LIBRARIES)]
    # An interface (.mli) comes before whatever uses it: ocamldep sorts both.
    names = sorted(path.name for path in (scratch / "ocaml").glob("*.ml*"))
    order = _run(by, ["ocamlfind", "ocamldep", *packages, "-sort", *names], scratch, "ocaml").split()
    # The program without its runtime, so that the linker's map names every piece of C.
    _run(by, ["ocamlfind", "ocamlopt", *_OCAMLFLAGS, *packages, "-linkpkg", "-output-obj", "-o", "../program.o", *order], scratch, "ocaml")


def _c_headers(by: Tools, scratch: Path, keep: Path) -> list[str]:
    """The headers that gcc's dependency files name, outside of the guest folder: the runtime's and the C library's. They are copied
    into `keep`, where they can be counted as long as the image is there; names are given from there.
    """
    found: set[str] = set()
    for file in scratch.glob("*.d"):
        words = re.sub(r"\\\n", " ", file.read_text()).split()[1:]
        found |= {word for word in words if word.startswith("/") and word.endswith(".h")}
    for name in sorted(found):
        target = keep / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(by.path(name), target)
    return [name.lstrip("/") for name in sorted(found)]


def _run(by: Tools, command: Sequence[str], scratch: Path, at: str = "") -> str:
    return by.run(command, scratch, at, what="building the mirage image")
