"""What the verbs of the command line do, apart from parsing options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xboot import boot, linearize, parse, report
from xboot import bundle as bundles
from xboot.cache import Cache
from xboot.display import ProgressDisplay, show_verdict
from xboot.errors import UsageError
from xboot.guest.scheme import guile_script
from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.model import Event, Phase, Verdict
from xboot.pipeline import Pipeline, Request, Result
from xboot.plugins import Plugins
from xboot.recipe.frontend import split_target

EXPORT_WINDOW = 64 << 20
"""Bytes of guest memory through which outputs are brought out, a piece at a time."""


@dataclass(frozen=True, slots=True)
class RunChoices:
    """What the user chose for `xboot run`."""

    targets: Sequence[str]
    backend: str
    executor: str
    expect: Sequence[str]
    expect_file: Path | None
    read: ReadOptions
    linearize: LinearizeOptions
    settings: Mapping[str, str]
    memory: int | None
    step_timeout: float
    run_timeout: float
    export: Path | None
    log: Path | None
    accel: str
    reports: Sequence[str] = ()


def run(choices: RunChoices, console: Console, *, verbose: bool) -> Result:
    """All stages for one backend; shows progress and the verdict on `console`."""
    plugins = Plugins.load()
    display = ProgressDisplay(console, verbose=verbose)
    plugins.add(display, "xboot:display")
    pipeline = Pipeline(plugins)
    with display:
        script = pipeline.linearize(pipeline.read(choices.targets, choices.read), choices.linearize)
        display.expect(script)
        expected = boot.gather_expectations(script, choices.expect, choices.expect_file, choices.read.stores)
        request = Request(
            targets=choices.targets,
            backend=choices.backend,
            read=choices.read,
            linearize=choices.linearize,
            options=BackendOptions(
                executor=choices.executor,
                memory=choices.memory,
                export_size=EXPORT_WINDOW if choices.export else 0,
                settings=choices.settings,
            ),
            run=boot.RunOptions(
                step_timeout=choices.step_timeout,
                run_timeout=choices.run_timeout,
                expected=expected,
                export=choices.export,
                export_paths=script.results if choices.export else (),
                log=choices.log,
                accelerator=choices.accel,
            ),
        )
        result = pipeline.run(request, script)
    show_verdict(console, result)
    for wanted in choices.reports:
        _write_report(plugins, wanted, result.verdict)
    return result


def _write_report(plugins: Plugins, wanted: str, verdict: Verdict) -> None:
    """One `--report FORMAT[=FILE]`, by whichever plugin knows the format."""
    format, equals, file = wanted.partition("=")
    if not any(plugins.call("xboot_report", format=format, verdict=verdict, destination=Path(file) if equals else None)):
        raise UsageError(f"--report {wanted}: no installed plugin writes the format {format!r}", hint="`--json` needs no plugin")


@contextmanager
def _shown(console: Console) -> Iterator[Pipeline]:
    """A pipeline whose stages are shown on `console`, when that is a terminal."""
    plugins = Plugins.load()
    display = ProgressDisplay(console)
    plugins.add(display, "xboot:display")
    with display:
        yield Pipeline(plugins)


def plan(targets: Sequence[str], format: str, read: ReadOptions, options: LinearizeOptions, console: Console) -> bytes:
    """The linear build as text: the script, a table or Graphviz. Missing sources are named on `console`."""
    if format not in ("script", "table", "dot", "guile"):
        raise UsageError(f"--format {format}: expected script, table, dot or guile")
    with _shown(console) as pipeline:
        closure = pipeline.read(targets, read)
        script = pipeline.linearize(closure, options)
    if closure.missing:
        console.print(f"{len(closure.missing)} sources are missing; `xboot fetch` brings those that have a URL", style="yellow")
    if format == "script":
        return script.text
    if format == "guile":
        return guile_script(script).encode()
    return linearize.render(script, format).encode()


def show(targets: Sequence[str], read: ReadOptions, console: Console, *, recursive: bool, as_json: bool) -> bytes:
    """Verified derivations, in Nix's JSON format or as their own text."""
    with _shown(console) as pipeline:
        closure = pipeline.read(targets, read)
    paths = sorted(closure.derivations) if recursive else list(closure.roots)
    derivations = [closure.derivations[path] for path in paths]
    if as_json:
        return (report.to_json({d.path: parse.derivation_to_json(d) for d in derivations}) + "\n").encode()
    return b"\n".join(parse.write_derivation(d) for d in derivations) + b"\n"


