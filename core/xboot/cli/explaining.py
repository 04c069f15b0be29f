"""The command line of what explains a plan: `explain`, `why-depends`, `seeds`, `diff`. `xboot.cli.app` takes these verbs in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xboot.cli import completion
from xboot.cli.consoles import err, out
from xboot.cli.options import IN_READ, Json, RebuildFixed, Seeds, Stores, Target, Targets, What

if TYPE_CHECKING:
    from xboot.request import Request

verbs = typer.Typer()


def _wished(targets: str | list[str], stores: list[Path] | None, seeds: list[str] | None, rebuild_fixed: bool) -> Request:
    """What is to be read: a plan can be explained without the sources that are not at hand."""
    from xboot.api import request  # noqa: PLC0415 - keeps `xboot --help` quick

    return request(targets, stores=stores or (), seeds=seeds or (), rebuild_fixed=rebuild_fixed, allow_missing=True)


@verbs.command(name="explain", rich_help_panel=IN_READ)
def explain_(
    targets: Target,
    what: What = None,
    reports: Annotated[
        list[Path] | None, typer.Option("--report", help="Also say what this JSON report of TARGET says came out (repeatable).")
    ] = None,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    as_json: Json = False,
) -> None:
    """Explain a step or source of TARGET: what it is, what it sees, who needs it, which binaries it grows from."""
    from xboot.cli import explain  # noqa: PLC0415

    wished = _wished(targets, store, seed, rebuild_fixed)
    explain.explain(wished, what, reports or [], out(), err, as_json=as_json)


@verbs.command(name="why-depends", rich_help_panel=IN_READ)
def why_depends(
    targets: Target,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="A step's number, a store path, or a name.", autocompletion=completion.derivations)
    ],
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    as_json: Json = False,
) -> None:
    """Show why TARGET needs a step or source: a shortest chain down to it."""
    from xboot.cli import explain  # noqa: PLC0415

    wished = _wished(targets, store, seed, rebuild_fixed)
    explain.why_depends(wished, what, out(), err, as_json=as_json)


@verbs.command(rich_help_panel=IN_READ)
def seeds(
    targets: Targets,
    every: Annotated[bool, typer.Option("--all", help="Also list sources that hold nothing but text.")] = False,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    as_json: Json = False,
) -> None:
    """List the binaries that TARGET's graph starts from: their sizes, and what is built from them."""
    from xboot.cli import explain  # noqa: PLC0415

    wished = _wished(targets, store, seed, rebuild_fixed)
    explain.show_seeds(wished, out(), err, every=every, as_json=as_json)


@verbs.command(rich_help_panel=IN_READ)
def diff(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="A TARGET.", autocompletion=completion.targets)],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Another.", autocompletion=completion.targets)],
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    as_json: Json = False,
) -> None:
    """Show what changed between two plans: which steps changed themselves, and which only follow. Status 1 if anything did."""
    from xboot.cli import explain  # noqa: PLC0415

    one, two = (_wished(target, store, seed, rebuild_fixed) for target in (before, after))
    raise typer.Exit(explain.diff(one, two, out(), err, as_json=as_json))
