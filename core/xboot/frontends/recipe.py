"""The front-end for recipes: `recipe.toml` and `recipe.toml:name` as targets of every verb."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from xboot.hooks import ReadOptions, hookimpl
from xboot.model import Closure
from xboot.parse import merge_closures, read_closure
from xboot.storepath import store_name

__all__ = ["RecipeFrontEnd", "plugin", "split_target"]

_LOG = logging.getLogger(__name__)


def split_target(target: str) -> tuple[Path, list[str]] | None:
    """The recipe file and the names that a target stands for (`recipe.toml:a,b` has two); None when it is no recipe."""
    path, colon, names = target.rpartition(":")
    if colon and path.endswith(".toml") and "/" not in names:
        return Path(path), [name for name in names.split(",") if name]
    return (Path(target), []) if target.endswith(".toml") else None


class RecipeFrontEnd:
    """Derives into xboot's own store, then reads what was written there as it would read anybody's: nothing is believed."""

    @hookimpl
    def xboot_read_closure(self, target: str, options: ReadOptions) -> Closure | None:
        """A closure whose roots are the derivations asked for."""
        split = split_target(target)
        if split is None:
            return None
        from xboot.recipe.derivations import derive  # noqa: PLC0415 - pydantic takes 60 ms to import

        path, names = split
        derived = derive(path, names=names, notify=options.notify)
        for note in derived.notes:
            _LOG.warning("%s: %s", path, note)
        roots = sorted(derived.derivations.values())
        within = replace(options, stores=(derived.store, *options.stores))
        closures = [read_closure(str(derived.store / store_name(root)), within) for root in roots]
        return merge_closures(closures)


plugin = RecipeFrontEnd()
