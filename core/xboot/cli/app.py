"""The command line: verbs, options, printing. What a verb does lives elsewhere.

People read standard error, machines read standard output (`--json`, `plan`, `show`). Exit statuses: docs/exit-codes.md.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from xboot import __version__
from xboot.cli.consoles import err, out
from xboot.cli.ending import run_to_end
from xboot.cli.evidence import verbs as evidence
from xboot.cli.explaining import verbs as explaining
from xboot.cli.media import verbs as media
from xboot.cli.options import (
    IN_BUILD,
    IN_HERE,
    IN_READ,
    IN_SOURCES,
    IN_TRUST,
    Accel,
    BackendName,
    BundleTarget,
    Cluster,
    Exchange,
    Expect,
    ExpectFile,
    Fresh,
    Independent,
    IndependentMachines,
    InputsOf,
    Jobs,
    Json,
    KeepGoing,
    KernelsQuorum,
    MachinesQuorum,
    MeasureFormat,
    Memory,
    Notify,
    PlanFormat,
    PolicyFile,
    Quiet,
    Quorum,
    RebuildFixed,
    RecipeFile,
    RunJobs,
    RunTimeout,
    Seal,
    Seeds,
    SegmentsOption,
    Settings,
    SignersQuorum,
    StepTimeout,
    Stores,
    Targets,
    TrustedKeys,
    Voters,
)
from xboot.cli.values import command
from xboot.errors import UsageError
from xboot.show.safe import write_out

app = typer.Typer(
    name="xboot", no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    help="Boot a Nix or Guix derivation's whole build graph on very small kernels, and verify every hash.",
)  # fmt: skip

app.add_typer(explaining)
app.add_typer(media)
app.add_typer(evidence)


@app.command(rich_help_panel=IN_BUILD)
def run(
    targets: Targets,
    voters: Voters = None,
    expect: Expect = None,
    expect_file: ExpectFile = None,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    quiet: Quiet = False,
    settings: Settings = None,
    memory: Memory = None,
    step_timeout: StepTimeout = None,
    run_timeout: RunTimeout = None,
    export: Annotated[Path | None, typer.Option(help="Write the results, as NARs, to this folder.")] = None,
    log: Annotated[Path | None, typer.Option(help="Write what the guest's console prints to this file.")] = None,
    accel: Accel = "auto",
    keep: Annotated[Path | None, typer.Option(help="Keep the image in this folder, with the command that boots it by hand.")] = None,
    gdb: Annotated[str, typer.Option(metavar="PORT|SOCKET", help="Wait there for gdb before the first instruction.")] = "",
    report_: Annotated[
        list[str] | None, typer.Option("--report", metavar="FORMAT[=FILE]", help="Also write a report, in a plugin's format (repeatable).")
    ] = None,
    seal: Seal = None,
    segments: SegmentsOption = None,
    jobs: RunJobs = None,
    fresh: Fresh = False,
    notify: Notify = None,
    cluster: Cluster = "",
    exchange: Exchange = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the builders print.")] = False,
    as_json: Json = False,
) -> None:
    """Boot TARGET's build graph on one voter (linux if none is named), run every builder, verify every hash."""
    from xboot.api import request  # noqa: PLC0415 - keeps `xboot --help` quick
    from xboot.cli import run as run_verb  # noqa: PLC0415
    from xboot.cli.notify import notifying  # noqa: PLC0415
    from xboot.segments.wanted import wanted_cut  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415
    from xboot.show import report  # noqa: PLC0415

    if voters and ",".join(voters).strip() == "all":
        raise UsageError("--voters all: a run has one voter", hint="`xboot compare` takes several")
    wished = request(
        targets, voters or (), expect=expect or (), expect_file=expect_file, stores=store or (), seeds=seed or (),
        rebuild_fixed=rebuild_fixed, settings=parse_settings(settings or ()), memory=memory, step_timeout=step_timeout,
        run_timeout=run_timeout, export=export, log=log, accelerator=accel, keep=keep, gdb=gdb, reports=report_ or (), quiet=quiet,
        segments=wanted_cut(seal, segments), jobs=jobs, fresh=fresh, cluster=cluster, exchange=exchange,
    )  # fmt: skip
    with notifying(notify, targets) as ending:
        result = run_verb.run(wished, err, verbose=verbose)
        ending.set(report.report(result), report.exit_code(result.verdict))
    if as_json:
        print(report.to_json(ending.report))
    raise typer.Exit(ending.status)


