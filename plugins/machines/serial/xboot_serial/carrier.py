"""A PC that somebody switches on: its result channel is one serial line, its console perhaps another."""

from __future__ import annotations

import asyncio
import contextlib
from typing import IO

from xboot.machine import Carrier, End
from xboot.pumps import FromGreeting, fill, stream_pair, type_slowly

__all__ = ["SerialCarrier"]


class SerialCarrier(Carrier):
    """`line`, `console`: open serial lines, which are closed with it. `name`: the first one's, for people."""

    def __init__(self, name: str, line: IO[bytes], console: IO[bytes] | None) -> None:
        self._name, self._files = name, [file for file in (line, console) if file is not None]
        (self.console, shown), (self.result, inner) = stream_pair(), stream_pair()
        self._ends = (self.console, shown, self.result, inner)
        self._hung_up = asyncio.create_task(fill(inner, line, FromGreeting()))
        self._tasks = [self._hung_up, asyncio.create_task(type_slowly(line, inner))]
        if console is not None:
            self._tasks.append(asyncio.create_task(fill(shown, console)))
        else:
            shown.close()

    async def ended(self) -> End:
        """A PC does not say that it has ended; a line that is hung up does."""
        await asyncio.wait({self._hung_up})
        return End(None, f"went away: serial line {self._name} was hung up")

    def kill(self) -> None:
        """Nothing here reaches the PC's switch."""

    async def close(self) -> None:
        """Let go of the lines. The PC stays as it is, and whoever sits there switches it off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for file in self._files:
            with contextlib.suppress(OSError):
                file.close()
        for end in self._ends:
            end.close()
