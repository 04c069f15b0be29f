"""Machines that crash, hang, flood or cheat: what the boot stage and compare make of them. No emulator is needed."""

from __future__ import annotations

import hashlib
import re
import struct
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

import xboot.boot.run
from xboot.boot import RunOptions
from xboot.boot.channel import Message
from xboot.compare import Agreement, choose_voters, compare
from xboot.errors import BackendError, PluginError, UsageError
from xboot.hooks import BackendOptions, hookimpl
from xboot.machine import End, ProcessCarrier
from xboot.model import Boot, BootImage, Component, Event, Phase, Script, Source, SourceKind, Status, Step, StepOutput, Verdict
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.show import report
from xboot.show.progress import closing_sentence
from xboot.testing import FakeBackend, FakeMachine, Say, good_run
from xboot.voter import Voter, parse_voters

STORE = "/nix/store"
SRC = f"{STORE}/{'0' * 32}-src"


def path(number: int) -> str:
    return f"{STORE}/{number:032d}-out"


def script(steps: int = 3) -> Script:
    made = [
        Step(n, f"{STORE}/{n}.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [SRC], [StepOutput("out", path(n))])
        for n in range(1, steps + 1)
    ]
    return Script(b"text", "5" * 64, STORE, [Source(SRC, SourceKind.NAR, Path("/x"), "a" * 64, 120)], made, [path(steps)])


def run(acts, machine: FakeMachine | None = None, observer: object = None, **options: object) -> Verdict:
    plugins = Plugins()
    if observer is not None:
        plugins.add(observer, "test:observer")
    plugins.add(FakeBackend("fake", acts), "test:fake")
    plugins.add(machine or FakeMachine(), "test:machine")
    assert not plugins.broken
    request = Request(voters=[Voter("fake", machine="fake")], run=RunOptions(**options))  # type: ignore[arg-type]
    return Pipeline(plugins, "fake").run(request, script()).verdict


def until(number: int):
    """A good run up to the begin of step `number`."""
    return lambda s: [act for act in good_run(s)[: good_run(s).index(Say(f'(begin "NONCE" {number})')) + 1]]


def test_a_good_run() -> None:
    verdict = run(good_run)
    assert verdict.ok
    assert [o.status for o in verdict.outputs] == [Status.UNKNOWN] * 3
    assert report.exit_code(verdict) == 0


@pytest.mark.parametrize("byte", [0, 1, 0x21, 0x11, 0x30, 99])
def test_done_without_the_byte_for_success(byte: int) -> None:
    verdict = run(lambda s: [*good_run(s)[:-1], Say(exit=byte)])
    assert f"ended with {byte:#04x}" in verdict.failure
    assert "said that it was done; success is 0x31" in verdict.failure
    assert ("gave up" in verdict.failure) is (byte == 0x11)
    assert report.exit_code(verdict) == 6


@pytest.mark.parametrize("words", ["ended with status 0", "ended with status 49", "was killed by SIGSEGV"])
def test_done_and_no_byte_at_all(words: str) -> None:
    verdict = run(lambda s: [*good_run(s)[:-1], Say(dies=words)])
    assert f"the machine {words} when the guest said that it was done; success is 0x31" in verdict.failure


def test_the_byte_for_success_without_done() -> None:
    verdict = run(lambda s: [*good_run(s)[:-2], Say(exit=0x31)])
    assert "ended with 0x31" in verdict.failure or "channel closed" in verdict.failure
    assert not verdict.ok


@pytest.mark.parametrize("ending", [Say(exit=0), Say(exit=0x11), Say(dies="was killed by SIGSEGV")])
def test_a_crash_in_a_step(ending: Say) -> None:
    verdict = run(lambda s: [*until(2)(s), Say(console="Kernel panic - not syncing: \x1b[31mno\n"), ending])
    assert f"step 2 ({STORE}/2.drv)" in verdict.failure
    assert verdict.failed_step == 2
    assert "Kernel panic - not syncing: \\x1b[31mno" in verdict.console_tail
    assert [o.status for o in verdict.outputs] == [Status.UNKNOWN, Status.NOT_RUN, Status.NOT_RUN]


def test_silence_at_boot() -> None:
    start = time.monotonic()
    verdict = run(lambda s: [Say(wait=60)], boot_timeout=1.0)
    assert time.monotonic() - start < 10
    assert "no end within the boot limit of 1 s at the start" in verdict.failure


def test_a_hang_in_a_step() -> None:
    verdict = run(lambda s: [*until(3)(s), Say(wait=60)], step_timeout=1.0)
    assert f"no end within the step limit of 1 s at step 3 ({STORE}/3.drv)" in verdict.failure


def test_the_run_limit() -> None:
    verdict = run(lambda s: [*until(3)(s), Say(wait=60)], run_timeout=1.5)
    assert "no end within the run limit of 1.5 s" in verdict.failure


def test_not_ending_after_done() -> None:
    verdict = run(lambda s: [*good_run(s)[:-1], Say(wait=60)])
    assert "did not end within" in verdict.failure


def test_a_flood_on_the_console(tmp_path: Path) -> None:
    verdict = run(lambda s: [*until(2)(s), Say(console="x" * 65536, times=400), *good_run(s)[5:]], log=tmp_path / "log")
    assert verdict.ok, verdict.failure
    assert len(verdict.console_tail) <= 16384
    assert (tmp_path / "log").stat().st_size == 65536 * 400


def test_a_flood_on_the_console_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xboot.boot.run.MAX_LOG", 100_000)
    verdict = run(lambda s: [*until(2)(s), Say(console="x" * 65536, times=40), *good_run(s)[5:]], log=tmp_path / "log")
    assert verdict.ok, verdict.failure
    log = (tmp_path / "log").read_bytes()
    assert log.count(b"x") in range(100_000, 100_010)
    assert log.endswith(b"the rest is dropped\n")


def test_a_long_step_says_from_time_to_time_that_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Observers and the log hear which step, for how long, and what the console said last, as one line that no terminal obeys."""
    monkeypatch.setattr("xboot.boot.run._QUIET", 0.0)
    stop, said = threading.Event(), []

    class Watch:
        contract_version = 2

        @hookimpl
        def xboot_event(self, event: Event) -> None:
            if event.phase is Phase.RUNNING and "make[2]" in event.text:
                said.append(event)
                stop.set()

    words = "first\n\x1b[2Jmake[2]: *** half of a line"
    verdict = run(lambda s: [*until(2)(s), Say(console=words), Say(wait=600)], log=tmp_path / "log", stop=stop, observer=Watch())
    assert "interrupted at step 2" in verdict.failure
    assert said[0].step == 2
    last = "the console's last words: \\x1b[2Jmake[2]: *** half of a line"
    assert re.fullmatch(rf"has run for \d+ s; {re.escape(last)}", said[0].text)
    log = (tmp_path / "log").read_text()
    assert re.search(rf"^xboot: step 2 \({STORE}/2\.drv\) has run for \d+ s; {re.escape(last)}$", log, re.M), log


@pytest.mark.parametrize(
    "bad",
    [
        Say("(done)"),
        Say('(done "00000000000000000000000000000000")'),
        Say("\x00\x01\x02"),
        Say("x" * (2 << 20)),
        Say('(output "NONCE" 1 "other" "sha256" "' + "a" * 64 + '" 120 ())'),
        Say('(output "NONCE" 2 "out" "sha256" "' + "a" * 64 + '" 120 ())'),
        Say('(hello "NONCE" "SCRIPT")'),
    ],
)
def test_breaking_the_grammar_ends_the_run(bad: Say) -> None:
    verdict = run(lambda s: [*until(1)(s), bad, *good_run(s)[3:]])
    assert verdict.failure
    assert "step 1" in verdict.failure
    assert report.exit_code(verdict) == 6


def test_another_greeting() -> None:
    verdict = run(lambda s: [Say("(xboot 2)", raw=True), Say("\n", raw=True), Say(wait=5)])
    assert "first line on the result channel was not (xboot 1)" in verdict.failure


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (Say(exit=0x31), "the machine ended with 0x31 when the guest was at step 1"),
        (Say(dies="was ended by its guard"), "the machine was ended by its guard when the guest was at step 1"),
    ],
)
def test_a_line_that_breaks_off(end: Say, why: str) -> None:
    """Why the machine ended says more than the line that it did not say."""
    verdict = run(lambda s: [*until(1)(s), Say('(output "NONCE" 1 "o', raw=True), end])
    assert not verdict.ok and why in verdict.failure


def test_a_reported_failure() -> None:
    verdict = run(lambda s: [*until(2)(s), Say('(fail "NONCE" 2 exit "status 3")'), Say(exit=0x21)])
    assert verdict.failure == f"step 2 ({STORE}/2.drv) failed: status 3 [exit]"
    verdict = run(lambda s: [*until(2)(s), Say('(fail "NONCE" 2 exit "status 3")'), Say(exit=0x31)])
    assert "not with 0x21" in verdict.failure


# ---------------------------------------------------------------- machines that can do less


def test_without_an_exit_status_done_alone_must_do() -> None:
    verdict = run(good_run, FakeMachine(abilities=()))
    assert verdict.ok
    assert verdict.done_alone
    assert "machine fake has no exit status, so this rests on the guest's `done` alone" in closing_sentence(verdict, script())
    other = run(good_run)
    assert not other.done_alone
    assert "exit status" not in closing_sentence(other, script())


@pytest.mark.parametrize("ending", [Say(exit=0x21), Say(exit=0x11), Say(dies="ended with status 1"), Say(wait=60)])
def test_without_an_exit_status_nothing_after_done_counts(ending: Say) -> None:
    start = time.monotonic()
    assert run(lambda s: [*good_run(s)[:-1], ending], FakeMachine(abilities=())).ok
    assert time.monotonic() - start < 4


@pytest.mark.parametrize("ending", [Say(exit=0x31), Say(dies="was killed by SIGSEGV")])
def test_without_an_exit_status_done_is_still_asked_for(ending: Say) -> None:
    verdict = run(lambda s: [*good_run(s)[:-2], ending], FakeMachine(abilities=()))
    assert not verdict.ok
    assert [o.status for o in verdict.outputs] == [Status.UNKNOWN] * 3


def test_without_an_exit_status_a_failure_is_reported() -> None:
    verdict = run(lambda s: [*until(2)(s), Say('(fail "NONCE" 2 exit "status 3")'), Say(wait=60)], FakeMachine(abilities=()))
    assert verdict.failure == f"step 2 ({STORE}/2.drv) failed: status 3 [exit]"


def test_what_cannot_read_memory_refuses_to_export(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="machine fake cannot read its guest's memory"):
        run(good_run, FakeMachine(abilities=("exit-status",)), export=tmp_path / "e")
    assert not (tmp_path / "e").exists()


def exporting(content: str, said: int | None = None, memory: str | None = None):
    """A run whose last output is brought out: a NAR of one file, in pieces of at most 100 bytes, which may be other than it says."""
    whole = nar_of(content.encode())
    size = len(whole) if said is None else said

    def acts(s: Script) -> list[Say]:
        good = good_run(s)
        line = f'(output "NONCE" 3 "out" "sha256" "{hashlib.sha256(whole).hexdigest()}" {size} ())'
        pieces = [
            Say(f'(export "NONCE" 3 "out" {at} {min(100, size - at)})', memory=(memory or whole.decode("latin-1"))[at : at + 100], ack=True)
            for at in range(0, size, 100)
        ]
        return [*good[:-3], Say(line), *pieces, *good[-2:]]

    return acts


def nar_of(content: bytes) -> bytes:
    def word(data: bytes) -> bytes:
        return struct.pack("<Q", len(data)) + data + bytes(-len(data) % 8)

    words = (b"nix-archive-1", b"(", b"type", b"regular", b"contents", content, b")")
    return b"".join(map(word, words))


def test_an_output_is_brought_out_through_memory(tmp_path: Path) -> None:
    verdict = run(exporting("hello\n" * 50), export=tmp_path / "e", export_paths=[path(3)])
    assert verdict.ok, verdict.failure
    assert verdict.exports[path(3)].read_bytes() == nar_of(b"hello\n" * 50)


def test_an_output_that_was_asked_for_and_does_not_come_out_is_a_failure(tmp_path: Path) -> None:
    verdict = run(good_run, export=tmp_path / "e", export_paths=[path(3)])
    assert not verdict.ok
    assert f"did not bring out {path(3)}" in verdict.failure


def test_pieces_of_an_export_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest may bring an output out byte by byte."""
    kept: list[Message] = []
    judged = xboot.boot.run.judge
    monkeypatch.setattr("xboot.boot.run.judge", lambda image, messages, *more: (kept.extend(messages), judged(image, messages, *more))[1])
    verdict = run(exporting("hello\n" * 50), export=tmp_path / "e", export_paths=[path(3)])
    assert verdict.ok, verdict.failure
    assert kept
    assert Phase.EXPORT not in {message.phase for message in kept}


@pytest.mark.parametrize("number, words", [(9, "SIGKILL"), (40, "signal 40"), (64, "SIGRTMAX")])
def test_a_machine_that_is_killed_by_any_signal(number: int, words: str) -> None:
    assert ProcessCarrier.end_of(cast("Any", None), -number) == End(None, f"was killed by {words}")


@pytest.mark.parametrize("memory", ["x" * 1000, nar_of(b"hellO\n" * 50).decode("latin-1"), "short"])
def test_memory_that_is_not_what_was_hashed(tmp_path: Path, memory: str) -> None:
    verdict = run(exporting("hello\n" * 50, memory=memory), export=tmp_path / "e", export_paths=[path(3)])
    assert path(3) in verdict.failure
    assert list((tmp_path / "e").iterdir()) == []


def test_an_accelerator_that_the_machine_has_not() -> None:
    with pytest.raises(UsageError, match="--accel kvm: machine fake has only fake"):
        run(good_run, accelerator="kvm")
    assert run(good_run).accelerator == "fake"


def test_usual_deadlines_follow_the_pace_and_chosen_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xboot.boot.run.BOOT_TIMEOUT", 0.5)
    slow = lambda s: [Say(wait=1.0), Say("(xboot 2)", raw=True), Say("\n", raw=True)]  # noqa: E731
    assert "boot limit of 0.5 s" in run(slow).failure
    assert "first line" in run(slow, FakeMachine(pace=10.0)).failure
    assert "boot limit of 0.3 s" in run(slow, FakeMachine(pace=10.0), boot_timeout=0.3).failure


def test_a_machine_that_plays_for_any_backend() -> None:
    class Other(FakeBackend):
        def boot(self, image: BootImage, options: BackendOptions) -> Boot:
            image.files["acts"].write_text("no acts in here")
            return super().boot(image, options)

    plugins = Plugins()
    for number, plugin in enumerate((Other("other"), FakeMachine("empty"), FakeMachine("good", script()))):
        plugins.add(plugin, f"test:{number}")
    assert Pipeline(plugins, "other").run(Request(voters=[Voter("other", machine="good")]), script()).verdict.ok
    with pytest.raises(BackendError, match="backend other does not boot on machine empty, which has been given no acts"):
        Pipeline(plugins, "other").run(Request(voters=[Voter("other", machine="empty")]), script())
    with pytest.raises(UsageError, match="there is no machine 'qemu'"):
        Pipeline(plugins, "other").run(Request(voters=[Voter("other")]), script())


def test_only_files_of_the_image_are_booted(tmp_path: Path) -> None:
    class Sly(FakeBackend):
        def boot(self, image: BootImage, options: BackendOptions) -> Boot:
            return replace(super().boot(image, options), kernel=tmp_path / "another kernel")

    plugins = plugins_of(Sly("sly"))
    with pytest.raises(PluginError, match=r"boots .*another kernel, which is no file of the image"):
        Pipeline(plugins, "sly").run(Request(voters=[Voter("sly", machine="fake")]), script())


# ---------------------------------------------------------------- what stays of an image


def test_what_was_booted_is_what_is_measured() -> None:
    result = Pipeline(plugins_of(FakeBackend("fake")), "fake").run(Request(voters=[Voter("fake", machine="fake")], measure=True), script())
    assert [(c.name, c.sha256) for c in result.components] == [("acts", result.image.sha256)]
    assert [c.name for c in result.below] == ["fake machine", "host kernel"]
    assert not Pipeline(plugins_of(FakeBackend("fake")), "fake").run(Request(voters=[Voter("fake", machine="fake")]), script()).components


def test_a_verdict_stands_where_nothing_can_be_measured() -> None:
    class Short(FakeBackend):
        def components(self, image: BootImage) -> list[Component]:
            return []

    result = Pipeline(plugins_of(Short("fake")), "fake").run(Request(voters=[Voter("fake", machine="fake")], measure=True), script())
    assert result.verdict.ok and not result.components
    assert "its components have 0 bytes, its image" in result.unmeasured


def test_an_image_in_another_name_is_refused() -> None:
    class Borrowed(FakeBackend):
        def package(self, *arguments: Any) -> BootImage:
            return replace(super().package(*arguments), backend="linux")

    with pytest.raises(PluginError, match="returned an image of backend linux"):
        Pipeline(plugins_of(Borrowed("fake")), "fake").run(Request(voters=[Voter("fake", machine="fake")]), script())


def test_an_image_is_kept_with_its_command(tmp_path: Path) -> None:
    assert run(good_run, keep=tmp_path / "deep" / "kept").ok
    kept = tmp_path / "deep" / "kept"
    assert sorted(path.name for path in kept.iterdir()) == ["acts", "command", "script"]
    assert (kept / "script").read_bytes() == script().text
    assert (kept / "command").read_text().splitlines()[-2:] == ['cd "$(dirname "$0")" || exit', "exec fake-machine acts"]
    assert (kept / "command").stat().st_mode & 0o111
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        run(good_run, keep=tmp_path / "file")


def test_a_debugger_that_the_machine_has_not() -> None:
    with pytest.raises(UsageError, match="--gdb: machine fake has no debugger"):
        run(good_run, gdb="1234")


# ---------------------------------------------------------------- compare


def plugins_of(*backends: FakeBackend) -> Plugins:
    plugins = Plugins()
    for backend in backends:
        plugins.add(backend, f"test:{backend.info.name}")
    plugins.add(FakeMachine(abilities=("exit-status",)), "test:machine")
    assert not plugins.broken
    return plugins


def compared(*backends: FakeBackend, quorum: int | None = None, **options: object):
    plugins = plugins_of(*backends)
    request = Request(machine="fake", run=RunOptions(**options), quorum=quorum)  # type: ignore[arg-type]
    return compare(script(), request, plugins)


def flipped(s: Script) -> list[Say]:
    return good_run(s, {path(2): "f" * 64, path(3): "e" * 64})


def test_backends_that_agree() -> None:
    comparison = compared(FakeBackend("a"), FakeBackend("b"), FakeBackend("c"))
    assert comparison.agreement is Agreement.AGREED
    assert comparison.complete == ["a", "b", "c"]
    assert all(set(o.hashes) == {"a", "b", "c"} for o in comparison.outputs)


def test_the_first_diverging_step_is_named() -> None:
    comparison = compared(FakeBackend("a"), FakeBackend("b", flipped), FakeBackend("c"))
    assert comparison.agreement is Agreement.DIFFERS
    first = comparison.first_divergence
    assert first is not None
    assert (first.step, first.drv) == (2, f"{STORE}/2.drv")
    assert [o.path for o in comparison.outputs if not o.agreed] == [path(2), path(3)]


def test_a_crash_is_no_evidence() -> None:
    crashing = FakeBackend("b", lambda s: [*until(2)(s), Say(exit=0)])
    comparison = compared(FakeBackend("a"), crashing)
    assert comparison.agreement is Agreement.COULD_NOT_RUN
    assert "step 2" in comparison.failures["b"]
    assert comparison.complete == ["a"]
    assert compared(FakeBackend("a"), FakeBackend("c"), crashing, quorum=2).agreement is Agreement.AGREED


def test_a_difference_before_a_crash_counts() -> None:
    comparison = compared(FakeBackend("a"), FakeBackend("b", lambda s: [*flipped(s)[:6], Say(exit=0)]), quorum=1)
    assert comparison.agreement is Agreement.DIFFERS


def test_one_alone_is_no_agreement() -> None:
    assert compared(FakeBackend("a")).agreement is Agreement.COULD_NOT_RUN
    assert compared(FakeBackend("a"), quorum=1).agreement is Agreement.AGREED


def test_agreeing_on_the_wrong_hash_is_a_difference() -> None:
    comparison = compared(FakeBackend("a"), FakeBackend("b"), expected={path(3): {"--expect": "0" * 64}})
    assert comparison.agreement is Agreement.DIFFERS
    assert comparison.wrong == [path(3)]


def test_what_cannot_take_the_system_is_not_counted() -> None:
    plugins = plugins_of(FakeBackend("a"), FakeBackend("big", systems=["x86_64-linux"]))
    chosen, skipped = choose_voters(Request(machine="fake"), script(), plugins)
    assert list(chosen) == [Voter("a")]
    assert "i686-linux" in skipped["big"]


def test_nonsense_is_refused() -> None:
    plugins = plugins_of(FakeBackend("a"), FakeBackend("b"))
    with pytest.raises(UsageError, match="named twice"):
        choose_voters(Request(voters=parse_voters(["a,a"]), machine="fake"), script(), plugins)
    with pytest.raises(UsageError, match="no backend 'c'"):
        choose_voters(Request(voters=parse_voters(["a,c"]), machine="fake"), script(), plugins)
    with pytest.raises(UsageError, match="--quorum 3"):
        compare(script(), Request(machine="fake", quorum=3), plugins)


def test_the_script_of_another_run_is_noticed() -> None:
    other = replace(script(), sha256="6" * 64)
    verdict = run(lambda s: [Say(f'(hello "NONCE" "{other.sha256}")')])
    assert "6" * 64 in verdict.failure


@pytest.mark.parametrize(
    ("acts", "hinted"),
    [
        ([Say('(fail "NONCE" 2 signal "the builder was killed by signal 11")'), Say(exit=0x21)], True),
        ([Say('(fail "NONCE" 2 limit "memory")'), Say(exit=0x21)], True),
        ([Say(console="sh: cannot create x: No space left on device\n", wait=0.2), Say('(fail "NONCE" 2 exit "1")'), Say(exit=0x21)], True),
        ([Say(console="virtual memory exhausted: Cannot allocate memory\n", wait=0.2), Say(exit=0x11)], True),
        ([Say('(fail "NONCE" 2 exit "the builder ended with status 1")'), Say(exit=0x21)], False),
    ],
    ids=["signal", "limit", "full", "panic", "plain"],
)
def test_who_may_have_run_out_of_memory_is_told_of_the_option(acts: list[Say], hinted: bool) -> None:
    verdict = run(lambda s: [*until(2)(s), *acts])
    assert verdict.failure
    assert ("--memory" in verdict.hint) == hinted
    assert report.exit_code(verdict) == 6
