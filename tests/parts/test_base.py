"""Whether the base is the locked one is said of what was made, not of the process: in run, report, comparison and measures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from a_mirror import CONTENT, PART
from rich.console import Console

from xboot import api
from xboot.cache import Cache
from xboot.hooks import BackendOptions, Notify
from xboot.model import EMPTY_SCRIPT, Artifact, Boot, BootImage, Protocol, Role, Verdict
from xboot.parts import Lock, Suite, drifted, obtain_part, watched
from xboot.parts.base import handed_out, kept
from xboot.plugins import Plugins
from xboot.result import Result
from xboot.show import report
from xboot.show.progress import show_verdict
from xboot.testing import FakeBackend, FakeMachine
from xboot.voter import Voter


def test_words() -> None:
    with watched() as base:
        pass
    assert str(base) == ""
    with watched() as base:
        kept()
    assert str(base) == "locked"
    with watched() as base:
        kept()
        drifted("tool 2")
        drifted("gcc of this machine")
        drifted("tool 2")
    assert str(base) == "drifted: tool 2, gcc of this machine"
    drifted("nobody watches")


def test_each_thread_sees_its_own() -> None:
    def one(name: str) -> str:
        with watched() as base:
            drifted(name)
            return str(base)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, "abcd")) == [f"drifted: {name}" for name in "abcd"]


def test_threads_that_nobody_watches_are_seen_by_all_who_watch() -> None:
    """A backend may prepare in threads of its own; what they take counts, even if it then counts for others, too."""
    artifact = Artifact("executor", Path("executor"), "5" * 64, 1, Role.EXECUTOR, "1", "1")

    def take() -> None:
        drifted("gcc of this machine")
        handed_out(artifact)

    with ThreadPoolExecutor(1) as pool, watched() as outer:
        pool.submit(take).result()
        with watched() as inner:
            pool.submit(take).result()
    take()
    assert str(outer) == str(inner) == "drifted: gcc of this machine"
    assert (outer.handed, inner.handed) == ([artifact] * 2, [artifact])


@pytest.mark.usefixtures("alone")
def test_a_part_of_the_lock_is_locked(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PART.file_name).write_bytes(CONTENT)
    monkeypatch.setenv("XBOOT_MIRROR", str(tmp_path))
    for lock, said in ((Lock({"bookworm": Suite("bookworm")}, {}, [PART]), "locked"), (Lock({}, {}, []), "")):
        with watched() as base:
            obtain_part(PART, cache, lock)
        assert str(base) == said


class Drifting(FakeBackend):
    """Makes its kernel from something else than what is locked."""

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        kept()
        drifted("linux-source-9.9 9.9-1")
        return super().prepare(options, notify)


def test_a_run_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path))
    measures = {}
    for kind in (FakeBackend, Drifting):
        plugins = Plugins()
        plugins.add(kind("linux"), "test:linux")
        plugins.add(FakeMachine("qemu"), "test:qemu")
        (measures[kind],) = api.tcb(plugins=plugins, voters="linux")
    assert measures[FakeBackend].base == "" and measures[Drifting].base == "drifted: linux-source-9.9 9.9-1"
    assert measures[FakeBackend].digest != measures[Drifting].digest
    assert replace(measures[Drifting], base="").digest == replace(measures[Drifting], base="locked").digest == measures[FakeBackend].digest


@pytest.mark.parametrize(("base", "shown"), [("", False), ("locked", False), ("drifted: tool 2", True)])
def test_the_verdict_and_the_report_say_so(base: str, shown: bool) -> None:
    verdict = Verdict("fake", "3" * 64, "4" * 64, "tcg", (), "", None, 9.25)
    image = BootImage("fake", EMPTY_SCRIPT, {}, (), {}, "4" * 64)
    result = Result(Voter("fake", "c", "fake"), {}, EMPTY_SCRIPT, image, Boot(Protocol.PVH, Path("kernel"), 16), verdict, base=base)
    console = Console(file=io.StringIO(), width=200)
    show_verdict(console, result)
    assert ("base: drifted: tool 2\n" in console.file.getvalue()) == shown  # type: ignore[attr-defined]
    assert report.report(result)["base"] == (base or None)
