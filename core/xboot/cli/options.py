"""Options that several verbs have, and what their values mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xboot.errors import UsageError
from xboot.hooks import ReadOptions

Targets = Annotated[list[str], typer.Argument(metavar="TARGET…", help="A .drv file, store path, recipe.toml[:name] or bundle.")]
Stores = Annotated[list[Path] | None, typer.Option("--store", help="A folder that stands for the store (repeatable).")]
Seeds = Annotated[list[str] | None, typer.Option("--seed", help="Trust this output, whose content is at hand, instead of building it.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress, only what came out.")]
RebuildFixed = Annotated[
    bool, typer.Option("--rebuild-fixed", help="Build fixed outputs, but for downloads, also where their content is at hand.")
]
BackendName = Annotated[str, typer.Option("--backend", "-b", help="The kernel to boot (see `xboot backends`).")]
Executor = Annotated[str, typer.Option(help="Which executor runs the builders (see `xboot backends`).")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the backend (repeatable).")]
Memory = Annotated[int | None, typer.Option(min=16, help="MiB of memory for the guest (default: what this machine can spare).")]
Backends = Annotated[str, typer.Option("--backends", help="`all`, or names joined by commas.")]
Quorum = Annotated[int | None, typer.Option(min=1, help="Complete runs that make an agreement (default: all that can run it).")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Machines that run at once (default: one a core, as far as memory goes).")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")]


def read_options(stores: list[Path] | None, seeds: list[str] | None = None) -> ReadOptions:
    from xboot.recipe import default_store_folder  # noqa: PLC0415

    # This machine's own stores unless the user names others; what `xboot derive` and `xboot fetch` brought is always at hand.
    usual = [] if stores else [Path("/nix/store"), Path("/gnu/store")]
    return ReadOptions(
        stores=[*(stores or []), *(folder for folder in (*usual, default_store_folder()) if folder.is_dir())], seeds=seeds or []
    )


def parse_settings(pairs: list[str] | None, kernel: str | None = None, tree: Path | None = None) -> dict[str, str]:
    settings = {"kernel": kernel} if kernel else {}
    if tree is not None:
        settings["kernel-tree"] = str(tree)
    for pair in pairs or []:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f"--set {pair}: expected KEY=VALUE")
        settings[key] = value
    return settings
