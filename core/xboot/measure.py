"""The verb `tcb`: what each backend's image makes one trust, layer by layer, and what each two have in common. Never one number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xboot.display import ProgressDisplay
from xboot.errors import XbootError
from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.model import Component, Role, Script
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.report import to_json
from xboot.tcb import digest, overlap, substrate
from xboot.workspace import run_folder

FORMATS = ("table", "json", "svg", "cyclonedx")

LAYERS: Mapping[Role, str] = {
    Role.FIRMWARE: "firmware",
    Role.LOADER: "loader",
    Role.COMPILER: "compiler in the boot path",
    Role.KERNEL: "kernel",
    Role.SERVICES: "services",
    Role.EXECUTOR: "executor",
    Role.SEED: "seeds of the builders",
    Role.SCRIPT: "script",
    Role.PADDING: "framing",
    Role.SUBSTRATE: "substrate",
}
"""Role → name of the layer, from power-on upwards; the substrate stands below all."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one backend's image makes one trust. `components` sum up to the image; `below` is in no image."""

    backend: str
    image_sha256: str
    components: Sequence[Component]
    below: Sequence[Component]

    @property
    def size(self) -> int:
        """Bytes of the image."""
        return sum(c.bytes for c in self.components)

    @property
    def opaque(self) -> int:
        """Bytes that nobody compiled here: seeds, and what came as a binary, even where its source is known and its lines are counted."""
        return sum(c.bytes for c in self.components if c.prebuilt)

    @property
    def lines(self) -> int:
        """Source lines compiled in this configuration, here or by who made a binary."""
        return sum(c.lines or 0 for c in self.components)

    @property
    def languages(self) -> Mapping[str, int]:
        """Lines by language, most first."""
        total: dict[str, int] = {}
        for component in self.components:
            for language, lines in component.languages.items():
                total[language] = total.get(language, 0) + lines
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def syscalls(self) -> Sequence[str]:
        """The system calls that a builder is offered; empty when the backend does not say."""
        return sorted({name for c in self.components for name in c.syscalls})

    @property
    def built_with(self) -> Sequence[str]:
        """The programs that made the image."""
        return list(dict.fromkeys(tool for c in self.components for tool in c.built_with))

    @property
    def digest(self) -> str:
        return digest(list(self.components))

    def layers(self) -> Iterator[tuple[str, list[Component]]]:
        """The components by layer, from power-on upwards; a layer without any is left out."""
        for role, name in LAYERS.items():
            found = [c for c in (*self.below, *self.components) if c.role is role]
            if found:
                yield name, found


def measure(
    targets: Sequence[str],
    backends: Sequence[str],
    read: ReadOptions,
    settings: Mapping[str, str],
    console: Console,
    executor: str = "",
) -> list[Measured]:
    """Measure the images that `xboot run` would boot; nothing is booted. Without targets the image holds no script and no seeds."""
    plugins = Plugins.load()
    display = ProgressDisplay(console)
    plugins.add(display, "xboot:display")
    pipeline = Pipeline(plugins)
    with display:
        script = pipeline.linearize(pipeline.read(targets, read), LinearizeOptions()) if targets else EMPTY
        options = BackendOptions(settings=settings, executor=executor)
        return [measure_image(pipeline, backend, script, options) for backend in backends or sorted(plugins.backends)]


EMPTY = Script(b"", sha256(b"").hexdigest(), "/nix/store", [], [], [])
"""The script of no target: what is measured with it is the backend alone."""


def measure_image(pipeline: Pipeline, backend: str, script: Script, options: BackendOptions) -> Measured:
    """Make the image again and measure it. Raises XbootError when its components do not sum up to it."""
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


def write_measures(measures: Sequence[Measured], format: str, html: Path | None, *, overlap_only: bool) -> None:
    """Print in one of `FORMATS` on standard output (cyclonedx: the first), and write the HTML report if a file for it is given."""
    from xboot.html import tcb_chart, tcb_page  # noqa: PLC0415 - templates are loaded only for who wants them

    if html is not None:
        html.write_text(tcb_page(measures), encoding="utf-8")
    if format == "json":
        print(to_json(measures_report(measures)))
    elif format == "cyclonedx":
        from xboot.tcb import to_cyclonedx  # noqa: PLC0415 - the same

        print(to_cyclonedx(measures[0].backend, measures[0].image_sha256, measures[0].components))
    elif format == "svg":
        print(tcb_chart(measures))
    elif overlap_only:
        show_overlap(Console(), measures)
    else:
        show_measures(Console(), measures)


