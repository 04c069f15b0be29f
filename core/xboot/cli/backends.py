"""The verb `backends`: who is there, what each says of itself, and who cannot be used."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from xboot.model import Need, Setting
from xboot.plugins import Plugins, Registered
from xboot.show.report import to_json
from xboot.show.safe import marked


def backends(console: Console, *, as_json: bool) -> None:
    """The backends and machines with what they say of themselves, and the broken plugins."""
    plugins = Plugins.load()
    if as_json:
        rows = {name: _values(registered) for name, registered in sorted(plugins.backends.items())}
        machines = {
            name: {"origin": r.origin, "summary": r.machine.info.summary, "abilities": list(r.machine.info.abilities),
                   "contract": r.machine.info.contract, "variants": list(r.machine.info.variants)}
            for name, r in sorted(plugins.machines.items())
        }  # fmt: skip
        print(to_json({"backends": rows, "machines": machines, "broken": dict(plugins.broken)}))
        return
    table = Table("backend", "systems", "executors", "maturity", "what boots", "from", box=None, pad_edge=False)
    for name, registered in sorted(plugins.backends.items()):
        info = registered.info
        table.add_row(
            *map(marked, (name, " ".join(info.systems), " ".join(info.executors), info.maturity, info.summary, registered.origin))
        )
    console.print(table)
    table = Table("machine", "what it is", "from", box=None, pad_edge=False)
    for name, machine in sorted(plugins.machines.items()):
        table.add_row(*map(marked, (name, machine.machine.info.summary, machine.origin)))
    if plugins.machines:
        console.print("")
        console.print(table)
    for origin, reason in sorted(plugins.broken.items()):
        console.print(f"[bold red]broken[/] {marked(f'{origin}: {reason}')}", highlight=False, soft_wrap=True)


def backend(console: Console, name: str, *, as_json: bool) -> None:
    """One backend, with its settings and the programs that it needs. Raises UsageError for an unknown name."""
    plugins = Plugins.load()
    plugins.backend(name)
    registered = plugins.backends[name]
    info = registered.info
    if as_json:
        print(to_json({name: _values(registered)}))
        return
    for word, text in (
        ("backend", name), ("what boots", info.summary), ("from", registered.origin), ("maturity", info.maturity),
        ("systems", " ".join(info.systems)), ("executors", " ".join(info.executors)), ("abilities", " ".join(info.abilities)),
    ):  # fmt: skip
        _line(console, f"{word:<11} {text}")
    _line(console, "settings" if info.settings else "settings    none")
    for setting in info.settings:
        default = f"; {setting.default} if not set" if setting.default else ""
        _line(console, f"  --set {setting.name}={_value(setting)}  {setting.help}{default}")
    _line(console, "needs" if info.needs else "needs       nothing that this machine could lack")
    for need in info.needs:
        there = shutil.which(need.program) or ("not here; it does without" if need.optional else "not here")
        _line(console, f"  {need.program}: {need.purpose} ({there})")


def _value(setting: Setting) -> str:
    return "|".join(setting.values) if setting.values else setting.kind.value.upper()


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _values(registered: Registered) -> dict[str, Any]:
    info = registered.info
    return {
        "origin": registered.origin, "summary": info.summary, "systems": list(info.systems), "executors": list(info.executors),
        "abilities": list(info.abilities), "maturity": info.maturity, "contract": info.contract, "settings": _settings(info.settings),
        "needs": _needs(info.needs),
    }  # fmt: skip


def _settings(settings: Sequence[Setting]) -> list[dict[str, Any]]:
    return [{"name": s.name, "help": s.help, "values": list(s.values), "kind": s.kind.value, "default": s.default} for s in settings]


def _needs(needs: Sequence[Need]) -> list[dict[str, Any]]:
    return [{"program": n.program, "purpose": n.purpose, "packages": dict(n.packages), "optional": n.optional} for n in needs]
