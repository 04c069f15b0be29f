"""Packages that can be called: `xboot.compare` and `xboot.tcb` are rooms of the house and verbs of the Python API, by one name."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Verb(ModuleType):
    """A package whose call is the function of the same name in `xboot.api`."""

    def __call__(self, *arguments: Any, **wishes: Any) -> Any:
        api = importlib.import_module("xboot.api")  # which imports the package that this is

        return getattr(api, self.__name__.rpartition(".")[2])(*arguments, **wishes)


def callable_package(name: str) -> None:
    """Make the package `name` callable. An import sets it as an attribute of its parent, where a function could therefore not stay."""
    sys.modules[name].__class__ = _Verb
