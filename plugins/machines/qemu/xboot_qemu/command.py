"""QEMU's command line for a `Boot`."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from xboot.errors import BackendError, MissingToolError
from xboot.machine import MachineOptions
from xboot.model import Boot, Protocol, Serial
from xboot_qemu.confine import has_seccomp
from xboot_qemu.firmware import with_firmware
from xboot_qemu.said import SECCOMP

# `-rtc`: the guest's clock always starts at the second at which each step begins (docs/contract.md), whatever the time of day at the host.
_COMMON = ("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-rtc", "base=2030-01-01T00:00:00,clock=vm")
_PROGRAMS = {32: "qemu-system-i386", 64: "qemu-system-x86_64"}

# The levels of `Boot.processor` as QEMU's models. They are the same under TCG and KVM, on every host: builders look at their processor.
_LEVELS = {"i686": "", "x86-64-v2": "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt"}


def program_name(boot: Boot) -> str:
    """The emulator for this processor."""
    return _PROGRAMS[boot.bits]


def refusal(boot: Boot) -> str:
    """Why QEMU cannot run `boot`; empty when it can."""
    if boot.bits not in _PROGRAMS:
        return f"has no processor of {boot.bits} bits"
    level = boot.processor.partition("+")[0]
    if level not in _LEVELS:
        return f"has no processor {level}, only {', '.join(_LEVELS)}"
    if boot.protocol is Protocol.PROGRAM:
        return "runs no kernel that is a program of the host, as User-Mode Linux is (machine uml does)"
    if boot.protocol is not Protocol.MULTIBOOT and (len(boot.modules) > 1 or any(module.words for module in boot.modules)):
        return f"gives a kernel that is entered by {boot.protocol.value} one initrd, without words"
    return ""


def hints(boot: Boot) -> list[str]:
    """The backend's words for QEMU. It is an ordinary PC unless they say otherwise."""
    words = list(boot.hints.get("qemu", ()))
    return words if "-M" in words else ["-M", "pc", *words]


def find_program(name: str) -> str:
    """The program's path. Raises MissingToolError naming the package."""
    path = shutil.which(name)
    if path is None:
        raise MissingToolError(f"{name} is not installed, so nothing can be booted", hint="`xboot doctor` says how it is installed here")
    return path


def command_line(
    boot: Boot, options: MachineOptions, control: str, console: str, result: str, *, guard: Path | None = None, medium: Sequence[str] = (),
) -> list[str]:  # fmt: skip
    """The whole command. `control` (empty: none), `console` and `result` are what stands behind `-chardev` for each, without an id;
    `guard` is the plugin that watches far calls. `medium`: words for what an ordinary PC boots from, instead of kernel and modules.

    Raises BackendError for a file whose name QEMU cannot be given.
    """
    program = find_program(program_name(boot))
    sandbox = SECCOMP if has_seccomp(program) else ()
    wiring = boot.wiring
    ports = [_serial("console", wiring.console, console, 0), _serial("result", wiring.result, result, 1)]
    return [
        program, *_COMMON, *(() if wiring.exit is None else ("-device", f"isa-debug-exit,iobase={wiring.exit:#x},iosize=4")),
        *sandbox, "-accel", options.accelerator, *_memory(boot), *_processor(boot), *_what(boot, program, medium),
        *(_debugger(options.gdb) if options.gdb else ()),
        *(("-plugin", f"file={doubled(str(guard))}") if guard else ()),
        *(("-chardev", f"{control},id=control", "-mon", "chardev=control,mode=control") if control else ()),
        *(word for port in ports for word in port),
    ]  # fmt: skip


def _what(boot: Boot, program: str, medium: Sequence[str]) -> list[str]:
    return ["-M", "pc", *medium] if medium else [*with_firmware(hints(boot), program), *_files(boot)]


def _memory(boot: Boot) -> list[str]:
    """RAM, and the export window: more of it at its end, or a PCI card's. QEMU's firmware puts the only large card at 0xf8000000; were it
    elsewhere, the hashes of what is copied out would not agree.
    """
    if boot.window is None:
        return ["-m", f"{boot.memory}M"]
    if not boot.window.device:
        return ["-m", f"{boot.memory + -(-boot.window.size // (1 << 20))}M"]
    card = ["-object", f"memory-backend-ram,id=window,size={boot.window.size}", "-device", "ivshmem-plain,memdev=window"]
    return ["-m", f"{boot.memory}M", *card]


def _processor(boot: Boot) -> list[str]:
    level, *features = boot.processor.split("+")
    model = ",+".join([_LEVELS[level] or (f"qemu{boot.bits}" if features else ""), *features])
    return ["-cpu", model] if model else []


def _files(boot: Boot) -> list[str]:
    """Kernel, modules and words. `-initrd` takes modules joined by commas, each with its words behind it."""
    words = ["-append", boot.words] if boot.words else []
    if boot.protocol is Protocol.MULTIBOOT:
        modules = ",".join(" ".join([doubled(str(module.path)), doubled(module.words)]).rstrip() for module in boot.modules)
    else:
        modules = "".join(str(module.path) for module in boot.modules)
    for module in boot.modules:
        if boot.protocol is Protocol.MULTIBOOT and re.search(r"\s", str(module.path)):
            raise BackendError(f"{module.path}: QEMU takes no multiboot module with a blank in its name", hint="choose another folder")
    return ["-kernel", str(boot.kernel), *(["-initrd", modules] if modules else []), *words]


def doubled(text: str) -> str:
    """A file's name as QEMU's options take it: a comma stands twice."""
    return text.replace(",", ",,")


def _debugger(place: str) -> list[str]:
    """Wait for gdb before the first instruction."""
    return ["-S", "-gdb", f"tcp:127.0.0.1:{place}" if place.isdigit() else f"unix:{os.path.abspath(place)},server=on,wait=off"]


def _serial(name: str, port: Serial | None, channel: str, index: int) -> Sequence[str]:
    if port is None:
        return ()
    device = f"isa-serial,chardev={name},iobase={port.port:#x},irq={port.irq},index={index}"
    return ("-chardev", f"{channel},id={name}", "-device", device)
