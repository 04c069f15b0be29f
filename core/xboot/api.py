"""What `xboot` can be asked from Python: `run`, `compare`, `plan`, `tcb`. The command line is made of the same four.

    import xboot

    result = xboot.run("foo.drv", backend="mirage")
    print(result.verdict.ok, result.verdict.outputs[0].nar_sha256)

Each takes a target (or several, or a whole `Request`) and wishes by name. Nothing is printed; what goes wrong is raised as
`xboot.errors.XbootError`. A guest that fails or an output that differs is no error: it is in the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from xboot.boot import RunOptions, gather_expectations
from xboot.errors import UsageError
from xboot.hooks import LinearizeOptions
from xboot.model import EMPTY_SCRIPT, Script
from xboot.pipeline import Pipeline, each_voter
from xboot.plugins import Plugins
from xboot.request import Expected, Request, usual_read_options
from xboot.result import Result
from xboot.voter import Voter, parse_voters

if TYPE_CHECKING:
    from xboot.compare.agreement import Comparison
    from xboot.tcb import Measured

__all__ = ["Targets", "Voters", "Wishes", "compare", "plan", "request", "run", "tcb"]

Targets = str | Path | Sequence[str | Path] | Request
"""One target, several, or a request that holds everything."""
Voters = str | Voter | Iterable[str | Voter]
"""One voter or several; a string may hold several, joined by commas, or be `all`."""


class Wishes(TypedDict, total=False):
    """What may be wished by name; each is the option of that name of the command line."""

    stores: Sequence[Path]
    seeds: Sequence[str]
    rebuild_fixed: bool
    allow_missing: bool
    settings: Mapping[str, str]
    memory: int | None
    spare: int
    boot_timeout: float | None
    step_timeout: float | None
    run_timeout: float | None
    accelerator: str
    export: Path | None
    log: Path | None
    keep: Path | None
    gdb: str
    expect: Sequence[str]
    expect_file: Path | None
    quorum: int | None
    jobs: int | None
    independent: int | None
    independent_machines: bool
    measure: bool
    machine: str
    quiet: bool
    reports: Sequence[str]
    html: Path | None
    segments: str
    fresh: bool
    keep_going: bool
    inputs_of: str | None
    cluster: str
    exchange: str


_RUN = ("boot_timeout", "step_timeout", "run_timeout", "accelerator", "export", "log", "keep", "gdb")
_DIRECT = (
    "settings", "memory", "quorum", "jobs", "measure", "spare", "machine", "quiet", "reports", "html", "segments", "fresh", "keep_going",
    "inputs_of", "cluster", "exchange", "independent", "independent_machines",
)  # fmt: skip


def request(targets: Targets = (), voters: Voters = (), **wishes: Unpack[Wishes]) -> Request:
    """Everything wished, in one piece. Without `stores`, the stores of this machine are looked at.

    Raises UsageError for a voter that cannot be read, and for wishes beside a request that holds them already.
    """
    if isinstance(targets, Request):
        if wishes or voters not in ("", ()):
            raise UsageError("wishes are given beside a request", hint="put them into the request, with dataclasses.replace")
        return targets
    unknown = sorted(set(wishes) - set(Wishes.__annotations__))
    if unknown:
        raise TypeError(f"xboot has no wish {unknown[0]!r}")
    given: Mapping[str, object] = {**wishes}
    seeds = wishes.get("seeds", ())
    return Request(
        targets=[str(target) for target in ([targets] if isinstance(targets, str | Path) else targets)],
        voters=_voters(voters),
        read=usual_read_options(wishes.get("stores", ()), seeds),
        linearize=LinearizeOptions(seeds, wishes.get("allow_missing", False), wishes.get("rebuild_fixed", False)),
        run=RunOptions(**{name: given[name] for name in _RUN if name in given}),  # type: ignore[arg-type]
        expected=Expected(wishes.get("expect", ()), wishes.get("expect_file")),
        **{name: given[name] for name in _DIRECT if name in given},  # type: ignore[arg-type]
    )


def _voters(voters: Voters) -> tuple[Voter, ...]:
    if isinstance(voters, Voter):
        return (voters,)
    texts = [voters] if isinstance(voters, str) else [str(voter) for voter in voters]
    return parse_voters(texts)


def plan(targets: Targets, *, plugins: Plugins | None = None, **wishes: Unpack[Wishes]) -> Script:
    """The linear build: `text` is the script, `sha256` its name. With `allow_missing=True` sources need not be at hand."""
    return Pipeline(plugins or Plugins.load()).plan(request(targets, **wishes))


def run(
    targets: Targets,
    backend: str | Voter = "",
    *,
    plugins: Plugins | None = None,
    script: Script | None = None,
    **wishes: Unpack[Wishes],
) -> Result:
    """Boot the build graph of the targets on one voter (`linux` unless `backend` names another), and verify every hash. `segments`: in how
    many boots.

    `script`: what `plan` gave for the same request, which is not read again. Voter and settings are checked before anything is read.
    """
    from xboot.segments.runner import run as run_segments  # noqa: PLC0415 - a plan boots nothing

    wished = request(targets, backend, **wishes)
    plugins = plugins or Plugins.load()
    pipeline = Pipeline(plugins)
    pipeline.options(wished)
    script = script or pipeline.plan(wished)
    return run_segments(pipeline, expecting(wished, script), script)


def expecting(wished: Request, script: Script) -> Request:
    """The same request with what is known of the script's hashes: by the user, by fixed outputs, by a store that has the results."""
    found = gather_expectations(script, wished.expected.hashes, wished.expected.file, wished.read.stores)
    known = {path: {**of, **wished.run.expected.get(path, {})} for path, of in found.items()}
    return replace(wished, run=replace(wished.run, expected={**wished.run.expected, **known}))


def compare(
    targets: Targets,
    voters: Voters = (),
    *,
    plugins: Plugins | None = None,
    script: Script | None = None,
    logs: Path | None = None,
    **wishes: Unpack[Wishes],
) -> Comparison:
    """Run one script on several voters (all that can take it unless they are named), and put the hashes side by side.

    `script` as for `run`; `logs`: a folder for what each console prints.
    """
    from xboot.compare.agreement import compare as compare_voters  # noqa: PLC0415 - a run compares nothing

    wished = request(targets, voters, **wishes)
    plugins = plugins or Plugins.load()
    each_voter(wished, plugins)
    return compare_voters(script or Pipeline(plugins).plan(wished), wished, plugins, logs=logs)


def tcb(targets: Targets = (), voters: Voters = (), *, plugins: Plugins | None = None, **wishes: Unpack[Wishes]) -> list[Measured]:
    """Measure the images that `run` would boot, without booting. Without targets they hold no script and no seeds."""
    wished = request(targets, voters, **wishes)
    plugins = plugins or Plugins.load()
    asked = each_voter(wished, plugins)
    script = Pipeline(plugins).plan(wished) if wished.targets else EMPTY_SCRIPT
    return [Pipeline(plugins, str(voter)).measure(of, script) for voter, of in asked.items()]
