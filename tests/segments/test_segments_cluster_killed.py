"""Workers of a cluster are lost, killed at drawn moments and at chosen ones: no wrong hash, nothing verified is lost, and the same command
goes on.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cluster_bench import cluster_run, plugins, workers
from distributed import Future, KilledWorker, LocalCluster, get_worker
from segments_bench import Bench, hashes

from xboot.boot import RunOptions
from xboot.cluster import host
from xboot.cluster.answer import Answer, Task
from xboot.cluster.remote import first_task
from xboot.cluster.work import work
from xboot.errors import XbootError
from xboot.hooks import BackendOptions
from xboot.model import Status
from xboot.plugins import Plugins
from xboot.voter import Voter

KILLS = int(os.environ.get("XBOOT_KILLS", "5"))
STEPS = 2 * KILLS

_armed = threading.Event()
_drawing = threading.Lock()


def mortal(lots: Path) -> Plugins:
    """The plugins of a worker that draws a lot with each task: it is spared, or kills itself so many seconds later, whatever it does by
    then: make an image, boot, lay NARs into the exchange, answer, the next task, or nothing. Those of the host are as ever.
    """
    with suppress(ValueError):  # this is the host
        get_worker()
        with _drawing:
            delay = "" if _armed.is_set() else drawn(lots)
            if delay:
                _armed.set()
                threading.Thread(target=die, args=(lots, *delay.split()), daemon=True).start()
    return plugins()


def drawn(lots: Path) -> str:
    """What the next lot says, which nobody else draws."""
    for lot in sorted(lots.glob("lot-*")):
        with suppress(FileNotFoundError):
            mine = lot.rename(lot.with_name(lot.name.replace("lot-", "drawn-")))
            return mine.read_text()
    return ""


def die(lots: Path, number: str, delay: str) -> None:
    """kill -9 of this process, a while later."""
    time.sleep(float(delay))
    (lots / f"drawn-{number}").rename(lots / f"killed-{number}")
    os.kill(os.getpid(), signal.SIGKILL)


def kept(bench: Bench) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (bench.folder / "results").glob("verdicts/*/*.json")}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_workers_that_are_killed_at_any_moment(bench: Bench, tmp_path: Path) -> None:
    """Which of them, and when, is drawn. Dask may give a step up; the same command goes on from there. Until all have been killed there is
    another plan.
    """
    draw = random.Random(14)
    lots = tmp_path / "lots"
    lots.mkdir()
    dies = [True] * KILLS + [False] * KILLS
    draw.shuffle(dies)
    for number, its in enumerate(dies):
        (lots / f"lot-{number:03}").write_text(f"{number:03} {draw.random() * 0.4:.3f}" if its else "")
    make = functools.partial(mortal, lots)
    plans = 0
    while len(list(lots.glob("killed-*"))) < KILLS:
        plans += 1
        script = bench.plan({number: [number - 3] for number in range(4, STEPS + 1)}, STEPS, f"tree {plans}".encode())
        right = hashes(bench.run(script, "none"))
        wanted = RunOptions(expected={path: {"me": value} for path, value in right.items()})
        before, result = kept(bench), None
        while result is None:
            try:
                result = cluster_run(bench, script, "local:2", "", make, run=wanted)
            except XbootError as error:
                assert "were lost, one after the other" in error.message
            assert before.items() <= kept(bench).items()
            before = kept(bench)
        assert hashes(result) == right and {output.status for output in result.verdict.outputs} == {Status.MATCH}
        assert len(before) == plans * STEPS
        for lot in lots.glob("drawn-*"):  # who drew it has outlived the plan
            if lot.read_text():
                lot.rename(lot.with_name(lot.name.replace("drawn-", "lot-")))


# ---------------------------------------------------------------- at chosen moments


_CLUSTERS: list[LocalCluster] = []  # whose workers are in this process
_FATES: list[str] = []
_SEEN: list[int] = []


def fated(task: Task) -> str:
    """`work`, but that the first steps have other ends."""
    if task.base is None or not _FATES:
        return work(task)
    if _FATES.pop(0) == "fails":
        return Answer(script=task.script.sha256, fault="/some/disk: No space left on device").model_dump_json()
    _CLUSTERS[0].sync(get_worker().close, executor_wait=False)
    return ""


def looks_around(task: Task) -> str:
    """`work`, having noted how many tasks all workers have."""
    _SEEN.append(sum(len(worker.processing) for worker in list(_CLUSTERS[0].scheduler.workers.values())))
    return work(task)


@pytest.fixture
def exchange(tmp_path: Path) -> str:
    return (tmp_path / "exchange").as_uri()


def asks_for_a_boot(future: Future[Any]) -> bool:
    """And not for what the workers stand on."""
    return not str(future.key).startswith("xboot-base-")


def test_an_answer_that_is_lost_with_its_worker(bench: Bench, exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask has the step done once more. Whoever waits for the answer gives up waiting before that; then it waits again."""
    script = bench.plan({2: [1]}, 2)
    right = hashes(bench.run(script, "none"))
    fetched = Future.result
    lost: list[str] = []

    with workers(2) as cluster:

        def too_late(future: Future[Any], timeout: float | None = None) -> Any:
            if not lost and asks_for_a_boot(future):
                (holder,) = cluster.scheduler.tasks[future.key].who_has
                lost.append(holder.address)
                cluster.sync(cluster.workers[holder.name].close)
                raise TimeoutError
            return fetched(future, timeout)

        monkeypatch.setattr(Future, "result", too_late)
        result = cluster_run(bench, script, cluster.scheduler_address, exchange, jobs=1)
    assert hashes(result) == right and result.segments is not None
    assert lost and not any(lost[0] in segment.worker for segment in result.segments.segments)


