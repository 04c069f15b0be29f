"""Boots the mirage image with steps written by hand, through the product's own package and boot stages."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot import nar, storepath
from xboot.boot import RunOptions, run_machine
from xboot.hooks import BackendOptions
from xboot.model import Script, Source, SourceKind, Step, StepOutput, Verdict
from xboot.sexp import quote
from xboot_mirage.backend import plugin
from xboot_qemu.machine import plugin as qemu

STORE = "/nix/store"


def source(tree: Path) -> Source:
    info = nar.nar_hash(tree)
    return Source(storepath.source_path(tree.name, info.sha256, STORE), SourceKind.NAR, tree, info.sha256, info.size)


def step(
    number: int, builder: str, argv: Sequence[str], inputs: Sequence[str], system: str = "i686-linux", env: Sequence[tuple[str, str]] = ()
) -> Step:
    out = storepath.make_store_path("output:out", hashlib.sha256(str(number).encode()).hexdigest(), "result", STORE)
    drv = storepath.make_store_path("text", hashlib.sha256(str(number).encode()).hexdigest(), "result.drv", STORE)
    variables = sorted([(b"out", out.encode()), *((k.encode(), v.encode()) for k, v in env)])
    return Step(
        number,
        drv,
        system,
        builder.encode(),
        [a.encode() for a in argv],
        variables,
        "/build",
        [],
        [],
        sorted(inputs),
        [StepOutput("out", out)],
    )


def script(sources: Sequence[Source], steps: Sequence[Step]) -> Script:
    lines = [f"(xboot-script 1\n (store {quote(STORE)})"]
    lines += [f' (source {quote(s.path)} (nar "sha256" {quote(s.nar_sha256)}) (references))' for s in sources]
    for s in steps:
        lines.append(
            f" (step {s.number} {quote(s.drv)}\n  (system {quote(s.system)})\n  (builder {quote(s.builder)})\n"
            f"  (argv{''.join(' ' + quote(a) for a in s.argv)})\n"
            f"  (env{''.join(f' ({quote(n)} {quote(v)})' for n, v in s.env)})\n  (cwd {quote(s.cwd)})\n  (files)\n  (graphs)\n"
            f"  (inputs{''.join(' ' + quote(i) for i in s.inputs)})\n  (outputs ({quote(s.outputs[0].name)} {quote(s.outputs[0].path)})))"
        )
    lines.append(f" (result {quote(steps[-1].outputs[0].path)}))")
    text = "\n".join(lines).encode() + b"\n"
    return Script(text, hashlib.sha256(text).hexdigest(), STORE, sources, steps, [steps[-1].outputs[0].path])


@dataclass
class Outcome:
    verdict: Verdict
    console: str
    output: bytes  # the NAR of the output


def boot(folder: Path, text: Script, *, memory: int = 512, timeout: float = 60, clock: str = "fixed") -> Outcome:
    folder.mkdir(parents=True, exist_ok=True)
    options = BackendOptions(executor="ocaml", memory=memory, export_size=64 << 20, settings={"clock": clock})
    artifacts = plugin.prepare(options, lambda event: None)
    image = plugin.package(text, artifacts, options, folder)
    run = RunOptions(step_timeout=timeout, accelerator="tcg", export=folder / "export", export_paths=text.results, log=folder / "console")
    verdict = run_machine(image, plugin.boot(image, options), qemu, run, lambda event: None)
    exported = [path.read_bytes() for path in verdict.exports.values()]
    return Outcome(verdict, (folder / "console").read_bytes().decode("latin-1"), exported[0] if exported else b"")


def compile_program(target: Path, code: Path, *flags: str) -> None:
    """A static, freestanding program."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            "gcc",
            "-O1",
            "-static",
            "-nostdlib",
            "-ffreestanding",
            "-fno-stack-protector",
            "-fno-pie",
            "-no-pie",
            "-w",
            *flags,
            "-o",
            str(target),
            str(code),
        ],
        check=True,
    )
    target.chmod(0o755)
