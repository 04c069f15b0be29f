"""Which boot begins next, and what the simulation makes of it (bench/simulate.py): laws that hold whatever was measured."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from xboot.model import Event, Phase, Script
from xboot.segments.cut import cut_plan
from xboot.segments.order import Order
from xboot.segments.relay import Relay
from xboot.testing.boot import Plan, output_path

sys.path.insert(0, str(Path(__file__).parents[2]))  # for bench.simulate, which is no part of the distribution

from bench.simulate import Cost, critical_path, drawn_costs, hello_plan, measured_costs, overhead, shape, simulate, wide_plan


def plan(sees: dict[int, list[int]], count: int) -> Script:
    made = Plan()
    for number in range(1, count + 1):
        made.step("/sh", name=f"s{number}", inputs=[output_path(f"s{one}") for one in sees.get(number, [])])
    return made.script()


def uniform(count: int, seconds: float = 10.0, size: int = 100) -> dict[int, Cost]:
    return {number: Cost(seconds, size) for number in range(1, count + 1)}


def test_the_earliest_that_is_ready_begins_first() -> None:
    script = plan({2: [1], 4: [3], 5: [2, 4]}, 6)
    segments = cut_plan(script, "steps")
    order = Order(script, segments)
    assert [one.number for one in order.begin(2)] == [1, 3]
    assert not order.begin(0)
    order.ended(segments[2])
    assert [one.number for one in order.begin(1)] == [4]
    assert [one.number for one in order.begin(9)] == [6]
    assert not order.begin(9)
    order.ended(segments[0])
    assert [one.number for one in order.begin(9)] == [2]
    order.ended(segments[1])
    assert not order.begin(9)  # 5 waits for 4 as well
    order.ended(segments[3])
    assert [one.number for one in order.begin(9)] == [5]


def test_that_a_step_runs_on_is_told_at_once_and_all_else_in_the_plans_order() -> None:
    first, second = cut_plan(plan({}, 2), "steps")
    told: list[tuple[Phase, int]] = []
    relay = Relay([first, second], lambda event: told.append((event.phase, event.step)))
    relay.of(second)(Event(Phase.BEGIN, 0.0, 1))
    relay.of(second)(Event(Phase.RUNNING, 60.0, 1, text="has run for 60 s"))
    assert told == [(Phase.RUNNING, 2)]
    relay.of(first)(Event(Phase.BEGIN, 0.0, 1))
    relay.ended(first)
    assert told == [(Phase.RUNNING, 2), (Phase.BEGIN, 1), (Phase.BEGIN, 2)]


@pytest.mark.parametrize("workers", [1, 2, 7, 1000])
def test_a_chain_gains_nothing(workers: int) -> None:
    script = plan({n: [n - 1] for n in range(2, 8)}, 7)
    found = simulate(script, uniform(7), workers)
    assert (found.seconds, found.busy, found.moved) == (70.0, 70.0, 0)  # always the same worker, which has it all


def test_equal_steps_that_do_not_wait_share_out_evenly() -> None:
    script = plan({}, 12)
    assert [simulate(script, uniform(12), workers).seconds for workers in (1, 2, 5, 12, 40)] == [120.0, 60.0, 30.0, 10.0, 10.0]


@pytest.mark.parametrize("host", [0.0, 0.5])
@pytest.mark.parametrize(("made", "steps"), [(lambda: wide_plan(layers=4, width=40), 160), (hello_plan, 120)], ids=["wide", "hello"])
def test_no_number_of_workers_is_faster_than_the_longest_chain_nor_loses_work(made: Callable[[], Script], steps: int, host: float) -> None:
    script = made()
    assert len(script.steps) == steps
    costs = drawn_costs(script, [Cost(3.0, 1000), Cost(7.0, 10), Cost(1.5, 5)])
    total, limit = sum(cost.seconds for cost in costs.values()), critical_path(script, costs, host)
    alone = simulate(script, costs, 1, host)
    assert alone.seconds == pytest.approx(total + host * len(costs)) and alone.moved == 0
    for workers in (2, 3, 16, 200):
        found = simulate(script, costs, workers, host)
        assert found.busy == pytest.approx(total)
        assert found.seconds >= max(limit, alone.seconds / workers) - 1e-6
        assert found.seconds >= host * len(costs)  # which looks at one result after the other
        assert found.seconds <= alone.seconds / workers + limit + host * len(costs)  # Graham's bound, and the host
        assert found.moved > 0
        assert found == simulate(script, costs, workers, host)


def test_a_worker_gets_a_nar_once() -> None:
    script = plan({2: [1], 3: [1], 4: [1], 5: [2, 3, 4]}, 5)
    assert simulate(script, uniform(5, size=100), 1).moved == 0
    # the second worker gets the first step's for the third; the first one gets the third's for the last, and has the others
    assert simulate(script, uniform(5, size=100), 2).moved == 200


def test_what_was_measured_with_one_at_once_is_the_first_point_of_the_curve() -> None:
    boot = {"seconds": 4.0, "size": 10, "sees": []}
    boots = [boot, {"seconds": 6.0, "size": 10, "sees": [1]}, {"seconds": 5.0, "size": 9, "sees": [1]}]
    run = {"seconds": 18.5, "own": 3.0, "boots": boots}
    one = {"seconds": 5.5, "own": 2.0, "boots": [boot]}
    beside = overhead({"one": {"jobs 1": one}, "wide": {"jobs 1": run}})
    assert beside == (0.5, 0.5, 0.5)  # a boot more took a second beside its machine, half of it the host's processor
    costs, script = measured_costs(run, beside), shape(run)
    assert beside.once + simulate(script, costs, 1, beside.host).seconds == pytest.approx(18.5)
    # the first two, and the host after each
    assert beside.once + simulate(script, costs, 2, beside.host).seconds == pytest.approx(12.5)
