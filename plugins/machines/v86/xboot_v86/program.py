"""v86 itself, the node that runs it, and the firmware that it runs: all of the lock, nothing of this machine.

node could be this machine's as well. The locked one is less to trust: its bytes are known, the same everywhere, and measured; it reads no
file of this machine, whose node may be any version, from anywhere. What is lost is that nobody mends it behind the lock's back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.medium import obtain_firmware
from xboot.model import Component, Need, Role
from xboot.parts import locked, npm_files
from xboot.tcb import by_language, count_files, opaque_file
from xboot.toolroot import Tree, make_tree

__all__ = ["DRIVER", "NEEDS", "V86", "obtain_v86"]

DRIVER = Path(__file__).with_name("drive.mjs")
_PACKAGE, _NODE = "v86", "v86-node"  # groups of the lock
_FILES = ("build/libv86.mjs", "build/v86.wasm")
NEEDS = (
    Need(
        "bwrap",
        "runs node for v86, apart from this machine (unshare does as well)",
        dict.fromkeys(("debian", "fedora", "arch", "nix", "guix"), "bubblewrap"),
        optional=True,
    ),
    Need(
        "npm",
        "brings v86 once, if no mirror that you name has it",
        {"debian": "npm", "fedora": "nodejs-npm", "arch": "npm", "nix": "nodejs", "guix": "node"},
        optional=True,
    ),
)


@dataclass(frozen=True, slots=True)
class V86:
    """`emulator` and `wasm` are v86; `bios` and `display` the firmware; `node` the folder that has node and its libraries alone."""

    emulator: Path
    wasm: Path
    bios: Path
    display: Path
    node: Tree
    version: str

    @property
    def files(self) -> Sequence[Path]:
        """What node reads, in the order of the driver's arguments, after the driver itself."""
        return (self.emulator, self.wasm, self.bios, self.display)

    def components(self) -> list[Component]:
        """The emulator and node, compiled by others; our driver by lines; the firmware."""
        (driver,) = count_files([DRIVER]).values()
        size = sum(path.lstat().st_size for path in self.node.folder.rglob("*") if path.is_file() and not path.is_symlink())
        version = next(part.version for part in locked().group(_NODE) if part.name == "nodejs")
        return [
            *(_theirs(f"v86 {path.name}", path, self.version) for path in (self.emulator, self.wasm)),
            Component(
                "node and its libraries", Role.SUBSTRATE, size, self.node.digest, "Debian nodejs and what it depends on", version,
                lines_method="opaque", prebuilt=True,
            ),
            Component(
                "v86 driver", Role.SUBSTRATE, DRIVER.stat().st_size, driver.sha256, "xboot", "", by_language([driver]), driver.lines,
                "source", {DRIVER.name: driver.sha256}, {driver.sha256: driver.lines},
            ),
            opaque_file("Bochs BIOS", Role.FIRMWARE, self.bios),
            opaque_file("VGA BIOS", Role.FIRMWARE, self.display),
        ]  # fmt: skip


def obtain_v86(cache: Cache | None = None) -> V86:
    """All of it, from the cache or from elsewhere. Raises MissingToolError for what is not to be had."""
    cache = cache or Cache()
    (part,) = locked().group(_PACKAGE)
    emulator, wasm = npm_files(part, _FILES, cache)
    return V86(emulator, wasm, *obtain_firmware(cache), make_tree(locked().group(_NODE), cache), part.version)


def _theirs(name: str, path: Path, version: str) -> Component:
    return Component(
        name, Role.SUBSTRATE, path.stat().st_size, file_sha256(path), "npm package v86", version, lines_method="opaque", prebuilt=True
    )
