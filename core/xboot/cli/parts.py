"""The verb `parts`: the locked list of what comes from elsewhere."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from xboot.cache import Cache
from xboot.cli.shown import shown_pipeline
from xboot.errors import MissingToolError
from xboot.files import replacing
from xboot.hooks import Notify
from xboot.model import Event, Phase
from xboot.parts import Part, at_hand, locked, obtain_part, read_lock, write_lock
from xboot.parts.lock import LOCK, NPM
from xboot.show.safe import write_out
from xboot.words import counted

_LOG = logging.getLogger(__name__)


def parts(groups: Sequence[str], console: Console, *, as_json: bool) -> None:
    """The list, with what is at hand."""
    cache = Cache()
    chosen = [(part, at_hand(part, cache)) for part in _chosen(groups)]
    if as_json:
        fields = ("name", "version", "architecture", "suite", "path", "sha256", "size")
        entries = [{f: getattr(p, f) for f in fields} | {"groups": list(p.groups), "atHand": here} for p, here in chosen]
        suites = {suite.name: suite.date for suite in locked().suites.values()}
        write_out((json.dumps({"suites": suites, "parts": entries}, indent=2) + "\n").encode())
        return
    table = Table("part", "version", "architecture", "size", "at hand", "for", box=None, pad_edge=False)
    for part, here in chosen:
        size = f"{part.size / 1e6:.1f} MB"
        table.add_row(part.name, part.version, part.architecture, size, "yes" if here else "no", ", ".join(part.groups))
    console.print(table)
    brought = [part for part, here in chosen if here]
    for suite in locked().suites.values():
        how = "written down" if suite.archive == NPM else "signed"
        console.print(f"suite {suite.name} as it was {how} on {suite.date}", highlight=False)
    console.print(f"{_summed([p for p, _ in chosen])}; at hand: {_summed(brought)}", highlight=False, soft_wrap=True)


def fetch(groups: Sequence[str], into: Path | None, console: Console) -> None:
    """Bring all parts, and copy them into a folder if one is named. Raises MissingToolError for one that no place has."""
    chosen = _chosen(groups)
    with shown_pipeline(console) as pipeline:
        brought = _each(chosen, pipeline.notify)
        for part, file in brought:
            if into is not None:
                target = into / part.path
                target.parent.mkdir(parents=True, exist_ok=True)
                with replacing(target) as scratch:
                    shutil.copyfile(file, scratch)
    console.print(
        f"{_summed([part for part, _ in brought])}, at hand" + (f" and in {into}" if into else ""),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def everything(notify: Notify) -> dict[str, tuple[Path, str]]:
    """All parts for a bundle: path in a pool → file, and its SHA-256."""
    return {part.path: (file, part.sha256) for part, file in _each(_chosen([]), notify)}


def update(console: Console) -> None:
    """Renew the lock that xboot came with, and say what changed."""
    from xboot.parts.update import changes, renewed  # noqa: PLC0415 - no other verb needs it

    before = read_lock(LOCK)
    now = renewed(before, lambda text: console.print(f"reading {text}", highlight=False, markup=False, soft_wrap=True))
    differing = changes(before, now)
    for change in differing:
        console.print(str(change), highlight=False, markup=False, soft_wrap=True)
    try:
        write_lock(now, LOCK)
    except OSError as error:
        raise MissingToolError(
            f"{LOCK} cannot be written: {error.strerror}", hint="renew the lock in a clone of xboot that belongs to you"
        ) from None
    console.print(f"{len(differing)} changes; {_summed(now.parts)}, in {LOCK}", highlight=False, markup=False, soft_wrap=True)


def _chosen(groups: Sequence[str]) -> list[Part]:
    lock = locked()
    names = {part.path for group in groups for part in lock.group(group)}
    return [part for part in lock.parts if not groups or part.path in names]


def _each(chosen: Sequence[Part], notify: Notify) -> list[tuple[Part, Path]]:
    started, cache, found = time.monotonic(), Cache(), []
    for number, part in enumerate(chosen):
        event = Event(Phase.PREPARE, time.monotonic() - started, name="parts", text=str(part), done=number / len(chosen))
        notify(event)
        try:
            found.append((part, obtain_part(part, cache)))
        except MissingToolError as error:
            if not locked().optional(part):
                raise
            _LOG.warning("%s; it is left out, no image needs it", error.message)
    return found


def _summed(chosen: Sequence[Part]) -> str:
    return f"{counted(len(chosen), 'part')}, {sum(part.size for part in chosen) / 1e6:.1f} MB"
