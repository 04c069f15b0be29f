"""Which cut a run gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xboot.boot import RunOptions
from xboot.hooks import hookimpl
from xboot.model import BackendInfo
from xboot.plugins import Plugins
from xboot.request import USUAL_CUT, Request
from xboot.segments.wanted import settle_cut, wanted_cut
from xboot.testing import FakeMachine
from xboot.voter import Voter


class Backend:
    def __init__(self, name: str, *abilities: str) -> None:
        self._info = BackendInfo(name, "one of a test", ["i686-linux"], abilities=abilities, contract=2)

    @hookimpl
    def xboot_backend(self) -> BackendInfo:
        return self._info


@pytest.fixture
def plugins() -> Plugins:
    found = Plugins()
    found.add(Backend("whole", "export"), "test:whole")
    found.add(Backend("mute"), "test:mute")
    found.add(FakeMachine("qemu"), "test:machine")
    found.add(FakeMachine("blind", abilities=("exit-status",)), "test:blind")
    return found


@pytest.mark.parametrize(
    ("seal", "segments", "how"),
    [(None, None, USUAL_CUT), ("steps", None, "steps"), ("run", None, "none"), (None, "auto", "auto"), ("run", "3", "3")],
)  # fmt: skip
def test_what_the_user_said(seal: str | None, segments: str | None, how: str) -> None:
    assert wanted_cut(seal, segments) == how


@pytest.mark.parametrize(
    ("voters", "run", "how"),
    [
        ([Voter("whole")], RunOptions(), "steps"),
        ([Voter("whole"), Voter("whole", "", "blind")], RunOptions(), "none"),  # a machine that reads no memory
        ([Voter("mute")], RunOptions(), "none"),  # a guest that brings nothing out
        ([Voter("whole")], RunOptions(keep=Path("kept")), "none"),
        ([Voter("whole")], RunOptions(gdb="1234"), "none"),
    ],
)
def test_unless_the_user_says_how_steps_are_sealed_where_they_can_be(
    plugins: Plugins, voters: list[Voter], run: RunOptions, how: str
) -> None:
    wished = Request(voters=voters, run=run)
    assert settle_cut(wished, voters, plugins) == replace(wished, segments=how)


@pytest.mark.parametrize("how", ["none", "auto", "steps", "7"])
def test_what_the_user_says_stands(plugins: Plugins, how: str) -> None:
    for voter in (Voter("whole"), Voter("mute")):
        assert settle_cut(Request(segments=how), [voter], plugins).segments == how
