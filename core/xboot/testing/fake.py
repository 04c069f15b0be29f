"""`FakeBackend`: a backend without QEMU and without a kernel.

Its machine is a small program that takes QEMU's place: it gets the same sockets, does the handshake of the result
channel, and then plays a list of acts. So everything above the emulator is the real thing: pipeline, boot stage,
verdicts, reporters.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot.backend import Backend
from xboot.cache import file_sha256
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, BackendInfo, BootImage, Component, Machine, Region, Role, Script
from xboot.sexp import quote
from xboot.tcb import image_components


@dataclass(frozen=True, slots=True)
class Say:
    """One act of the machine. `NONCE` and `SCRIPT` in `line` become the run's nonce and the script's hash.

    line: on the result channel (a line feed is added unless `raw`); console: on the console, `times` over; wait:
    seconds; exit: end with this status; kill: end by this signal.
    """

    line: str = ""
    raw: bool = False
    console: str = ""
    times: int = 1
    wait: float = 0.0
    exit: int | None = None
    kill: int | None = None


def good_run(script: Script, hashes: Mapping[str, str] | None = None) -> list[Say]:
    """The acts of a machine that runs every step. The hash of an output is that given for its path, else the SHA-256 of the path."""
    acts = [Say('(hello "NONCE" "SCRIPT")')]
    acts += [Say(f'(source "NONCE" {quote(s.path)} "sha256" "{s.nar_sha256}" {s.nar_size})') for s in script.sources]
    for step in script.steps:
        acts.append(Say(f'(begin "NONCE" {step.number})'))
        for output in step.outputs:
            value = (hashes or {}).get(output.path) or hashlib.sha256(output.path.encode()).hexdigest()
            acts.append(Say(f'(output "NONCE" {step.number} {quote(output.name)} "sha256" "{value}" 120 ())'))
    return [*acts, Say('(done "NONCE")'), Say(exit=99)]


class FakeBackend(Backend):
    """Plays `acts(script)` (default: `good_run`) on every boot."""

    def __init__(
        self, name: str = "fake", acts: Callable[[Script], Sequence[Say]] = good_run, systems: Sequence[str] = ("i686-linux",)
    ) -> None:
        self.info = BackendInfo(name, "a machine that says what a test tells it to say", systems, maturity="experimental")  # type: ignore[misc]
        self._acts = acts
        # Written now and not when packaging: a thread that starts a process just then would hold it open for writing, and Linux
        # runs no program that somebody writes to.
        self._program = _program()

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        return {}

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        acts = folder / "acts"
        listed = [{name: getattr(act, name) for name in act.__slots__} for act in self._acts(script)]
        acts.write_text(json.dumps({"script": script.sha256, "acts": listed}))
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

    def machine(self, image: BootImage, options: BackendOptions) -> Machine:
        return Machine(str(self._program), ("-acts", str(image.files["acts"])), memory=16)

    def components(self, image: BootImage) -> Sequence[Component]:
        return image_components(image)


@functools.cache
def _program() -> Path:
    """The program that takes QEMU's place, for this process."""
    folder = Path(tempfile.mkdtemp(prefix="xboot-fake-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = folder / "machine"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m xboot.testing.fake_machine "$@"\n')
    program.chmod(0o755)
    return program
