"""Booting guests in a backend's own tests: scripts written by hand, run through the product's own stages.

    plan = Plan(source(shell_tree))
    step = plan.sh("echo hello > $out")
    booted = boot(plan.script(), "mine", tmp_path)
    assert booted.ok and booted.content(step.outputs[0].path) == b"hello\\n"

`Plan` writes what the front-ends and the linearizer would refuse as well: a test may need a script that lies. For scripts of real
derivations use `xboot.testing.Builders`, or `Pipeline.read` and `Pipeline.linearize`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xboot import nar, storepath
from xboot.boot import RunOptions
from xboot.linearize import script_text
from xboot.model import BootImage, Event, FixedHash, OutputVerdict, Script, Source, SourceKind, Status, Step, StepOutput, Verdict
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.request import EXPORT_SIZE, MACHINE, Request
from xboot.voter import Voter

__all__ = ["STORE", "Booted", "Plan", "Recorder", "boot", "output_path", "source"]

STORE = "/nix/store"
"""The store of every `Plan`."""

_PRELUDE = b'PATH=$shell/bin; set -eu\ndeny() { if "$@" 2> /dev/null; then echo "was allowed: $*"; exit 99; fi; }\nset -x\n'


def source(tree: Path, references: Sequence[Source] = ()) -> Source:
    """A file or folder of this machine as a source, under the store path that Nix would give it."""
    info = nar.nar_hash(tree)
    refs = sorted(reference.path for reference in references)
    path = storepath.source_path(tree.name, info.sha256, STORE, refs)
    return Source(path, SourceKind.NAR, tree, info.sha256, info.size, refs)


def output_path(name: str) -> str:
    """Some store path, the same for the same name."""
    return storepath.make_store_path("output:out", hashlib.sha256(name.encode()).hexdigest(), name, STORE)


@dataclass
class Plan:
    """Sources and steps, collected one by one; `script()` is what the guest gets. `shell` is a source with `bin/sh` and its tools, for
    steps made with `sh`.
    """

    shell: Source | None = None
    sources: list[Source] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.shell is not None:
            self.sources.append(self.shell)

    def add(self, tree: Source) -> Source:
        """One more source."""
        self.sources.append(tree)
        return tree

    def sh(self, commands: str, name: str = "result", inputs: Sequence[str] = (), **more: object) -> Step:
        """A step that runs `commands` with the shell until one fails, its tools on PATH; `deny COMMAND` ends the step when COMMAND
        succeeds. `more`: as for `step`.
        """
        assert self.shell is not None, "Plan(shell) names no shell"
        argv = [b"sh", b"-c", _PRELUDE + commands.encode()]
        return self.step(f"{self.shell.path}/bin/sh", argv, name, [self.shell.path, *inputs], **more)  # type: ignore[arg-type]

    def step(
        self,
        builder: str | bytes,
        argv: Sequence[bytes] = (),
        name: str = "result",
        inputs: Iterable[str] = (),
        *,
        outputs: Sequence[str] = ("out",),
        fixed: FixedHash | None = None,
        env: Mapping[bytes, bytes] | None = None,
        files: Sequence[tuple[str, bytes]] = (),
        graphs: Sequence[tuple[str, Sequence[str]]] = (),
        system: str = "x86_64-linux",
        cwd: str = "/build",
    ) -> Step:
        """A step that runs `builder` (without `argv`: with its own name alone). The environment names the outputs, and the shell."""
        number = len(self.steps) + 1
        outs = [StepOutput(o, output_path(name if o == "out" else f"{name}-{o}"), fixed) for o in outputs]
        shell = {b"shell": self.shell.path.encode()} if self.shell is not None else {}
        variables = shell | {o.name.encode(): o.path.encode() for o in outs} | dict(env or {})
        drv = storepath.make_store_path("text", hashlib.sha256(name.encode()).hexdigest(), f"{name}.drv", STORE)
        program = builder.encode() if isinstance(builder, str) else builder
        step = Step(
            number, drv, system, program, list(argv) or [program], sorted(variables.items()), cwd, files, graphs, sorted(set(inputs)), outs
        )  # fmt: skip
        self.steps.append(step)
        return step

    def text(self) -> bytes:
        """The script as the guest reads it; the last step's outputs are the results."""
        return script_text(STORE, self.sources, self.steps, [o.path for o in self.steps[-1].outputs])

    def script(self) -> Script:
        """The script, with `text` in it."""
        text = self.text()
        return Script(text, hashlib.sha256(text).hexdigest(), STORE, self.sources, self.steps, [o.path for o in self.steps[-1].outputs])


