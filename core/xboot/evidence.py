"""The verbs `compare` and `tcb`: agreement between kernels as evidence, and what each makes one trust."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xboot import report
from xboot.compare import Agreement, Comparison, choose_backends, compare, export_difference
from xboot.display import ProgressDisplay
from xboot.errors import UsageError, XbootError
from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.model import Component
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.tcb import digest
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


def measure(targets: Sequence[str], backend: str, read: ReadOptions, settings: Mapping[str, str]) -> list[Component]:
    """The components of the image that `xboot run` would boot. Nothing is booted."""
    if not targets:
        raise UsageError("xboot tcb needs a target: the seeds of its closure are a part of what one trusts")
    pipeline = Pipeline(Plugins.load(), backend)
    script = pipeline.linearize(pipeline.read(targets, read), LinearizeOptions())
    options = BackendOptions(settings=settings)
    artifacts = pipeline.prepare(backend, script, options)
    with run_folder() as folder:
        image = pipeline.package(backend, script, artifacts, options, folder)
        size = sum(path.stat().st_size for path in image.files.values())
        components = list(pipeline.components(backend, image))
    owned = sum(component.bytes for component in components)
    if owned != size:
        raise XbootError(f"backend {backend}: its components have {owned} bytes, its image {size}")
    return components


def show_components(console: Console, backend: str, components: Sequence[Component]) -> None:
    """One row a component, and the sums that can be formed."""
    table = Table("role", "component", "bytes", "lines", "languages", "counted by", "origin", box=None, pad_edge=False)
    for component in components:
        languages = ", ".join(f"{name} {lines}" for name, lines in list(component.languages.items())[:3])
        counted = "opaque" if component.lines is None else f"{component.lines}"
        table.add_row(
            component.role.value, component.name, f"{component.bytes}", counted, languages, component.lines_method, component.origin
        )
    console.print(table)
    opaque = sum(c.bytes for c in components if c.lines is None)
    lines = sum(c.lines or 0 for c in components)
    size, value = sum(c.bytes for c in components), digest(list(components))
    console.print(
        f"{backend}: {size} bytes, of which {opaque} opaque; {lines} lines compiled; digest {value}",
        soft_wrap=True,
        highlight=False,
    )
