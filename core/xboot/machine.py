"""The base classes of machines: what runs a `Boot`, and the carrier that it gives back.

A machine knows how to power on: an emulator's command line, a disk image, a cable. It knows nothing of nonces, deadlines, verdicts or the
result channel's grammar; those are `xboot.boot`'s, the same for all machines. What it adds to the trusted base it says in `components`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, ClassVar

from xboot._markers import hookimpl
from xboot._records import dataclass
from xboot.errors import UsageError
from xboot.model import Boot, Component, MachineInfo

__all__ = ["Carrier", "End", "Machine", "MachineOptions", "ProcessCarrier", "socket_pairs", "start_process"]

_COMPLAINT = 4096  # bytes kept of what a machine's own program writes on its standard error

# Runs between fork and the program: asks the kernel to kill this process with its parent, and stops if the parent is gone
# already. Both survive exec.
_LEASH = ("setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"', "sh")

# Runs just before the program, behind walls if there are any: says that it is there, and waits to be told to go on. A helper that builds
# walls (bubblewrap) forks, and its child is on its own leash only after a while; a helper that is killed before leaves that child behind,
# which then reads the end of the file here and ends, too.
_GATE = ("sh", "-c", 'echo ready && read -r word && [ "$word" = go ] && exec "$@" </dev/null >/dev/null; exit 125', "sh")
_PATIENCE = 2.0  # seconds that a helper gets to end by itself


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """What a user may choose of a machine. `accelerator`: `auto`, or a name that the machine knows. `gdb`: where it waits for a debugger
    before the first instruction, a TCP port of this host or the path of a socket (empty: nowhere). `folder`: the one place of this run that
    the machine may write to, and where `Carrier.read_memory` is asked to write; given to `start`, not by a user. `address`: which machine,
    where `MachineInfo` has more than one.
    """

    accelerator: str = "auto"
    gdb: str = ""
    folder: Path | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """How a machine ended. `byte` is what the guest wrote to the exit device, None when it ended in another way; `how` says so in words
    that go on from "the machine": `ended with status 1`, `was killed by SIGSEGV`.
    """

    byte: int | None
    how: str


class Carrier(ABC):
    """A running machine. `console` and `result` are the host's ends of connected stream sockets: what the guest's serial ports say, and on
    `result` what they are told. What a machine has in another form it pumps through a `socket.socketpair()`.

    All coroutines are called on one event loop, the one that `Machine.start` ran on.
    """

    console: socket.socket
    result: socket.socket

    @abstractmethod
    async def ended(self) -> End:
        """Wait until the machine ends by itself. A machine that never does waits for ever; may be cancelled, and called again."""

    @abstractmethod
    def kill(self) -> None:
        """Power off at once, if it still runs."""

    @abstractmethod
    async def close(self) -> None:
        """Power off, wait until nothing of it is left, and give back what was open."""

    async def read_memory(self, base: int, size: int, file: Path) -> None:
        """Write `size` bytes from guest-physical address `base` to `file`, while the guest waits. Only machines with the ability
        `read-memory` are asked. Raises GuestError when the machine cannot.
        """
        raise NotImplementedError

    def complaint(self) -> bytes:
        """What the machine itself (not its guest) has said, for a run that fails before the guest speaks."""
        return b""


class Machine(ABC):
    """Subclass this, set `info`, and implement `takes`, `describe`, `start` and `components`. The plugin is an instance."""

    info: ClassVar[MachineInfo]

    @abstractmethod
    def takes(self, boot: Boot) -> str:
        """Why this machine cannot run `boot`, in words that go on from "machine NAME"; empty when it can."""

    @abstractmethod
    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        """The command that a person types to power this machine on by hand, word by word. What only xboot can connect, such as sockets that
        are handed over, has a stand-in that a person can use. Raises as `start` does.
        """

    def prepare(self, boot: Boot) -> None:
        """Make what this machine needs and takes long to make, before any deadline counts. Raises MissingToolError, BackendError."""
        return None

    @abstractmethod
    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        """Power on. It must end when the calling thread or its process does. `options.accelerator` is one that `accelerator` returned.

        Raises MissingToolError when a program is not installed.
        """

    @abstractmethod
    def components(self, boot: Boot) -> Sequence[Component]:
        """What of this machine stands below the image: emulator, firmware, loader. The host's kernel is added by xboot."""

    def at(self, address: str) -> Machine:
        """The machine for an address: itself, or the form that is one of `MachineInfo.variants`."""
        return self

    def accelerator(self, boot: Boot, wanted: str) -> str:
        """The accelerator for `wanted`, which is `auto` or what a user wrote. Raises UsageError for what this machine does not have."""
        if wanted not in ("auto", self.info.name):
            raise UsageError(f"--accel {wanted}: machine {self.info.name} has only {self.info.name}")
        return self.info.name

    def confinement(self, boot: Boot, options: MachineOptions) -> str:
        """What holds this machine's own program, should a guest take it over: the name of a mechanism; empty when nothing does."""
        return ""

    def condition(self) -> Sequence[str]:
        """Sentences for `xboot doctor`: what this machine finds on this host (acceleration, boards). May take seconds."""
        return ()

    @hookimpl
    def xboot_machine(self) -> Machine:
        return self


