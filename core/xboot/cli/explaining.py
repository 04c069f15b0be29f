"""The command line of what explains a plan: `explain`, `why-depends`, `seeds`, `diff`. `xboot.cli.app` takes these verbs in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xboot.cli.consoles import err, out
from xboot.cli.options import IN_READ, Json, RebuildFixed, Seeds, Stores, Target, Targets, What

verbs = typer.Typer()


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
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import explain  # noqa: PLC0415

    wished = request(targets, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed, allow_missing=True)
    explain.explain(wished, what, reports or [], out(), err, as_json=as_json)


@verbs.command(name="why-depends", rich_help_panel=IN_READ)
def why_depends(
    targets: Target,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="A step's number, a store path, or a name.")],
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    as_json: Json = False,
) -> None:
    """Show why TARGET needs a step or source: a shortest chain down to it."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import explain  # noqa: PLC0415

    wished = request(targets, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed, allow_missing=True)
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
    """List the binaries that TARGET's graph starts from, with their sizes and what is made from them."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import explain  # noqa: PLC0415

    wished = request(targets, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed, allow_missing=True)
    explain.show_seeds(wished, out(), err, every=every, as_json=as_json)


@verbs.command(rich_help_panel=IN_READ)
def diff(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="A TARGET.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Another.")],
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    as_json: Json = False,
) -> None:
    """Say what changed between two plans: which steps by themselves, and which only follow. Status 1 if anything did."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import explain  # noqa: PLC0415

    one, two = (
        request(target, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed, allow_missing=True) for target in (before, after)
    )
    raise typer.Exit(explain.diff(one, two, out(), err, as_json=as_json))
