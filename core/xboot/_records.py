"""`dataclass` as the standard library has it, for records that are frozen and have slots: made in a third of the time.

The standard library compiles each method of each class by itself, and a command has a hundred and fifty such classes to make before it
does anything: a quarter of what Python takes to load it. Here `__init__` is the only method that is compiled; the others are the same
for all classes, but for the names of the fields.
"""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """The decorator `dataclasses.dataclass(frozen=True, slots=True)`; of a field it knows `default` and `default_factory`. Records
        are compared, hashed, shown, copied and pickled by their fields, in order. Raises TypeError for what is not done here.
        """
        if not (frozen and slots):
            raise TypeError("xboot makes its own only of dataclasses that are frozen and have slots")
        return _record


def _record(cls: type) -> type:
    own = set(vars(cls))
    # It finds the fields, and makes the class with slots: no method of it is compiled for that.
    made: type = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    fields = dataclasses.fields(made)
    for one in fields:
        if not (one.init and one.repr and one.compare and one.hash is None and not one.kw_only):
            raise TypeError(f"{cls.__qualname__}.{one.name}: xboot's dataclass knows defaults alone of a field")
    names = [one.name for one in fields]
    methods = {"__init__": _init(made, fields), **_alike(names), "__setattr__": _refuse_set, "__delattr__": _refuse_deletion}
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _init(made: type, fields: Sequence[dataclasses.Field[Any]]) -> Callable[..., None]:
    """As the standard library's: arguments by the order of the fields, a default factory called for what is not given."""
    known: dict[str, Any] = {"_not_given": _NOT_GIVEN}
    parameters, lines = ["self"], []
    for one in fields:
        name, value = one.name, one.name
        known[f"_set_{name}"] = vars(made)[name].__set__ if name in vars(made) else _setter(name)
        if one.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = one.default_factory
            parameters.append(f"{name}=_not_given")
            value = f"_make_{name}() if {name} is _not_given else {name}"
        elif one.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = one.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f" _set_{name}(self, {value})\n")
    after = " self.__post_init__()\n" if hasattr(made, "__post_init__") else ""
    made_here: dict[str, Any] = {}
    # The names are those of a class's fields, which its author wrote as Python's names.
    exec(f"def __init__({', '.join(parameters)}):\n{''.join(lines)}{after} return None\n", known, made_here)  # noqa: S102
    init: Callable[..., None] = made_here["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {**{one.name: one.type for one in fields}, "return": None}
    return init


_NOT_GIVEN = object()


def _setter(name: str) -> Callable[[object, object], None]:
    """For a field whose slot a base class has."""
    return lambda self, value: object.__setattr__(self, name, value)


def _alike(names: Sequence[str]) -> dict[str, Callable[..., object]]:
    """The methods that need the names of the fields alone."""
    # `attrgetter` gives no tuple of one name.
    values: Callable[[object], object] = attrgetter(*names) if len(names) > 1 else lambda self: tuple(getattr(self, name) for name in names)

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def digest(self: object) -> int:
        return hash(values(self))

    @reprlib.recursive_repr()
    def shown(self: object) -> str:
        return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    def state(self: object) -> list[object]:
        return [getattr(self, name) for name in names]

    def restore(self: object, given: Sequence[object]) -> None:
        for name, value in zip(names, given, strict=True):
            object.__setattr__(self, name, value)

    return {"__eq__": equal, "__hash__": digest, "__repr__": shown, "__getstate__": state, "__setstate__": restore}


def _refuse_set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
