"""What `xboot compare` shows while it runs, and how it shares the machine. The backends are machines without a kernel."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from xboot.api import request
from xboot.backend import Backend
from xboot.budget import MemoryBudget, cores, free_memory
from xboot.cli.compare import run_comparison
from xboot.compare import Agreement, compare
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, Boot, BootImage, Event, Phase, Protocol, Script, Step, StepOutput
from xboot.pipeline import Request
from xboot.plugins import Plugins
from xboot.recipe import default_store_folder
from xboot.show.comparison import comparison_report
from xboot.show.live import LiveTable
from xboot.testing import FakeBackend, FakeMachine, Say, good_run
from xboot.voter import parse_voters

CHAIN = Path(__file__).parents[2] / "examples" / "chain" / "recipe.toml"
STORE = "/nix/store"


def script(steps: int = 3) -> Script:
    def path(n: int) -> str:
        return f"{STORE}/{n:032d}-thing{n}"

    made = [
        Step(n, f"{path(n)}.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [], [StepOutput("out", path(n))])
        for n in range(1, steps + 1)
    ]
    return Script(b"text", "5" * 64, STORE, [], made, [path(steps)])


def plugins_of(*backends: Backend) -> Plugins:
    plugins = Plugins()
    for backend in backends:
        plugins.add(backend, f"test:{backend.info.name}")
    plugins.add(FakeMachine(abilities=("exit-status",)), "test:machine")
    assert not plugins.broken
    return plugins


def slowly(seconds: float) -> Callable[[Script], list[Say]]:
    return lambda s: [*good_run(s)[:2], Say(wait=seconds), *good_run(s)[2:]]


def machines(*voters: str) -> Request:
    return Request(voters=parse_voters(voters), machine="fake")


def needs(memory: int) -> Boot:
    return Boot(Protocol.PVH, Path("kernel"), memory)


class Wide(FakeBackend):
    """Needs a lot of memory."""

    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        return replace(super().boot(image, options), memory=1000)


class Odd(FakeBackend):
    """Breaks on the host."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(name)
        self._error = error

    def prepare(self, options: BackendOptions, notify: Notify) -> dict[str, Artifact]:
        raise self._error


# ---------------------------------------------------------------- sharing the machine


def spans(backends: list[FakeBackend], **options: int) -> list[tuple[float, float]]:
    """When each machine began its first step, and when it was done."""
    began: dict[str, float] = {}
    ended: dict[str, float] = {}

    class Watch(LiveTable):
        contract_version = 2

        def xboot_event(self, event: Event) -> None:
            if event.phase is Phase.BEGIN:
                began.setdefault(event.voter, time.monotonic())
            if event.phase is Phase.DONE:
                ended[event.voter] = time.monotonic()

    from xboot.hooks import hookimpl

    Watch.xboot_event = hookimpl(Watch.xboot_event)  # type: ignore[method-assign]
    plugins = plugins_of(*backends)
    plugins.add(Watch(Console(file=io.StringIO())), "test:watch")
    assert not plugins.broken
    wished = replace(machines(*(b.info.name for b in backends)), jobs=options.get("jobs"))
    comparison = compare(script(), wished, plugins, memory=options.get("memory"))
    assert comparison.agreement is Agreement.AGREED
    return sorted((began[name], ended[name]) for name in began)


def overlapping(found: list[tuple[float, float]]) -> bool:
    return any(later[0] < earlier[1] for earlier, later in pairwise(found))


def test_side_by_side_when_there_is_room() -> None:
    assert overlapping(spans([Wide("a", slowly(1.5)), Wide("b", slowly(1.5))], jobs=2, memory=4000))


def test_one_after_the_other_when_memory_is_short() -> None:
    assert not overlapping(spans([Wide("a", slowly(0.3)), Wide("b", slowly(0.3)), Wide("c", slowly(0.3))], jobs=3, memory=1500))


def test_one_after_the_other_when_told_so() -> None:
    assert not overlapping(spans([FakeBackend("a", slowly(0.3)), FakeBackend("b", slowly(0.3))], jobs=1))


def test_a_machine_larger_than_all_memory_runs_alone() -> None:
    budget = MemoryBudget(10)
    with budget.admit(needs(1000)):
        waiting = threading.Thread(target=lambda: budget.admit(needs(1)).__enter__())
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(5)
    assert not waiting.is_alive()


