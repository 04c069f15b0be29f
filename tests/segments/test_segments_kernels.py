"""Runs of several boots on real kernels: however often they are killed and whoever runs beside them, the hashes are those of one boot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
CHAIN = f"{ROOT}/examples/chain/recipe.toml"
WHOLE = pytest.mark.skipif("XBOOT_WHOLE_CHAIN" not in os.environ, reason="takes half an hour; set XBOOT_WHOLE_CHAIN=1")
CASES = [
    pytest.param(("mirage", f"{CHAIN}:fixpoint"), id="fixpoint"),
    *(
        pytest.param((kernel, CHAIN), id=kernel, marks=[WHOLE, pytest.mark.timeout(3600)])
        for kernel in ("linux", "tccboot", "mirage", "hurd")
    ),
]
# What the run has said last when it dies: it packs the first step, runs it, has just kept one, packs another, runs the last.
PLACES = ["  boot  ", "step 1/", "step 1/…done", "step 2/…done", "step {last}/"]

pytestmark = [pytest.mark.boot, pytest.mark.slow, pytest.mark.timeout(1800)]


XBOOT = [sys.executable, "-m", "xboot"]


@dataclass(frozen=True)
class Case:
    """A kernel, targets, and what one boot says of them."""

    kernel: str
    targets: Sequence[str]
    once: dict[str, Any]


def begin(folder: Path, kernel: str, targets: Sequence[str], *more: str) -> subprocess.Popen[str]:
    env = os.environ | {"XBOOT_RESULTS": str(folder / "results"), "XBOOT_RESULTS_KEY": str(folder / "key")}
    command = [*XBOOT, "run", "--json", "--accel", "tcg", "--backend", kernel, *more, *targets]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=env, cwd=folder
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate()
    assert process.returncode == 0, err
    report: dict[str, Any] = json.loads(out)
    return report


def hashes(report: dict[str, Any]) -> dict[str, tuple[str, Sequence[str]]]:
    return {output["path"]: (output["narSha256"], output["references"]) for output in report["outputs"]}


def kill_at(process: subprocess.Popen[str], place: str, steps: int) -> bool:
    """kill -9 once the run has said that; whether it said so."""
    words = place.format(last=steps).split("…")
    assert process.stderr is not None
    for line in process.stderr:
        if all(word in line for word in words):
            process.kill()
            process.communicate()
            assert process.returncode == -signal.SIGKILL
            return True
    return False


def kill_a_worker_that_boots(run: psutil.Process) -> Sequence[psutil.Process]:
    """kill -9 of a worker of this run's own cluster in the middle of a boot, once there is one; its guests. It is stopped first, so that
    its guest still runs when it dies, and no answer was given.
    """
    end = time.monotonic() + 600
    while time.monotonic() < end:
        for worker in run.children():
            if guests(worker):
                worker.suspend()
                while worker.status() != psutil.STATUS_STOPPED:
                    time.sleep(0.001)
                if found := guests(worker):
                    assert "spawn_main" in worker.cmdline()[-2]
                    worker.kill()
                    return found
                worker.resume()
        time.sleep(0.02)
    raise AssertionError("no worker boots anything")


def guests(worker: psutil.Process) -> Sequence[psutil.Process]:
    """The machines that a process has."""
    found = []
    for child in worker.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if child.name().startswith("qemu-system") and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def says_the_same(case: Case, report: dict[str, Any], folder: Path) -> None:
    """The hashes and the verdict are those of one boot, and the report is one that the checker takes."""
    assert hashes(report) == hashes(case.once)
    assert (report["verdict"], report["scriptSha256"]) == (case.once["verdict"], case.once["scriptSha256"])
    (folder / "report.json").write_text(json.dumps(report))
    subprocess.run([*XBOOT, "check-report", str(folder / "report.json"), *case.targets], check=True, cwd=folder)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    kernel, target = request.param
    derived = subprocess.run([*XBOOT, "derive", target], check=True, stdout=subprocess.PIPE, text=True).stdout
    targets = [word for word in derived.split() if word.endswith(".drv")]
    once = end(begin(tmp_path_factory.mktemp("one"), kernel, targets, "--seal", "run"))
    assert once["segments"] is None
    return Case(kernel, targets, once)


def test_killed_five_times_it_says_what_one_boot_says(case: Case, tmp_path: Path) -> None:
    steps = max(output["step"] for output in case.once["outputs"])
    kept = 0
    for place in PLACES:
        assert kill_at(begin(tmp_path, case.kernel, case.targets, "--seal", "steps"), place, steps), place
        now = len(list(tmp_path.glob("results/verdicts/*/*.json")))
        assert now >= kept  # nothing that was verified is lost
        kept = now
    assert kept == steps - 1
    report = end(begin(tmp_path, case.kernel, case.targets, "--seal", "steps"))
    says_the_same(case, report, tmp_path)
    taken = [segment["earlier"] is not None for segment in report["segments"]["segments"]]
    assert len(taken) == steps and sum(taken) == kept


def test_two_runs_of_one_plan_at_once_with_jobs(case: Case, tmp_path: Path) -> None:
    """Both say what one boot says, and no step is booted twice."""
    both = [begin(tmp_path, case.kernel, case.targets, "--segments", "steps", "--jobs", "2") for _ in range(2)]
    reports = [end(process) for process in both]
    assert [hashes(report) for report in reports] == [hashes(case.once)] * 2
    assert {report["verdict"] for report in reports} == {case.once["verdict"]}
    each = zip(*(report["segments"]["segments"] for report in reports), strict=True)
    assert all(sorted(one["earlier"] is None for one in pair) == [False, True] for pair in each)


def test_a_worker_of_a_cluster_is_killed_half_way(case: Case, tmp_path: Path) -> None:
    """Its step runs on another; what is said is what one boot says."""
    steps = max(output["step"] for output in case.once["outputs"])
    process = begin(tmp_path, case.kernel, case.targets, "--seal", "steps", "--cluster", "local:3")
    assert process.stderr is not None
    half = f"step {steps // 2 + 1}/"
    assert any(half in line for line in process.stderr)
    lost = kill_a_worker_that_boots(psutil.Process(process.pid))
    _, alive = psutil.wait_procs(lost, timeout=60)
    assert not alive  # a machine ends with its worker
    report = end(process)
    says_the_same(case, report, tmp_path)
    segments = report["segments"]["segments"]
    assert len(segments) == steps and all(segment["worker"] and segment["earlier"] is None for segment in segments)
    assert len({segment["worker"] for segment in segments}) > 1
