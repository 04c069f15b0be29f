"""Agreement between kernels as evidence: one script, several voters, output by output.

Voters agree on an output when all that built it report the same NAR hash. One different hash anywhere means `DIFFERS`, however many agree
elsewhere; a voter that fails is no evidence for anything, so with fewer than `quorum` complete runs nothing is said about the bits.
A quorum counts runs, whatever they share; how many of them are independent is counted beside it. Voters are named as the user named them.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import field, replace
from pathlib import Path

from xboot._records import dataclass
from xboot.boot.run import host_failure
from xboot.budget import MemoryBudget, cores, free_memory, share
from xboot.compare.independent import MOST_KINDS, Independence, independence
from xboot.compare.lockstep import Lockstep
from xboot.compare.makeup import makeup_of
from xboot.errors import BackendError, NotTakenError, UsageError, XbootError
from xboot.model import Cause, Script, Source, SourceKind, Status
from xboot.pipeline import Pipeline, each_voter, resolve
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result
from xboot.segments.cut import WHOLE
from xboot.segments.divergence import Content, Evidence, StepComparison, evidence_of, step_states
from xboot.segments.one import export_nar
from xboot.segments.runner import named_cluster
from xboot.segments.runner import run as run_segments
from xboot.segments.store import ResultsStore
from xboot.segments.wanted import settle_cut
from xboot.voter import Voter
from xboot.words import counted

_ENDING = 10.0  # seconds that machines have to end in when the user interrupts


class Agreement(enum.Enum):
    """The verdict on a comparison."""

    AGREED = "agreed"
    DIFFERS = "differs"
    COULD_NOT_RUN = "could not run"


@dataclass(frozen=True, slots=True)
class OutputComparison:
    """One output: its NAR hash (hex) by voter. Voters that did not build it are absent."""

    step: int
    drv: str
    name: str
    path: str
    hashes: Mapping[str, str]

    @property
    def agreed(self) -> bool:
        return len(set(self.hashes.values())) <= 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of a comparison. `failures` says for each voter that did not complete why; `skipped` why one was not even asked.

    `wrong` are outputs that all voters agree on but that differ from an expectation. `interrupted`: the user ended it before all had run.
    `segments`: in how many boots each ran; then `keep_going` says that they went on after a difference, and `inputs_of` with whose outputs.
    `independent`: how many of the complete runs must share no guest code (None: any), nor with `independent_machines` a machine.
    """

    script: Script
    quorum: int
    outputs: Sequence[OutputComparison]
    results: Mapping[str, Result]
    failures: Mapping[str, str]
    skipped: Mapping[str, str]
    wrong: Sequence[str]
    interrupted: bool = False
    segments: str = WHOLE
    keep_going: bool = False
    inputs_of: str | None = None
    independence: Independence = field(default_factory=Independence)
    independent: int | None = None
    independent_machines: bool = False

    @property
    def complete(self) -> Sequence[str]:
        """The voters that ran every step."""
        return [name for name in self.results if name not in self.failures]

    @property
    def stopped(self) -> Sequence[str]:
        """The voters that went no further because of a difference."""
        return [name for name, result in self.results.items() if result.verdict.cause is Cause.USER and not self.interrupted]

    @property
    def first_divergence(self) -> OutputComparison | None:
        """The earliest output on which two voters differ: later differences may only follow from it."""
        return next((output for output in self.outputs if not output.agreed), None)

    @property
    def steps(self) -> Sequence[StepComparison]:
        """Where the difference begins: what is said of each step by itself."""
        return step_states(self.script, {name: evidence(self.script, result) for name, result in self.results.items()})

    @property
    def seal(self) -> str:
        """As in a verdict: `steps` when each step of each voter had a boot of its own."""
        return "steps" if self.results and all(result.verdict.seal == "steps" for result in self.results.values()) else "run"

    @property
    def agreement(self) -> Agreement:
        if self.first_divergence is not None or self.wrong:
            return Agreement.DIFFERS
        return Agreement.AGREED if len(self.complete) >= self.quorum and self.independent_enough else Agreement.COULD_NOT_RUN

    @property
    def independent_enough(self) -> bool:
        """Whether as many of the complete runs are independent as were asked for."""
        return self.independence.enough(self.independent, machines=self.independent_machines)


def choose_voters(request: Request, script: Script, plugins: Plugins) -> tuple[dict[Voter, Request], dict[str, str]]:
    """The voters to ask, each with its part of the request, and why others are not asked. Raises UsageError as `each_voter` does."""
    chosen, skipped = {}, {}
    for voter, its in each_voter(request, plugins).items():
        wrong = sorted(script.systems - set(plugins.backend(voter.backend).systems))
        if wrong:
            skipped[str(voter)] = f"does not run {', '.join(wrong)} builders"
        else:
            chosen[voter] = its
    return chosen, skipped