def test_this_machine() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
    assert 0 < free_memory() < 1 << 30


# ---------------------------------------------------------------- one backend's trouble is its own


@pytest.mark.parametrize("error", [ValueError("odd"), OSError(28, "No space left on device", "/full"), RuntimeError("no kernel")])
def test_a_backend_that_breaks_is_named_and_the_others_agree(error: Exception) -> None:
    plugins = plugins_of(FakeBackend("a"), Odd("broken", error), FakeBackend("c"))
    comparison = compare(script(), replace(machines("a,broken,c"), quorum=2), plugins)
    assert comparison.agreement is Agreement.AGREED
    assert comparison.complete == ["a", "c"]
    assert str(error.args[-1]) in comparison.failures["broken"]


@pytest.mark.apt
@pytest.mark.compiler
def test_half_way_is_half_evidence(tmp_path: Path) -> None:
    """What a backend built before it crashed is compared; it does not count as a run."""
    plugins = Plugins.load()

    def crash(s: Script) -> list[Say]:
        place = next(i for i, act in enumerate(good_run(s)) if act.line == '(begin "NONCE" 4)')
        return [*good_run(s)[: place + 1], Say(exit=0x11)]

    for backend in (FakeBackend("alpha"), FakeBackend("crashing", crash), FakeBackend("big", systems=["x86_64-linux"])):
        plugins.add(backend, f"test:{backend.info.name}")
    plugins.add(FakeMachine(abilities=("exit-status",)), "test:machine")
    console = Console(file=io.StringIO(), width=300)
    wished = request(str(CHAIN), "alpha,crashing,big", stores=[default_store_folder()], machine="fake", quiet=True)
    comparison, status = run_comparison(wished, tmp_path / "difference", console, plugins)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert status == 6
    assert "could not run: 1 complete run (alpha), 2 needed" in said
    assert "crashing: the machine ended with 0x11 (the kernel or executor gave up) when the guest was at step 4" in said
    assert "absent  big: does not run i686-linux builders" in said
    assert "\x1b" not in said
    assert len(said.splitlines()) < 12  # piped: no table, no progress
    found = json.loads(json.dumps(comparison_report(comparison)))
    assert found["verdict"] == "could not run"
    assert [sorted(o["narSha256"]) for o in found["outputs"][:4]] == [["alpha", "crashing"]] * 3 + [["alpha"]]
    assert set(found["failures"]) == {"crashing"}
    assert set(found["skipped"]) == {"big"}


# ---------------------------------------------------------------- the live table


def drawn(table: LiveTable, width: int = 110, height: int = 30) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False, color_system=None)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_columns_are_backends_and_steps_come_in() -> None:
    table = LiveTable(Console(file=io.StringIO()))
    assert drawn(table).strip() == ""
    table.expect(script(3), ["linux", "mirage", "slow", "bad"])

    def tell(backend: str, phase: Phase, step: int = 0, sha256: str = "", text: str = "", done: float | None = None) -> None:
        table.xboot_event(Event(phase, 1.0, step, "out" if phase is Phase.OUTPUT else "", text, sha256, voter=backend, done=done))

    for backend, value in (("linux", "aaaa1111"), ("mirage", "aaaa1111"), ("bad", "ffff2222")):
        tell(backend, Phase.BEGIN, 1)
        tell(backend, Phase.OUTPUT, 1, value * 8)
    tell("linux", Phase.BEGIN, 2)
    tell("bad", Phase.FAIL, 2)
    tell("mirage", Phase.DONE)
    tell("slow", Phase.PREPARE, text="compiles[/]", done=0.25)
    tell("stranger", Phase.BEGIN, 1)
    lines = drawn(table).splitlines()
    assert lines[0].split() == ["step", "derivation", "linux", "mirage", "slow", "bad"]
    assert lines[1].split() == ["builds", "done", "compiles[/]", "25%", "failed"]
    assert lines[2].split() == ["1", "thing1", "aaaa1111", "aaaa1111", "·", "ffff2222"]
    assert lines[3].split() == ["2", "thing2", "0.0", "s", "·", "·", "failed"]
    assert lines[4].split() == ["3", "thing3", "·", "·", "·", "·"]


