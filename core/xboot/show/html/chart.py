"""The trusted base as bars: shares for the pages, and a picture of its own (SVG) for slides and papers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xboot._records import dataclass
from xboot.model import Component, Role
from xboot.show.html.render import render
from xboot.tcb import LAYERS, Measured


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar, in thousandths of the longest bar. `css` is the name of the layer's colour."""

    css: str
    layer: str
    value: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Stack:
    """One backend's bar."""

    backend: str
    total: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure over all backends. They are never added to each other."""

    title: str
    unit: str
    stacks: tuple[Stack, ...]


_MEASURES: tuple[tuple[str, str, Callable[[Component], int]], ...] = (
    ("Lines compiled in this configuration", "lines", lambda c: c.lines or 0),
    ("Bytes of the image", "bytes", lambda c: c.bytes),
    ("Opaque bytes: nobody compiled them here", "bytes", lambda c: c.bytes if c.prebuilt else 0),
    ("System calls offered to a builder", "calls", lambda c: len(c.syscalls)),
)


def panels(measures: Sequence[Measured]) -> list[Panel]:
    """A panel for each measure in which any backend has anything."""
    found = []
    for title, unit, value in _MEASURES:
        totals = {m.voter: _by_layer(m, value) for m in measures}
        if unit == "calls":
            totals = {m.voter: {Role.KERNEL: len(m.syscalls)} for m in measures}
        longest = max((sum(of.values()) for of in totals.values()), default=0)
        if longest:
            found.append(Panel(title, unit, tuple(_stack(backend, of, longest) for backend, of in totals.items())))
    return found


def _by_layer(measured: Measured, value: Callable[[Component], int]) -> dict[Role, int]:
    total: dict[Role, int] = {}
    for role in LAYERS:
        size = sum(value(c) for c in measured.components if c.role is role)
        if size:
            total[role] = size
    return total


def _stack(backend: str, values: dict[Role, int], longest: int) -> Stack:
    parts: list[Part] = []
    at = 0.0
    for role, value in values.items():
        width = 1000 * value / longest
        parts.append(Part(f"l-{role.value}", LAYERS[role], value, round(at, 2), round(width, 2)))
        at += width
    return Stack(backend, sum(values.values()), tuple(parts))


def legend(measures: Sequence[Measured]) -> list[tuple[str, str]]:
    """Colour and name of the layers that occur."""
    roles = {c.role for m in measures for c in m.components}
    return [(f"l-{role.value}", name) for role, name in LAYERS.items() if role in roles]


# Written out, unlike the pages' colours: programs that are no browsers know no variables.
COLOURS = {
    "l-firmware": "#8d99ae", "l-loader": "#e0a33a", "l-compiler": "#c9622f", "l-kernel": "#3d6fd9", "l-services": "#7a52c7",
    "l-executor": "#2e9b74", "l-script": "#a9b2c3", "l-seed": "#c44b6e", "l-padding": "#cfd4de", "l-substrate": "#8d99ae",
}  # fmt: skip

_LEFT, _BAR_WIDTH, _ROW, _HEAD, _FOOT = 90, 560, 24, 34, 20
_WIDTH = _LEFT + _BAR_WIDTH + 110
_LETTER = 6.2  # pixels of a letter of the legend, about


def tcb_chart(measures: Sequence[Measured]) -> str:
    """A stand-alone SVG picture."""
    drawn = panels(measures)
    tops, y = [], 10
    for panel in drawn:
        tops.append(y)
        y += _HEAD + _ROW * len(panel.stacks) + 14
    marks: list[tuple[str, str, int, int]] = []
    x, y = 14, y + 8
    for css, name in legend(measures):
        needed = 15 + round(_LETTER * len(name)) + 18
        if x + needed > _WIDTH:
            x, y = 14, y + 20
        marks.append((css, name, x, y))
        x += needed
    return render(
        "chart.svg.j2", panels=list(zip(tops, drawn, strict=True)), legend=marks, left=_LEFT, bar=_BAR_WIDTH, row=_ROW, head=_HEAD,
        width=_WIDTH, height=y + 12 + _FOOT, colours=COLOURS,
    )  # fmt: skip
