"""Boots on a cluster: as here, whatever workers, schedulers and exchanges do. Nothing wrong is a match, nothing verified is lost."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cluster_bench import Client, cluster_run, forge, liars, plugins, voters, workers
from distributed import LocalCluster
from segments_bench import Bench, Guest, hashes, out, packed

from xboot.attest.reports import check_reports
from xboot.boot import RunOptions
from xboot.cluster import host
from xboot.compare import Agreement, compare
from xboot.errors import InputError, UsageError, XbootError
from xboot.hooks import hookimpl
from xboot.model import Cause, Event, Phase, Status
from xboot.request import Request
from xboot.segments.check import check_segments
from xboot.show.comparison import comparison_report
from xboot.show.report import report
from xboot.voter import Voter

CHAIN = {2: [1], 3: [2], 4: [1, 3]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with workers(2) as made:
        yield made


@pytest.fixture
def exchange(tmp_path: Path) -> str:
    return (tmp_path / "exchange").as_uri()


def test_it_says_what_one_boot_says(bench: Bench, cluster: LocalCluster, exchange: str) -> None:
    script = bench.plan({3: [1], 4: [2, 3], 6: [5]}, 6)
    result = cluster_run(bench, script, cluster.scheduler_address, exchange)
    assert result.verdict.ok and hashes(result) == hashes(bench.run(script, "none"))
    part = json.loads(json.dumps(report(result)))["segments"]
    known = {f"{worker.name} at {worker.address}" for worker in cluster.workers.values()}
    assert {segment["worker"] for segment in part["segments"]} <= known
    assert check_segments(part, script, "report").whole


def test_what_workers_made_is_taken_by_those_who_name_a_cluster(bench: Bench, cluster: LocalCluster, exchange: str) -> None:
    script = bench.plan(CHAIN, 4)
    first = cluster_run(bench, script, cluster.scheduler_address, exchange)
    again = cluster_run(bench, script, cluster.scheduler_address, exchange)
    assert first.segments is not None and again.segments is not None
    assert all(segment.earlier is not None and segment.worker for segment in again.segments.segments)
    here = bench.run(script)
    assert bench.booted == ["s1", "s2", "s3", "s4"] and here.segments is not None
    assert not any(segment.worker for segment in here.segments.segments)
    assert hashes(here) == hashes(first) == hashes(again)


def test_the_exchange_may_be_any_url(bench: Bench, cluster: LocalCluster) -> None:
    script = bench.plan(CHAIN, 4)
    assert cluster_run(bench, script, cluster.scheduler_address, f"memory://{bench.folder}").verdict.ok


def test_the_guests_failure_is_not_tried_elsewhere(bench: Bench, cluster: LocalCluster, exchange: str, caplog: Any) -> None:
    script = bench.plan(CHAIN, 4)
    make = functools.partial(plugins, Guest(fails={out(3)}))
    result = cluster_run(bench, script, cluster.scheduler_address, exchange, make)
    assert result.verdict.failure.startswith(f"step 3 ({script.steps[2].drv}) failed: its builder ended with 1")
    assert (result.verdict.failed_step, result.verdict.cause) == (3, Cause.GUEST)
    assert not caplog.records
    assert result.segments is not None and [s.number for s in result.segments.segments] == [1, 2]


@pytest.mark.parametrize("what", ["hash", "references"])
def test_a_guest_that_lies_is_found_out_here(bench: Bench, cluster: LocalCluster, exchange: str, what: str) -> None:
    script = bench.plan(CHAIN, 4)
    guest = Guest(hashes={out(2): "0" * 64}) if what == "hash" else Guest(references={out(2): []})
    result = cluster_run(bench, script, cluster.scheduler_address, exchange, functools.partial(plugins, guest))
    assert result.verdict.failed_step == 2 and out(2) in result.verdict.failure and not result.verdict.ok


@pytest.mark.parametrize("odd", [False, True], ids=["agree", "differ"])
def test_voters_share_one_cluster(
    bench: Bench, cluster: LocalCluster, exchange: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: bool
) -> None:
    """What a comparison says is what it says here, and each boot is a worker's."""
    script = bench.plan(CHAIN, 4)
    make = functools.partial(voters, a=Guest(), b=Guest({out(2): b"odd"} if odd else {}), c=Guest())
    request = Request(
        voters=[Voter(name) for name in "abc"], segments="steps", export_size=1 << 20, memory=64, cluster=cluster.scheduler_address,
        exchange=exchange,
    )  # fmt: skip
    opened = []
    opens = host.open_cluster
    monkeypatch.setattr(host, "open_cluster", lambda *named: opened.append(named) or opens(*named))
    there = compare(script, request, make(), workers=make)
    here = compare(script, replace(request, cluster="", exchange=""), make())
    assert len(opened) == 1
    assert there.agreement is here.agreement is (Agreement.DIFFERS if odd else Agreement.AGREED)
    first = 2 if odd else 4  # who is ahead of the others may have begun what comes after a difference
    assert [step.state for step in there.steps][:first] == [step.state for step in here.steps][:first]
    assert there.outputs[:first] == here.outputs[:first] and there.first_divergence == here.first_divergence
    for result in there.results.values():
        assert result.segments is not None and result.segments.segments and all(one.worker for one in result.segments.segments)
    file = tmp_path / "report.json"
    file.write_text(json.dumps(comparison_report(there)))
    assert len(check_reports(file, script)) == 3 or odd


