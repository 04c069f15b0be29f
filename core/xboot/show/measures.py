"""Measures as tables, as JSON, as a chart: layer by layer, and what each two have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from xboot.model import Component
from xboot.show import build_time
from xboot.show.report import to_json
from xboot.show.safe import SafeConsole, marked, write_out
from xboot.tcb import Overlap, overlap
from xboot.tcb.measured import LAYERS, TRUSTED_FOR, Measured
from xboot.words import counted

FORMATS = ("table", "json", "svg", "cyclonedx")


def write_measures(measures: Sequence[Measured], format: str, html: Path | None, *, overlap_only: bool, how_made: bool = False) -> None:
    """Print in one of `FORMATS` on standard output (cyclonedx: the first), and write the HTML report if a file for it is given. `how_made`:
    with what must be believed of how the images were made.
    """
    from xboot.show.html import tcb_chart, tcb_page  # noqa: PLC0415 - templates are loaded only for who wants them

    if html is not None:
        html.write_text(tcb_page(measures, how_made=how_made), encoding="utf-8")
    if format == "json":
        print(to_json(measures_report(measures, how_made=how_made)))
    elif format == "cyclonedx":
        from xboot.tcb import to_cyclonedx  # noqa: PLC0415 - the same

        first = measures[0]
        bom = to_cyclonedx(first.voter, first.image_sha256, first.components, first.build_time() if how_made else None)
        write_out(f"{bom}\n".encode())
    elif format == "svg":
        write_out(f"{tcb_chart(measures)}\n".encode())
    elif overlap_only:
        show_overlap(SafeConsole(), measures)
    else:
        show_measures(SafeConsole(), measures, how_made=how_made)


def show_measures(console: Console, measures: Sequence[Measured], *, how_made: bool = False) -> None:
    """The vector of each backend side by side, then each by layer (`how_made`: and what made it), then what each two have in common."""
    console.print(_vectors(measures, build_time.rows(measures) if how_made else []))
    for measured in measures:
        console.print(f"\n[bold]{marked(measured.voter)}[/], image sha256 {measured.image_sha256}", highlight=False, soft_wrap=True)
        console.print(_by_layer(measured))
        console.print("from, and counted by")
        for line in _origins(measured):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        if measured.base:
            console.print(f"base: {measured.base}", highlight=False, markup=False, soft_wrap=True)
        for tool in measured.built_with:
            console.print(f"built with {tool}", highlight=False, markup=False, soft_wrap=True)
        for line in build_time.tree(measured.build_time()) if how_made else ():
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print("")
    for seal, words in TRUSTED_FOR.items():
        console.print(f"with --seal {seal}: {words}", highlight=False, markup=False, soft_wrap=True)
    if len(measures) > 1:
        console.print("")
        show_overlap(console, measures)


def _vectors(measures: Sequence[Measured], more: Sequence[tuple[str, list[str]]]) -> Table:
    table = _table()
    table.add_column("backend", no_wrap=True)
    for measured in measures:
        table.add_column(measured.voter, justify="right", no_wrap=True)
    rows: list[tuple[str, list[str]]] = [
        ("bytes of the image", [f"{m.size:,}" for m in measures]),
        ("of these opaque", [f"{m.opaque:,}" for m in measures]),
        ("lines compiled", [f"{m.lines:,}" for m in measures]),
        ("system calls offered", [_calls(m.syscalls) for m in measures]),
    ]
    languages = dict.fromkeys(language for m in measures for language in m.languages)
    rows += [(f"lines of {language}", [f"{m.languages.get(language, 0):,}" for m in measures]) for language in languages]
    rows += [
        ("bytes below it", [f"{sum(c.bytes for c in m.below):,}" for m in measures]),
        ("lines below it", [_lines_below(m) for m in measures]),
    ]
    rows += more
    rows.append(("base", [m.base.partition(":")[0] or "none" for m in measures]))
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
                "" if number else layer, marked(c.name), "elsewhere" if c.prebuilt else "here", f"{c.bytes:,}",
                "" if c.lines is None else f"{c.lines:,}",
                str(len(c.syscalls)) if c.syscalls else "",
                marked(", ".join(list(c.languages)[:3])),
            )  # fmt: skip
    return table


def _origins(measured: Measured) -> Iterator[str]:
    for _, components in measured.layers():
        for c in components:
            counted = f"; lines by {c.lines_method}" if c.lines is not None else ""
            yield f"  {c.name}: {c.origin if c.version in c.origin else f'{c.origin} {c.version}'}{counted}"


def show_overlap(console: Console, measures: Sequence[Measured]) -> None:
    """A matrix: lines compiled into both, by the hash of their files, and bytes of components that are the same. And what stands below two
    images, where it is the same: machines share an emulator, a firmware, the loader of a medium.
    """
    table = _table("in common")
    for measured in measures:
        table.add_column(measured.voter, justify="right")
    for one in measures:
        common = {other.voter: overlap(one.components, other.components) for other in measures if other is not one}
        cells = ["·" if m is one else _in_common(common[m.voter]) for m in measures]
        table.add_row(one.voter, *cells)
    console.print(table)
    for one, other in combinations(measures, 2):
        names = overlap(one.components, other.components).components
        if names:
            console.print(f"{one.voter} and {other.voter}: the same {', '.join(names)}", highlight=False, markup=False, soft_wrap=True)
    for one, other in combinations(measures, 2):
        below = overlap(one.below, other.below)
        if below.components or below.lines:
            same = f"{', '.join(below.components)} ({below.bytes:,} bytes)" if below.components else "no component"
            what = f"below {one.voter} and {other.voter}: the same {same}, {counted(below.lines, 'line')}"
            console.print(what, highlight=False, markup=False, soft_wrap=True)


def _in_common(found: Overlap) -> str:
    return f"{counted(found.lines, 'line')}\n{counted(found.bytes, 'byte')}"


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)


def _lines_below(measured: Measured) -> str:
    """Lines of what stands below an image, and that they are not all there is when some of it came as a binary."""
    known = [c.lines for c in measured.below if c.lines is not None]
    more = any(c.lines is None for c in measured.below if c.bytes)
    return f"{sum(known):,}{' and opaque' if more else ''}" if known else "opaque" if more else "0"


def _calls(names: Sequence[str]) -> str:
    return str(len(names)) if names else "not measured"


def measures_report(measures: Sequence[Measured], *, how_made: bool = False) -> dict[str, Any]:
    """The measures as JSON values (docs/tcb.md)."""
    pairs = list(combinations(measures, 2))
    return {
        "xbootTcb": 1,
        "trustedFor": dict(TRUSTED_FOR),
        "backends": {
            m.voter: {
                "imageSha256": m.image_sha256,
                "digest": m.digest,
                "base": m.base or None,
                "bytes": m.size,
                "opaqueBytes": m.opaque,
                "lines": m.lines,
                "languages": dict(m.languages),
                "syscalls": list(m.syscalls),
                "builtWith": list(m.built_with),
                "components": [_values(c) for c in m.components],
                "below": [_values(c) for c in m.below],
                **({"buildTime": build_time.values(m.build_time())} if how_made else {}),
            }
            for m in measures
        },
        "overlap": [
            {
                "backends": [one.voter, other.voter],
                **_overlap(overlap(one.components, other.components)),
                "belowBoth": _overlap(overlap(one.below, other.below)),
            }
            for one, other in pairs
        ],
    }


def _overlap(found: Overlap) -> dict[str, Any]:
    return {"lines": found.lines, "bytes": found.bytes, "components": list(found.components)}


def _values(component: Component) -> dict[str, Any]:
    return {
        "name": component.name, "role": component.role.value, "layer": LAYERS[component.role], "bytes": component.bytes,
        "sha256": component.sha256 or None, "origin": component.origin, "version": component.version, "lines": component.lines,
        "linesMethod": component.lines_method, "languages": dict(component.languages), "syscalls": list(component.syscalls),
        "builtWith": list(component.built_with), "files": len(component.source_hashes), "prebuilt": component.prebuilt,
    }  # fmt: skip