def show_measures(console: Console, measures: Sequence[Measured]) -> None:
    """The vector of each backend side by side, then each by layer, then what each two have in common."""
    console.print(_vectors(measures))
    for measured in measures:
        console.print(f"\n[bold]{escape(measured.backend)}[/], image sha256 {measured.image_sha256}", highlight=False, soft_wrap=True)
        console.print(_by_layer(measured))
        console.print("from, and counted by")
        for line in _origins(measured):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        for tool in measured.built_with:
            console.print(f"built with {tool}", highlight=False, markup=False, soft_wrap=True)
    if len(measures) > 1:
        console.print("")
        show_overlap(console, measures)


def _vectors(measures: Sequence[Measured]) -> Table:
    table = _table()
    table.add_column("backend", no_wrap=True)
    for measured in measures:
        table.add_column(measured.backend, justify="right", no_wrap=True)
    rows: list[tuple[str, list[str]]] = [
        ("bytes of the image", [f"{m.size:,}" for m in measures]),
        ("of these opaque", [f"{m.opaque:,}" for m in measures]),
        ("lines compiled", [f"{m.lines:,}" for m in measures]),
        ("system calls offered", [_calls(m.syscalls) for m in measures]),
    ]
    languages = dict.fromkeys(language for m in measures for language in m.languages)
    rows += [(f"lines of {language}", [f"{m.languages.get(language, 0):,}" for m in measures]) for language in languages]
    rows.append(("digest", [m.digest[:12] for m in measures]))
    for name, values in rows:
        table.add_row(name, *values)
    return table


def _by_layer(measured: Measured) -> Table:
    table = _table("layer", "component", "made")
    for name in ("bytes", "lines", "calls"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("languages")
    for layer, components in measured.layers():
        for number, c in enumerate(components):
            table.add_row(
                "" if number else layer, escape(c.name), "elsewhere" if c.prebuilt else "here", f"{c.bytes:,}",
                "" if c.lines is None else f"{c.lines:,}",
                str(len(c.syscalls)) if c.syscalls else "",
                escape(", ".join(list(c.languages)[:3])),
            )  # fmt: skip
    return table


def _origins(measured: Measured) -> Iterator[str]:
    for _, components in measured.layers():
        for c in components:
            counted = f"; lines by {c.lines_method}" if c.lines is not None else ""
            yield f"  {c.name}: {c.origin if c.version in c.origin else f'{c.origin} {c.version}'}{counted}"


def show_overlap(console: Console, measures: Sequence[Measured]) -> None:
    """A matrix: lines compiled into both, by the hash of their files, and bytes of components that are the same."""
    table = _table("in common")
    for measured in measures:
        table.add_column(measured.backend, justify="right")
    for one in measures:
        common = {other.backend: overlap(one.components, other.components) for other in measures if other is not one}
        cells = [f"{common[m.backend].lines:,} lines\n{common[m.backend].bytes:,} bytes" if m is not one else "·" for m in measures]
        table.add_row(one.backend, *cells)
    console.print(table)
    for one, other in combinations(measures, 2):
        names = overlap(one.components, other.components).components
        if names:
            console.print(f"{one.backend} and {other.backend}: the same {', '.join(names)}", highlight=False, markup=False, soft_wrap=True)


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)


def _calls(names: Sequence[str]) -> str:
    return str(len(names)) if names else "not measured"


def measures_report(measures: Sequence[Measured]) -> dict[str, Any]:
    """The measures as JSON values (docs/tcb.md)."""
    common = {(one.backend, other.backend): overlap(one.components, other.components) for one, other in combinations(measures, 2)}
    return {
        "xbootTcb": 1,
        "backends": {
            m.backend: {
                "imageSha256": m.image_sha256,
                "digest": m.digest,
                "bytes": m.size,
                "opaqueBytes": m.opaque,
                "lines": m.lines,
                "languages": dict(m.languages),
                "syscalls": list(m.syscalls),
                "builtWith": list(m.built_with),
                "components": [_values(c) for c in m.components],
                "below": [_values(c) for c in m.below],
            }
            for m in measures
        },
        "overlap": [
            {"backends": list(pair), "lines": o.lines, "bytes": o.bytes, "components": list(o.components)} for pair, o in common.items()
        ],
    }


def _values(component: Component) -> dict[str, Any]:
    return {
        "name": component.name, "role": component.role.value, "layer": LAYERS[component.role], "bytes": component.bytes,
        "sha256": component.sha256 or None, "origin": component.origin, "version": component.version, "lines": component.lines,
        "linesMethod": component.lines_method, "languages": dict(component.languages), "syscalls": list(component.syscalls),
        "builtWith": list(component.built_with), "files": len(component.source_hashes), "prebuilt": component.prebuilt,
    }  # fmt: skip
