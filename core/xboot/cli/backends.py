"""The verb `backends`: who is there, and who cannot be used."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from xboot.plugins import Plugins
from xboot.show.report import to_json
from xboot.show.safe import marked


def backends(console: Console, *, as_json: bool) -> None:
    """The backends with what they say of themselves, and the broken plugins."""
    plugins = Plugins.load()
    if as_json:
        rows = {name: {"origin": r.origin, "summary": r.info.summary, "systems": list(r.info.systems), "executors": list(r.info.executors),
                       "abilities": list(r.info.abilities), "maturity": r.info.maturity, "contract": r.info.contract}
                for name, r in sorted(plugins.backends.items())}  # fmt: skip
        print(to_json({"backends": rows, "broken": dict(plugins.broken)}))
        return
    table = Table("backend", "systems", "executors", "maturity", "what boots", "from", box=None, pad_edge=False)
    for name, registered in sorted(plugins.backends.items()):
        info = registered.info
        table.add_row(name, " ".join(info.systems), " ".join(info.executors), info.maturity, info.summary, registered.origin)
    console.print(table)
    for origin, reason in sorted(plugins.broken.items()):
        console.print(f"[bold red]broken[/] {marked(f'{origin}: {reason}')}", highlight=False, soft_wrap=True)
