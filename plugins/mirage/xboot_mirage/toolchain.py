"""The tools, libraries and names that the image's build and its measuring share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from xboot.cache import Cache, file_sha256
from xboot.guest.build import EXECUTOR, STANDALONE
from xboot.toolroot import ALL, HostTools, Tools, tools

GUEST = Path(__file__).parent / "guest"
LIBRARIES = ("cstruct", "mirage-crypto")
# boot.o comes first: its note and entry lead the image
OBJECTS = ("boot", "trap", "frames", "aspace", "onebyte", "protect", "nonce", "cpu", "serial", "libc", "main", "stubs")
# and what an image that runs without a host has beside: object → source, of ours or of the core's guest code
STANDALONE_SOURCES = {
    "standalone": GUEST / "standalone" / "standalone.c",
    **{name: STANDALONE / f"{name}.c" for name in ("story", "screen", "qr")},
    **{name: EXECUTOR / f"{name}.c" for name in ("sha256", "sha256-block")},
}
STANDALONE_HEADERS = (STANDALONE / "standalone.h", EXECUTOR / "xboot.h", EXECUTOR / "sys.h", GUEST / "base" / "base.h")
REGIONS_FILE, SOURCES_FILE, MEMBERS_FILE = "regions.json", "sources.json", "members.json"
# What this machine must have, when its own compilers are to build the image: program → Debian's package.
TOOLS = {"gcc": "gcc", "ld": "binutils", "strip": "binutils", "nm": "binutils", "ocamlfind": "ocaml-findlib", "ocamlopt": "ocaml-nox"}
_MUSL = ("/usr/lib/x86_64-linux-musl/libc.a", "/usr/lib/musl/lib/libc.a")


def toolchain(cache: Cache, choice: str = "locked") -> Tools:
    """What the image is built with. Raises MissingToolError."""
    return tools(cache, choice, ALL, TOOLS)


def library_archives(by: Tools, work: Path) -> dict[str, list[str]]:
    """Component → the archives of C code that are linked: the OCaml runtime, the libraries' stubs, musl, gcc's support library; as the
    tools name them. Raises BackendError when one is not there.
    """
    where = by.run(["ocamlfind", "ocamlc", "-where"], work).strip()
    folders = {name: by.run(["ocamlfind", "query", name], work).strip() for name in LIBRARIES}
    stubs = [f"{folder}/{path.name}" for folder in folders.values() for path in sorted(by.path(folder).glob("lib*_stubs.a"))]
    support = by.run(["gcc", "-print-libgcc-file-name"], work).strip()
    musl = next((name for name in _MUSL if by.path(name).exists()), _MUSL[0])
    return {"ocaml-runtime": [f"{where}/libasmrun.a"], "mirage-libraries": stubs, "musl": [musl], "libgcc": [support]}


def key(by: Tools, work: Path) -> Mapping[str, str]:
    """All outside of the guest folder that the image depends on. Of this machine's tools the archives are part of it, too."""
    if not isinstance(by, HostTools):
        return by.key()
    archives = [by.path(name) for names in library_archives(by, work).values() for name in names]
    archives += [path for name in LIBRARIES for path in sorted(Path(by.run(["ocamlfind", "query", name], work).strip()).glob("*.a"))]
    return {**by.key()} | {PurePosixPath(path).name: file_sha256(path) for path in archives}