def derive(recipe: str, store: Path | None, console: Console, *, update_lock: bool) -> None:
    """Write a recipe's derivations and sources; their paths go to standard output, one `name path` a line."""
    from xboot import recipe as recipes  # noqa: PLC0415 - pydantic takes 60 ms to import

    split = split_target(recipe)
    if split is None:
        raise UsageError(f"{recipe}: not a recipe", hint="a recipe's name ends with .toml")
    path, names = split
    with ProgressDisplay(console) as display:
        display.begin("derive", str(path))
        derived = recipes.derive(path, store, names, update_lock=update_lock, notify=display.xboot_event)
    for note in derived.notes:
        console.print(f"note: {note}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    for name, drv in sorted(derived.derivations.items()):
        print(f"{name} {derived.store / drv.rsplit('/', 1)[1]}")


def fetch(
    targets: Sequence[str],
    read: ReadOptions,
    into: Path | None,
    folders: Sequence[Path],
    mirrors: Sequence[str],
    console: Console,
    *,
    offline: bool,
) -> None:
    """Bring missing sources; raises when one could not be had."""
    from xboot import fetch as fetching  # noqa: PLC0415 - httpx takes 40 ms to import

    options = fetching.FetchOptions(folders=folders, mirrors=mirrors, offline=offline)
    with _shown(console) as pipeline:
        closure = pipeline.read(targets, read)
        pipeline.notify(Event(Phase.STAGE, 0.0, name="fetch", text=f"sources of {len(closure.derivations)} derivations"))
        outcome = fetching.fetch_closure(closure, into, options, pipeline.notify)
    for path in outcome.fetched:
        console.print(f"fetched  {path}", highlight=False, markup=False, soft_wrap=True)
    for left in outcome.left:
        console.print(f"left     {left.path}: {left.reason}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"{len(outcome.fetched)} fetched, {len(outcome.present)} at hand already, into {outcome.store}", highlight=False, soft_wrap=True
    )
    outcome.check()


def bundle(target: str, destination: Path, read: ReadOptions, console: Console) -> None:
    """Write one file with a closure and its sources."""
    with _shown(console) as pipeline:
        closure = pipeline.read([target], read)
        pipeline.notify(Event(Phase.STAGE, 0.0, name="bundle", text=str(destination)))
        info = bundles.write_bundle(closure, destination, pipeline.notify)
    console.print(
        f"{destination}: {info.derivations} derivations, {info.sources} sources, {info.size} bytes, sha256 {info.sha256}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


def backends(console: Console, *, as_json: bool) -> None:
    """The backends with what they say of themselves, and the broken plugins."""
    plugins = Plugins.load()
    if as_json:
        rows = {name: {"origin": r.origin, "summary": r.info.summary, "systems": list(r.info.systems), "executors": list(r.info.executors),
                       "abilities": list(r.info.abilities), "maturity": r.info.maturity, "contract": r.info.contract}
                for name, r in sorted(plugins.backends.items())}  # fmt: skip
        print(report.to_json({"backends": rows, "broken": dict(plugins.broken)}))
        return
    table = Table("backend", "systems", "executors", "maturity", "what boots", "from", box=None, pad_edge=False)
    for name, registered in sorted(plugins.backends.items()):
        info = registered.info
        table.add_row(name, " ".join(info.systems), " ".join(info.executors), info.maturity, info.summary, registered.origin)
    console.print(table)
    for origin, reason in sorted(plugins.broken.items()):
        console.print(f"[bold red]broken[/] {escape(f'{origin}: {reason}')}", highlight=False, soft_wrap=True)


def cache_show(console: Console) -> None:
    """The entries of the cache."""
    cache = Cache()
    entries = cache.entries()
    table = Table("kind", "size", "last used", "entry", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.kind, f"{entry.size / 1e6:.1f} MB", entry.used.strftime("%Y-%m-%d %H:%M"), entry.path.name)
    if entries:
        console.print(table)
    console.print(f"{len(entries)} entries, {sum(e.size for e in entries) / 1e6:.1f} MB, in {cache.root}", highlight=False, soft_wrap=True)


def cache_prune(console: Console, days: float) -> None:
    """Remove entries that were not used for `days` days."""
    count, size, in_use = Cache().prune(days * 86400)
    kept = f"; {in_use} in use stay" if in_use else ""
    console.print(f"removed {count} entries, {size / 1e6:.1f} MB{kept}", highlight=False)