def test_while_all_that_is_ahead_was_timed_before_the_rest_is_told() -> None:
    table = LiveTable(Console(file=io.StringIO()))
    table.expect(script(3), ["known", "new"], {"known": {1: 300.0, 2: 4000.0, 3: 600.0}})
    for voter in ("known", "new"):
        table.xboot_event(Event(Phase.BEGIN, 1.0, 1, voter=voter))
    said = drawn(table, 240).splitlines()[1].split()
    assert said in (["~1", "h", "21", "min", "builds"], ["~1", "h", "22", "min", "builds"])  # a second of it may be over
    table.xboot_event(Event(Phase.DONE, 1.0, voter="known"))
    assert drawn(table, 240).splitlines()[1].split() == ["done", "builds"]


@pytest.mark.parametrize("width", [60, 80, 120, 240])
def test_every_voter_is_seen_on_terminals_of_all_widths(width: int) -> None:
    names = ["hurd", "linux", "mirage", "tccboot"]
    table = LiveTable(Console(file=io.StringIO()))
    table.expect(script(3), names)
    for name in names:
        table.xboot_event(Event(Phase.OUTPUT, 1.0, 1, "out", sha256="abcd1234" * 8, voter=name))
    lines = drawn(table, width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert lines[0].split() == ["step", "derivation", *names]
    row = next(line.split() for line in lines if line.split()[:1] == ["1"])
    assert row[2:] == ["abcd1234"] * 4
    assert len(lines) == 5  # nothing wraps


def test_a_long_script_is_shown_around_the_running_step() -> None:
    table = LiveTable(Console(file=io.StringIO()))
    table.expect(script(500), ["a", "b"])
    for backend, step in (("a", 250), ("b", 300)):
        table.xboot_event(Event(Phase.BEGIN, 1.0, step, voter=backend))
    lines = drawn(table, height=24).splitlines()
    assert len(lines) <= 24
    assert any(line.split()[:2] == ["250", "thing250"] for line in lines)
    assert any("after" in line for line in lines)


def test_drawn_on_a_terminal_gone_afterwards() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=30)
    plugins = plugins_of(FakeBackend("left", slowly(0.8)), FakeBackend("right", slowly(0.8)))
    table = LiveTable(console)
    plugins.add(table, "xboot:table")
    assert not plugins.broken
    table.expect(script(), ["left", "right"])
    with table:
        compare(script(), machines("left,right"), plugins)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "left" in text
    assert "right" in text
    assert "\x1b[2K" in text  # the last picture is wiped
    quiet = Console(file=io.StringIO())
    with LiveTable(quiet) as silent:
        silent.expect(script(), ["left"])
    assert quiet.file.getvalue() == ""  # type: ignore[attr-defined]


# ---------------------------------------------------------------- ending early

_SLEEPING = """
import sys
from pathlib import Path
from rich.console import Console
from xboot import plugins
from xboot.cli.app import main
from xboot.testing import FakeBackend, FakeMachine, Say, good_run
load = plugins.Plugins.load.__func__
def loaded(cls):
    found = load(cls)
    found._machines.clear()
    found.add(FakeMachine("qemu", abilities=("exit-status",)), "test:machine")
    for name in ("one", "two", "three"):
        found.add(FakeBackend(name, lambda s: [*good_run(s)[: len(s.sources) + 2], Say(console="here"), Say(wait=600)]), f"test:{name}")
    return found
plugins.Plugins.load = classmethod(loaded)
main()
"""


@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_compare_leaves_nothing_running(tmp_path: Path, kind: signal.Signals) -> None:
    from xboot._workspace import cache_root

    (tmp_path / "cache").mkdir()
    for kept in cache_root().iterdir():
        if kept.name != "runs":
            (tmp_path / "cache" / kept.name).symlink_to(kept)
    env = os.environ | {"XBOOT_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", _SLEEPING, "compare", "--backends", "one,two,three", "--jobs", "2", str(CHAIN)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, env=env, start_new_session=True)
    runs = tmp_path / "cache" / "runs"
    deadline = time.monotonic() + 60
    while len([p for p in runs.glob("run-*/acts")]) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(kind)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert list(runs.glob("run-*")) == []
    group = [p for p in Path("/proc").glob("[0-9]*/stat") if _in_session(p, process.pid)]
    assert group == []


def _in_session(stat: Path, session: int) -> bool:
    try:
        fields = stat.read_text().rsplit(")", 1)[1].split()
    except OSError:
        return False
    return int(fields[3]) == session and fields[0] != "Z"
