"""The plugin manager keeps broken plugins apart, with a reason that names plugin, hook and argument."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.errors import PluginError, UsageError
from xboot.hooks import hookimpl
from xboot.model import BackendInfo, Boot, Ending, Event, Phase, Protocol
from xboot.plugins import Plugins


class Named:
    def __init__(self, name: str, contract: int = 2) -> None:
        self.name, self.contract = name, contract

    @hookimpl
    def xboot_backend(self) -> BackendInfo:
        return BackendInfo(self.name, "a test", ["i686-linux"], contract=self.contract)


def test_two_plugins_with_one_name() -> None:
    plugins = Plugins()
    plugins.add(Named("twin"), "first:twin")
    plugins.add(Named("twin"), "second:twin")
    assert plugins.backends["twin"].origin == "first:twin"
    assert "'twin' is already taken by first:twin" in plugins.broken["second:twin"]


def test_another_contract_version_names_both() -> None:
    plugins = Plugins()
    plugins.add(Named("old", contract=99), "dist:old")
    assert "version 99" in plugins.broken["dist:old"]
    assert "version 2" in plugins.broken["dist:old"]
    assert "old" not in plugins.backends


def test_wrong_argument_is_named() -> None:
    class Wrong:
        contract_version = 2

        @hookimpl
        def xboot_event(self, evnt: Event) -> None: ...

    plugins = Plugins()
    plugins.add(Wrong(), "dist:wrong")
    assert "evnt" in plugins.broken["dist:wrong"]
    assert "xboot_event" in plugins.broken["dist:wrong"]


def test_unknown_hook_is_named() -> None:
    class Misspelt:
        contract_version = 2

        @hookimpl
        def xboot_evnet(self, event: Event) -> None: ...

    plugins = Plugins()
    plugins.add(Misspelt(), "dist:misspelt")
    assert "xboot_evnet" in plugins.broken["dist:misspelt"]


def test_wrong_type_from_backend_hook() -> None:
    class Confused:
        @hookimpl
        def xboot_backend(self) -> str:
            return "linux"

    plugins = Plugins()
    plugins.add(Confused(), "dist:confused")
    assert "returned str, expected BackendInfo" in plugins.broken["dist:confused"]


def test_a_broken_plugin_is_out_of_the_way() -> None:
    seen = []

    class Good:
        contract_version = 2

        @hookimpl
        def xboot_event(self, event: Event) -> None:
            seen.append(event)

    class Raising(Named):
        @hookimpl
        def xboot_backend(self) -> BackendInfo:
            raise RuntimeError("no disk")

        @hookimpl
        def xboot_event(self, event: Event) -> None:
            raise AssertionError("must not be called")

    plugins = Plugins()
    plugins.add(Raising("bad"), "dist:bad")
    plugins.add(Good(), "dist:good")
    plugins.call("xboot_event", event=Event(Phase.STAGE, 0.0))
    assert len(seen) == 1
    assert "no disk" in plugins.broken["dist:bad"]


def test_an_exception_in_a_hook_names_plugin_and_hook() -> None:
    class Raising:
        contract_version = 2

        @hookimpl
        def xboot_read_closure(self, target: str) -> None:
            raise KeyError("gone")

    plugins = Plugins()
    plugins.add(Raising(), "dist:raising")
    with pytest.raises(PluginError, match=r"dist:raising: hook xboot_read_closure raised KeyError"):
        plugins.call("xboot_read_closure", target="x", options=None)


def test_unknown_backend_lists_the_known() -> None:
    plugins = Plugins()
    plugins.add(Named("one"), "dist:one")
    with pytest.raises(UsageError) as caught:
        plugins.backend("two")
    assert caught.value.hint is not None
    assert "one" in caught.value.hint


@pytest.mark.parametrize("byte", [0, 0x40, 0x44, 0x100, -1])
def test_endings_are_bytes_that_no_signal_looks_like(byte: int) -> None:
    with pytest.raises(ValueError, match="is not one of the bytes"):
        Boot(Protocol.PVH, Path("kernel"), 64, endings={byte: Ending.SUCCESS})