# ---------------------------------------------------------------- workers that lie


def another_hash(value: dict[str, Any], task: Any) -> None:
    value["boot"]["outputs"][0]["file"]["sha256"] = "0" * 64


def another_size(value: dict[str, Any], task: Any) -> None:
    value["boot"]["outputs"][0]["file"]["size"] += 8


def overwritten(value: dict[str, Any], task: Any) -> None:
    right = dict(value["boot"]["outputs"][0]["file"])
    forge(value, task, packed(b"forged"))
    file = Path(task.exchange.url.removeprefix("file://")) / "nars" / right["sha256"][:2] / f"{right['sha256']}.nar"
    file.write_bytes(packed(b"forged"))
    value["boot"]["outputs"][0]["file"] = right


def another_task(value: dict[str, Any], task: Any) -> None:
    value["script"] = "0" * 64


def other_outputs(value: dict[str, Any], task: Any) -> None:
    value["boot"]["outputs"][0]["path"] = out(9)


def none_of_them(value: dict[str, Any], task: Any) -> None:
    value["boot"]["outputs"] = []


def twice(value: dict[str, Any], task: Any) -> None:
    value["boot"]["outputs"] *= 2


def another_step_failed(value: dict[str, Any], task: Any) -> None:
    value["boot"] |= {"failure": "step 7 failed", "failedStep": 7}


def two_things(value: dict[str, Any], task: Any) -> None:
    value["fault"] = "and more"


def more_fields(value: dict[str, Any], task: Any) -> None:
    value["match"] = True


def no_number(value: dict[str, Any], task: Any) -> None:
    value["boot"]["seconds"] = float("nan")


def no_json(value: dict[str, Any], task: Any) -> str:
    return "{" * 100_000


def no_text(value: dict[str, Any], task: Any) -> object:
    return {"script": task.script.sha256}


def an_error(value: dict[str, Any], task: Any) -> None:
    raise ZeroDivisionError("\x1b[2Jmatch")


