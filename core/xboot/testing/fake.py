"""`FakeBackend`: a backend without a kernel. It packs the acts that a `FakeMachine` plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xboot.backend import Backend
from xboot.cache import file_sha256
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Component, Protocol, Region, Role, Script, Window
from xboot.tcb import image_components
from xboot.testing.fake_machine import Say, good_run, write_acts

MiB = 1 << 20


class FakeBackend(Backend):
    """Packs `acts(script)` (default: `good_run`) for every script. Boot it with `Request(machine="fake")`, beside a `FakeMachine`."""

    def __init__(
        self, name: str = "fake", acts: Callable[[Script], Sequence[Say]] = good_run, systems: Sequence[str] = ("i686-linux",)
    ) -> None:
        summary = "what it packs says what a test tells it to say"
        self.info = BackendInfo(name, summary, systems, abilities=("export",), maturity="experimental", contract=2)  # type: ignore[misc]
        self._acts = acts

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        return {}

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        acts = folder / "acts"
        write_acts(acts, script, self._acts(script))
        digest = file_sha256(acts)
        artifact = Artifact("acts", acts, digest, acts.stat().st_size, Role.KERNEL, origin="a test")
        return BootImage(
            self.info.name,
            script,
            {"acts": acts},
            [Region("acts", 0, artifact.size, "acts")],
            {"acts": artifact},
            digest,
        )

    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        window = Window(16 * MiB, options.export_size) if options.export_size else None
        return Boot(Protocol.MULTIBOOT, image.files["acts"], memory=16, window=window)

    def components(self, image: BootImage) -> Sequence[Component]:
        return image_components(image)
