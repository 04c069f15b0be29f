"""Building the image: the base layer by gcc, the OCaml program by ocamlopt, linked with the OCaml runtime and musl's libc.a into one ELF file.

The build is cached by everything that goes into it (sources, compilers, archives) and is deterministic to the byte. Beside the image lie the linker's map and the symbols,
from which tcb.py tells whose each byte is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError, MissingToolError
from xboot.hooks import Notify
from xboot.model import Artifact, Event, Phase

GUEST = Path(__file__).parent / "guest"
LIBRARIES = ("cstruct", "mirage-crypto")
OBJECTS = ("boot", "trap", "frames", "aspace", "cpu", "serial", "libc", "main", "stubs")  # boot.o first: its note and entry lead the image
REGIONS_FILE, SOURCES_FILE = "regions.json", "sources.json"
_TOOLS = {"gcc": "gcc", "ld": "binutils", "strip": "binutils", "nm": "binutils", "ocamlfind": "ocaml-findlib", "ocamlopt": "ocaml-nox"}
_PACKAGES = "ocaml-nox ocaml-findlib libcstruct-ocaml-dev libmirage-crypto-ocaml-dev musl-dev gcc binutils"
_RECIPE = "1"  # grows when the commands below change

# General registers only: the base also runs while a program's FPU state is live (guest/base/cpu.c).
_CFLAGS = (
    "-O2", "-Wall", "-Wextra", "-Werror", "-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only", "-fno-stack-protector", "-ffreestanding",
    "-fno-pic", "-fno-pie", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
)  # fmt: skip
_OCAMLFLAGS = ("-w", "+a-4-9-40-41-42-44-45-70", "-inline", "100")


def built_image(cache: Cache, notify: Notify) -> Mapping[str, Artifact]:
    """The image (`kernel`) and, without bytes of their own in `files`, the components linked into it. Raises MissingToolError, BackendError."""
    from xboot_mirage.tcb import artifacts  # noqa: PLC0415 - tcb.py needs the names of this module

    toolchain = _toolchain()
    sources = sorted(path for path in GUEST.rglob("*") if path.suffix in (".c", ".h", ".S", ".ld", ".ml"))
    digest = hashlib.sha256("".join(f"{path.relative_to(GUEST)} {file_sha256(path)}\n" for path in sources).encode()).hexdigest()
    key = {"guest": digest, "recipe": _RECIPE, **toolchain}
    started = time.monotonic()

    def make(folder: Path) -> None:
        notify(Event(Phase.PREPARE, 0.0, name="kernel", text="building the OCaml image", done=0.0))
        _build(folder)
        notify(Event(Phase.PREPARE, time.monotonic() - started, name="kernel", text="OCaml image built", done=1.0))

    return artifacts(cache.folder("mirage-image", key, make), toolchain)


def library_archives() -> dict[str, list[Path]]:
    """Component → the archives of C code that are linked: the OCaml runtime, the libraries' stubs, musl, gcc's support library."""
    where = Path(_output(["ocamlfind", "ocamlc", "-where"]))
    found = {
        "ocaml-runtime": [where / "libasmrun.a"],
        "mirage-libraries": [],
        "musl": [_musl()],
        "libgcc": [Path(_output(["gcc", "-print-libgcc-file-name"]))],
    }
    for library in LIBRARIES:
        found["mirage-libraries"] += sorted(Path(_output(["ocamlfind", "query", library])).glob("lib*_stubs.a"))
    return found


def _toolchain() -> dict[str, str]:
    for program, package in _TOOLS.items():
        if shutil.which(program) is None:
            raise MissingToolError(f"{program} is not installed, so the mirage image cannot be built", hint=f"apt-get install {package}")
    for library in LIBRARIES:
        if subprocess.run(["ocamlfind", "query", library], capture_output=True, check=False).returncode:
            raise MissingToolError(
                f"the OCaml library {library} is not installed, so the mirage image cannot be built", hint=f"apt-get install {_PACKAGES}"
            )
    versions = {
        "gcc": _output(["gcc", "--version"]),
        "ld": _output(["ld", "--version"]),
        "ocaml": _output(["ocamlfind", "ocamlopt", "-version"]),
    }
    for archives in library_archives().values():
        for archive in archives:
            versions[archive.name] = file_sha256(archive)
    for library in LIBRARIES:
        for archive in sorted(Path(_output(["ocamlfind", "query", library])).glob("*.a")):
            versions[f"{library}/{archive.name}"] = file_sha256(archive)
    return versions


def _musl() -> Path:
    for path in (Path("/usr/lib/x86_64-linux-musl/libc.a"), Path("/usr/lib/musl/lib/libc.a")):
        if path.exists():
            return path
    raise MissingToolError("musl's libc.a is not installed, so the mirage image cannot be linked", hint="apt-get install musl-dev")


def _build(folder: Path) -> None:
    scratch = folder.parent / f"{folder.name}-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        shutil.copytree(GUEST, scratch)
        _compile_base(scratch)
        _compile_ocaml(scratch)
        archives = [str(archive) for group in library_archives().values() for archive in group]
        _run(
            ["ld", "-static", "-nostdlib", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none", "-T", "base/link.ld", "-Map", "map", "-o", "image.elf",
             *(f"{name}.o" for name in OBJECTS), "program.o", "--start-group", *archives, "--end-group"],
            scratch,
        )  # fmt: skip
        _run(["strip", "-o", "image", "image.elf"], scratch)
        from xboot_mirage.tcb import measure  # noqa: PLC0415

        shutil.copy(scratch / "image", folder / "image")
        (folder / REGIONS_FILE).write_text(json.dumps(measure(scratch), indent=0))
        (folder / SOURCES_FILE).write_text(json.dumps(_c_headers(scratch), indent=0))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _compile_base(scratch: Path) -> None:
    include = f"-I{_output(['ocamlfind', 'ocamlc', '-where'])}"
    for name in OBJECTS:
        source = next(path for path in (scratch / "base").glob(f"{name}.[cS]"))
        flags = (*_CFLAGS, "-MMD", "-MF", f"{name}.d", include) if source.suffix == ".c" else ()
        _run(["gcc", *flags, "-c", f"base/{source.name}", "-o", f"{name}.o"], scratch)


def _compile_ocaml(scratch: Path) -> None:
    folder = scratch / "ocaml"
    packages = ["-package", ",".join(LIBRARIES)]
    names = sorted(path.name for path in folder.glob("*.ml"))
    order = _output(["ocamlfind", "ocamldep", *packages, "-sort", *names], folder).split()
    # The program without its runtime, so that the linker's map names every piece of C.
    _run(["ocamlfind", "ocamlopt", *_OCAMLFLAGS, *packages, "-linkpkg", "-output-obj", "-o", "../program.o", *order], folder)


def _c_headers(scratch: Path) -> list[str]:
    """The headers that gcc's dependency files name, outside of the guest folder: the runtime's and the C library's."""
    found: set[str] = set()
    for file in scratch.glob("*.d"):
        words = re.sub(r"\\\n", " ", file.read_text()).split()[1:]
        found |= {word for word in words if word.startswith("/") and word.endswith(".h")}
    return sorted(found)


def _output(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise BackendError(
            f"{' '.join(command[:3])} failed (status {done.returncode}): {done.stderr.strip()[-500:]}", hint=f"apt-get install {_PACKAGES}"
        )
    return done.stdout.strip() if "--version" not in command else done.stdout.splitlines()[0]


def _run(command: Sequence[str], folder: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False, env=environment
    )
    if done.returncode:
        raise BackendError(
            f"building the mirage image: {' '.join(command[:2])} failed (status {done.returncode}): {done.stderr.strip()[-800:]}"
        )
