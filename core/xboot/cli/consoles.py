"""Where verbs print: people read standard error, machines read standard output."""

from __future__ import annotations

from rich.console import Console

_WIDE = 240

err = Console(stderr=True)


def out() -> Console:
    """Standard output, on which tables are not squeezed into 80 columns when it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)