LIES = [
    another_hash, another_size, overwritten, another_task, other_outputs, none_of_them, twice, another_step_failed, two_things, more_fields,
    no_number, no_json, no_text, an_error,
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_worker_that_lies_is_found_out(
    bench: Bench, cluster: LocalCluster, exchange: str, monkeypatch: pytest.MonkeyPatch, lie: Callable[..., object]
) -> None:
    """With an honest one beside it the run is as ever; alone it comes to nothing, in one sentence, and what was verified stays."""
    script = bench.plan(CHAIN, 4)
    right = hashes(bench.run(script))
    monkeypatch.setattr(host, "work", liars(lie, "0"))
    mixed = cluster_run(bench, script, cluster.scheduler_address, exchange, fresh=True, run=RunOptions(expected=known(right)))
    assert hashes(mixed) == right and {output.status for output in mixed.verdict.outputs} == {Status.MATCH}
    monkeypatch.setattr(host, "work", liars(lie))
    with pytest.raises(XbootError, match=r"step 1: 4 workers could not boot it") as caught:
        cluster_run(bench, script, cluster.scheduler_address, exchange, fresh=True)
    assert "\x1b" not in caught.value.message


def known(right: dict[str, str]) -> dict[str, dict[str, str]]:
    return {path: {"me": value} for path, value in right.items()}


def other_content(value: dict[str, Any], task: Any) -> None:
    """All of a piece: what no host can tell from a builder that made it."""
    sha256, size = forge(value, task, packed(b"forged"))
    value["boot"]["outputs"][0] |= {"narSha256": sha256, "narSize": size, "references": []}


def other_content_under_the_right_hash(value: dict[str, Any], task: Any) -> None:
    forge(value, task, packed(b"forged"))


@pytest.mark.parametrize("lie", [other_content, other_content_under_the_right_hash], ids=lambda lie: lie.__name__)
def test_other_content_is_never_a_match(
    bench: Bench, cluster: LocalCluster, exchange: str, monkeypatch: pytest.MonkeyPatch, lie: Callable[..., object]
) -> None:
    script = bench.plan(CHAIN, 4)
    right = hashes(bench.run(script))
    monkeypatch.setattr(host, "work", liars(lie))
    result = cluster_run(bench, script, cluster.scheduler_address, exchange, fresh=True, run=RunOptions(expected=known(right)))
    assert not result.verdict.ok
    assert Status.MATCH not in {output.status for output in result.verdict.outputs}


# ---------------------------------------------------------------- workers that cannot


def test_a_full_disk_of_one_worker(bench: Bench, cluster: LocalCluster, exchange: str) -> None:
    script = bench.plan(CHAIN, 4)
    make = functools.partial(plugins, full=("0",))
    result = cluster_run(bench, script, cluster.scheduler_address, exchange, make)
    assert result.verdict.ok and result.segments is not None
    assert all(segment.worker.startswith("1 at ") for segment in result.segments.segments)
    with pytest.raises(XbootError, match=r"No space left on device"):
        cluster_run(bench, script, cluster.scheduler_address, exchange, functools.partial(plugins, full=("0", "1")), fresh=True)


def test_a_worker_that_stands_on_something_else_is_left_out(bench: Bench, cluster: LocalCluster, exchange: str) -> None:
    """What they have in common may be another than this host's; the report says what it is."""
    script = bench.plan({}, 6)
    result = cluster_run(bench, script, cluster.scheduler_address, exchange, functools.partial(plugins, odd=("0",)))
    assert result.verdict.ok and result.segments is not None
    assert len({segment.worker for segment in result.segments.segments}) == 1
    both = cluster_run(bench, script, cluster.scheduler_address, exchange, functools.partial(plugins, odd=("0", "1")), fresh=True)
    assert both.segments is not None and ("emulator", "8", "") in both.segments.base.below
    assert hashes(both) == hashes(result)


def test_workers_without_memory(bench: Bench, exchange: str) -> None:
    with workers(1, memory=0) as none, pytest.raises(UsageError, match="no worker offers memory"):
        cluster_run(bench, bench.plan(CHAIN, 4), none.scheduler_address, exchange)


# ---------------------------------------------------------------- the exchange


def test_changed_nars_in_the_exchange_are_laid_again(bench: Bench, exchange: str, tmp_path: Path) -> None:
    script = bench.plan(CHAIN, 4)
    nars = tmp_path / "exchange" / "nars"
    with workers(1) as first:
        right = hashes(cluster_run(bench, script, first.scheduler_address, exchange))
    for at, nar in enumerate(sorted(nars.rglob("*.nar"))):
        size = nar.stat().st_size
        nar.unlink()
        if at % 3 == 0:
            nar.symlink_to("/dev/zero")
        elif at % 3 == 1:
            os.mkfifo(nar)
        else:
            nar.write_bytes(bytes(size))
    with workers(1) as second:  # which has no copies of its own
        assert hashes(cluster_run(bench, script, second.scheduler_address, exchange, fresh=True)) == right


@pytest.mark.parametrize(
    "url", ["file:///proc/nowhere", "file:///dev/null/folder", "nosuchscheme://host/x", "sftp://nobody:secret@127.0.0.1:1/x", "dropbox://x"]
)
def test_an_exchange_that_does_not_work_is_one_sentence(bench: Bench, cluster: LocalCluster, url: str) -> None:
    with pytest.raises((XbootError, InputError)) as caught:
        cluster_run(bench, bench.plan(CHAIN, 4), cluster.scheduler_address, url)
    assert "\n" not in caught.value.message and "secret" not in caught.value.message


def test_an_exchange_that_fails_later_loses_nothing(bench: Bench, cluster: LocalCluster, tmp_path: Path) -> None:
    script = bench.plan(CHAIN, 4)
    folder = tmp_path / "exchange"

    class Breaks:
        contract_version = 2

        @hookimpl
        def xboot_event(self, event: Event) -> None:
            if event.phase is Phase.BEGIN and event.step == 3 and not folder.is_symlink():
                folder.rename(tmp_path / "moved")
                folder.symlink_to("/proc")

    seen = plugins()
    seen.add(Breaks(), "test:breaks")
    from xboot.pipeline import Pipeline
    from xboot.segments.runner import run

    request = Request(
        voters=[Voter("fake")], segments="steps", export_size=1 << 20, memory=64, cluster=cluster.scheduler_address,
        exchange=folder.as_uri(),
    )  # fmt: skip
    with pytest.raises(XbootError, match=r"exchange"):
        run(Pipeline(seen), request, script, plugins=plugins)
    folder.unlink()
    again = cluster_run(bench, script, cluster.scheduler_address, folder.as_uri())
    assert again.verdict.ok and again.segments is not None
    assert [segment.earlier is not None for segment in again.segments.segments] == [True, True, False, False]


# ---------------------------------------------------------------- ends of all kinds


def test_interrupted(bench: Bench, cluster: LocalCluster, exchange: str) -> None:
    """What was running is left; the worker's machine is ended, so that the worker is free for the next."""
    stop = threading.Event()
    script = bench.plan(CHAIN, 4)
    guest = Guest(hangs={out(3)})
    threading.Thread(target=lambda: (wait_for(lambda: verdicts(bench) >= 2 and busy()), stop.set())).start()

    def busy() -> bool:
        return any(worker.state.executing for worker in cluster.workers.values())

    result = cluster_run(
        bench, script, cluster.scheduler_address, exchange, functools.partial(plugins, guest), run=RunOptions(stop=stop)
    )  # fmt: skip
    assert result.verdict.cause is Cause.USER and result.verdict.failure.startswith("interrupted in step 3")
    again = cluster_run(bench, script, cluster.scheduler_address, exchange, jobs=1)
    assert again.verdict.ok and again.segments is not None
    assert [segment.earlier is not None for segment in again.segments.segments] == [True, True, False, False]
    with Client(cluster.scheduler_address) as client:
        wait_for(lambda: not any(client.processing().values()))
        wait_for(lambda: not busy())


def verdicts(bench: Bench) -> int:
    return len(list((bench.folder / "results").glob("verdicts/*/*.json")))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_scheduler_that_goes_away(bench: Bench, exchange: str) -> None:
    """One sentence, and what was verified stays for the next."""
    script = bench.plan(CHAIN, 4)
    scheduler = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    assert scheduler.stdout is not None
    address = scheduler.stdout.readline().strip()
    guest = functools.partial(plugins, Guest(hangs={out(3)}))
    threading.Thread(target=lambda: (wait_for(lambda: verdicts(bench) >= 2), scheduler.kill())).start()
    with pytest.raises(XbootError, match="is gone, or dropped"):
        cluster_run(bench, script, address, exchange, guest)
    scheduler.wait()
    with workers(1) as other:
        again = cluster_run(bench, script, other.scheduler_address, exchange)
    assert again.verdict.ok and again.segments is not None
    assert [segment.earlier is not None for segment in again.segments.segments] == [True, True, False, False]


SCHEDULER = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from cluster_bench import workers
if __name__ == "__main__":
    with workers(1, processes=True) as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cluster", "local:0", "--seal", "steps"], "expected local:N"),
        (["--cluster", "tcp://127.0.0.1:1", "--seal", "steps"], "no place for NARs is named"),
        (["--cluster", "tcp://127.0.0.1:1", "--exchange", "memory://x", "--segments", "none"], "nothing to share out"),
        (["--cluster", "strange://\x1b", "--exchange", "memory://x", "--seal", "steps"], "no scheduler answers there"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(bench: Bench, arguments: list[str], words: str) -> None:
    from xboot.api import request
    from xboot.segments.runner import run
    from xboot.segments.wanted import wanted_cut
    from xboot.testing.boot import Recorder

    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    wished = request(
        (), "fake", cluster=given["--cluster"], exchange=given.get("--exchange", ""),
        segments=wanted_cut(given.get("--seal"), given.get("--segments")),
    )  # fmt: skip
    with pytest.raises(UsageError, match=words) as caught:
        run(Recorder(plugins()), wished, bench.plan(CHAIN, 4))
    assert "\x1b" not in caught.value.message
