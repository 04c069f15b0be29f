"""Where verbs print: people read standard error, machines read standard output."""

from __future__ import annotations

from rich.console import Console

from xboot.show.safe import SafeConsole

_WIDE = 240

err = SafeConsole(stderr=True, emoji=False)


def out() -> Console:
    """Standard output, on which tables are not squeezed into 80 columns when it is no terminal."""
    console = SafeConsole(emoji=False)
    return console if console.is_terminal else SafeConsole(width=_WIDE, emoji=False)
