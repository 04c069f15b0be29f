"""`FakeMachine`: a machine without an emulator, which says what a test tells it to say.

It does the handshake of the result channel on the sockets that the boot stage reads, and then plays a list of acts. So everything above the
machine is the real thing: pipeline, boot stage, verdicts, reporters. Nothing of the image is run.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from xboot._records import dataclass
from xboot.errors import BackendError, GuestError
from xboot.machine import Carrier, End, Machine, MachineOptions
from xboot.model import Boot, Component, MachineInfo, Role, Script
from xboot.sexp import quote

__all__ = ["FakeMachine", "Say", "good_run", "write_acts"]

_ABILITIES = ("exit-status", "read-memory")


@dataclass(frozen=True, slots=True)
class Say:
    """One act of the machine. `NONCE`, `SCRIPT` and `BASE` in `line` become the run's nonce, the script's hash and the window's address.

    line: on the result channel (a line feed is added unless `raw`); console: on the console, `times` over; memory: what stands in the
    guest's memory from the window's address on, before `line` is said; ack: wait for the host's `(ack)`; wait: seconds; exit: end with
    this byte on the exit device; dies: end without one, in these words (`was killed by SIGSEGV`).
    """

    line: str = ""
    raw: bool = False
    console: str = ""
    times: int = 1
    memory: str = ""
    ack: bool = False
    wait: float = 0.0
    exit: int | None = None
    dies: str = ""


def good_run(script: Script, hashes: Mapping[str, str] | None = None) -> list[Say]:
    """The acts of a machine that runs every step. The hash of an output is that given for its path, else the SHA-256 of the path."""
    acts = [Say('(hello "NONCE" "SCRIPT")')]
    acts += [Say(f'(source "NONCE" {quote(s.path)} "sha256" "{s.nar_sha256}" {s.nar_size})') for s in script.sources]
    for step in script.steps:
        acts.append(Say(f'(begin "NONCE" {step.number})'))
        for output in step.outputs:
            value = (hashes or {}).get(output.path) or hashlib.sha256(output.path.encode()).hexdigest()
            acts.append(Say(f'(output "NONCE" {step.number} {quote(output.name)} "sha256" "{value}" 120 ())'))
    return [*acts, Say('(done "NONCE")'), Say(exit=0x31)]


def write_acts(file: Path, script: Script, acts: Sequence[Say]) -> None:
    """Write a file that `FakeMachine` plays when it is booted as a kernel: the same bytes for the same acts."""
    file.write_text(json.dumps({"script": script.sha256, "acts": [asdict(act) for act in acts]}))


class FakeMachine(Machine):
    """Plays `script`'s `acts` on every boot, whatever the image is; without them it plays the kernel, a file of `write_acts`.

    `abilities` says what it can do: without `exit-status` nobody learns how it ends, without `read-memory` nothing can be exported.
    """

    def __init__(
        self, name: str = "fake", script: Script | None = None, acts: Sequence[Say] | None = None, *,
        abilities: Sequence[str] = _ABILITIES, pace: float = 1.0,
    ) -> None:  # fmt: skip
        summary = "a machine that says what a test tells it to say"
        self.info = MachineInfo(name, summary, abilities, pace=pace)  # type: ignore[misc]
        self._play = None if script is None else (script.sha256, list(good_run(script) if acts is None else acts))

    def takes(self, boot: Boot) -> str:
        return "" if self._play is not None or _acts_of(boot.kernel) else "has been given no acts, and finds none in the kernel"

    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        return ["fake-machine", str(boot.kernel)]

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        play = self._play or _acts_of(boot.kernel)
        if play is None:
            raise BackendError(f"{boot.kernel}: no acts for machine {self.info.name}")
        return _FakeCarrier(*play, boot, speaks="exit-status" in self.info.abilities)

    def components(self, boot: Boot) -> Sequence[Component]:
        return [Component("fake machine", Role.SUBSTRATE, 0, "", origin="a test", lines_method="opaque", prebuilt=True)]


def _acts_of(kernel: Path) -> tuple[str, list[Say]] | None:
    try:
        play = json.loads(kernel.read_bytes())
        return str(play["script"]), [Say(**act) for act in play["acts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _FakeCarrier(Carrier):
    def __init__(self, script: str, acts: Sequence[Say], boot: Boot, *, speaks: bool) -> None:
        (self.console, self._console), (self.result, self._result) = socket.socketpair(), socket.socketpair()
        for end in (self._console, self._result):
            end.setblocking(False)
        self._script, self._acts, self._speaks = script, acts, speaks
        self._base = boot.window.base if boot.window else 0
        self._memory = b""
        self._nonce = ""
        self._end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._playing = asyncio.create_task(self._play())

    async def _play(self) -> None:
        """All acts; then the machine ends without a byte, unless one of them ended it."""
        try:
            if not _is_silent(self._acts):
                await self._handshake()
            for act in self._acts:
                if self._end.done():
                    break
                await self._act(act)
        except OSError:
            pass  # the host has hung up
        self._finish(End(None, "ended with status 0"))

    def _finish(self, end: End) -> None:
        """Off: both lines go dead. Without an exit device only the lines tell."""
        if not self._end.done():
            if self._speaks or end.byte is None:
                self._end.set_result(end)
            for line in (self._console, self._result):
                line.close()

    async def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            data = await asyncio.get_running_loop().sock_recv(self._result, 1)
            if not data:
                raise OSError("the host closed the channel")
            line += data
        return line

    async def _handshake(self) -> None:
        await asyncio.get_running_loop().sock_sendall(self._result, b"(xboot 1)\n")
        match = re.match(rb'\(run "([0-9a-f]{32})" ', await self._line())
        self._nonce = match[1].decode() if match else ""

    async def _act(self, act: Say) -> None:
        loop = asyncio.get_running_loop()
        if act.memory:
            self._memory = act.memory.encode("latin-1")
        if act.line:
            line = act.line.replace("NONCE", self._nonce).replace("SCRIPT", self._script).replace("BASE", str(self._base))
            await loop.sock_sendall(self._result, line.encode("latin-1") + (b"" if act.raw else b"\n"))
        for _ in range(act.times if act.console else 0):
            await loop.sock_sendall(self._console, act.console.encode())
        if act.ack:
            await self._line()
        await asyncio.sleep(act.wait)
        if act.dies:
            self._finish(End(None, act.dies))
        elif act.exit is not None:
            self._finish(End(act.exit, f"ended with {act.exit:#04x}"))

    async def ended(self) -> End:
        return await asyncio.shield(self._end)

    def kill(self) -> None:
        self._playing.cancel()
        self._finish(End(None, "was killed"))

    async def close(self) -> None:
        self.kill()
        await asyncio.wait({self._playing})
        for end in (self.console, self.result, self._console, self._result):
            end.close()

    async def read_memory(self, base: int, size: int, file: Path) -> None:
        data = self._memory[base - self._base :][:size]
        if base < self._base or len(data) != size:
            raise GuestError(f"the fake machine has {len(data)} bytes of memory at {base:#x}, not {size}")
        file.write_bytes(data)


def _is_silent(acts: Sequence[Say]) -> bool:
    """True when the first act is a raw line, a wait or an end: then the machine does not even greet."""
    first = acts[0] if acts else Say(raw=True)
    return bool(first.raw or first.wait or first.exit is not None or first.dies)
