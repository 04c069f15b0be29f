"""Boot an image, watch it, and say what came of it.

Three things run side by side: the result channel (believed, line by line), the console (shown, never believed) and a
watchdog with the deadlines. The first that ends the run decides; a run counts only with `done` on the channel *and*
the machine's success status.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from qemu.qmp import QMPClient, QMPError

from xboot.boot import kvm, qemu
from xboot.boot.channel import ACK, MAX_LINE, READY, ChannelReader, Message, run_line
from xboot.boot.export import Exporter
from xboot.boot.verdict import Timing, judge
from xboot.errors import GuestError, UsageError
from xboot.foreign import printable
from xboot.hooks import Notify
from xboot.model import BootImage, Cause, Event, Machine, Phase, Verdict

FAILURE_STATUS = 67
PANIC_STATUS = 35
_TAIL = 16384
_FULL = "free some space (`xboot cache prune` removes what can be made again), or write elsewhere"
_EXIT_GRACE = 5.0  # seconds between the last line and the end of the machine

logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)  # a guest that dies is not this library's business


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run: deadlines in seconds, expectations (store path → origin → NAR SHA-256 in hex), exports, where to
    log the console, `auto`, `tcg` or `kvm`. `stop`, once set by another thread, ends the run within about a second.
    """

    boot_timeout: float = 120.0
    step_timeout: float = 3600.0
    run_timeout: float = 6 * 3600.0
    expected: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    export: Path | None = None
    export_paths: Sequence[str] = ()
    export_window: int = 64 << 20
    log: Path | None = None
    accelerator: str = "auto"
    stop: threading.Event | None = None


def run_machine(image: BootImage, machine: Machine, options: RunOptions, notify: Notify) -> Verdict:
    """Boot `image`; returns when the guest ended or was ended, with no QEMU left. Whatever ends a machine that was started is a `failure`
    of the verdict, which keeps what was verified until then: a guest's misbehaviour, a deadline, a full disk, and Ctrl-C or SIGTERM where
    the main thread runs this. A second signal is an exception at once.

    Raises MissingToolError without QEMU, UsageError for an accelerator that does not work, OSError when an export or log cannot be begun.
    """
    accelerator = _choose_accelerator(machine, options.accelerator)
    return asyncio.run(_Run(image, machine, options, notify, accelerator).run())


def _choose_accelerator(machine: Machine, wanted: str) -> str:
    if wanted not in ("auto", "tcg", "kvm"):
        raise UsageError(f"--accel {wanted}: expected auto, tcg or kvm")
    if wanted == "tcg" or (wanted == "auto" and "kvm" not in machine.accelerators):
        return "tcg"
    if "kvm" in machine.accelerators and kvm.works(machine.program):
        return "kvm"
    if wanted == "kvm":
        raise UsageError(
            "--accel kvm: no KVM that runs a guest was found here", hint="`xboot doctor` says more; leave --accel out to use TCG"
        )
    return "tcg"


