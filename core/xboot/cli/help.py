"""Help, without what typer brings for texts that xboot has not.

Typer's help imports rich.markdown, with a reader of Markdown, and rich.traceback, with the lexers of pygments: half of what `xboot --help`
takes. Neither is used, since no text of ours is Markdown and an error is one sentence. While typer's module is imported they are stood in
for; a stand-in that is used after all becomes the real thing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["show_help"]

_UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}


def show_help(command: Any, context: Any, formatter: Any) -> None:
    """What `command` shows for `--help`, as its class has it."""
    with _stood_in():
        importlib.import_module("typer.rich_utils")
    type(command).format_help(command, context, formatter)


@contextmanager
def _stood_in() -> Iterator[None]:
    absent = [name for name in _UNUSED if name not in sys.modules]
    sys.modules.update({name: _stand_in(name, _UNUSED[name]) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def _stand_in(module: str, name: str) -> ModuleType:
    def real() -> Any:
        return getattr(importlib.import_module(module), name)

    class Later(type):
        def __call__(cls, *arguments: Any, **named: Any) -> Any:
            return real()(*arguments, **named)

        def __getattr__(cls, attribute: str) -> Any:
            return getattr(real(), attribute)

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real()) if module in sys.modules else False

    stood = ModuleType(module)
    setattr(stood, name, Later(name, (), {}))
    return stood
