"""Boots the mirage image with steps written by hand, through the product's own package and boot stages."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot import storepath
from xboot.linearize import script_text
from xboot.model import Script, Source, Step, StepOutput, Verdict
from xboot.testing.boot import STORE, source
from xboot.testing.boot import boot as start

__all__ = ["STORE", "Outcome", "boot", "compile_program", "script", "source", "step"]


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
    text = script_text(STORE, sources, steps, [steps[-1].outputs[0].path])
    return Script(text, hashlib.sha256(text).hexdigest(), STORE, sources, steps, [steps[-1].outputs[0].path])


@dataclass
class Outcome:
    verdict: Verdict
    console: str
    output: bytes  # the NAR of the output


def boot(folder: Path, text: Script, *, memory: int = 512, timeout: float = 60, clock: str = "fixed") -> Outcome:
    booted = start(text, "mirage", folder, memory=memory, timeout=timeout, settings={"clock": clock})
    exported = [path.read_bytes() for path in booted.verdict.exports.values()]
    return Outcome(booted.verdict, booted.console, exported[0] if exported else b"")


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
