"""QEMU: its command line, and a process that cannot outlive xboot."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass

from xboot.errors import MissingToolError
from xboot.model import Machine

CONSOLE_PORT, RESULT_PORT, EXIT_PORT = 0x3F8, 0x2F8, 0xF4

# `-rtc`: the guest's clock always starts at the same second, so the host's time of day never gets into a build.
_COMMON = (
    "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-rtc", "base=2000-01-01T00:00:00,clock=vm",
    "-device", f"isa-debug-exit,iobase={EXIT_PORT:#x},iosize=4",
)  # fmt: skip
_SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

# Runs between fork and QEMU: asks the kernel to kill this process with its parent, and stops if the parent is gone
# already. Both survive exec.
_LEASH = ("setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"', "sh")


@dataclass(slots=True)
class Qemu:
    """A running QEMU and the host's ends of its three sockets."""

    process: asyncio.subprocess.Process
    control: socket.socket
    console: socket.socket
    result: socket.socket

    def kill(self) -> None:
        """Kill it if it still runs. (`process.kill` would reap it behind asyncio's back, which then takes its status for 255.)"""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Kill it if it still runs, reap it, close the sockets."""
        self.kill()
        await self.process.wait()
        for end in (self.control, self.console, self.result):
            end.close()


def find_program(name: str) -> str:
    """The program's path. Raises MissingToolError naming the package."""
    path = shutil.which(name)
    if path is None:
        raise MissingToolError(
            f"{name} is not installed, so nothing can be booted", hint="apt-get install --no-install-recommends qemu-system-x86"
        )
    return path


@functools.cache
def has_sandbox(program: str) -> bool:
    """Whether this QEMU was built with its seccomp sandbox."""
    done = subprocess.run([program, "-sandbox", _SANDBOX, "-version"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def command_line(machine: Machine, accelerator: str, export_size: int, control: int, console: int, result: int) -> list[str]:
    """The whole command. `control`, `console` and `result` are file descriptors of connected sockets."""
    program = find_program(machine.program)
    memory = machine.memory + -(-export_size // (1 << 20))
    sandbox = ["-sandbox", _SANDBOX] if has_sandbox(program) else []
    return [
        program, *_COMMON, *sandbox, "-accel", accelerator, "-m", f"{memory}M", *machine.arguments,
        "-chardev", f"socket,id=control,fd={control}", "-mon", "chardev=control,mode=control",
        "-chardev", f"socket,id=console,fd={console}", "-device", f"isa-serial,chardev=console,iobase={CONSOLE_PORT:#x},irq=4,index=0",
        "-chardev", f"socket,id=result,fd={result}", "-device", f"isa-serial,chardev=result,iobase={RESULT_PORT:#x},irq=3,index=1",
    ]  # fmt: skip


async def start(machine: Machine, accelerator: str, export_size: int) -> Qemu:
    """Start QEMU on a leash: it dies when the calling thread or its process does."""
    pairs = [socket.socketpair() for _ in range(3)]
    theirs = [pair[1].fileno() for pair in pairs]
    try:
        command = command_line(machine, accelerator, export_size, *theirs)
        process = await asyncio.create_subprocess_exec(
            *_LEASH, str(os.getpid()), *command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, pass_fds=theirs,
            start_new_session=True,
        )  # fmt: skip
    except BaseException:
        for ours, _ in pairs:
            ours.close()
        raise
    finally:
        for _, end in pairs:
            end.close()
    return Qemu(process, *(ours for ours, _ in pairs))


def describe_exit(status: int) -> str:
    """A process's end in words."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
