"""The verbs `compare` and `tcb`: agreement between kernels as evidence, and what each makes one trust."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xboot import report
from xboot.compare import Agreement, Comparison, choose_backends, compare, export_difference
from xboot.display import ProgressDisplay
from xboot.errors import XbootError
from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.model import Component, Role, Script
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.tcb import digest, overlap, substrate
from xboot.workspace import run_folder

_EXIT = {Agreement.AGREED: 0, Agreement.DIFFERS: report.EXIT_DIFFERS, Agreement.COULD_NOT_RUN: report.EXIT_COULD_NOT_RUN}


def run_comparison(
    targets: Sequence[str], wanted: str, read: ReadOptions, request: Request, console: Console, *, quorum: int | None, export: Path
) -> tuple[Comparison, int]:
    """Compare and show; the second value is the exit status."""
    plugins = Plugins.load()
    display = ProgressDisplay(console)
    plugins.add(display, "xboot:display")
    pipeline = Pipeline(plugins)
    with display:
        script = pipeline.linearize(pipeline.read(targets, read), request.linearize)
        display.expect(script)
        backends, skipped = choose_backends(wanted, script, plugins)
        comparison = compare(script, request, backends, skipped, plugins, quorum=quorum)
    _show(console, comparison)
    if comparison.first_divergence is not None:
        _show_difference(console, comparison, request, plugins, export)
    return comparison, _EXIT[comparison.agreement]


def _show(console: Console, comparison: Comparison) -> None:
    results = set(comparison.script.results)
    for output in comparison.outputs:
        if output.path in results or not output.agreed:
            for value in sorted(set(output.hashes.values())):
                by = ", ".join(name for name, found in output.hashes.items() if found == value)
                mark = (
                    "[green]agree  [/]"
                    if output.agreed and len(output.hashes) > 1
                    else "[bold red]differ [/]"
                    if not output.agreed
                    else "single "
                )
                console.print(f"{mark} {escape(output.path)}  {report.sri(value)}  {by}", soft_wrap=True, highlight=False, emoji=False)
    for name, result in comparison.results.items():
        verdict = result.verdict
        line = f"        {name}: {len(comparison.script.steps)} steps in {verdict.seconds:.1f} s ({verdict.accelerator})"
        console.print(line, soft_wrap=True, highlight=False)
    for name, reason in sorted({**comparison.failures, **comparison.skipped}.items()):
        console.print(f"[yellow]absent [/] {name}: {escape(reason)}", soft_wrap=True, highlight=False, emoji=False)
    for path in comparison.wrong:
        console.print(f"[bold red]wrong  [/] {escape(path)}: not the hash that was expected", soft_wrap=True, highlight=False)
    console.print(_closing(comparison), soft_wrap=True, highlight=False, emoji=False)


def _closing(comparison: Comparison) -> str:
    complete = ", ".join(comparison.complete) or "none"
    first = comparison.first_divergence
    if first is not None:
        return f"[bold red]differs[/]: the first diverging output is {first.name!r} of step {first.step} ({escape(first.drv)})"
    if comparison.wrong:
        return f"[bold red]differs[/]: the backends agree with each other, but not with what was expected ({complete})"
    if comparison.agreement is Agreement.COULD_NOT_RUN:
        return f"[bold red]could not run[/]: {len(comparison.complete)} complete runs ({complete}), {comparison.quorum} are needed"
    return f"[bold green]agreed[/]: {len(comparison.outputs)} outputs, by {complete}; script sha256 {comparison.script.sha256}"


def _show_difference(console: Console, comparison: Comparison, request: Request, plugins: Plugins, folder: Path) -> None:
    """Bring both NARs of the first diverging output out, and show where they differ if diffoscope is there."""
    try:
        files = export_difference(comparison, request, plugins, folder)
    except XbootError as error:
        console.print(f"the diverging output could not be brought out: {escape(error.message)}", soft_wrap=True, highlight=False)
        return
    for backend, file in files.items():
        console.print(f"        {backend}: {file}", soft_wrap=True, highlight=False)
    if len(files) == 2 and shutil.which("diffoscope"):
        shown = subprocess.run(["diffoscope", *map(str, files.values())], capture_output=True, text=True, errors="replace", check=False)
        console.print(escape(shown.stdout), soft_wrap=True, highlight=False, emoji=False)


def comparison_report(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON values."""
    return {
        "xbootComparison": 1,
        "verdict": comparison.agreement.value,
        "quorum": comparison.quorum,
        "scriptSha256": comparison.script.sha256,
        "complete": list(comparison.complete),
        "failures": dict(comparison.failures),
        "skipped": dict(comparison.skipped),
        "wrong": list(comparison.wrong),
        "outputs": [
            {"step": o.step, "drv": o.drv, "name": o.name, "path": o.path, "agreed": o.agreed, "narSha256": dict(o.hashes)}
            for o in comparison.outputs
        ],
        "runs": {name: report.report(result) for name, result in comparison.results.items()},
    }


