"""A running Bochs: its console comes out of a pipe, its result channel is a terminal, and its log tells of the byte for the exit port."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import IO

from xboot.machine import End, ProcessCarrier
from xboot.pumps import fill, open_reader, stream_pair, type_slowly

__all__ = ["BochsCarrier"]

# Bochs has nothing at port 0xf4, and is told to say what is written to ports where nothing is. No guest has another way into its log at the
# start of a line.
_EXIT = re.compile(rb"\d+d\[UNMAP *\] (?:unmapped: )?8-bit write to 00f4 = ([0-9a-f]{1,2})\s*")
_QUIET = 0.2  # seconds without a byte on the channel: then all that was on its way has come
_LONGEST = 5.0
_MAX_LINE = 1 << 16


class BochsCarrier(ProcessCarrier):
    """`console`, `log`: where these pipes are read; `terminal`: the host's end of the result channel, `held` the other one, which stays
    open until the program has ended.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, console: IO[bytes], log: IO[bytes], terminal: IO[bytes], held: IO[bytes]
    ) -> None:
        (ours, mine), (result, inner) = stream_pair(), stream_pair()
        super().__init__(process, ours, result, [mine, inner])
        self._files = (console, log, terminal, held)
        self._byte: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._last = 0.0
        self._tasks = [
            asyncio.create_task(fill(mine, console)),
            asyncio.create_task(fill(inner, terminal, self._seen)),
            asyncio.create_task(type_slowly(terminal, inner)),
            asyncio.create_task(self._read_log(log)),
        ]

    def _seen(self, data: bytes) -> bytes:
        self._last = asyncio.get_running_loop().time()
        return data

    async def _read_log(self, source: IO[bytes]) -> None:
        """Read all of it, or Bochs would wait; the first byte for the exit port counts."""
        reader = await open_reader(source)
        rest = b""
        while data := await reader.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[:_MAX_LINE]
            for line in lines:
                if (match := _EXIT.fullmatch(line)) and not self._byte.done():
                    self._byte.set_result(int(match[1], 16))
        if not self._byte.done():
            self._byte.cancel()

    async def ended(self) -> End:
        """The byte, as soon as the log tells it; or the end of the process without one. Bochs goes on after the byte, and may still be
        sending what the guest wrote to the channel before.
        """
        process = asyncio.create_task(self.process.wait())
        byte = asyncio.ensure_future(asyncio.wait({self._byte}))
        try:
            await asyncio.wait({process, byte}, return_when=asyncio.FIRST_COMPLETED)
            if process.done():
                await asyncio.wait({self._byte}, timeout=_LONGEST)  # the end of its log may be on its way
            if not self._byte.done() or self._byte.cancelled():
                return self.end_of(await process)
            await self._drained()
            found = self._byte.result()
            return End(found, f"wrote {found:#04x} to its exit port")
        finally:
            for task in (process, byte):
                task.cancel()

    async def _drained(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        while (now := loop.time()) < start + _LONGEST and now - max(start, self._last) < _QUIET:
            await asyncio.sleep(_QUIET / 4)

    async def close(self) -> None:
        """End Bochs, and what reads from it."""
        self.kill()
        await self.process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for file in self._files:
            with contextlib.suppress(OSError):
                file.close()
        await super().close()
