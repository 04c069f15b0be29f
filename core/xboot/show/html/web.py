"""A page that builds a script in the visitor's browser: an emulator, its firmware and a medium, all in one file, which loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from xboot import __version__
from xboot._records import dataclass
from xboot.errors import InputError
from xboot.model import Boot, Script
from xboot.sexp import quote
from xboot.show.html.render import FOLDER, render
from xboot.show.report import sri
from xboot.storepath import short_name

__all__ = ["Engine", "web_page"]

# v86 compiles WebAssembly, and starts a worker of its own for its clock, from text that it holds.
_ALLOWED = "'wasm-unsafe-eval'; worker-src blob:"
_STEPS = 2000  # a page with more of them is none that somebody reads


@dataclass(frozen=True, slots=True)
class Engine:
    """What a page runs, as files: v86 as a script that is no module, its WebAssembly and its licence, and the firmware of its board and of
    its display.
    """

    emulator: Path
    wasm: Path
    licence: Path
    bios: Path
    display: Path


@dataclass(frozen=True, slots=True)
class _Part:
    id: str
    name: str
    size: int
    sha256: str
    text: str


def web_page(script: Script, backend: str, boot: Boot, medium: Path, engine: Engine, published: Mapping[str, str]) -> str:
    """The page, of about 8 MB. `published`: path of a result → SHA-256 of its NAR, in hex, for those whose hash is known.

    Raises InputError for a script that is too long for a page, and for an emulator that a page cannot hold.
    """
    if len(script.steps) > _STEPS:
        raise InputError(f"a page shows at most {_STEPS} steps; this script has {len(script.steps)}")
    emulator = engine.emulator.read_text(encoding="utf-8")
    if "</script" in emulator.lower() or "<!--" in emulator:
        raise InputError(f"{engine.emulator.name}: cannot stand in a page")
    results = [{"path": path, "published": published.get(path, "")} for path in script.results]
    told = {"store": script.store_dir, "memory": boot.memory, "lines": list(_lines(script)), "results": results}
    parts = [
        _part("medium", "the medium: kernel, executor, script and sources", medium),
        _part("wasm", "v86, WebAssembly", engine.wasm),
        _part("bios", "firmware of the board", engine.bios),
        _part("display", "firmware of the display", engine.display),
    ]
    page = (FOLDER / "web.js").read_text(encoding="utf-8")
    return render(
        "web.html.j2", style=(FOLDER / "web.css").read_text(encoding="utf-8"), scripts=(emulator, page),
        allowed=_ALLOWED,
        version=__version__, backend=backend, script=script.sha256, memory=boot.memory, sources=len(script.sources),
        steps=[short_name(step.drv).removesuffix(".drv") for step in script.steps],
        results=[
            {"path": path, "name": short_name(path), "published": sri(published[path]) if path in published else ""}
            for path in script.results
        ],
        parts=[*parts, replace(_part("", "v86, JavaScript", engine.emulator), text="")], told=_json(told), emulator=emulator, page=page,
        licence=engine.licence.read_text(encoding="utf-8"),
    )  # fmt: skip


def _lines(script: Script) -> Iterator[dict[str, str | int]]:
    """How each line of a good run's channel has to begin, in order; NONCE stands for the run's."""
    yield {"kind": "hello", "start": f'(hello "NONCE" {quote(script.sha256)})'}
    for source in script.sources:
        yield {"kind": "source", "start": f'(source "NONCE" {quote(source.path)} "sha256" {quote(source.nar_sha256)} '}
    for step in script.steps:
        yield {"kind": "begin", "step": step.number, "start": f'(begin "NONCE" {step.number})'}
        for output in step.outputs:
            start = f'(output "NONCE" {step.number} {quote(output.name)} "sha256" '
            yield {"kind": "output", "step": step.number, "path": output.path, "start": start}
    yield {"kind": "done", "start": '(done "NONCE")'}


def _part(name: str, title: str, file: Path) -> _Part:
    data = file.read_bytes()
    return _Part(name, title, len(data), hashlib.sha256(data).hexdigest(), base64.b64encode(data).decode())


def _json(value: object) -> str:
    """JSON that no parser of HTML takes for the end of its element."""
    return json.dumps(value).replace("<", "\\u003c")
