"""Plans for machines without a kernel, whose guests bring out what they are told to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xboot.boot import RunOptions
from xboot.hooks import BackendOptions
from xboot.model import Artifact, BackendInfo, BootImage, Script, Setting
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result
from xboot.segments.runner import run
from xboot.sexp import quote
from xboot.storepath import hash_part
from xboot.testing import FakeBackend, FakeMachine, Say
from xboot.testing.boot import Plan, Recorder, output_path, source
from xboot.voter import Voter


def string(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)


def packed(content: bytes) -> bytes:
    """The NAR of one plain file."""
    words = [b"nix-archive-1", b"(", b"type", b"regular", b"contents", content, b")"]
    return b"".join(map(string, words))


@dataclass
class Guest:
    """What the guest does with each step: `content` of each output (default: its own name, and the hash parts of the step's inputs), and
    what it says instead of the truth: `hashes`, `references`, `sizes` by path; `fails` and `hangs` name outputs whose step fails, or
    does not end.
    """

    content: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    references: dict[str, list[str]] = field(default_factory=dict)
    fails: set[str] = field(default_factory=set)
    hangs: set[str] = field(default_factory=set)
    raw: dict[str, bytes] = field(default_factory=dict)

    def acts(self, script: Script) -> Sequence[Say]:
        acts = [Say('(hello "NONCE" "SCRIPT")')]
        acts += [Say(f'(source "NONCE" {quote(s.path)} "sha256" "{s.nar_sha256}" {s.nar_size})') for s in script.sources]
        for step in script.steps:
            acts.append(Say(f'(begin "NONCE" {step.number})'))
            for output in step.outputs:
                if output.path in self.hangs:
                    return [*acts, Say(wait=3600), Say(exit=0x21)]
                if output.path in self.fails:
                    return [*acts, Say(f'(fail "NONCE" {step.number} exit "its builder ended with 1")'), Say(exit=0x21)]
                own = self.content.get(output.path, " ".join([output.name, *map(hash_part, step.inputs)]).encode())
                data = self.raw.get(output.path, packed(own))
                known = [*step.inputs, *(o.path for o in step.outputs), *(s.path for s in script.sources)]
                found = sorted({path for path in known if hash_part(path).encode() in data})
                said = " ".join(map(quote, self.references.get(output.path, found)))
                value = self.hashes.get(output.path, hashlib.sha256(data).hexdigest())
                acts.append(
                    Say(
                        f'(output "NONCE" {step.number} {quote(output.name)} "sha256" "{value}" {len(data)} ({said}))',
                        memory=data.decode("latin-1"),
                    )
                )
                acts.append(Say(f'(export "NONCE" {step.number} {quote(output.name)} 0 {len(data)})', ack=True))
        return [*acts, Say('(done "NONCE")'), Say(exit=0x31)]


class Counting(FakeBackend):
    """Counts the boots of steps, by the names of their outputs."""

    def __init__(self, guest: Guest, name: str = "fake", meanwhile: Callable[[Script], None] | None = None) -> None:
        super().__init__(name, guest.acts, ["x86_64-linux"])
        self.info = BackendInfo(  # type: ignore[misc]
            name, "counts", ["x86_64-linux"], executors=("c", "scheme"), abilities=("export",), contract=2,
            settings=[Setting("colour", "of nothing", ["red", "blue"])],
        )  # fmt: skip
        self.booted: list[str] = []
        self._meanwhile = meanwhile

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        image = super().package(script, artifacts, options, folder)
        if script.steps:
            self.booted += [step.outputs[0].path.rsplit("-", 1)[1] for step in script.steps]
            if self._meanwhile is not None:
                self._meanwhile(script)
        return image


@dataclass
class Bench:
    """Runs plans. `plan(edges, n)` has n steps; step i sees the outputs of the steps `edges[i]`, and the source `tree`."""

    folder: Path
    guest: Guest = field(default_factory=Guest)
    meanwhile: Callable[[Script], None] | None = None
    booted: list[str] = field(default_factory=list)
    recorder: Recorder | None = None

    def plan(self, edges: dict[int, list[int]], count: int, content: bytes = b"tree", **more: object) -> Script:
        tree = self.folder / "tree"
        tree.write_bytes(content)
        made = Plan(sources=[source(tree)])
        seen = made.sources[0].path
        for number in range(1, count + 1):
            inputs = [seen, *(out(n) for n in edges.get(number, []))]
            made.step(f"{seen}/sh", name=f"s{number}", inputs=inputs, **(more if number == count else {}))  # type: ignore[arg-type]
        return made.script()

    def run(
        self, script: Script, segments: str = "steps", voter: Voter | None = None, pipeline: Pipeline | None = None, **wishes
    ) -> Result:
        backend = Counting(self.guest, meanwhile=self.meanwhile)
        plugins = Plugins()
        plugins.add(backend, "test:fake")
        plugins.add(FakeMachine("qemu"), "test:machine")
        self.recorder = Recorder(plugins)
        if segments == "none":  # this guest brings everything out, asked or not
            everything = [output.path for step in script.steps for output in step.outputs]
            wishes["run"] = RunOptions(export=self.folder / "once", export_paths=everything)
        request = Request(voters=[voter or Voter("fake")], segments=segments, export_size=1 << 20, **wishes)
        try:
            return run(self.recorder, request, script)
        finally:
            self.booted = backend.booted


def out(number: int) -> str:
    return output_path(f"s{number}")


def hashes(result: Result) -> dict[str, str]:
    return {output.path: output.nar_sha256 for output in result.verdict.outputs}


def verdict_of(results: Path, number: int) -> Path:
    """Where the store keeps what step `number` gave."""
    (found,) = [file for file in results.glob("verdicts/*/*.json") if json.loads(file.read_text())["body"]["outputs"][0][2] == out(number)]
    return found
