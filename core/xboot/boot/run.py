"""Boot an image, watch it, and say what came of it.

Three things run side by side: the result channel (believed, line by line), the console (shown, never believed) and a
watchdog with the deadlines. The first that ends the run decides; a run counts only with `done` on the channel *and*
the byte for success on the exit device. Where the machine has no such device, `done` alone must do, and the verdict says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import math
import re
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import IO

from xboot._records import dataclass
from xboot._workspace import run_folder
from xboot.boot.channel import ACK, MAX_LINE, READY, ChannelReader, Message, run_line
from xboot.boot.export import Exporter
from xboot.boot.keep import keep_image
from xboot.boot.verdict import Timing, judge
from xboot.errors import BackendError, GuestError, NotTakenError, UsageError
from xboot.foreign import printable
from xboot.hooks import Notify
from xboot.machine import Carrier, End, Machine, MachineOptions
from xboot.model import Boot, BootImage, Cause, Ending, Event, Phase, Verdict

BOOT_TIMEOUT, STEP_TIMEOUT, RUN_TIMEOUT = 120.0, 3600.0, 6 * 3600.0
"""Seconds, where a user says nothing and the machine's pace is 1."""
MAX_LOG = 1 << 30
"""Bytes of the console that a log holds: a guest has hours to fill a disk."""
_TAIL = 16384
_QUIET, _QUIET_MOST = 60.0, 600.0  # seconds of a step until the first word about it, and between two at most
_WORDS = 160  # bytes of what the console said last
# What programs and kernels print when there is no room. The console is not believed: a hint is all that comes of it.
_SCARCE = re.compile(
    rb"[Oo]ut of memory|[Cc]annot allocate memory|[Nn]ot enough memory|memory (is )?exhausted|memory is too small|No space left on device"
    rb"|Segmentation fault|files fill|^Killed|std::bad_alloc|MemoryError",
    re.MULTILINE,
)
_FULL = "free some space (`xboot cache prune` removes what can be made again), or write elsewhere"
_EXIT_GRACE = 5.0  # seconds between the last line and the end of the machine


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run: deadlines in seconds (None: the usual ones, times the machine's pace; with a debugger, none), expectations (store path →
    origin → NAR SHA-256 in hex), exports, where to log the console. `accelerator` and `gdb` are the machine's (`MachineOptions`). `keep`: a
    folder for the image and the command that boots it. `stop`, once set by another thread, ends the run within about a second. `before`:
    how many steps of the plan come before the script's first; what is said to people counts them. `address`: as in `Voter`.
    """

    boot_timeout: float | None = None
    step_timeout: float | None = None
    run_timeout: float | None = None
    expected: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    export: Path | None = None
    export_paths: Sequence[str] = ()
    log: Path | None = None
    accelerator: str = "auto"
    gdb: str = ""
    keep: Path | None = None
    stop: threading.Event | None = None
    before: int = 0
    address: str = ""


def check_machine(machine: Machine, options: RunOptions) -> None:
    """Refuse what `machine` can never do, before anything slow starts. Raises UsageError."""
    name, abilities = machine.info.name, machine.info.abilities
    if options.export is not None and "read-memory" not in abilities:
        raise UsageError(
            f"--export: machine {name} cannot read its guest's memory, and outputs come out in no other way",
            hint="leave out --export, or choose another machine",
        )
    if options.gdb and "gdb" not in abilities:
        raise UsageError(f"--gdb: machine {name} has no debugger", hint="choose another machine")


def run_machine(image: BootImage, boot: Boot, machine: Machine, options: RunOptions, notify: Notify) -> Verdict:
    """Boot `image` as `boot` says; returns when the guest ended or was ended, with nothing of the machine left. Whatever
    ends a machine that was started is a `failure` of the verdict, which keeps what was verified until then: a guest's misbehaviour, a
    deadline, a full disk, and Ctrl-C or SIGTERM where the main thread runs this. A second signal is an exception at once.

    Raises MissingToolError without the machine's program, NotTakenError when it does not take this boot, UsageError for what it does not
    have, OSError when an export or log cannot be begun.
    """
    check_machine(machine, options)
    reason = machine.takes(boot)
    if reason:
        raise NotTakenError(f"backend {image.backend} does not boot on machine {machine.info.name}, which {reason}")
    if options.export is not None and boot.window is None:
        raise BackendError(f"backend {image.backend} has no window for --export", hint="leave out --export, or choose another backend")
    chosen = MachineOptions(machine.accelerator(boot, options.accelerator), options.gdb, address=options.address)
    machine.prepare(boot)
    if options.keep is not None:
        keep_image(options.keep, image, boot, machine, chosen)
    return asyncio.run(_Run(image, boot, machine, options, chosen, notify).run())


def host_failure(error: OSError) -> tuple[str, str]:
    """What went wrong on this host, as a verdict's failure and hint say it."""
    hint = _FULL if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error), hint


