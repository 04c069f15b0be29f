"""The command line of media: `image`, `check-screen` and `web`. `xboot.cli.app` takes these verbs in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xboot.cli.consoles import err, out
from xboot.cli.options import IN_BUILD, Expect, ExpectFile, Json, Memory, RebuildFixed, Seeds, Settings, Stores, Targets, Voters

verbs = typer.Typer()


@verbs.command(rich_help_panel=IN_BUILD)
def image(
    targets: Targets,
    iso: Annotated[Path, typer.Option(metavar="FILE", help="Where the medium goes.")],
    voters: Voters = None,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    settings: Settings = None,
    memory: Memory = None,
    standalone: Annotated[
        bool, typer.Option("--standalone", help="It runs without a host, and shows hashes and a QR code on the screen: unattended.")
    ] = False,
) -> None:
    """Write what `run` would boot as one file that a PC boots: a CD, disk or USB stick."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli.medium import write  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415

    wished = request(
        targets, voters or (), stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed,
        settings=parse_settings(settings or ()), memory=memory,
    )  # fmt: skip
    write(wished, iso, err, out(), standalone=standalone)


@verbs.command(name="check-screen", rich_help_panel=IN_BUILD)
def check_screen(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text of the QR code, or the digits of the transcript's SHA-256.")],
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="What `xboot run --json` or `xboot compare --json` wrote.")],
    as_json: Json = False,
) -> None:
    """Hold what a medium of `image --standalone` showed on a screen against the report of a run."""
    from xboot.cli import screen  # noqa: PLC0415

    raise typer.Exit(screen.check_screen(text, report, err, as_json=as_json))


@verbs.command(rich_help_panel=IN_BUILD)
def web(
    page: Annotated[Path, typer.Argument(metavar="PAGE", help="Where the page goes: one file of HTML.")],
    targets: Targets,
    voters: Voters = None,
    expect: Expect = None,
    expect_file: ExpectFile = None,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    settings: Settings = None,
    memory: Memory = None,
) -> None:
    """Write what `run -b tccboot@v86` would boot as a page: it builds in the visitor's browser, and shows the hash beside the known one."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli.web import write  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415

    wished = request(
        targets, voters or ("tccboot",), stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed,
        settings=parse_settings(settings or ()), memory=memory, machine="v86", expect=expect or (), expect_file=expect_file,
    )  # fmt: skip
    write(wished, page, err, out())
