"""The verbs `derive`, `fetch` and `bundle`: from recipes to derivations, and their sources from place to place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from xboot.cli.parts import everything
from xboot.cli.shown import shown_pipeline
from xboot.errors import UsageError
from xboot.foreign import printable
from xboot.frontends.bundle import write_bundle
from xboot.frontends.recipe import split_target
from xboot.hooks import ReadOptions
from xboot.model import Event, Phase
from xboot.show.progress import ProgressDisplay
from xboot.show.safe import write_out
from xboot.words import counted


def derive(recipe: str, store: Path | None, console: Console, *, update_lock: bool) -> None:
    """Write a recipe's derivations and sources; their paths go to standard output, one `name path` a line."""
    from xboot import recipe as recipes  # noqa: PLC0415 - pydantic takes 60 ms to import

    split = split_target(recipe)
    if split is None:
        raise UsageError(f"{recipe}: not a recipe", hint="a recipe's name ends with .toml")
    path, names = split
    with ProgressDisplay(console) as display:
        display.begin("derive", str(path))
        derived = recipes.derive(path, store, names, update_lock=update_lock, notify=display.xboot_event)
    for note in derived.notes:
        console.print(f"note: {printable(note)}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    for name, drv in sorted(derived.derivations.items()):
        write_out(os.fsencode(f"{name} {derived.store / drv.rsplit('/', 1)[1]}\n"))


def fetch(
    targets: Sequence[str],
    read: ReadOptions,
    into: Path | None,
    folders: Sequence[Path],
    mirrors: Sequence[str],
    console: Console,
    *,
    offline: bool,
) -> None:
    """Bring missing sources; raises when one could not be had."""
    from xboot import fetch as fetching  # noqa: PLC0415 - httpx takes 40 ms to import

    options = fetching.FetchOptions(folders=folders, mirrors=mirrors, offline=offline)
    with shown_pipeline(console) as pipeline:
        closure = pipeline.read(targets, read)
        pipeline.notify(Event(Phase.STAGE, 0.0, name="fetch", text=f"sources of {counted(len(closure.derivations), 'derivation')}"))
        outcome = fetching.fetch_closure(closure, into, options, pipeline.notify)
    for path in outcome.fetched:
        console.print(f"fetched  {path}", highlight=False, markup=False, soft_wrap=True)
    for left in outcome.left:
        console.print(f"left     {left.path}: {printable(left.reason)}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"{len(outcome.fetched)} fetched, {len(outcome.present)} at hand already, into {outcome.store}", highlight=False, soft_wrap=True
    )
    outcome.check()


def bundle(target: str, destination: Path, read: ReadOptions, console: Console, *, with_parts: bool) -> None:
    """Write one file with a closure and its sources, and if wanted with all parts of the lock."""
    with shown_pipeline(console) as pipeline:
        closure = pipeline.read([target], read)
        parts = everything(pipeline.notify) if with_parts else {}
        pipeline.notify(Event(Phase.STAGE, 0.0, name="bundle", text=str(destination)))
        info = write_bundle(closure, destination, pipeline.notify, parts)
    count = ", ".join(
        counted(number, noun)
        for number, noun in ((info.derivations, "derivation"), (info.sources, "source"), (info.parts, "part"))
        if noun != "part" or with_parts
    )
    console.print(
        f"{destination}: {count}, {info.size} bytes, sha256 {info.sha256}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