class _Run:
    def __init__(self, image: BootImage, boot: Boot, machine: Machine, options: RunOptions, chosen: MachineOptions, notify: Notify) -> None:
        self._image, self._boot, self._machine, self._options, self._notify = image, boot, machine, options, notify
        self._chosen = chosen
        self._done_alone = "exit-status" not in machine.info.abilities or boot.wiring.exit is None
        self._limits = _limits(options, machine.info.pace)
        self._grace = _EXIT_GRACE * max(1.0, machine.info.pace)
        self._nonce = secrets.token_hex(16)
        self._window = boot.window if options.export is not None else None
        size = self._window.size if self._window else 0
        self._reader = ChannelReader(image.script, self._nonce, options.export_paths, size, options.before)
        self._timing = Timing()
        self._messages: list[Message] = []
        self._tail = bytearray()
        self._start = time.monotonic()
        self._step_start = self._start
        self._word_at = math.inf
        self._exporter: Exporter | None = None
        self._log: IO[bytes] | None = options.log.open("wb", buffering=0) if options.log else None
        self._log_error: OSError | None = None
        self._log_room = MAX_LOG
        self._interrupted = asyncio.Event()
        self._cause = Cause.GUEST
        self._hint = ""

    async def run(self) -> Verdict:
        with _signals(self._interrupted.set), run_folder() as folder:
            self._chosen = replace(self._chosen, folder=folder)
            if self._options.export is not None:
                self._exporter = Exporter(self._options.export, folder)
            return await self._from_power_on()

    async def _from_power_on(self) -> Verdict:
        self._start = self._step_start = time.monotonic()
        carrier = await self._machine.start(self._boot, self._chosen)
        failure = ""
        try:
            failure = await self._watch(carrier)
        except ConnectionError:
            failure = f"the result channel broke at {self._reader.where}"
        except OSError as error:
            failure = self._host_failure(error)
        finally:
            await carrier.close()
            if self._exporter is not None:
                self._exporter.close()
            if self._log is not None:
                self._log.close()
        if self._log_error is not None and not failure:
            failure = self._host_failure(self._log_error)
        complaint = printable(carrier.complaint()[-500:].strip()) if failure and self._cause is Cause.GUEST and not self._messages else ""
        if complaint:
            failure += f"; {self._machine.info.name} says: {complaint}"
        verdict = judge(
            self._image, self._messages, self._timing, self._options.expected, failure, self._reader.step or None,
            self._chosen.accelerator, time.monotonic() - self._start, _clean(self._tail), self._exporter.files if self._exporter else {},
        )  # fmt: skip
        hint = self._hint or (self._memory_hint() if failure and self._cause is Cause.GUEST else "")
        return replace(
            verdict, cause=self._cause, hint=hint, machine=self._machine.info.name, done_alone=self._done_alone,
            confinement=self._machine.confinement(self._boot, self._chosen),
        )  # fmt: skip

    def _host_failure(self, error: OSError) -> str:
        """An error of the host's, in words."""
        self._cause = Cause.HOST
        failure, self._hint = host_failure(error)
        return failure

    async def _watch(self, carrier: Carrier) -> str:
        """Run the three tasks until the run is decided; the failure, or nothing."""
        console = asyncio.create_task(self._read_console(carrier))
        channel = asyncio.create_task(self._read_channel(carrier))
        ended = asyncio.create_task(carrier.ended())
        interrupted = asyncio.create_task(self._interrupted.wait())
        failure = ""
        try:
            while not channel.done():
                left, _ = self._deadline()
                done, _ = await asyncio.wait(
                    {channel, ended, interrupted}, timeout=max(0.0, min(left, 1.0)), return_when=asyncio.FIRST_COMPLETED
                )
                if channel in done or channel.done():
                    break
                if ended in done:
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
                self._say_it_runs()
            if not failure and channel.done():
                channel.result()
                if not self._done_alone:
                    await asyncio.wait({ended}, timeout=self._grace)
            if not failure:
                failure = self._end(ended.result() if ended.done() else None)
        except GuestError as error:
            failure = error.message
        finally:
            channel.cancel()
            ended.cancel()
            interrupted.cancel()
            carrier.kill()
            await asyncio.wait({console}, timeout=2.0)
            console.cancel()
        return failure

    def _deadline(self) -> tuple[float, str]:
        """Seconds left until the nearest deadline, and what to say when it passes."""
        now, (boot_limit, step_limit, run_limit) = time.monotonic(), self._limits
        kind, limit, since = ("step", step_limit, self._step_start) if self._reader.step else ("boot", boot_limit, self._start)
        step = (limit - (now - since), f"no end within the {kind} limit of {limit:g} s")
        run = (run_limit - (now - self._start), f"no end within the run limit of {run_limit:g} s")
        return min(step, run)

    def _say_it_runs(self) -> None:
        """Of a step that goes on for long, from time to time: for how long, and what the console said last; to observers and the log."""
        lasted = time.monotonic() - self._step_start
        if lasted < self._word_at:
            return
        self._word_at = lasted + min(_QUIET_MOST, max(_QUIET, lasted / 2))
        words = printable(bytes(self._tail).rstrip().rsplit(b"\n", 1)[-1].strip()[-_WORDS:])
        text = f"has run for {lasted:.0f} s; " + (f"the console's last words: {words}" if words else "the console has said nothing")
        self._notify(Event(Phase.RUNNING, time.monotonic() - self._start, self._reader.step, text=text))
        line_end = b"" if self._tail.endswith(b"\n") or not self._tail else b"\n"
        self._write_log(line_end + f"xboot: {self._reader.where} {text}\n".encode())

    def _memory_hint(self) -> str:
        """What to try when the guest may have run out of memory: a builder died by a signal or at a limit, or the console speaks of it."""
        last = self._messages[-1] if self._messages else None
        killed = last is not None and last.phase is Phase.FAIL and last.kind in ("signal", "limit")
        if not killed and not _SCARCE.search(self._tail):
            return ""
        return f"the guest had {self._boot.memory} MiB; if it ran out of memory (files count, too), --memory gives it more"

    def _end(self, end: End | None) -> str:
        """What the end of the machine means: nothing, or the failure. None: it has not ended, or has no way to say so."""
        last = self._messages[-1] if self._messages else None
        meaning = self._boot.endings.get(end.byte) if end is not None and end.byte is not None else None
        if last is not None and last.phase is Phase.FAIL:
            if end is not None and meaning is not Ending.FAILURE and not self._done_alone:
                return f"the guest reported a failure ({last.text}), but the machine {_words(end)}, not with {self._byte(Ending.FAILURE)}"
            where = self._reader.where if last.step else "the check of the sources"
            return f"{where} failed: {last.text} [{last.kind}]"
        done = last is not None and last.phase is Phase.DONE
        if done and (self._done_alone or meaning is Ending.SUCCESS):
            return self._not_brought_out()
        if end is None:
            return f"the machine did not end within {self._grace:g} s of its last line"
        said = "said that it was done" if done else f"was at {self._reader.where}"
        gave_up = " (the kernel or executor gave up)" if meaning is Ending.PANIC else ""
        success = "success is `done`" if self._done_alone else f"success is {self._byte(Ending.SUCCESS)} after `done`"
        return f"the machine {_words(end)}{gave_up} when the guest {said}; {success}"

    def _not_brought_out(self) -> str:
        """The output that a guest which is done was asked to bring out and did not, in words; or nothing."""
        built = {output.path for step in self._image.script.steps for output in step.outputs}
        files = self._exporter.files if self._exporter is not None else built
        missing = [path for path in self._options.export_paths if path in built and path not in files]
        return f"the guest said that it was done, but did not bring out {missing[0]}, as it was asked to" if missing else ""

    def _byte(self, ending: Ending) -> str:
        """The bytes that mean `ending`."""
        return " or ".join(f"{byte:#04x}" for byte, meaning in self._boot.endings.items() if meaning is ending)

    # ------------------------------------------------------------ the channel

    async def _read_channel(self, carrier: Carrier) -> None:
        reader, writer = await asyncio.open_connection(sock=carrier.result, limit=MAX_LINE)
        if await self._line(reader) != READY:
            raise GuestError(f"the guest's first line on the result channel was not {READY.decode()}")
        base, size = (self._window.base, self._window.size) if self._window else (0, 0)
        writer.write(run_line(self._nonce, base, size, self._options.export_paths if self._window else ()))
        await writer.drain()
        while not self._reader.finished:
            message = self._reader.feed(await self._line(reader))
            if message.phase is not Phase.EXPORT:  # a guest may say one for each byte
                self._messages.append(message)
            self._observe(message)
            if message.phase is Phase.EXPORT:
                await self._export(carrier, message)
                writer.write(ACK)
                await writer.drain()

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            await asyncio.sleep(self._grace)  # the machine has ended; its status says more
            if end.partial:
                raise GuestError(
                    f"the guest's last line on the result channel broke off at {self._reader.where}: {printable(end.partial[:200])}"
                ) from None
            raise GuestError(f"the result channel closed at {self._reader.where}") from None
        except asyncio.LimitOverrunError:
            raise GuestError(f"the guest sent a line of more than {MAX_LINE} bytes at {self._reader.where}") from None
        return line[:-1]

    def _observe(self, message: Message) -> None:
        now = time.monotonic()
        match message.phase:
            case Phase.BEGIN:
                self._step_start, self._word_at = now, _QUIET
                self._timing.begin(message.step, now - self._start)
            case Phase.OUTPUT | Phase.FAIL | Phase.DONE:
                self._timing.end(now - self._start)
        name = message.name or message.path
        self._notify(
            Event(message.phase, now - self._start, message.step, name, message.text, message.sha256, message.size, message.references)
        )

    async def _export(self, carrier: Carrier, message: Message) -> None:
        assert self._exporter is not None and self._window is not None  # the reader lets no export through otherwise
        part = self._exporter.part_file()
        try:
            await carrier.read_memory(self._window.base, message.length, part)
        except GuestError as error:
            self._exporter.check_room(message)
            raise GuestError(f"{message.path} could not be brought out: {error.message}") from error
        self._exporter.append(message, part)

    # ------------------------------------------------------------ the console

    async def _read_console(self, carrier: Carrier) -> None:
        reader, _ = await asyncio.open_connection(sock=carrier.console)
        while data := await reader.read(65536):
            self._tail += data
            del self._tail[:-_TAIL]
            self._write_log(data)
            self._notify(Event(Phase.CONSOLE, time.monotonic() - self._start, self._reader.step, text=_clean(data)))

    def _write_log(self, data: bytes) -> None:
        """Add to the log, as far as it has room. An error is kept for the end: the guest must be read on, or it would wait for ever."""
        if self._log is None or self._log_error is not None or self._log_room <= 0:
            return
        try:
            self._log.write(data[: self._log_room])
            self._log_room -= len(data)
            if self._log_room <= 0:
                self._log.write(b"\nxboot: a log holds no more than this; the rest is dropped\n")
        except OSError as error:
            error.filename = str(self._options.log)
            self._log_error = error


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


def _words(end: End) -> str:
    return end.how if end.byte is None else f"ended with {end.byte:#04x}"


def _limits(options: RunOptions, pace: float) -> tuple[float, float, float]:
    """Seconds for the boot, a step and the whole run."""
    usual = [math.inf if options.gdb else limit * pace for limit in (BOOT_TIMEOUT, STEP_TIMEOUT, RUN_TIMEOUT)]
    chosen = (options.boot_timeout, options.step_timeout, options.run_timeout)
    boot, step, run = (mine if theirs is None else theirs for mine, theirs in zip(usual, chosen, strict=True))
    return boot, step, run