def evidence(script: Script, result: Result) -> Evidence:
    """What a voter saw and made, by its result."""
    made = {o.path: Content(o.nar_sha256, o.nar_size, o.references) for o in result.verdict.outputs if o.nar_sha256}
    if result.segments is None:
        sources = {s.path: Content(s.nar_sha256, s.nar_size, s.references) for s in script.sources}
        return evidence_of(script, [([step.number for step in script.steps], sources)], made)
    boots = [
        (segment.steps, {s.path: Content(s.nar_sha256, s.nar_size, s.references) for s in segment.sources})
        for segment in result.segments.segments
    ]
    return evidence_of(script, boots, made)


def compare(
    script: Script,
    request: Request,
    plugins: Plugins,
    *,
    memory: int | None = None,
    logs: Path | None = None,
    workers: Callable[[], Plugins] = Plugins.load,
) -> Comparison:
    """Run `script` on each voter that can take it, and put the hashes side by side. At most `request.jobs` at a time (default: one a
    core; on a cluster, all), and no more than have room in `memory` MiB together (default: what is free), or on the cluster. `logs`: a
    folder for each console's text, whose file `log_file` names. `workers`: makes the plugins of a cluster's workers.

    `request.quorum` is the number of complete runs that make an agreement (default: all that can take it, and never fewer than two; a
    backend that its machine does not take, together they are no voter, is skipped), and
    `request.independent` how many of them must be independent. Which are is said in any case, by the hashes of what the images are made of;
    what stands below them is measured where machines differ, or must.
    Whatever goes wrong with one voter is a failure of that voter alone. Ctrl-C ends all machines; what they had verified is in the
    comparison.

    In several boots (`request.segments`) no voter begins a step that comes after one on which two differ, unless `request.keep_going`:
    then each goes on with what `request.inputs_of` made, or `quorum` voters, or with its own where there is no such thing.
    """
    chosen, skipped = choose_voters(request, script, plugins)
    names = [str(voter) for voter in chosen]
    _check_counts(request, [resolve(voter, plugins, request.machine) for voter in chosen])
    needed = _needed(request, names, skipped)
    request = settle_cut(request, chosen, plugins)
    chosen = {voter: replace(its, segments=request.segments) for voter, its in _measured(request, chosen, plugins).items()}
    inputs_of = _wanted_inputs(request, chosen)
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    stop = threading.Event()
    memory = free_memory() if memory is None else memory
    budget = MemoryBudget(memory, stop)
    if request.memory is None and chosen:
        spare = share(memory, min(request.jobs or cores(), len(chosen)))
        chosen = {voter: replace(its, spare=spare) for voter, its in chosen.items()}
    jobs = request.jobs or (max(1, len(chosen)) if request.cluster else cores())
    together = Lockstep(script, names, jobs, stop, keep_going=request.keep_going, quorum=needed, inputs_of=inputs_of)

    def one(voter: Voter) -> None:
        name, its = str(voter), chosen[voter]
        run = replace(its.run, stop=stop, log=log_file(logs, name) if logs else its.run.log)
        try:
            with together.of(name) as lead:
                if not stop.is_set():
                    its = replace(its, run=run, jobs=1)
                    results[name] = run_segments(Pipeline(plugins, name), its, script, budget.admit, lead, workers, cluster)
        except NotTakenError as error:
            skipped[name] = error.message
        except XbootError as error:
            failures[name] = error.message
        except OSError as error:
            failures[name], _ = host_failure(error)

    # who waits for others must not keep them from running
    with named_cluster(request, workers) as cluster, ThreadPoolExecutor(max(1, len(chosen))) as pool:
        futures = [pool.submit(one, voter) for voter in chosen]
        try:
            for future in futures:
                future.result()
        except BaseException as error:
            stop.set()  # Ctrl-C reaches only this thread: the others end their machines, and those that wait do not start
            pool.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, KeyboardInterrupt):
                raise
            wait(futures, timeout=_ENDING)
    for name in names if stop.is_set() else ():
        if name not in results:
            failures.setdefault(name, "interrupted before its machine ran")
    results = {name: results[name] for name in names if name in results}
    failures |= {name: result.verdict.failure for name, result in results.items() if result.verdict.failure}
    needed = _needed(request, names, skipped)
    found = independence([makeup_of(name, result) for name, result in results.items() if name not in failures])
    return Comparison(
        script, needed, _side_by_side(script, results), results, failures, skipped, _wrong(results), stop.is_set(),
        request.segments, request.keep_going, inputs_of, found, request.independent, request.independent_machines,
    )  # fmt: skip


def _measured(request: Request, chosen: Mapping[Voter, Request], plugins: Plugins) -> dict[Voter, Request]:
    """The voters' parts, with what must be measured to say who is independent: all, when that was asked for; where machines differ, what
    stands below the images.
    """
    several = len({resolve(voter, plugins, request.machine).machine for voter in chosen}) > 1
    whole = request.measure or request.independent is not None
    return {voter: replace(its, measure=whole, measure_below=several) for voter, its in chosen.items()}


