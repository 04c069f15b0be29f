"""Boots an executor, the C one if nothing else is said, on a real kernel with steps written by hand, through the product's own stages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xboot import nar, storepath
from xboot.boot import RunOptions, run_machine
from xboot.model import Artifact, Boot, FixedHash, Module, Protocol, Script, Source, SourceKind, Step, StepOutput, Verdict, Window
from xboot.package import assemble, whole_file, write_payload
from xboot.sexp import quote
from xboot_qemu.machine import plugin as qemu

STORE = "/nix/store"
MiB = 1 << 20
_PRELUDE = b'PATH=$shell/bin; set -eu\ndeny() { if "$@" 2> /dev/null; then echo "was allowed: $*"; exit 99; fi; }\nset -x\n'
_COMMAND_LINE = "console=ttyS0 quiet reboot=t panic=-1 lpj=4000000 no_timer_check tsc=unstable clocksource=jiffies"


def source(tree: Path, references: Sequence[Source] = ()) -> Source:
    """A tree as a source."""
    info = nar.nar_hash(tree)
    refs = sorted(reference.path for reference in references)
    path = storepath.source_path(tree.name, info.sha256, STORE, refs)
    return Source(path, SourceKind.NAR, tree, info.sha256, info.size, refs)


def output_path(name: str) -> str:
    """Some store path, the same for the same name."""
    return storepath.make_store_path("output:out", hashlib.sha256(name.encode()).hexdigest(), name, STORE)


@dataclass
class Plan:
    """Sources and steps, collected one by one; `script()` is what the guest gets."""

    shell: Source
    sources: list[Source] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources.append(self.shell)

    def add(self, tree: Source) -> Source:
        self.sources.append(tree)
        return tree

    def sh(self, commands: str, name: str = "result", inputs: Sequence[str] = (), **more: object) -> Step:
        """A step that runs `commands` with the shell, all of busybox on its PATH, until one fails; `deny` is for those that have to."""
        argv = [b"sh", b"-c", _PRELUDE + commands.encode()]
        return self.step(f"{self.shell.path}/bin/sh".encode(), argv, name, [self.shell.path, *inputs], **more)

    def step(
        self,
        builder: bytes,
        argv: Sequence[bytes],
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
        number = len(self.steps) + 1
        outs = [StepOutput(o, output_path(name if o == "out" else f"{name}-{o}"), fixed) for o in outputs]
        variables = {b"shell": self.shell.path.encode()} | {o.name.encode(): o.path.encode() for o in outs} | dict(env or {})
        drv = storepath.make_store_path("text", hashlib.sha256(name.encode()).hexdigest(), f"{name}.drv", STORE)
        step = Step(number, drv, system, builder, list(argv), sorted(variables.items()), cwd, files, graphs, sorted(set(inputs)), outs)
        self.steps.append(step)
        return step

    def text(self) -> bytes:
        lines = [f"(xboot-script 1\n (store {quote(STORE)})"]
        for s in self.sources:
            references = "".join(f" {quote(r)}" for r in s.references)
            lines.append(f' (source {quote(s.path)} (nar "sha256" {quote(s.nar_sha256)}) (references{references}))')
        lines += [_step_text(step) for step in self.steps]
        lines.append(f" (result {' '.join(quote(o.path) for o in self.steps[-1].outputs)}))")
        return "\n".join(lines).encode() + b"\n"

    def script(self) -> Script:
        text = self.text()
        return Script(text, hashlib.sha256(text).hexdigest(), STORE, self.sources, self.steps, [o.path for o in self.steps[-1].outputs])


def _step_text(step: Step) -> str:
    def words(values: Iterable[bytes | str]) -> str:
        return "".join(f" {quote(v)}" for v in values)

    def output(o: StepOutput) -> str:
        fixed = f' (fixed {quote(o.fixed.mode)} "sha256" {quote(o.fixed.sha256)})' if o.fixed else ""
        return f" ({quote(o.name)} {quote(o.path)}{fixed})"

    return "\n".join([
        f" (step {step.number} {quote(step.drv)}", f"  (system {quote(step.system)})", f"  (builder {quote(step.builder)})",
        f"  (argv{words(step.argv)})",
        f"  (env{''.join(f' ({quote(n)} {quote(v)})' for n, v in step.env)})", f"  (cwd {quote(step.cwd)})",
        f"  (files{''.join(f' ({quote(n)} {quote(v)})' for n, v in step.files)})",
        f"  (graphs{''.join(f' ({quote(n)}{words(p)})' for n, p in step.graphs)})", f"  (inputs{words(step.inputs)})",
        f"  (outputs{''.join(map(output, step.outputs))}))",
    ])  # fmt: skip


@dataclass(frozen=True)
class Guest:
    """A kernel and an executor; `run` boots them with a plan."""

    kernel: Artifact
    executor: Artifact
    folder: Path
    shell: Source
    words: tuple[str, ...] = ()
    extra: tuple[Artifact, ...] = ()
    """For an executor that is no single program: the end of the kernel's command line, which starts it, and the trees it needs."""

    def plan(self) -> Plan:
        return Plan(self.shell)

    def run(
        self, plan: Plan, *, memory: int = 512, step_timeout: float = 60.0, script: Script | None = None, export: Path | None = None
    ) -> Verdict:
        script = script or plan.script()
        payload = write_payload(script, self.folder / "initrd", init=None if self.extra else self.executor, extra=self.extra)
        files = {"kernel": self.kernel.path, "initrd": payload.path}
        image = assemble("test", script, files, [whole_file("kernel", self.kernel), *payload.regions], {"kernel": self.kernel})
        words = [_COMMAND_LINE, *([f"mem={memory}M"] if export else []), *self.words]
        boot = Boot(
            Protocol.PVH, self.kernel.path, memory, (Module(payload.path),), " ".join(words), window=Window(memory * MiB, 1 * MiB),
            hints={"qemu": ("-M", "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=off")},
        )  # fmt: skip
        paths = [o.path for step in script.steps for o in step.outputs] if export else []
        options = RunOptions(step_timeout=step_timeout, run_timeout=300, export=export, export_paths=paths, accelerator="tcg")
        return run_machine(image, boot, qemu, options, lambda event: None)
