"""The tools, flags and names that the image's build and its measuring share."""

from __future__ import annotations

from pathlib import Path

from xboot.cache import Cache
from xboot.guest.build import EXECUTOR, STANDALONE
from xboot.toolroot import ALL, Tools, tools

GUEST = Path(__file__).parent / "guest"
WHAT = "building the mirage image"
# boot.o comes first: its note and entry lead the image
OBJECTS = (
    "boot", "trap", "frames", "aspace", "onebyte", "protect", "nonce", "cpu", "serial", "heap", "string", "print", "digest", "absent",
    "main", "stubs",
)  # fmt: skip
# and what an image that runs without a host has beside: object → source, of ours or of the core's guest code
STANDALONE_SOURCES = {
    "standalone": GUEST / "standalone" / "standalone.c",
    **{name: STANDALONE / f"{name}.c" for name in ("story", "screen", "qr")},
    **{name: EXECUTOR / f"{name}.c" for name in ("sha256", "sha256-block")},
}
STANDALONE_HEADERS = (STANDALONE / "standalone.h", EXECUTOR / "xboot.h", EXECUTOR / "sys.h", GUEST / "base" / "base.h")
REGIONS_FILE, SOURCES_FILE, LINKED_FILE = "regions.json", "sources.json", "linked.json"
# For all C of the image. A section for each function: the linker drops what nothing leads to. All headers are among the image's sources.
C_FLAGS = (
    "-O2", "-mcmodel=kernel", "-mno-red-zone", "-fno-stack-protector", "-ffreestanding", "-nostdinc", "-fno-pic", "-fno-pie",
    "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections",
)  # fmt: skip
# What this machine must have, when its own compilers are to build the image: program → Debian's package.
TOOLS = {"gcc": "gcc", "as": "binutils", "ld": "binutils", "strip": "binutils", "ocamlopt": "ocaml-nox", "ocamldep": "ocaml-nox"}


def toolchain(cache: Cache, choice: str = "locked") -> Tools:
    """What the image is built with. Raises MissingToolError."""
    return tools(cache, choice, ALL, TOOLS)