class Recorder(Pipeline):
    """A pipeline that keeps its events."""

    def __init__(self, plugins: Plugins, backend: str = "") -> None:
        super().__init__(plugins, backend)
        self.events: list[Event] = []

    def notify(self, event: Event) -> None:
        """Keep `event`; no observer is asked."""
        self.events.append(event)


@dataclass(frozen=True)
class Booted:
    """What came of a boot. `console` is all that the guest printed, byte for byte in ISO 8859-1."""

    verdict: Verdict
    events: Sequence[Event]
    console: str
    image: BootImage

    @property
    def ok(self) -> bool:
        """The guest ran to its end, and nothing differs from what was expected."""
        return self.verdict.ok

    @property
    def built(self) -> Mapping[str, OutputVerdict]:
        """Store path → verdict, of the outputs that were built."""
        return {output.path: output for output in self.verdict.outputs if output.status is not Status.NOT_RUN}

    def content(self, path: str) -> bytes:
        """The content of an output that is one file, brought out of the guest. Fails with the guest's own words when there is none."""
        assert path in self.verdict.exports, f"{path} was not brought out: {self.verdict.failure}\n{self.console[-2000:]}"
        with self.verdict.exports[path].open("rb") as stream:
            (content,) = [b"".join(entry.chunks) for entry in nar.read(stream)]
        return content


def boot(
    script: Script,
    backend: str,
    folder: Path,
    *,
    plugins: Plugins | None = None,
    machine: str = "qemu",
    executor: str = "",
    settings: Mapping[str, str] | None = None,
    memory: int | None = None,
    timeout: float = 60,
    run_timeout: float = 300,
    expected: Mapping[str, str] | None = None,
    export: bool | Sequence[str] = True,
    window: int = 0,
) -> Booted:
    """Boot `script` with `backend` on `machine`, without KVM. `folder` takes the console's log and the exported NARs.

    `timeout` is a step's and `run_timeout` the run's, in seconds of QEMU, more on a slower machine; `memory` in MiB; `expected` maps store
    paths to NAR hashes in hex; `export`: store paths to bring out, True for all results; `window`: bytes of the export window (0: the
    usual). Raises XbootError for what no guest can be blamed for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (script.results if export else ()) if isinstance(export, bool) else export
    found = Plugins.load() if plugins is None else plugins
    below = found.machine(machine or MACHINE).info
    run = RunOptions(
        step_timeout=timeout * below.pace, run_timeout=run_timeout * below.pace,
        accelerator="tcg" if "kvm" in below.abilities else "auto",
        expected={path: {"test": value} for path, value in (expected or {}).items()},
        export=folder / "export" if wanted else None, export_paths=wanted, log=folder / "console",
    )  # fmt: skip
    # `spare`: what the image needs and no more, so that a test is the same on every host, and what fills memory is soon done.
    request = Request(
        voters=[Voter(backend, executor, machine)], memory=memory, spare=1, settings=settings or {}, run=run,
        export_size=window or EXPORT_SIZE,
    )  # fmt: skip
    pipeline = Recorder(found, backend)
    result = pipeline.run(request, script)
    return Booted(result.verdict, pipeline.events, (folder / "console").read_bytes().decode("latin-1"), result.image)