def test_a_step_that_dask_gives_up_while_its_answer_is_fetched(bench: Bench, exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer was lost, and then all who did it once more."""
    with workers(1) as cluster:

        def given_up(future: Future[Any], timeout: float | None = None) -> Any:
            if not asks_for_a_boot(future):
                return fetched(future, timeout)
            error = KilledWorker(str(future.key), next(iter(cluster.scheduler.workers.values())).clean(), 3)
            future._state.set_error(error, None)
            raise error

        fetched = Future.result
        monkeypatch.setattr(Future, "result", given_up)
        with pytest.raises(XbootError, match="were lost, one after the other"):
            cluster_run(bench, bench.plan({}, 1), cluster.scheduler_address, exchange)


def test_a_step_is_not_kept_for_workers_that_are_gone(bench: Bench, exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker could not do it, so it was given to the other alone, which is lost: then it is the first one's again."""
    script = bench.plan({2: [1]}, 2)
    right = hashes(bench.run(script, "none"))
    with workers(2) as cluster:
        monkeypatch.setattr(host, "work", fated)
        _CLUSTERS[:], _FATES[:] = [cluster], ["fails", "goes"]
        result = cluster_run(bench, script, cluster.scheduler_address, exchange, jobs=1)
        assert len(cluster.scheduler.workers) == 1
    assert hashes(result) == right and not _FATES


def test_nothing_waits_at_a_busy_worker(bench: Bench, exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask would say of it, too, that it killed that worker."""
    with workers(2) as cluster:
        monkeypatch.setattr(host, "work", looks_around)
        _CLUSTERS[:], _SEEN[:] = [cluster], []
        assert cluster_run(bench, bench.plan({}, 12), cluster.scheduler_address, exchange).verdict.ok
    assert len(_SEEN) == 13 and max(_SEEN) <= 2


def test_lost_workers_of_the_runs_own_are_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where others are left, and Dask has given the lost one up."""
    monkeypatch.setattr(host, "_LOOK", 0.0)
    with host.open_cluster("local:2", "", tmp_path, plugins) as cluster:
        first, other = cluster.workers()
        cluster.client.retire_workers([first])
        end = time.monotonic() + 120
        while not (first not in cluster.workers() and other in cluster.workers() and len(cluster.workers()) == 2):
            assert time.monotonic() < end, "no other was started"
            task = first_task(cluster, Voter("fake"), BackendOptions(export_size=1 << 20), RunOptions())
            assert cluster.ask(task, "task", 1, threading.Event(), lambda: 1.0) is not None
