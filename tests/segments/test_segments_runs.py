"""Runs of several boots: what they report, what a guest that lies can win, what is taken from earlier runs, and several at once."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from segments_bench import Bench, hashes, out, packed, verdict_of

from xboot.boot import RunOptions
from xboot.errors import UsageError
from xboot.model import Cause, FixedHash, Phase, ReferenceCheck, Script, SourceKind, Status
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.segments.cut import Segment, segment_script
from xboot.segments.runner import run
from xboot.show.report import report
from xboot.testing import FakeBackend, FakeMachine, good_run
from xboot.voter import Voter

CHAIN = {2: [1], 3: [2], 4: [1, 3]}


def test_it_says_what_one_boot_says(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    sealed = bench.run(script)
    assert bench.booted == ["s1", "s2", "s3", "s4"]
    one = bench.run(script, "none")
    assert sealed.verdict.ok and hashes(sealed) == hashes(one)
    assert [o.references for o in sealed.verdict.outputs] == [o.references for o in one.verdict.outputs]
    assert (sealed.verdict.seal, one.verdict.seal) == ("steps", "run")
    assert one.segments is None and report(one)["segments"] is None


def test_the_report_closes(bench: Bench) -> None:
    """By docs/segments.md: each built source is an output of an earlier segment, and each script follows from that."""
    script = bench.plan(CHAIN, 4)
    result = bench.run(script)
    told = json.loads(json.dumps(report(result)))
    part = told["segments"]
    assert (part["planSha256"], told["seal"], part["cut"]) == (script.sha256, "steps", "steps")
    base = dict(part["base"])
    digest = base.pop("sha256")
    assert hashlib.sha256(json.dumps(base, sort_keys=True, separators=(",", ":")).encode()).hexdigest() == digest
    assert told["imageSha256"] == base["imageSha256"]
    made: dict[str, dict] = {}
    known = {source.path: source for source in script.sources}
    for segment, (first, last) in zip(part["segments"], part["cuts"], strict=True):
        assert segment["steps"] == list(range(first, last + 1)) and segment["baseSha256"] == digest and segment["earlier"] is None
        for source in segment["sources"]:
            if source["kind"] == "built":
                assert {k: made[source["path"]][k] for k in ("narSha256", "narSize", "references")} == {
                    k: source[k] for k in ("narSha256", "narSize", "references")
                }
            else:
                assert source["narSha256"] == known[source["path"]].nar_sha256
        sources = {
            s["path"]: replace(
                script.sources[0], path=s["path"], kind=SourceKind.BUILT, nar_sha256=s["narSha256"], references=s["references"]
            )
            for s in segment["sources"]
            if s["kind"] == "built"
        }
        assert segment_script(script, Segment(segment["number"], first, last), sources).sha256 == segment["scriptSha256"]
        made |= {output["path"]: output for output in segment["outputs"]}
    assert {path: o["narSha256"] for path, o in made.items()} == {o["path"]: o["narSha256"] for o in told["outputs"]}
    # what step 3 refers to comes with it: step 4 sees s2, although it does not declare it
    assert out(2) in [source["path"] for source in part["segments"][3]["sources"]]


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"hashes": {out(2): "f" * 64}}, "the NAR that came out has SHA-256"),
        ({"references": {out(2): []}}, "the host alone finds that it refers to"),
        ({"content": {out(2): b"nothing"}, "references": {out(2): [out(1)]}}, "the guest alone says that it refers to"),
        ({"raw": {out(2): packed(b"x") + b"more"}}, "is no NAR"),
        ({"raw": {out(2): packed(b"x")[:-1] + b"\1"}}, "is no NAR"),
    ],
)
def test_a_guest_that_lies_about_what_it_brings_out(bench: Bench, lie: dict, said: str) -> None:
    for name, value in lie.items():
        setattr(bench.guest, name, value)
    result = bench.run(bench.plan(CHAIN, 4))
    assert said in result.verdict.failure and out(2) in result.verdict.failure
    assert result.verdict.failed_step == 2 and result.verdict.cause is Cause.GUEST
    assert [o.status for o in result.verdict.outputs] == [Status.UNKNOWN, *[Status.NOT_RUN] * 3]
    assert bench.booted == ["s1", "s2"]
    bench.run(bench.plan(CHAIN, 4))
    assert bench.booted == ["s2"]  # of a lie nothing was kept


@pytest.mark.parametrize(
    ("mode", "content", "right"),
    [("flat", b"fixed", True), ("flat", b"other", False), ("recursive", b"fixed", True), ("recursive", b"other", False)],
)
def test_a_fixed_output_is_checked_by_the_host(bench: Bench, mode: str, content: bytes, right: bool) -> None:
    """The guest says that it is right whatever it is."""
    value = hashlib.sha256(b"fixed" if mode == "flat" else packed(b"fixed")).hexdigest()
    bench.guest.content[out(2)] = content
    result = bench.run(bench.plan({}, 2, fixed=FixedHash(mode, value)))
    assert result.verdict.ok is right
    assert right or f"has the {mode} SHA-256" in result.verdict.failure


def test_a_forged_hash_of_a_later_step(bench: Bench) -> None:
    """From step 1 on, whoever owns the kernel says what comes out, and one boot believes it. In a boot of its own step 1 is alone.
    tests/tccboot/test_tccboot_sealed.py does it with a real kernel.
    """
    script = bench.plan({}, 2)
    honest = hashes(bench.run(script, "none"))
    bench.guest.content[out(2)] = b"forged"
    forged = bench.run(script, "none")
    assert forged.verdict.ok and hashes(forged)[out(2)] != honest[out(2)]
    bench.guest.content.clear()  # the second boot has another kernel
    assert hashes(bench.run(script)) == honest


def test_expectations_and_conditions_are_those_of_the_plan(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    wrong = bench.run(script, run=RunOptions(expected={out(3): {"me": "0" * 64}}))
    assert wrong.verdict.differs and not wrong.verdict.ok
    checked = replace(script, checks=[ReferenceCheck(3, "", "allowedReferences", [])])
    result = bench.run(checked)
    assert result.verdict.failure.startswith("step 3 (") and "allowedReferences does not permit" in result.verdict.failure


def test_a_failure_names_the_step_of_the_plan_and_keeps_what_was_before(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    bench.guest.fails.add(out(3))
    result = bench.run(script)
    assert result.verdict.failure.startswith(f"step 3 ({script.steps[2].drv}) failed: its builder ended with 1")
    assert result.verdict.failed_step == 3
    assert [o.status for o in result.verdict.outputs] == [Status.UNKNOWN] * 2 + [Status.NOT_RUN] * 2
    bench.guest.fails.clear()
    again = bench.run(script)
    assert again.verdict.ok and bench.booted == ["s3", "s4"]
    assert again.segments is not None
    taken = [segment.earlier for segment in again.segments.segments]
    assert [one is not None for one in taken] == [True, True, False, False]
    assert taken[0] is not None and taken[0].plan_sha256 == script.sha256


def test_fresh_takes_nothing(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    first = hashes(bench.run(script))
    again = bench.run(script, fresh=True)
    assert bench.booted == ["s1", "s2", "s3", "s4"] and hashes(again) == first
    assert hashes(bench.run(script)) == first and bench.booted == []


def test_a_step_of_another_plan_is_taken_only_if_it_is_the_same_to_the_byte(bench: Bench) -> None:
    first = bench.run(bench.plan({2: [1]}, 2))
    other = bench.run(bench.plan({2: [1], 3: [2]}, 3))
    assert bench.booted == ["s3"] and other.segments is not None
    assert [s.earlier.plan_sha256 if s.earlier else None for s in other.segments.segments] == [first.verdict.script_sha256] * 2 + [None]
    bench.run(bench.plan({2: [1]}, 2, env={b"x": b"y"}))
    assert bench.booted == ["s2"]  # another environment
    bench.run(bench.plan({2: [1]}, 2, content=b"another tree"))
    assert bench.booted == ["s1", "s2"]  # another source


def test_an_input_that_came_out_otherwise_is_another_step(bench: Bench, results: Path) -> None:
    script = bench.plan({2: [1]}, 3)
    bench.run(script)
    bench.guest.content[out(1)] = b"changed"
    verdict_of(results, 1).unlink()
    bench.run(script)
    assert bench.booted == ["s1", "s2"]


@pytest.mark.parametrize("other", [{"voter": Voter("fake", "scheme")}, {"settings": {"colour": "red"}}])
def test_another_base_takes_nothing(bench: Bench, other: dict) -> None:
    script = bench.plan(CHAIN, 4)
    bench.run(script)
    bench.run(script, **other)
    assert len(bench.booted) == 4


def test_results_are_brought_out(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    bench.run(script)
    result = bench.run(script, run=RunOptions(export=bench.folder / "exports"))
    assert bench.booted == []
    (file,) = result.verdict.exports.values()
    assert file.parent == bench.folder / "exports" and file.name == out(4).rsplit("/", 1)[1] + ".nar"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == hashes(result)[out(4)]


def test_the_log_has_every_boot(bench: Bench) -> None:
    log = bench.folder / "log"
    bench.run(bench.plan(CHAIN, 3), run=RunOptions(log=log))
    assert log.read_bytes().splitlines() == [b"xboot: step %d of 3" % n for n in (1, 2, 3)]


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("how", ["steps", "auto", "2", "3"])
def test_every_cut_gives_the_same(bench: Bench, how: str, jobs: int) -> None:
    script = bench.plan({2: [1], 4: [1, 3], 5: [2], 6: [5, 4]}, 6)
    result = bench.run(script, how, jobs=jobs)
    assert result.verdict.ok and sorted(bench.booted) == [f"s{n}" for n in range(1, 7)]
    assert hashes(result) == hashes(bench.run(script, "none"))
    assert result.verdict.seal == ("steps" if how == "steps" else "run")


def test_two_at_once_and_events_in_the_plans_order(bench: Bench) -> None:
    """Steps 1 and 2 meet while they are packed; step 3 needs both. Events come as if one had run after the other."""
    both = threading.Barrier(2, timeout=30)
    bench.meanwhile = lambda script: both.wait() and None if script.results[0] in (out(1), out(2)) else None
    result = bench.run(bench.plan({3: [1, 2]}, 3), jobs=2)
    assert result.verdict.ok and bench.recorder is not None
    told = [(e.phase, e.step) for e in bench.recorder.events if e.phase in (Phase.BEGIN, Phase.OUTPUT, Phase.DONE)]
    assert told == [*((phase, n) for n in (1, 2, 3) for phase in (Phase.BEGIN, Phase.OUTPUT)), (Phase.DONE, 3)]
    assert result.segments is not None and [s.number for s in result.segments.segments] == [1, 2, 3]


def test_of_two_at_once_one_fails(bench: Bench) -> None:
    """What runs beside it is kept; what needs it does not run."""
    both = threading.Barrier(2, timeout=30)
    bench.meanwhile = lambda script: both.wait() and None if script.results[0] in (out(1), out(2)) else None
    bench.guest.fails.add(out(1))
    result = bench.run(bench.plan({3: [1], 4: [2]}, 4), jobs=2)
    assert result.verdict.failed_step == 1
    assert hashes(result)[out(2)] and not hashes(result)[out(3)]
    assert "s3" not in bench.booted


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_this_host_is_raised_and_what_was_verified_is_kept(bench: Bench, jobs: int) -> None:
    def full(script: Script) -> None:
        if script.results[0] == out(3):
            raise OSError(28, "No space left on device", "/somewhere")

    bench.meanwhile = full
    script = bench.plan(CHAIN, 4)
    with pytest.raises(Exception, match=r"No space left|/somewhere"):
        bench.run(script, jobs=jobs)
    bench.meanwhile = None
    assert bench.run(script).verdict.ok and bench.booted == ["s3", "s4"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted(bench: Bench, jobs: int) -> None:
    stop = threading.Event()
    bench.meanwhile = lambda script: stop.set() if script.results[0] == out(3) else None
    script = bench.plan(CHAIN, 4)
    result = bench.run(script, jobs=jobs, run=RunOptions(stop=stop))
    assert result.verdict.cause is Cause.USER and result.verdict.failure.startswith("interrupted ")
    assert [o.status for o in result.verdict.outputs[:2]] == [Status.UNKNOWN] * 2
    bench.meanwhile = None
    assert bench.run(script).verdict.ok and "s1" not in bench.booted and "s2" not in bench.booted


def test_the_whole_runs_deadline_is_for_all_boots(bench: Bench) -> None:
    result = bench.run(bench.plan(CHAIN, 4), run=RunOptions(run_timeout=0.001))
    assert "no end within the run limit" in result.verdict.failure


def test_what_several_boots_cannot_do(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    for options in (RunOptions(gdb="1234"), RunOptions(keep=bench.folder / "kept")):
        with pytest.raises(UsageError, match="about one image"):
            bench.run(script, run=options)
    assert bench.recorder is not None
    plugins = bench.recorder.plugins
    plugins.add(FakeMachine("mute", abilities=("exit-status",)), "test:mute")
    request = replace(_request("steps"), voters=[Voter("fake", machine="mute")])
    with pytest.raises(UsageError, match="cannot read its guest's memory"):
        run(bench.recorder, request, script)


def test_a_backend_that_brings_nothing_out(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    backend = FakeBackend("shut", good_run)
    backend.info = replace(backend.info, abilities=())  # type: ignore[misc]
    plugins = Plugins()
    plugins.add(backend, "test:shut")
    plugins.add(FakeMachine("qemu"), "test:machine")
    with pytest.raises(UsageError, match="backend shut brings nothing out of its guest") as caught:
        run(Pipeline(plugins), replace(_request("steps"), voters=[Voter("shut")]), script)
    assert caught.value.hint is not None and "--seal run" in caught.value.hint


def _request(segments: str):
    from xboot.request import Request

    return Request(voters=[Voter("fake")], segments=segments, export_size=1 << 20)
