"""An executor, the C one if nothing else is said, on a real kernel with steps written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, Script, Source, Verdict
from xboot.plugins import Plugins
from xboot.testing.boot import Plan, boot
from xboot_linux.backend import LinuxBackend

MiB = 1 << 20


class _Given(LinuxBackend):
    """The linux backend with the kernel and executor that a test gives it."""

    info = replace(LinuxBackend.info, name="given")

    def __init__(self, artifacts: Mapping[str, Artifact]) -> None:
        self._artifacts = artifacts

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        return self._artifacts


@dataclass(frozen=True)
class Guest:
    """What linux prepares (a kernel and an executor); `run` boots them with a plan."""

    artifacts: Mapping[str, Artifact]
    folder: Path
    shell: Source

    def plan(self) -> Plan:
        return Plan(self.shell)

    def run(
        self, plan: Plan, *, memory: int = 512, step_timeout: float = 60.0, script: Script | None = None, export: Path | None = None
    ) -> Verdict:
        """With `export` all outputs are brought out, through a window that the larger ones do not fit in."""
        plugins = Plugins.load()
        plugins.add(_Given(self.artifacts), "test:given")
        script = script or plan.script()
        paths = [o.path for step in script.steps for o in step.outputs] if export else ()
        return boot(
            script, "given", export or self.folder, plugins=plugins, memory=memory, timeout=step_timeout, export=paths, window=MiB
        ).verdict