@app.command(rich_help_panel=IN_BUILD)
def compare(
    targets: Targets,
    voters: Voters = None,
    quorum: Quorum = None,
    independent: Independent = None,
    independent_machines: IndependentMachines = False,
    jobs: Jobs = None,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    quiet: Quiet = False,
    settings: Settings = None,
    memory: Memory = None,
    step_timeout: StepTimeout = None,
    seal: Seal = None,
    segments: SegmentsOption = None,
    fresh: Fresh = False,
    keep_going: KeepGoing = False,
    inputs_of: InputsOf = None,
    run_timeout: RunTimeout = None,
    notify: Notify = None,
    cluster: Cluster = "",
    exchange: Exchange = "",
    export: Annotated[Path, typer.Option(help="Where the NARs of a diverging output go.")] = Path("xboot-difference"),
    html: Annotated[Path | None, typer.Option(help="Also write a report that a browser shows, in one file.")] = None,
    as_json: Json = False,
) -> None:
    """Run the same script on several voters (all if none is named), and say where they agree."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import compare as comparing  # noqa: PLC0415
    from xboot.cli.notify import notifying  # noqa: PLC0415
    from xboot.segments.wanted import wanted_cut  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415
    from xboot.show.comparison import comparison_report  # noqa: PLC0415
    from xboot.show.report import to_json  # noqa: PLC0415

    wished = request(
        targets, voters or (), quorum=quorum, jobs=jobs, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed, quiet=quiet,
        settings=parse_settings(settings or ()), memory=memory, step_timeout=step_timeout, html=html, measure=html is not None,
        independent=independent, independent_machines=independent_machines,
        segments=wanted_cut(seal, segments), fresh=fresh, keep_going=keep_going, inputs_of=inputs_of, run_timeout=run_timeout,
        cluster=cluster, exchange=exchange,
    )  # fmt: skip
    with notifying(notify, targets) as ending:
        comparison, status = comparing.run_comparison(wished, export, err)
        ending.set(comparison_report(comparison), status)
    if as_json:
        print(to_json(ending.report))
    raise typer.Exit(status)


@app.command(rich_help_panel=IN_TRUST)
def tcb(
    targets: Annotated[list[str] | None, typer.Argument(metavar="TARGET", help="Also count the seeds of this closure.")] = None,
    voters: Voters = None,
    every: Annotated[bool, typer.Option("--all", help="The same as `--voters all`, which is what is measured if none is named.")] = False,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    settings: Settings = None,
    format: MeasureFormat = "table",
    overlap: Annotated[bool, typer.Option("--overlap", help="Show only what each two have in common.")] = False,
    build_time: Annotated[
        bool, typer.Option("--build-time", help="Also say what made each image, what made that, down to what came as a binary.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Also write a report that a browser shows, in one file.")] = None,
    as_json: Json = False,
) -> None:
    """Measure what each voter's image asks you to trust, and what any two have in common."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli.tcb import measure  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415
    from xboot.show import measures as shown  # noqa: PLC0415

    if as_json and format not in ("table", "json"):
        raise UsageError(f"--json and --format {format}: standard output takes one of them")
    wished = request(
        targets or [], () if every else voters or (), stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed,
        settings=parse_settings(settings or ()), html=html,
    )  # fmt: skip
    format = "json" if as_json else format
    if format not in shown.FORMATS or (format == "cyclonedx" and len(wished.voters) != 1):
        raise UsageError(f"--format {format}: expected {', '.join(shown.FORMATS)}; cyclonedx with exactly one voter")
    shown.write_measures(measure(wished, err), format, html, overlap_only=overlap, how_made=build_time)


@app.command(rich_help_panel=IN_TRUST)
def keygen(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The signer's name: that of the files NAME.key and NAME.pub.")],
    into: Annotated[Path, typer.Option(help="The folder for both files.")] = Path("."),
) -> None:
    """Make an ed25519 key for signing attestations."""
    from xboot.cli import attest as verbs  # noqa: PLC0415

    verbs.keygen(name, into, err)


