"""The command line of evidence: `site`, `offer` and `collect` for others to read, and `self`. `xboot.cli.app` takes these verbs in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xboot.cli.consoles import err
from xboot.cli.options import (
    IN_TRUST,
    Fresh,
    Independent,
    IndependentMachines,
    Jobs,
    Json,
    KernelsQuorum,
    MachinesQuorum,
    PolicyFile,
    Quiet,
    RunTimeout,
    Settings,
    SignersQuorum,
    StepTimeout,
    Stores,
    TrustedKeys,
    Voters,
)

verbs = typer.Typer()


@verbs.command(rich_help_panel=IN_TRUST)
def site(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A repository of attestations (docs/attestation.md).")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that the site becomes: new, or a site already.")],
    policy: PolicyFile = None,
    key: TrustedKeys = None,
    quorum: SignersQuorum = None,
    kernels: KernelsQuorum = None,
    machines: MachinesQuorum = None,
    independent: Independent = None,
    independent_machines: IndependentMachines = False,
) -> None:
    """Make static pages of who attests what, and where they differ."""
    from xboot.cli.attest import wanted_policy  # noqa: PLC0415 - keeps `xboot --help` quick
    from xboot.cli.site import make_site  # noqa: PLC0415

    trusted = wanted_policy(policy, key or [], quorum, kernels, machines, independent, independent_machines=independent_machines)
    make_site(folder, out, trusted, err)


@verbs.command(rich_help_panel=IN_TRUST)
def offer(
    format: Annotated[str, typer.Argument(metavar="FORMAT", help="nix, sums or link (docs/offering.md).")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Attestations of one target, or folders of them.")],
    sign: Annotated[Path, typer.Option(metavar="KEY", help="Your private key, of `xboot keygen` or of Nix: you vouch for what you offer.")],
    into: Annotated[Path, typer.Option(help="The folder for what is written.")],
    nars: Annotated[Path | None, typer.Option(help="With nix: NARs of `xboot run --export` in this folder go into the cache.")] = None,
    policy: PolicyFile = None,
    key: TrustedKeys = None,
    quorum: SignersQuorum = None,
    kernels: KernelsQuorum = None,
    machines: MachinesQuorum = None,
    independent: Independent = None,
    independent_machines: IndependentMachines = False,
    target: Annotated[list[str] | None, typer.Option(help="They must be about this TARGET's script (repeatable).")] = None,
    skip_unknown: Annotated[bool, typer.Option("--skip-unknown", help="Pass over files of signers whose key is not given.")] = False,
    store: Stores = None,
) -> None:
    """Offer outputs on which attestations agree to other tools, signed: to Nix as a binary cache, to others that rebuild."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli.attest import Wanted, wanted_policy  # noqa: PLC0415
    from xboot.cli.offer import offer_outputs  # noqa: PLC0415

    about = request(target or [], stores=store or (), allow_missing=True)
    trusted = wanted_policy(policy, key or [], quorum, kernels, machines, independent, independent_machines=independent_machines)
    raise typer.Exit(offer_outputs(format, Wanted(files, trusted, about, skip_unknown), sign, into, nars, err))


@verbs.command(rich_help_panel=IN_TRUST)
def collect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Attestations, or folders of them, from anywhere.")],
    into: Annotated[Path, typer.Option(help="The repository of attestations that they go to.")] = Path("attestations"),
    policy: PolicyFile = None,
    key: TrustedKeys = None,
    skip_unknown: Annotated[bool, typer.Option("--skip-unknown", help="Pass over files of signers whose key is not given.")] = False,
) -> None:
    """Put other people's attestations where they belong in a repository."""
    from xboot.cli.attest import wanted_policy  # noqa: PLC0415
    from xboot.cli.offer import collect_attestations  # noqa: PLC0415

    trusted = wanted_policy(policy, key or [], None, None, None)
    raise typer.Exit(collect_attestations(files, trusted, into, err, skip_unknown=skip_unknown))


@verbs.command(name="self", rich_help_panel=IN_TRUST)
def itself(
    recipe: Annotated[
        Path | None,
        typer.Argument(metavar="RECIPE", help="A changed copy of examples/self/recipe.toml (default: that of this source tree)."),
    ] = None,
    voters: Voters = None,
    jobs: Jobs = None,
    settings: Settings = None,
    step_timeout: StepTimeout = None,
    run_timeout: RunTimeout = None,
    fresh: Fresh = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Have tccboot's image rebuild itself, on itself and on other voters (all if none is named), and boot what was rebuilt."""
    from xboot.api import request  # noqa: PLC0415 - keeps `xboot --help` quick
    from xboot.cli.itself import rebuild  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415
    from xboot.show.report import to_json  # noqa: PLC0415

    wished = request(
        [], voters or (), jobs=jobs, settings=parse_settings(settings or ()), step_timeout=step_timeout, run_timeout=run_timeout,
        fresh=fresh, quiet=quiet,
    )  # fmt: skip
    found, status = rebuild(wished, recipe, err)
    if as_json:
        print(to_json(found))
    raise typer.Exit(status)