def _needed(request: Request, names: Sequence[str], skipped: Mapping[str, str]) -> int:
    """How many complete runs make an agreement."""
    return request.quorum if request.quorum is not None else max(2, sum(name not in skipped for name in names))


def _check_counts(request: Request, voters: Sequence[Voter]) -> None:
    """Raises UsageError for more voters that must agree, or be independent, than there can be, before anything runs; and for more voters
    than can be searched. `voters` are whole.
    """
    quorum, wanted, count = request.quorum, request.independent, counted(len(voters), "voter")
    names = ", ".join(map(str, voters)) or "none"
    if quorum is not None and not 1 <= quorum <= len(voters):
        raise UsageError(f"--quorum {quorum}: {count} can run this script ({names})")
    if wanted is not None and not 1 <= wanted <= len(voters):
        raise UsageError(f"--independent {wanted}: {count} can run this script ({names})")
    if wanted is None and request.independent_machines:
        raise UsageError("--independent-machines says what independent voters may not share", hint="add --independent K")
    for what, found, asked in (
        ("backend", {voter.backend for voter in voters}, True),
        ("machine", {voter.machine for voter in voters}, request.independent_machines),
    ):
        if asked and len(found) < (wanted or 0):
            raise UsageError(f"--independent {wanted}: the voters have {counted(len(found), what)}, and who shares one is one voter")
    if len(voters) > MOST_KINDS:
        raise UsageError(f"{count}; at most {MOST_KINDS} are compared at once")


def _wanted_inputs(request: Request, chosen: Mapping[Voter, Request]) -> str | None:
    """The voter whose outputs all go on with, as the user named it among the voters. Raises UsageError for wishes that make no sense."""
    option = "--inputs-of" if request.inputs_of else "--keep-going"
    if (request.keep_going or request.inputs_of) and request.segments == WHOLE:
        raise UsageError(f"{option}: in one boot every voter goes on with what it made", hint="add --seal steps, or --segments")
    if not request.inputs_of:
        return None
    if not request.keep_going:
        raise UsageError("--inputs-of says how to go on after a difference", hint="add --keep-going")
    if request.inputs_of not in map(str, chosen):
        raise UsageError(f"--inputs-of {request.inputs_of}: not one of the voters ({', '.join(map(str, chosen)) or 'none'})")
    return request.inputs_of


def log_file(folder: Path, voter: str) -> Path:
    """Where a voter's console goes: its name without what a folder's name may not have."""
    return folder / f"{voter.replace('/', '-')}.log"


def _side_by_side(script: Script, results: Mapping[str, Result]) -> list[OutputComparison]:
    found: dict[str, dict[str, str]] = {}
    for name, result in results.items():
        for output in result.verdict.outputs:
            if output.nar_sha256:
                found.setdefault(output.path, {})[name] = output.nar_sha256
    return [
        OutputComparison(step.number, step.drv, output.name, output.path, found.get(output.path, {}))
        for step in script.steps
        for output in step.outputs
    ]


def _wrong(results: Mapping[str, Result]) -> list[str]:
    outputs = (output for result in results.values() for output in result.verdict.outputs)
    return sorted({output.path for output in outputs if output.status is Status.DIFFERS})


def export_difference(comparison: Comparison, request: Request, plugins: Plugins, folder: Path) -> dict[str, Path]:
    """Run one voter for each of the differing hashes again and bring the first diverging output out: voter → NAR file below `folder`.

    Raises XbootError when one cannot export, or does not build the same bits again.
    """
    output = comparison.first_divergence
    if output is None:
        return {}
    chosen = {str(voter): its for voter, its in choose_voters(request, comparison.script, plugins)[0].items()}
    one_each = {value: name for name, value in sorted(output.hashes.items(), reverse=True)}
    files: dict[str, Path] = {}
    if comparison.segments != WHOLE:  # every boot has brought it out already
        with ResultsStore() as store:
            for name in sorted(one_each.values()):
                size = next(o.nar_size for o in comparison.results[name].verdict.outputs if o.path == output.path)
                kept = store.nar(output.hashes[name], size)
                if kept is None:
                    raise BackendError(f"{output.path}: what {name} built is not among the results any more")
                source = Source(output.path, SourceKind.BUILT, kept, output.hashes[name], size)
                files[name] = export_nar(source, folder / name.replace("/", "-"))
        return files
    for name in sorted(one_each.values()):
        its = chosen[name]
        run = replace(its.run, export=folder / name.replace("/", "-"), export_paths=[output.path])
        result = Pipeline(plugins, name).run(replace(its, run=run), comparison.script)
        if output.path not in result.verdict.exports:
            why = result.verdict.failure or "the guest did not offer it"
            raise BackendError(f"{output.path} did not come out of {name}: {why}")
        files[name] = result.verdict.exports[output.path]
        again = next(o.nar_sha256 for o in result.verdict.outputs if o.path == output.path)
        if again != output.hashes[name]:
            raise BackendError(f"{output.path}: {name} built {output.hashes[name][:16]}…, and {again[:16]}… when it was run again")
    return files
