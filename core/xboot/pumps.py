"""Between a machine's pipes and terminals and the stream sockets of its carrier (`xboot.machine.Carrier`)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import IO

__all__ = ["FromGreeting", "fill", "open_reader", "stream_pair", "type_slowly"]

_PACE = 0.001  # seconds between two bytes for a guest
_GREETING = b"(xboot "


def stream_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets that do not block."""
    pair = socket.socketpair()
    for end in pair:
        end.setblocking(False)
    return pair


class FromGreeting:
    """What a guest says, from its first word on, for machines whose firmware may use the line before: nobody has told it anything yet."""

    def __init__(self) -> None:
        self._before: bytes | None = b""

    def __call__(self, data: bytes) -> bytes:
        if self._before is None:
            return data
        self._before += data
        at = self._before.find(_GREETING)
        if at < 0:
            self._before = self._before[-len(_GREETING) + 1 :]
            return b""
        data, self._before = self._before[at:], None
        return data


async def open_reader(source: IO[bytes] | socket.socket) -> asyncio.StreamReader:
    """A reader of a pipe, socket or terminal; the end of a terminal is the end of the file. `source` stays whoever's it is."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(source.fileno()), "rb", 0)
    )
    return reader


async def fill(sink: socket.socket, source: IO[bytes] | socket.socket, seen: Callable[[bytes], bytes] = bytes) -> None:
    """Carry what `source` says, such as a guest, to `sink`, through `seen`, until `source` ends, and end `sink` with it."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        reader = await open_reader(source)
        while data := await reader.read(65536):
            await loop.sock_sendall(sink, seen(data))
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


async def type_slowly(sink: IO[bytes], source: socket.socket) -> None:
    """Carry what the host says to a terminal, as slowly as a person types: Mach loses bytes that come as fast as the line carries them."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while data := await loop.sock_recv(source, 65536):
            for byte in data:
                while sink.write(bytes([byte])) is None:  # raw: None when it is full
                    await asyncio.sleep(_PACE)
                await asyncio.sleep(_PACE)
