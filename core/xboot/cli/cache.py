"""The verbs `cache show` and `cache prune`: what xboot keeps."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from xboot.cache import Cache
from xboot.words import counted


def cache_show(console: Console) -> None:
    """The entries of the cache."""
    cache = Cache()
    entries = cache.entries()
    table = Table("kind", "size", "last used", "entry", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.kind, f"{entry.size / 1e6:.1f} MB", entry.used.strftime("%Y-%m-%d %H:%M"), entry.path.name)
    if entries:
        console.print(table)
    console.print(
        f"{counted(len(entries), 'entry')}, {sum(e.size for e in entries) / 1e6:.1f} MB, in {cache.root}", highlight=False, soft_wrap=True
    )


def cache_prune(console: Console, days: float) -> None:
    """Remove entries that were not used for `days` days."""
    count, size, in_use = Cache().prune(days * 86400)
    kept = f"; {in_use} in use stay" if in_use else ""
    console.print(f"removed {counted(count, 'entry')}, {size / 1e6:.1f} MB{kept}", highlight=False)