@app.command(rich_help_panel=IN_TRUST)
def attest(
    targets: Targets,
    key: Annotated[Path, typer.Option(help="Your private key, NAME.key (see `xboot keygen`).")],
    voters: Voters = None,
    reports: Annotated[
        list[Path] | None, typer.Option("--report", help="Sign this JSON report of TARGET instead of running it now.")
    ] = None,
    quorum: Quorum = None,
    jobs: Jobs = None,
    into: Annotated[Path, typer.Option(help="The folder that collects attestations.")] = Path("attestations"),
    seal: Annotated[str, typer.Option(metavar="steps|run", help="One boot a step (docs/segments.md), or one for all.")] = "steps",
    fresh: Fresh = False,
    settings: Settings = None,
    memory: Memory = None,
    step_timeout: StepTimeout = None,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    quiet: Quiet = False,
) -> None:
    """Run TARGET, and sign what each voter built."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import attest as verbs  # noqa: PLC0415
    from xboot.segments.wanted import wanted_cut  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415

    wished = request(
        targets, voters or (), quorum=quorum, jobs=jobs, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed, quiet=quiet,
        settings=parse_settings(settings or ()), memory=memory, step_timeout=step_timeout, measure=True, segments=wanted_cut(seal, None),
        fresh=fresh,
    )  # fmt: skip
    raise typer.Exit(verbs.attest(wished, key, reports or [], into, err))


@app.command(rich_help_panel=IN_TRUST)
def verify_attestation(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Attestations, or folders of them.")],
    key: TrustedKeys = None,
    policy: PolicyFile = None,
    target: Annotated[list[str] | None, typer.Option(help="They must be about this TARGET's script (repeatable).")] = None,
    quorum: SignersQuorum = None,
    kernels: KernelsQuorum = None,
    machines: MachinesQuorum = None,
    independent: Independent = None,
    independent_machines: IndependentMachines = False,
    skip_unknown: Annotated[bool, typer.Option("--skip-unknown", help="Pass over files of signers whose key is not given.")] = False,
    store: Stores = None,
    as_json: Json = False,
) -> None:
    """Check signatures, and say which signers and which backends agree."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import attest as verbs  # noqa: PLC0415

    about = request(target or [], stores=store or (), allow_missing=True)
    trusted = verbs.wanted_policy(
        policy, key or [], quorum, kernels, machines, independent, independent_machines=independent_machines
    )  # fmt: skip
    wanted = verbs.Wanted(files, trusted, about, skip_unknown)
    raise typer.Exit(verbs.verify(wanted, err, as_json=as_json))


@app.command(name="check-report", rich_help_panel=IN_BUILD)
def check_report(
    file: Annotated[Path, typer.Argument(metavar="REPORT", help="What `xboot run --json` or `xboot compare --json` wrote.")],
    targets: Targets,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    as_json: Json = False,
) -> None:
    """Check a report of TARGET: compute its plan and the chain of its boots again, without running anything."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import check  # noqa: PLC0415

    about = request(targets, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed)
    raise typer.Exit(check.check_report(file, about, err, as_json=as_json))


@app.command(rich_help_panel=IN_READ)
def plan(
    targets: Targets,
    format: PlanFormat = "script",
    segments: SegmentsOption = None,
    store: Stores = None,
    seed: Seeds = None,
    rebuild_fixed: RebuildFixed = False,
    memory: Memory = None,
) -> None:
    """Print TARGET's linear build: the script, a table of its steps, or Graphviz; or how it is cut into boots."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import plan as planning  # noqa: PLC0415

    wished = request(targets, stores=store or (), seeds=seed or (), rebuild_fixed=rebuild_fixed, allow_missing=True, memory=memory)
    write_out(planning.plan(wished, format, err) if segments is None else planning.segments(wished, segments, err))


@app.command(rich_help_panel=IN_READ)
def show(
    targets: Targets,
    store: Stores = None,
    seed: Seeds = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="The whole closure.")] = False,
    as_json: Annotated[bool, typer.Option("--json/--aterm", help="Nix's JSON format, or the derivation's own text.")] = True,
) -> None:
    """Print derivations, verified, in Nix's JSON format."""
    from xboot.api import request  # noqa: PLC0415
    from xboot.cli import plan as planning  # noqa: PLC0415

    wished = request(targets, stores=store or (), seeds=seed or ())
    write_out(planning.show(wished, err, recursive=recursive, as_json=as_json))


@app.command(rich_help_panel=IN_SOURCES)
def derive(
    recipe: RecipeFile,
    store: Annotated[Path | None, typer.Option("--store", help="Write to this folder instead of xboot's own store.")] = None,
    update_lock: Annotated[bool, typer.Option("--update-lock", help="Take the Debian packages offered now into the lock file.")] = False,
) -> None:
    """Write RECIPE's .drv closure and sources, with the store paths that Nix would compute."""
    from xboot.cli import recipes  # noqa: PLC0415

    recipes.derive(recipe, store, err, update_lock=update_lock)


