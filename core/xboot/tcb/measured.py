"""What was measured of one image. Never one number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xboot._records import dataclass
from xboot.model import Component, Role
from xboot.tcb.build_time import BuildTime, build_time
from xboot.tcb.components import digest

__all__ = ["LAYERS", "TRUSTED_FOR", "Measured"]

LAYERS: Mapping[Role, str] = {
    Role.FIRMWARE: "firmware",
    Role.LOADER: "loader",
    Role.COMPILER: "compiler in the boot path",
    Role.KERNEL: "kernel",
    Role.SERVICES: "services",
    Role.EXECUTOR: "executor",
    Role.SEED: "seeds of the builders",
    Role.SCRIPT: "script",
    Role.PADDING: "framing",
    Role.SUBSTRATE: "substrate",
}
"""Role → name of the layer, from power-on upwards; the substrate stands below all."""

TRUSTED_FOR: Mapping[str, str] = {
    "steps": (
        "the kernel and the executor are trusted for honest builders only: a builder that takes them over forges its own outputs, "
        "which it chooses anyway, and the host hashes what comes out"
    ),
    "run": (
        "the kernel and the executor are trusted for honest builders, and to be safe against hostile ones: "
        "a builder that takes them over forges its own hash and that of every later step of its boot"
    ),
}
"""How a run is sealed (docs/segments.md) → what is then trusted of what runs in the guest."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one voter's image makes you trust. `components` sum up to the image; `below` is in no image. `base`: `locked`, or `drifted: `
    and what is not as xboot.lock has it.
    """

    voter: str
    image_sha256: str
    components: Sequence[Component]
    below: Sequence[Component]
    base: str = ""

    @property
    def size(self) -> int:
        """Bytes of the image."""
        return sum(c.bytes for c in self.components)

    @property
    def opaque(self) -> int:
        """Bytes that nobody compiled here: seeds, and what came as a binary, even where its source is known and its lines are counted."""
        return sum(c.bytes for c in self.components if c.prebuilt)

    @property
    def lines(self) -> int:
        """Source lines compiled in this configuration, here or by who made a binary."""
        return sum(c.lines or 0 for c in self.components)

    @property
    def languages(self) -> Mapping[str, int]:
        """Lines by language, most first."""
        total: dict[str, int] = {}
        for component in self.components:
            for language, lines in component.languages.items():
                total[language] = total.get(language, 0) + lines
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def syscalls(self) -> Sequence[str]:
        """The system calls that a builder is offered; empty when the backend does not say."""
        return sorted({name for c in self.components for name in c.syscalls})

    @property
    def built_with(self) -> Sequence[str]:
        """The programs that made the image."""
        return list(dict.fromkeys(tool for c in self.components for tool in c.built_with))

    @property
    def digest(self) -> str:
        """SHA-256 over what was measured, and over what is not of the locked base."""
        return digest(list(self.components), self.base if self.base.startswith("drifted") else "")

    def build_time(self) -> BuildTime:
        """How the image was made."""
        return build_time(self.components)

    def layers(self) -> Iterator[tuple[str, list[Component]]]:
        """The components by layer, from power-on upwards; a layer without any is left out."""
        for role, name in LAYERS.items():
            found = [c for c in (*self.below, *self.components) if c.role is role]
            if found:
                yield name, found
