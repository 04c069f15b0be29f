"""How voters and settings are written, what is refused before anything slow, and who gets what."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.api import request
from xboot.errors import UsageError
from xboot.model import BackendInfo, Setting, SettingKind
from xboot.pipeline import Pipeline, each_voter, resolve, short
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.settings import parse_settings, settle
from xboot.testing import FakeBackend, FakeMachine
from xboot.voter import Voter, parse_voters


@pytest.mark.parametrize(
    ("text", "voter"),
    [
        ("linux", Voter("linux")),
        ("linux/scheme", Voter("linux", "scheme")),
        ("linux@bochs", Voter("linux", machine="bochs")),
        ("my-kernel/c@v86", Voter("my-kernel", "c", "v86")),
    ],
)
def test_a_voter_is_read_and_written_alike(text: str, voter: Voter) -> None:
    assert Voter.parse(text) == voter
    assert str(voter) == text


@pytest.mark.parametrize(
    "text", ["", "/c", "linux/", "linux@", "linux@a@b", "linux/c/d", "@qemu", "li nux", "linux@qemu/c", "a\x1b[2J", "../x"]
)
def test_what_names_no_voter_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no voter"):
        Voter.parse(text)


def test_several_are_joined_or_repeated() -> None:
    assert parse_voters(["linux/c,linux/scheme", "mirage"]) == (Voter("linux", "c"), Voter("linux", "scheme"), Voter("mirage"))
    assert parse_voters(["all"]) == parse_voters([]) == ()
    with pytest.raises(UsageError, match="stands by itself"):
        parse_voters(["all,linux"])


SETTINGS = (
    Setting("kernel", "which one", ("built", "distro"), default="built"),
    Setting("tree", "a tree", kind=SettingKind.FOLDER),
    Setting("file", "a file", kind=SettingKind.FILE),
    Setting("word", "a word"),
)


def info(name: str, *settings: Setting) -> BackendInfo:
    return BackendInfo(name, "a test", ("i686-linux",), settings=settings)


def test_a_setting_goes_to_those_who_have_it(tmp_path: Path) -> None:
    two = [info("a", *SETTINGS), info("b", SETTINGS[3])]
    assert settle({"word": "x"}, two) == {"a": {"word": "x"}, "b": {"word": "x"}}
    assert settle({"kernel": "distro"}, two) == {"a": {"kernel": "distro"}, "b": {}}
    assert settle({"b.word": "y", "word": "x"}, two) == {"a": {"word": "x"}, "b": {"word": "y"}}
    assert settle({"a.tree": str(tmp_path)}, two)["a"] == {"tree": str(tmp_path)}


@pytest.mark.parametrize(
    ("wished", "message", "hint"),
    [
        ({"colour": "red"}, "none has a setting 'colour'", "a has kernel, tree, file, word; b has word"),
        ({"a.colour": "red"}, "the backend a has no setting 'colour'", "a has kernel, tree, file, word"),
        ({"c.word": "red"}, "backend 'c' is not asked", "asked are: a, b"),
        ({"kernel": "minix"}, "--set kernel=minix: expected built or distro", "a: kernel: which one"),
        ({"tree": "/nonexistent"}, "there is no such folder", "a tree"),
        ({"file": "/tmp"}, "there is no such file", "a file"),
    ],
)
def test_what_nobody_declares_is_refused_with_what_there_is(wished: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        settle(wished, [info("a", *SETTINGS), info("b", SETTINGS[3])])
    assert message in caught.value.message
    assert caught.value.hint is not None and hint in caught.value.hint
    assert "\n" not in caught.value.message


def test_pairs_are_read() -> None:
    assert parse_settings(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for pairs in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            parse_settings(pairs)


@pytest.fixture
def plugins() -> Plugins:
    found = Plugins()
    for name in ("a", "b"):
        found.add(FakeBackend(name), f"test:{name}")
    for name in ("qemu", "other"):
        found.add(FakeMachine(name), f"test:machine-{name}")
    assert not found.broken
    return found


def test_what_is_left_out_is_filled_in(plugins: Plugins) -> None:
    assert resolve(Voter("a"), plugins) == Voter("a", "c", "qemu")
    assert short(Voter("a", "c", "qemu"), plugins) == Voter("a")
    assert short(Voter("a", "c", "other"), plugins) == Voter("a", machine="other")
    voter, options = Pipeline(plugins).options(Request(voters=[Voter("a")], memory=64))
    assert (voter, options.executor, options.memory, options.export_size) == (Voter("a", "c", "qemu"), "c", 64, 0)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("a,a", "a is named twice"),
        ("a,a/c", "a and a/c are one voter, named twice"),
        ("a,a/c@qemu", "named twice"),
        ("c", "no backend 'c'"),
        ("a/pascal", "backend a has no executor 'pascal'"),
        ("a@moon", "no machine 'moon'"),
    ],
)
def test_who_cannot_vote_is_refused_before_anything_is_read(plugins: Plugins, names: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        each_voter(request("/nonexistent.drv", names), plugins)


def test_one_kernel_on_two_machines_is_two_voters(plugins: Plugins) -> None:
    assert [str(voter) for voter in each_voter(request((), "a,a@other,b"), plugins)] == ["a", "a@other", "b"]


def test_a_run_has_one_voter() -> None:
    assert Request().voter == Voter("linux")
    with pytest.raises(UsageError, match="a, b: a run has one voter"):
        assert request((), "a,b").voter