@app.command(rich_help_panel=IN_SOURCES)
def fetch(
    targets: Targets,
    store: Stores = None,
    into: Annotated[Path | None, typer.Option(help="Put what was fetched into this folder instead of xboot's own store.")] = None,
    folders: Annotated[list[Path] | None, typer.Option("--from", help="A folder with files, by name or by hash (repeatable).")] = None,
    mirror: Annotated[list[str] | None, typer.Option(help="A content-addressed mirror, asked for URL/ALGO/HEX (repeatable).")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only --from and --mirror, not the derivations' own URLs.")] = False,
) -> None:
    """Fetch TARGET's missing fixed-output sources; each is checked by its hash."""
    from xboot.cli import recipes  # noqa: PLC0415
    from xboot.request import usual_read_options  # noqa: PLC0415

    recipes.fetch(targets, usual_read_options(store or ()), into, folders or [], mirror or [], err, offline=offline)


@app.command(rich_help_panel=IN_SOURCES)
def bundle(
    target: BundleTarget,
    destination: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle to write.")],
    store: Stores = None,
    seed: Seeds = None,
    with_parts: Annotated[bool, typer.Option("--with-parts", help="Also all parts that images are made from.")] = False,
) -> None:
    """Pack TARGET's closure with its sources into one file, for another machine."""
    from xboot.cli import recipes  # noqa: PLC0415
    from xboot.request import usual_read_options  # noqa: PLC0415

    recipes.bundle(target, destination, usual_read_options(store or (), seed or ()), err, with_parts=with_parts)


@app.command(rich_help_panel=IN_HERE)
def backends(
    name: BackendName = None,
    as_json: Json = False,
) -> None:
    """List backends and machines, and plugins that cannot be used, with the reason; or one backend's settings and needs."""
    from xboot.cli import backends as listing  # noqa: PLC0415

    if name is None:
        listing.backends(out(), as_json=as_json)
    else:
        listing.backend(out(), name, as_json=as_json)


@app.command(name="new-backend", rich_help_panel=IN_HERE)
def new_backend(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The backend's name: lower case, digits, hyphens.")],
    into: Annotated[Path, typer.Option(help="Where the folder xboot-NAME goes.")] = Path("."),
) -> None:
    """Start a backend plugin of your own: a distribution that installs, with its tests."""
    from xboot.plugins import Plugins  # noqa: PLC0415
    from xboot.scaffold import new_backend  # noqa: PLC0415

    folder = new_backend(name, into, Plugins.load())
    err.print(f"{folder}  written; next: pip install {folder} && pytest {folder}", soft_wrap=True, highlight=False, markup=False)


@app.command(rich_help_panel=IN_HERE)
def doctor() -> None:
    """Say what is missing on this machine, and which command installs it."""
    from xboot.cli import doctor as examination  # noqa: PLC0415

    raise typer.Exit(examination.examine(err))


@app.command(rich_help_panel=IN_HERE)
def parts(
    update: Annotated[bool, typer.Option("--update", help="Renew the lock from the suites' signed indices, and say what changed.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="Bring all parts that are not at hand.")] = False,
    into: Annotated[Path | None, typer.Option("--into", help="Copy all parts into this folder, as on a mirror (--mirror).")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="Only the parts of this group (repeatable).")] = None,
    as_json: Json = False,
) -> None:
    """Show the locked list of everything that comes from elsewhere, and what of it is at hand."""
    from xboot.cli import parts as verbs  # noqa: PLC0415

    if update:
        verbs.update(err)
    elif fetch or into is not None:
        verbs.fetch(group or [], into, err)
    else:
        verbs.parts(group or [], out(), as_json=as_json)


cache_app = typer.Typer(no_args_is_help=True, help="Show or prune what xboot keeps: kernels, executors, Debian packages.")
app.add_typer(cache_app, name="cache", rich_help_panel=IN_HERE)


@cache_app.command("show")
def cache_show() -> None:
    """List the entries of the cache with their sizes."""
    from xboot.cli import cache as keeping  # noqa: PLC0415

    keeping.cache_show(out())


@cache_app.command("prune")
def cache_prune(
    days: Annotated[float, typer.Option(min=0, help="Keep what was used in the last DAYS days.")] = 0,
) -> None:
    """Remove entries from the cache; what is in use stays."""
    from xboot.cli import cache as keeping  # noqa: PLC0415

    keeping.cache_prune(err, days)


@app.command(rich_help_panel=IN_BUILD)
def runs(
    prune: Annotated[bool, typer.Option("--prune", help="Remove kept results of steps and runs instead.")] = False,
    days: Annotated[float, typer.Option(min=0, help="With --prune: keep what was used in the last DAYS days.")] = 0,
    size: Annotated[int | None, typer.Option(min=0, help="With --prune: keep at most SIZE MiB, what was used last.")] = None,
    as_json: Json = False,
) -> None:
    """List runs of several boots: how far each got, and the command that goes on with it."""
    from xboot.cli import runs as listing  # noqa: PLC0415

    if prune:
        listing.prune(err, days, size)
    else:
        listing.runs(out(), as_json=as_json)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"xboot {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
    mirror: Annotated[
        list[str] | None, typer.Option("--mirror", help="A folder or URL that has parts; it is asked first (repeatable; docs/parts.md).")
    ] = None,
) -> None:
    if mirror:
        from xboot.parts.places import ask_first  # noqa: PLC0415 - keeps `xboot --help` quick

        ask_first(mirror)


def main() -> None:
    """The entry point of the command `xboot`."""
    completing = "_XBOOT_COMPLETE" in os.environ  # then the words are in the environment, and any verb may be among them
    run_to_end(command(app, None if completing else sys.argv[1:]))
