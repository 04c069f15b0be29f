"""The command line of evidence that others read: `site`. `xboot.cli.app` takes these verbs in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xboot.cli.consoles import err
from xboot.cli.options import IN_TRUST, KernelsQuorum, MachinesQuorum, PolicyFile, SignersQuorum, TrustedKeys

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
) -> None:
    """Make static pages of who attests what, and where they differ."""
    from xboot.cli.attest import wanted_policy  # noqa: PLC0415 - keeps `xboot --help` quick
    from xboot.cli.site import make_site  # noqa: PLC0415

    make_site(folder, out, wanted_policy(policy, key or [], quorum, kernels, machines), err)
