"""The one way to a terminal: consoles that pass on no control character of a text, and foreign text within rich's markup."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from xboot.foreign import printable, printable_lines

__all__ = ["SafeConsole", "marked", "write_out"]


def marked(text: bytes | str) -> str:
    """`printable`, for a text in which square brackets mean colours (rich's markup)."""
    return escape(printable(text))


class SafeConsole(Console):
    """A console that never passes on a control character of a text that it is given, however it came there: what moves the cursor is
    only what rich itself makes. Line feeds stay, tabs become blanks; foreign lines are made one by `printable`, beforehand.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable, harmless."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable() or segment.text == "\n":
                yield segment
            else:
                lines = [printable(line.expandtabs(), limit=sys.maxsize) for line in segment.text.split("\n")]
                yield Segment("\n".join(lines), segment.style)


def write_out(data: bytes) -> None:
    """`data` on standard output: to the byte when a file or a program reads it, without what a terminal obeys when that is one."""
    if sys.stdout.isatty():
        sys.stdout.write(printable_lines(data.decode(errors="surrogateescape")))
    else:
        sys.stdout.buffer.write(data)
    sys.stdout.flush()