class _Run:
    def __init__(self, image: BootImage, machine: Machine, options: RunOptions, notify: Notify, accelerator: str) -> None:
        self._image, self._machine, self._options, self._notify = image, machine, options, notify
        self._accelerator = accelerator
        self._nonce = secrets.token_hex(16)
        self._window = options.export_window if options.export is not None and machine.export_base is not None else 0
        self._reader = ChannelReader(image.script, self._nonce, options.export_paths, self._window)
        self._timing = Timing()
        self._messages: list[Message] = []
        self._tail = bytearray()
        self._start = time.monotonic()
        self._step_start = self._start
        self._client: QMPClient | None = None
        self._exporter = Exporter(options.export) if self._window and options.export is not None else None
        self._log: IO[bytes] | None = options.log.open("wb", buffering=0) if options.log else None
        self._log_error: OSError | None = None
        self._interrupted = asyncio.Event()
        self._cause = Cause.GUEST
        self._hint = ""

    async def run(self) -> Verdict:
        with _signals(self._interrupted.set):
            return await self._boot()

    async def _boot(self) -> Verdict:
        self._start = self._step_start = time.monotonic()
        vm = await qemu.start(self._machine, self._accelerator, self._window)
        failure = ""
        try:
            failure = await self._watch(vm)
        except ConnectionError:
            failure = f"the result channel broke at {self._reader.where}"
        except OSError as error:
            failure = self._host_failure(error)
        finally:
            await vm.stop()
            if self._client is not None:
                with contextlib.suppress(QMPError, EOFError, OSError):
                    await self._client.disconnect()
            if self._exporter is not None:
                self._exporter.close()
            if self._log is not None:
                self._log.close()
        if self._log_error is not None and not failure:
            failure = self._host_failure(self._log_error)
        verdict = judge(
            self._image, self._messages, self._timing, self._options.expected, failure, self._reader.step or None,
            self._accelerator, time.monotonic() - self._start, _clean(self._tail), self._exporter.files if self._exporter else {},
        )  # fmt: skip
        return replace(verdict, cause=self._cause, hint=self._hint)

    def _host_failure(self, error: OSError) -> str:
        """An error of the host's, in words."""
        self._cause = Cause.HOST
        self._hint = _FULL if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)

    async def _watch(self, vm: qemu.Qemu) -> str:
        """Run the three tasks until the run is decided; the failure, or nothing."""
        console = asyncio.create_task(self._read_console(vm))
        stderr = asyncio.create_task(_drain(vm.process.stderr))
        channel = asyncio.create_task(self._read_channel(vm))
        exited = asyncio.create_task(vm.process.wait())
        interrupted = asyncio.create_task(self._interrupted.wait())
        failure = ""
        try:
            while not channel.done():
                left, _ = self._deadline()
                done, _ = await asyncio.wait(
                    {channel, exited, interrupted}, timeout=max(0.0, min(left, 1.0)), return_when=asyncio.FIRST_COMPLETED
                )
                if channel in done or channel.done():
                    break
                if exited in done:
                    await asyncio.wait({channel}, timeout=1.0)  # what it said before it ended may still be on its way
                    break
                if self._interrupted.is_set() or (self._options.stop is not None and self._options.stop.is_set()):
                    self._cause = Cause.USER
                    failure = f"interrupted at {self._reader.where}"
                    break
                left, what = self._deadline()  # of the step that it is at by now
                if left <= 0:
                    failure = f"{what} at {self._reader.where}"
                    break
            if not failure and channel.done():
                channel.result()
                await asyncio.wait({exited}, timeout=_EXIT_GRACE)
            if not failure:
                failure = self._end(vm.process.returncode)
        except GuestError as error:
            failure = error.message
        finally:
            channel.cancel()
            exited.cancel()
            interrupted.cancel()
            vm.kill()
            await asyncio.wait({console, stderr}, timeout=2.0)
            console.cancel()
            stderr.cancel()
        if failure and not self._messages and stderr.done() and not stderr.cancelled() and stderr.result():
            failure += f"; QEMU says: {printable(stderr.result()[-500:].strip())}"
        return failure

    def _deadline(self) -> tuple[float, str]:
        """Seconds left until the nearest deadline, and what to say when it passes."""
        now, options = time.monotonic(), self._options
        kind, limit, since = (
            ("step", options.step_timeout, self._step_start) if self._reader.step else ("boot", options.boot_timeout, self._start)
        )
        step = (limit - (now - since), f"no end within the {kind} limit of {limit:g} s")
        run = (options.run_timeout - (now - self._start), f"no end within the run limit of {options.run_timeout:g} s")
        return min(step, run)

    def _end(self, status: int | None) -> str:
        """What the end of the machine means: nothing, or the failure."""
        last = self._messages[-1] if self._messages else None
        if last is not None and last.phase is Phase.FAIL:
            if status not in (FAILURE_STATUS, None):
                return (
                    f"the guest reported a failure ({last.text}), but the machine {qemu.describe_exit(status)}, not with {FAILURE_STATUS}"
                )
            where = f"step {last.step} ({self._image.script.steps[last.step - 1].drv})" if last.step else "the check of the sources"
            return f"{where} failed: {last.text} [{last.kind}]"
        done = last is not None and last.phase is Phase.DONE
        if status is None:
            return f"the machine did not end within {_EXIT_GRACE:g} s of its last line"
        if done and status == self._machine.success_status:
            return ""
        said = "said that it was done" if done else f"was at {self._reader.where}"
        gave_up = " (the kernel or executor gave up)" if status == PANIC_STATUS else ""
        ended = f"{qemu.describe_exit(status)}{gave_up}"
        return f"the machine {ended} when the guest {said}; success is {self._machine.success_status} after `done`"

    # ------------------------------------------------------------ the channel

    async def _read_channel(self, vm: qemu.Qemu) -> None:
        reader, writer = await asyncio.open_connection(sock=vm.result, limit=MAX_LINE)
        if await self._line(reader) != READY:
            raise GuestError(f"the guest's first line on the result channel was not {READY.decode()}")
        base = self._machine.export_base if self._window else 0
        writer.write(run_line(self._nonce, base or 0, self._window, self._options.export_paths if self._window else ()))
        await writer.drain()
        while not self._reader.finished:
            message = self._reader.feed(await self._line(reader))
            self._messages.append(message)
            self._observe(message)
            if message.phase is Phase.EXPORT:
                await self._export(vm, message)
                writer.write(ACK)
                await writer.drain()

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            if end.partial:
                raise GuestError(
                    f"the guest's last line on the result channel broke off at {self._reader.where}: {printable(end.partial[:200])}"
                ) from None
            await asyncio.sleep(_EXIT_GRACE)  # the machine has ended; its status says more
            raise GuestError(f"the result channel closed at {self._reader.where}") from None
        except asyncio.LimitOverrunError:
            raise GuestError(f"the guest sent a line of more than {MAX_LINE} bytes at {self._reader.where}") from None
        return line[:-1]

    def _observe(self, message: Message) -> None:
        now = time.monotonic()
        match message.phase:
            case Phase.BEGIN:
                self._step_start = now
                self._timing.begin(message.step, now - self._start)
            case Phase.OUTPUT | Phase.FAIL | Phase.DONE:
                self._timing.end(now - self._start)
        name = message.name or message.path
        self._notify(
            Event(message.phase, now - self._start, message.step, name, message.text, message.sha256, message.size, message.references)
        )

    async def _export(self, vm: qemu.Qemu, message: Message) -> None:
        assert self._exporter is not None and self._machine.export_base is not None  # the reader lets no export through otherwise
        part = self._exporter.part_file()
        client = await self._control(vm)
        try:
            await client.execute("pmemsave", {"val": self._machine.export_base, "size": message.length, "filename": str(part)})
        except QMPError as error:
            self._exporter.check_room(message)
            raise GuestError(f"QEMU could not save the guest's memory for {message.path}: {error}") from error
        self._exporter.append(message, part)

    async def _control(self, vm: qemu.Qemu) -> QMPClient:
        if self._client is None:
            self._client = QMPClient("xboot")
            await self._client.connect(vm.control)
        return self._client

    # ------------------------------------------------------------ the console

    async def _read_console(self, vm: qemu.Qemu) -> None:
        reader, _ = await asyncio.open_connection(sock=vm.console)
        while data := await reader.read(65536):
            self._tail += data
            del self._tail[:-_TAIL]
            if self._log is not None and self._log_error is None:
                try:
                    self._log.write(data)
                except OSError as error:  # the guest must be read on, or it would wait for ever
                    error.filename = str(self._options.log)
                    self._log_error = error
            self._notify(Event(Phase.CONSOLE, time.monotonic() - self._start, self._reader.step, text=_clean(data)))


@contextlib.contextmanager
def _signals(act: Callable[[], None]) -> Iterator[None]:
    """Have the first SIGINT or SIGTERM call `act` in this event loop; the next one does what it did before. Signals that are ignored, or
    that nobody handles, stay so; and only the main thread gets any.
    """
    loop = asyncio.get_running_loop()
    before: dict[int, Callable[..., object]] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        before.clear()

    def handle(*_: object) -> None:
        restore()
        loop.call_soon_threadsafe(act)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                before[number] = handler
                signal.signal(number, handle)
    try:
        yield
    finally:
        restore()


def _clean(data: bytes | bytearray) -> str:
    """Console text for people: line feeds stay, other control bytes do not."""
    return "\n".join(printable(line.rstrip(b"\r").expandtabs()) for line in bytes(data).split(b"\n"))


async def _drain(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream is not None else b""