# ---------------------------------------------------------------- tcb


@dataclass(frozen=True, slots=True)
class Measured:
    """What one backend's image makes one trust. `components` sum up to the image; `below` is in no image."""

    backend: str
    image_sha256: str
    components: Sequence[Component]
    below: Sequence[Component]


def measure(
    targets: Sequence[str], backends: Sequence[str], read: ReadOptions, settings: Mapping[str, str], console: Console
) -> list[Measured]:
    """Measure the images that `xboot run` would boot; nothing is booted. Without targets the image holds no script and no seeds."""
    plugins = Plugins.load()
    display = ProgressDisplay(console)
    plugins.add(display, "xboot:display")
    pipeline = Pipeline(plugins)
    with display:
        script = pipeline.linearize(pipeline.read(targets, read), LinearizeOptions()) if targets else _EMPTY
        return [_measure(pipeline, backend, script, BackendOptions(settings=settings)) for backend in backends or sorted(plugins.backends)]


_EMPTY = Script(b"", sha256(b"").hexdigest(), "/nix/store", [], [], [])


def _measure(pipeline: Pipeline, backend: str, script: Script, options: BackendOptions) -> Measured:
    artifacts = pipeline.prepare(backend, script, options)
    with run_folder() as folder:
        image = pipeline.package(backend, script, artifacts, options, folder)
        machine = pipeline.machine(backend, image, options)
        size = sum(path.stat().st_size for path in image.files.values())
        components = list(pipeline.components(backend, image))
    owned = sum(component.bytes for component in components)
    if owned != size:
        raise XbootError(f"backend {backend}: its components have {owned} bytes, its image {size}")
    arguments = list(machine.arguments)
    kind = arguments[arguments.index("-M") + 1].split(",")[0] if "-M" in arguments else "pc"
    return Measured(backend, image.sha256, components, substrate(machine.program, kind))


def show_measures(console: Console, measures: Sequence[Measured]) -> None:
    """Per backend one row a component, with the sums that can be formed; then, for several, what each two have in common."""
    for measured in measures:
        table = Table("role", "component", "bytes", "lines", "counted by", "origin", box=None, pad_edge=False)
        for component in (*measured.components, *measured.below):
            counted = "opaque" if component.lines is None else f"{component.lines}"
            origin = component.origin + (f" {component.version}" if component.role is Role.SUBSTRATE else "")
            table.add_row(component.role.value, component.name, f"{component.bytes}", counted, component.lines_method, origin)
        console.print(table)
        for tool in dict.fromkeys(tool for component in measured.components for tool in component.built_with):
            console.print(f"built with {tool}", highlight=False, markup=False, soft_wrap=True)
        console.print(_sums(measured), soft_wrap=True, highlight=False)
    for one, other in combinations(measures, 2):
        common = overlap(one.components, other.components)
        names = f" ({', '.join(common.components)})" if common.components else ""
        console.print(
            f"{one.backend} and {other.backend} have {common.lines} lines and {common.bytes} bytes{names} in common",
            soft_wrap=True, highlight=False, markup=False,
        )  # fmt: skip


def _sums(measured: Measured) -> str:
    opaque = sum(c.bytes for c in measured.components if c.lines is None)
    lines = sum(c.lines or 0 for c in measured.components)
    size, value = sum(c.bytes for c in measured.components), digest(list(measured.components))
    return f"[bold]{measured.backend}[/]: {size} bytes, of which {opaque} opaque; {lines} lines compiled; digest {value}"


def measures_report(measures: Sequence[Measured]) -> dict[str, Any]:
    """The measures as JSON values."""

    def values(component: Component) -> dict[str, Any]:
        return {
            "name": component.name, "role": component.role.value, "bytes": component.bytes, "sha256": component.sha256 or None,
            "origin": component.origin, "version": component.version, "lines": component.lines, "linesMethod": component.lines_method,
            "languages": dict(component.languages), "builtWith": list(component.built_with), "files": len(component.source_hashes),
        }  # fmt: skip

    common = {(one.backend, other.backend): overlap(one.components, other.components) for one, other in combinations(measures, 2)}
    return {
        "xbootTcb": 1,
        "backends": {
            m.backend: {
                "imageSha256": m.image_sha256,
                "digest": digest(list(m.components)),
                "components": [values(c) for c in m.components],
                "below": [values(c) for c in m.below],
            }
            for m in measures
        },
        "overlap": [
            {"backends": list(pair), "lines": o.lines, "bytes": o.bytes, "components": list(o.components)} for pair, o in common.items()
        ],
    }
