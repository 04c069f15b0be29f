"""Random derivations built by nix and by the kernels, and compared output by output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import derivations

from xboot.boot import RunOptions
from xboot.hooks import ReadOptions
from xboot.model import Script, Verdict
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.voter import Voter

if TYPE_CHECKING:
    from conftest import NixStore


@dataclass(frozen=True)
class Batch:
    """Derivations of one seed: the script, and what nix says of each output: its hash and its references."""

    script: Script
    hashes: dict[str, str]
    references: dict[str, list[str]]
    file: Path

    def differences(self, verdict: Verdict) -> list[str]:
        """A line for each output that came out otherwise, or not at all."""
        if verdict.failure:
            return [f"{verdict.failure}\n{verdict.console_tail}"]
        found = {output.path: output for output in verdict.outputs}
        lines = [f"{path} was not built" for path in self.hashes if path not in found]
        for path, output in found.items():
            if output.nar_sha256 != self.hashes[path]:
                lines.append(f"{path}: nix has {self.hashes[path]}, not {output.nar_sha256}")
            elif sorted(output.references) != self.references[path]:
                lines.append(f"{path}: nix has the references {self.references[path]}, not {sorted(output.references)}")
        return lines


def by_nix(nix: NixStore, busybox: Path, folder: Path, count: int, seed: int, system: str = "i686-linux") -> Batch:
    """Draw, write, instantiate, build."""
    file = folder / f"seed-{seed}.nix"
    file.write_text(derivations.text(count, seed))
    drvs = list(nix.instantiate(file, busybox=str(busybox), system=system).values())
    nix.realise(drvs)
    pipeline = Pipeline(Plugins.load())
    script = pipeline.linearize(pipeline.read(drvs, ReadOptions(stores=[nix.store])), Request().linearize)
    paths = [output.path for step in script.steps for output in step.outputs]
    references = {path: sorted(nix.run("nix-store", "--query", "--references", path).stdout.split()) for path in paths}
    return Batch(script, dict(zip(paths, hashes(nix, paths), strict=True)), references, file)


def hashes(nix: NixStore, paths: Sequence[str]) -> list[str]:
    """nix's hash of each path, in hex."""
    shown = nix.run("nix-store", "--query", "--hash", *paths).stdout.split()
    return nix.run("nix-hash", "--type", "sha256", "--to-base16", *(line.removeprefix("sha256:") for line in shown)).stdout.split()


def by_kernel(batch: Batch, voter: Voter) -> Verdict:
    """All of a batch in one boot."""
    request = Request(voters=[voter], run=RunOptions(step_timeout=120, accelerator="tcg"))
    return Pipeline(Plugins.load(), voter.backend).run(request, batch.script).verdict
