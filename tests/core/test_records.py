"""Records are what `dataclasses.dataclass(frozen=True, slots=True)` makes: held against it, on the same classes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import pytest

from xboot._records import dataclass
from xboot.model import Boot, Output, Protocol

Decorator = Callable[..., Callable[[type], type]]


def made(decorator: Decorator) -> dict[str, Any]:
    @decorator(frozen=True, slots=True)
    class Nothing:
        """No field."""

    @decorator(frozen=True, slots=True)
    class One:
        """One field."""

        name: str

    @decorator(frozen=True, slots=True)
    class Several:
        """Defaults, a factory, a check, and a field that says itself."""

        name: str
        size: int = 3
        more: Mapping[str, int] = field(default_factory=dict)
        itself: object = None

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("negative")

        @property
        def double(self) -> int:
            return 2 * self.size

    @decorator(frozen=True, slots=True)
    class Own:
        """What a class says itself stays."""

        name: str

        def __repr__(self) -> str:
            return "own"

    return {cls.__name__: cls for cls in (Nothing, One, Several, Own)}


OURS, THEIRS = made(dataclass), made(dataclasses.dataclass)
ARGUMENTS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Nothing", (), {}),
    ("One", ("a",), {}),
    ("One", (), {"name": "b"}),
    ("Several", ("a",), {}),
    ("Several", ("a", 4), {"itself": (1, 2)}),
    ("Several", ("a",), {"more": {"x": 1}}),
    ("Own", ("a",), {}),
]


@pytest.mark.parametrize(("name", "arguments", "named"), ARGUMENTS)
def test_what_it_makes_is_the_same(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    one, other = OURS[name](*arguments, **named), THEIRS[name](*arguments, **named)
    assert repr(one) == repr(other)
    assert dataclasses.asdict(one) == dataclasses.asdict(other) and dataclasses.astuple(one) == dataclasses.astuple(other)
    assert one == OURS[name](*arguments, **named) and one != other and (one == 1) is False
    if "more" not in [f.name for f in dataclasses.fields(one)]:
        assert hash(one) == hash(OURS[name](*arguments, **named)) == hash(other)
    assert copy.deepcopy(one) == one
    assert dataclasses.replace(one) == one
    for attribute in ("__match_args__", "__slots__", "__doc__", "__qualname__"):
        assert getattr(OURS[name], attribute) == getattr(THEIRS[name], attribute)
    assert str(inspect.signature(OURS[name])).count(":") == str(inspect.signature(THEIRS[name])).count(":")
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize("classes", [OURS, THEIRS])
def test_what_is_refused(classes: dict[str, Any]) -> None:
    one = classes["Several"]("a")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'size'"):
        one.size = 4
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'size'"):
        del one.size
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError, AttributeError)):
        one.other = 4
    for arguments, named in (((), {}), (("a", 1, {}, None, 2), {}), (("a",), {"other": 1}), (("a",), {"name": "b"})):
        with pytest.raises(TypeError):
            classes["Several"](*arguments, **named)
    with pytest.raises(ValueError, match="negative"):
        classes["Several"]("a", -1)
    with pytest.raises(ValueError, match="negative"):
        dataclasses.replace(one, size=-1)
    with pytest.raises(TypeError):
        hash(one)  # a dictionary is among its fields
    assert classes["Several"]("a").more is not one.more


def test_nouns_are_copied_pickled_and_matched() -> None:
    output = Output("out", "/nix/store/x", "sha256", "00")
    assert pickle.loads(pickle.dumps(output)) == output == copy.copy(output)
    assert len({output, Output("out", "/nix/store/x", "sha256", "00"), Output("dev", "")}) == 2
    match output:
        case Output("out", path, hash=digest):
            assert (path, digest) == ("/nix/store/x", "00")
        case _:
            pytest.fail("not matched")
    with pytest.raises(TypeError, match="protocol"):
        Boot()  # type: ignore[call-arg]
    assert Protocol.LINUX.value


def test_what_is_not_done_here_is_refused() -> None:
    with pytest.raises(TypeError, match="frozen and have slots"):
        dataclass(frozen=True, slots=False)

    class Hidden:
        name: str = field(default="", repr=False)

    with pytest.raises(TypeError, match=r"Hidden\.name"):
        dataclass(frozen=True, slots=True)(Hidden)
