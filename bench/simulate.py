"""How long a plan takes with 1 to 1,000 workers, computed from measured steps, by the rule that xboot itself goes by.

    python -m bench.simulate --measured FILE [--backend NAME] [--workers N,N,…]

FILE is what `python -m bench.jobs --save FILE` wrote. Each step is a boot of its own. Which one begins next is asked of
`xboot.segments.order`, which every run asks. A worker has one boot at a time; it takes as long as it was measured with one at once, with
what a boot more takes beside its machine. The host examines what comes out of one boot after the other, for as long as its process was
measured to take for a boot more. A NAR moves when a worker needs one of an earlier step that it neither made nor got before; sources are
not counted.

Two plans. None takes less than its critical path, nor less than what the host has to do:

hello   the graph of Guix's hello, down to its bootstrap binaries: 120 steps, since its sources are not built. None of them was measured,
        and no machine here can hold them. So each is given the seconds and bytes of one step of examples/chain (`alike`), or besides a
        weight by its name (`weighted`): guesses of how much longer a compiler or a libc takes than a small package.
wide    2,000 steps in four layers of 500, each of which sees four of the layer before; seconds and bytes are those of the chain's steps.

Which step of the chain is drawn by the hash of a step's own: the same FILE gives the same figures.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import re
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Script, Source, SourceKind
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.segments.cut import EACH, cut_plan, waits_for
from xboot.segments.order import Order
from xboot.storepath import short_name
from xboot.testing.boot import Plan, output_path

HELLO = Path(__file__).parent.parent / "tests" / "data" / "guix" / "guix-hello.tar.xz"
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1000)
WEIGHTS = {
    "gcc": 60,
    "glibc": 20,
    "binutils": 8,
    "perl": 6,
    "guile": 10,
    "libstdc++": 6,
    "python": 5,
    "gettext": 8,
    "coreutils": 3,
    "bash": 2,
}
"""Guesses: how many small packages' time one of this name takes."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step: seconds of a worker, and bytes of the NARs of its outputs together."""

    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """`seconds` to the end of all; `busy`: those of all workers together in which they booted; `moved`: bytes of NARs that they got."""

    seconds: float
    busy: float
    moved: int


def simulate(plan: Script, costs: Mapping[int, Cost], workers: int, host: float = 0.0) -> Simulated:
    """Run `plan`, a boot a step, whose cost `costs` has by number; `host`: seconds that the host takes for what one boot gave."""
    segments = cut_plan(plan, EACH)
    order = Order(plan, segments)
    made = {output.path: step.number for step in plan.steps for output in step.outputs}
    needs = {step.number: {made[path] for path in step.inputs if path in made} for step in plan.steps}
    idle = list(range(workers))  # a heap: of those without a boot the first gets the next
    holds: list[set[int]] = [set() for _ in idle]
    running: list[tuple[float, int, int]] = []
    now = examined = busy = 0.0
    moved = 0
    while True:
        for segment in order.begin(len(idle)):
            worker = heapq.heappop(idle)
            gets = needs[segment.number] - holds[worker]
            moved += sum(costs[number].size for number in gets)
            holds[worker] |= {*gets, segment.number}
            heapq.heappush(running, (now + costs[segment.number].seconds, segment.number, worker))
            busy += costs[segment.number].seconds
        if not running:
            return Simulated(now, busy, moved)
        now, number, worker = heapq.heappop(running)
        if number > 0 and host:  # booted; its turn at the host comes, and the worker waits for it as a run does
            examined = max(now, examined) + host
            heapq.heappush(running, (examined, -number, worker))
            continue
        order.ended(segments[abs(number) - 1])
        heapq.heappush(idle, worker)


def critical_path(plan: Script, costs: Mapping[int, Cost], host: float = 0.0) -> float:
    """Seconds of the longest chain of steps that wait for each other: no number of workers takes less."""
    ends: dict[int, float] = {}
    segments = cut_plan(plan, EACH)
    for segment, before in zip(segments, waits_for(plan, segments), strict=True):
        number = segment.number
        ends[number] = max((ends[one] for one in before), default=0.0) + costs[number].seconds + host
    return max(ends.values(), default=0.0)


# ---------------------------------------------------------------- plans


def wide_plan(layers: int = 4, width: int = 500, seen: int = 4) -> Script:
    """Layers of steps, each of which sees so many of the layer before."""
    tree = Source(output_path("tree"), SourceKind.NAR, Path(), "0" * 64, 1 << 20, [])
    plan = Plan(sources=[tree])
    for number in range(layers * width):
        before = number - number % width - width
        inputs = {f"s{before + _drawn(f'{number}/{n}', width)}" for n in range(seen)} if before >= 0 else set()
        plan.step(f"{tree.path}/sh", name=f"s{number}", inputs=[tree.path, *map(output_path, inputs)])
    return plan.script()


def hello_plan() -> Script:
    """Guix's hello, whose sources are not there."""
    pipeline = Pipeline(Plugins.load())
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(HELLO) as archive:
            archive.extractall(folder, filter="data")
        (root,) = Path(folder).glob("*/*-hello-2.12.2.drv")
        closure = pipeline.read([str(root)], ReadOptions(stores=[root.parent]))
        return pipeline.linearize(closure, LinearizeOptions(allow_missing=True))


