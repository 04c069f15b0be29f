"""Options that several verbs have, and what their values mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xboot.cli import completion

IN_BUILD, IN_TRUST, IN_READ = "Build and verify", "What you must trust, and who agrees", "Read a plan"
IN_SOURCES, IN_HERE = "Derivations and sources", "This machine"
"""The groups of verbs in `xboot --help`."""

_TARGET = "A .drv file, store path, recipe.toml[:name] or bundle."
Targets = Annotated[list[str], typer.Argument(metavar="TARGET", help=_TARGET, autocompletion=completion.targets)]
Target = Annotated[str, typer.Argument(metavar="TARGET", help=_TARGET, autocompletion=completion.targets)]
What = Annotated[
    str | None,
    typer.Argument(
        metavar="WHAT", help="A step's number, a store path, or a name (default: the result).", autocompletion=completion.derivations
    ),
]
Expect = Annotated[list[str] | None, typer.Option(help="[NAME=]HASH: SRI, nix32 or hex of a result's NAR.")]
ExpectFile = Annotated[Path | None, typer.Option(help="A JSON object: store path → hash.")]
Stores = Annotated[list[Path] | None, typer.Option("--store", help="A folder that stands for the store (repeatable).")]
Seeds = Annotated[
    list[str] | None, typer.Option("--seed", help="Trust this output, whose content is at hand, instead of building it (repeatable).")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress, only the verdict.")]
RebuildFixed = Annotated[
    bool, typer.Option("--rebuild-fixed", help="Build fixed outputs even if their content is at hand (downloads are never built).")
]
Voters = Annotated[
    list[str] | None,
    typer.Option(
        "--voters", "--backends", "--backend", "-b", metavar="BACKEND[/EXECUTOR][@MACHINE],…",
        help="Who runs it (repeatable, or joined by commas; `all` is every backend). See `xboot backends`.",
        autocompletion=completion.voters,
    ),
]  # fmt: skip
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting (repeatable; BACKEND.NAME=VALUE: of one alone). See `xboot backends NAME`.",
        autocompletion=completion.settings,
    ),
]
Memory = Annotated[int | None, typer.Option(min=16, help="Memory of the guest in MiB (default: what this machine can spare).")]
Quorum = Annotated[int | None, typer.Option(min=1, help="Complete runs that make an agreement, whatever they share (default: all).")]
Independent = Annotated[
    int | None, typer.Option("--independent", metavar="K", min=1, help="K of those that agree must share no guest code (docs/compare.md).")
]
IndependentMachines = Annotated[
    bool, typer.Option("--independent-machines", help="With --independent: nor a machine, nor anything below the image.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="How many machines run at once (default: one per core, as memory allows).")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")]
StepTimeout = Annotated[float | None, typer.Option(min=0.001, help="How long one step may take (default: 3600).")]
RunJobs = Annotated[int | None, typer.Option("--jobs", min=1, help="How many boots run at once, as memory allows (default: 1).")]
Seal = Annotated[
    str | None,
    typer.Option(
        metavar="steps|run",
        help="steps (where it can be, the usual): one boot a step, hashed by the host, for itself; run: one boot for all.",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Build every step again; take none from earlier runs.")]
SegmentsOption = Annotated[
    str | None, typer.Option("--segments", metavar="HOW", help="Cut into boots: none, auto (by memory and time), steps, or a number.")
]
KeepGoing = Annotated[bool, typer.Option("--keep-going", "-k", help="Go on after a difference, with inputs that the quorum agrees on.")]
InputsOf = Annotated[
    str | None, typer.Option(metavar="VOTER", help="With --keep-going: go on with what VOTER made, whatever the others made.")
]
RunTimeout = Annotated[float | None, typer.Option("--run-timeout", min=0.001, help="How long a whole run may take (default: 21600).")]
Notify = Annotated[
    str | None,
    typer.Option(
        metavar="CMD", help="At the end, run CMD (no shell): XBOOT_VERDICT and XBOOT_STATUS are set, its input is the report as JSON."
    ),
]
Cluster = Annotated[
    str, typer.Option(metavar="ADDRESS|local:N", help="Boot on the workers of this Dask scheduler, or on N of this host (docs/cluster.md).")
]
Exchange = Annotated[
    str, typer.Option(metavar="URL", help="A folder that this host and a cluster's workers can open, for NARs (any URL that fsspec knows).")
]
TrustedKeys = Annotated[list[Path] | None, typer.Option("--key", help="The public key of a signer whom you trust (repeatable).")]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="Whom to trust and how many must agree, as a file (docs/attestation.md).")
]
SignersQuorum = Annotated[int | None, typer.Option("--quorum", min=1, help="Signers who must agree (default: all whose key is given).")]
KernelsQuorum = Annotated[int | None, typer.Option("--kernels", min=1, help="Backends that must agree (1 if not given).")]
MachinesQuorum = Annotated[int | None, typer.Option("--machines", min=1, help="Machines that must agree, such as qemu and bochs (1).")]
MeasureFormat = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        help="table, json, svg or cyclonedx (one voter).",
        autocompletion=completion.one_of("table", "json", "svg", "cyclonedx"),
    ),
]
PlanFormat = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        help="script, table, dot or guile (a program that runs the build).",
        autocompletion=completion.one_of("script", "table", "dot", "guile"),
    ),
]
RecipeFile = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe.toml, or recipe.toml:name,name.", autocompletion=completion.targets)
]
BundleTarget = Annotated[
    str, typer.Argument(metavar="TARGET", help="A .drv file, store path or recipe.toml[:name].", autocompletion=completion.targets)
]
BackendName = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Show all that this backend says of itself.", autocompletion=completion.backends)
]
Accel = Annotated[str, typer.Option(help="auto, tcg or kvm.", autocompletion=completion.one_of("auto", "tcg", "kvm"))]