# ---------------------------------------------------------------- machines that are programs


class ProcessCarrier(Carrier):
    """A carrier over a process of this host. `more` are sockets that are closed with it."""

    def __init__(
        self, process: asyncio.subprocess.Process, console: socket.socket, result: socket.socket, more: Sequence[socket.socket] = ()
    ) -> None:
        self.process, self.console, self.result, self._more = process, console, result, more
        self._said = bytearray()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        """Keep the end of what the program writes on its standard error; all of it is read, or the program would wait."""
        while self.process.stderr is not None and (data := await self.process.stderr.read(65536)):
            self._said += data
            del self._said[:-_COMPLAINT]

    def end_of(self, status: int) -> End:
        """The end that a process's status stands for (negative: a signal). Overridden where a guest's byte gets into the status."""
        return End(None, f"was killed by {_signal_name(-status)}" if status < 0 else f"ended with status {status}")

    async def ended(self) -> End:
        """Wait for the process."""
        return self.end_of(await self.process.wait())

    def kill(self) -> None:
        """Kill it if it still runs. (`process.kill` would reap it behind asyncio's back, which then takes its status for 255.)"""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Kill it if it still runs, reap it, close the sockets."""
        self.kill()
        await self.process.wait()
        await asyncio.wait({self._listening}, timeout=2.0)
        self._listening.cancel()
        for end in (self.console, self.result, *self._more):
            end.close()

    def complaint(self) -> bytes:
        """The end of the program's standard error."""
        return bytes(self._said)


def _signal_name(number: int) -> str:
    """Most real-time signals have a number and no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def socket_pairs(count: int) -> Iterator[tuple[Sequence[socket.socket], Sequence[socket.socket]]]:
    """So many pairs of connected sockets, to start a program with: our ends, and its own. Afterwards its ends are closed here, since it has
    inherited them; if it was not started, so are ours.
    """
    pairs = [socket.socketpair() for _ in range(count)]
    try:
        yield [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
    except BaseException:
        for ours, _ in pairs:
            ours.close()
        raise
    finally:
        for _, theirs in pairs:
            theirs.close()


async def start_process(
    command: Sequence[str], sockets: Sequence[socket.socket | IO[bytes]], walls: Sequence[str] = ()
) -> asyncio.subprocess.Process:
    """Start a program on a leash: it dies when the calling thread or its process does. It inherits `sockets` (or pipes) under their
    numbers, has no standard input or output, and its standard error is a pipe, which `ProcessCarrier` reads. `walls`: the words of a
    helper that shuts in the program whose words follow its own, and kills it when it is killed itself.
    """
    process = await asyncio.create_subprocess_exec(
        *_LEASH, str(os.getpid()), *walls, *_GATE, *command,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        pass_fds=[end.fileno() for end in sockets], start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if await process.stdout.readline() == b"ready\n":
            process.stdin.write(b"go\n")
    except BaseException:
        await _never_let_through(process)
        raise
    finally:
        process.stdin.close()
    return process


async def _never_let_through(process: asyncio.subprocess.Process) -> None:
    """End a process that waits at the gate, or is on its way there."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