def drawn_costs(plan: Script, measured: Sequence[Cost], weights: Mapping[str, int] | None = None) -> dict[int, Cost]:
    """For each step of `plan` one of those measured, by the hash of its name; its seconds by `weights`, if there are any."""
    found = {}
    for step in plan.steps:
        cost = measured[_drawn(step.drv, len(measured))]
        words = short_name(step.drv).split("-")
        whole = not step.drv.endswith((".tar.xz.drv", ".tar.gz.drv")) and not {"wrapper", "wrapped", "headers"} & set(words)
        weight = (weights or {}).get(words[0], 1) if whole else 1
        found[step.number] = Cost(cost.seconds * weight, cost.size)
    return found


def _drawn(name: str, of: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % of


# ---------------------------------------------------------------- what was measured


class Overhead(NamedTuple):
    """What a run takes beside its boots: seconds once, at its start; of each boot, beside its machine; and those of the host alone."""

    once: float
    boot: float
    host: float


def overhead(backend: Mapping[str, Any]) -> Overhead:
    """From the wide plan and the plan of one step, as one at once ran them. What the processor did in xboot's own process for one boot more
    is what no other boot's results are looked at meanwhile.
    """
    one, many = (backend[plan]["jobs 1"] for plan in ("one", "wide"))
    more = len(many["boots"]) - len(one["boots"])
    beside = [run["seconds"] - sum(boot["seconds"] for boot in run["boots"]) for run in (one, many)]
    each = max(0.0, (beside[1] - beside[0]) / more)
    host = min(each, max(0.0, (many["own"] - one["own"]) / more))
    return Overhead(max(0.0, beside[0] - each), each - host, host)


def measured_costs(run: Mapping[str, Any], beside: Overhead) -> dict[int, Cost]:
    """Each step's cost, of a run with one boot at once."""
    return {number: Cost(boot["seconds"] + beside.boot, boot["size"]) for number, boot in enumerate(run["boots"], 1)}


def shape(run: Mapping[str, Any]) -> Script:
    """The plan of a run that was measured: who sees whose outputs."""
    plan = Plan()
    for number, boot in enumerate(run["boots"], 1):
        plan.step("/sh", name=f"s{number}", inputs=[output_path(f"s{before}") for before in boot["sees"]])
    return plan.script()


def _points(measured: Mapping[str, Any]) -> None:
    """The measured points of 1 and 2, beside what the simulation says of the same plan. What a cluster takes to start is that of the wide
    plan on one worker, which is so no test of anything.
    """
    print("| plan, backend | | seconds | simulated | deviation |\n|---|---|---|---|---|")
    for name, backend in measured.items():
        beside = overhead(backend)
        starts = {"jobs": beside.once}
        for target in ("wide", "chain"):
            plan = shape(backend[target]["jobs 1"])
            for kind, run in backend[target].items():
                where = re.split("[ :]", kind)[0]
                alone = next(one for other, one in backend[target].items() if other.startswith(where))
                seconds = simulate(plan, measured_costs(alone, beside), int(kind[-1]), beside.host).seconds
                seconds += starts.setdefault(where, run["seconds"] - seconds)
                off = seconds / run["seconds"] - 1
                print(f"| {target}, {name} | `{kind}` | {run['seconds']:.1f} | {seconds:.1f} | {off:+.1%} |")


def _curves(plans: Mapping[str, tuple[Script, Mapping[int, Cost]]], host: float, counts: Sequence[int]) -> None:
    """One row for each number of workers, and above it what limits each plan."""
    for name, (plan, costs) in plans.items():
        work, limit = simulate(plan, costs, 1, host).seconds, critical_path(plan, costs, host)
        print(
            f"- {name}: {len(plan.steps)} steps, {work:.0f} s of work, of these {host * len(costs):.1f} s the host's; "
            f"critical path {limit:.1f} s, so at most {work / limit:.1f} times as fast"
        )
    print("\n| workers |" + "".join(f" {name} | faster | idle | moved |" for name in plans))
    print("|---|" + "---|---|---|---|" * len(plans))
    alone = {name: simulate(plan, costs, 1, host).seconds for name, (plan, costs) in plans.items()}
    for workers in counts:
        row = f"| {workers:,} |"
        for name, (plan, costs) in plans.items():
            one = simulate(plan, costs, workers, host)
            idle = 1 - one.busy / (one.seconds * workers)
            row += f" {one.seconds:.1f} s | {alone[name] / one.seconds:.1f} | {idle:.0%} | {one.moved / 1e6:,.0f} MB |"
        print(row)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the measured points beside the simulation's, and the curves of three plans, in Markdown."""
    parser = argparse.ArgumentParser(prog="bench.simulate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, required=True)
    parser.add_argument("--backend", default="mirage", help="whose measured steps the curves are made of")
    parser.add_argument("--workers", default=",".join(map(str, WORKERS)))
    wanted = parser.parse_args(arguments)
    measured = json.loads(wanted.measured.read_text())
    _points(measured)
    backend = measured[wanted.backend]
    beside = overhead(backend)
    costs = list(measured_costs(backend["chain"]["jobs 1"], beside).values())
    counts = [int(count) for count in wanted.workers.split(",")]
    hello, wide = hello_plan(), wide_plan()
    plans = {
        "hello, alike": (hello, drawn_costs(hello, costs)),
        "hello, weighted": (hello, drawn_costs(hello, costs, WEIGHTS)),
        "wide": (wide, drawn_costs(wide, costs)),
    }
    print()
    _curves(plans, beside.host, counts)


if __name__ == "__main__":
    main()
