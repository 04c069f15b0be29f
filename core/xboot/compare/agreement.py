"""Agreement between kernels as evidence: one script, several backends, output by output.

Backends agree on an output when all that built it report the same NAR hash. One different hash anywhere means
`DIFFERS`, however many agree elsewhere; a backend that fails is no evidence for anything, so with fewer than `quorum`
complete runs nothing is said about the bits.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from xboot.compare.budget import MemoryBudget, cores, free_memory, share
from xboot.errors import UsageError, XbootError
from xboot.model import Script, Status
from xboot.pipeline import Pipeline, Request, Result
from xboot.plugins import Plugins

_ENDING = 10.0  # seconds that machines have to end in when the user interrupts


class Agreement(enum.Enum):
    """The verdict on a comparison."""

    AGREED = "agreed"
    DIFFERS = "differs"
    COULD_NOT_RUN = "could not run"


@dataclass(frozen=True, slots=True)
class OutputComparison:
    """One output: its NAR hash (hex) by backend. Backends that did not build it are absent."""

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
    """What came of a comparison. `failures` says for each backend that did not complete why; `skipped` why one was not even asked.

    `wrong` are outputs that all backends agree on but that differ from an expectation. `interrupted`: the user ended it before all had run.
    """

    script: Script
    quorum: int
    outputs: Sequence[OutputComparison]
    results: Mapping[str, Result]
    failures: Mapping[str, str]
    skipped: Mapping[str, str]
    wrong: Sequence[str]
    interrupted: bool = False

    @property
    def complete(self) -> Sequence[str]:
        """The backends that ran every step."""
        return [name for name in self.results if name not in self.failures]

    @property
    def first_divergence(self) -> OutputComparison | None:
        """The earliest output on which two backends differ: later differences may only follow from it."""
        return next((output for output in self.outputs if not output.agreed), None)

    @property
    def agreement(self) -> Agreement:
        if self.first_divergence is not None or self.wrong:
            return Agreement.DIFFERS
        return Agreement.AGREED if len(self.complete) >= self.quorum else Agreement.COULD_NOT_RUN


def choose_backends(wanted: str, script: Script, plugins: Plugins) -> tuple[list[str], dict[str, str]]:
    """The backends to ask, and why others are not asked. `wanted` is `all` or names joined by commas; a name given by
    the user must exist.
    """
    names = sorted(plugins.backends) if wanted == "all" else [name.strip() for name in wanted.split(",") if name.strip()]
    if len(set(names)) != len(names):
        raise UsageError(f"--backends {wanted}: a backend is named twice; agreement with itself is no evidence")
    chosen, skipped = [], {}
    for name in names:
        info = plugins.backend(name)
        wrong = sorted(script.systems - set(info.systems))
        if wrong:
            skipped[name] = f"does not run {', '.join(wrong)} builders"
        else:
            chosen.append(name)
    return chosen, skipped


def compare(
    script: Script,
    request: Request,
    backends: Sequence[str],
    skipped: Mapping[str, str],
    plugins: Plugins,
    *,
    quorum: int | None = None,
    jobs: int | None = None,
    memory: int | None = None,
    logs: Path | None = None,
) -> Comparison:
    """Run `script` on each backend and put the hashes side by side. At most `jobs` at a time (default: one a core), and
    no more than have room in `memory` MiB together (default: what is free). `logs`: a folder for each console's text, BACKEND.log.

    `quorum` is the number of complete runs that make an agreement (default: all that were asked, and never fewer than
    two unless only one was asked for). Whatever goes wrong with one backend is a failure of that backend alone. Ctrl-C ends all machines;
    what they had verified is in the comparison.
    """
    needed = quorum if quorum is not None else max(2, len(backends))
    if needed < 1 or (quorum is not None and quorum > len(backends)):
        raise UsageError(f"--quorum {quorum}: {len(backends)} backends can run this script ({', '.join(backends) or 'none'})")
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    stop = threading.Event()
    memory = free_memory() if memory is None else memory
    budget = MemoryBudget(memory, stop)
    if request.options.memory is None:
        at_once = min(jobs or cores(), len(backends))
        request = replace(request, options=replace(request.options, spare=share(memory, at_once)))

    def one(name: str) -> None:
        run = replace(request.run, stop=stop, log=logs / f"{name}.log" if logs else request.run.log)
        try:
            results[name] = Pipeline(plugins, name).run(replace(request, backend=name, run=run), script, budget.admit)
        except XbootError as error:
            failures[name] = error.message
        except OSError as error:
            failures[name] = f"{error.filename}: {error.strerror}" if error.filename else str(error)

    with ThreadPoolExecutor(jobs or cores()) as pool:
        futures = [pool.submit(one, name) for name in backends]
        try:
            for future in futures:
                future.result()
        except BaseException as error:
            stop.set()  # Ctrl-C reaches only this thread: the others end their machines, and those that wait do not start
            pool.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, KeyboardInterrupt):
                raise
            wait(futures, timeout=_ENDING)
    for name in backends if stop.is_set() else ():
        if name not in results:
            failures.setdefault(name, "interrupted before its machine ran")
    results = {name: results[name] for name in backends if name in results}
    failures |= {name: result.verdict.failure for name, result in results.items() if result.verdict.failure}
    return Comparison(script, needed, _side_by_side(script, results), results, failures, skipped, _wrong(results), stop.is_set())


def _side_by_side(script: Script, results: Mapping[str, Result]) -> list[OutputComparison]:
    found: dict[str, dict[str, str]] = {}
    for backend, result in results.items():
        for output in result.verdict.outputs:
            if output.nar_sha256:
                found.setdefault(output.path, {})[backend] = output.nar_sha256
    return [
        OutputComparison(step.number, step.drv, output.name, output.path, found.get(output.path, {}))
        for step in script.steps
        for output in step.outputs
    ]


def _wrong(results: Mapping[str, Result]) -> list[str]:
    outputs = (output for result in results.values() for output in result.verdict.outputs)
    return sorted({output.path for output in outputs if output.status is Status.DIFFERS})


def export_difference(comparison: Comparison, request: Request, plugins: Plugins, folder: Path) -> dict[str, Path]:
    """Run one backend for each of the differing hashes again and bring the first diverging output out: backend → NAR file."""
    output = comparison.first_divergence
    if output is None:
        return {}
    one_each = {value: backend for backend, value in sorted(output.hashes.items(), reverse=True)}
    files: dict[str, Path] = {}
    for backend in sorted(one_each.values()):
        where = folder / backend
        run = replace(request.run, export=where, export_paths=[output.path])
        result = Pipeline(plugins, backend).run(replace(request, backend=backend, run=run), comparison.script)
        if output.path in result.verdict.exports:
            files[backend] = result.verdict.exports[output.path]
    return files
