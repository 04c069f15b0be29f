"""The machine `v86`: an emulator in JavaScript and WebAssembly, which node runs, started from a medium."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import ClassVar

from xboot.cache import Cache
from xboot.errors import MissingToolError, UsageError
from xboot.machine import Carrier, End, Machine, MachineOptions, ProcessCarrier, socket_pairs, start_process
from xboot.medium import build_loaders, components, refusal, write_medium
from xboot.model import MAX_ENDING, Boot, Component, MachineInfo, Wiring
from xboot.toolroot import BUILD, command_in, way_in
from xboot_v86.program import DRIVER, NEEDS, V86, obtain_v86

_STATUS = 64  # drive.mjs: the status of the guest's byte 0. Those of node, of shells and of signals are others.
_NODE = "/usr/bin/node"  # behind the walls
_WITHOUT = {"smep", "smap", "nx", "umip"}
"""What kernels protect themselves by where the processor has it. v86's has none of it, and they do without."""
_NO_BYTES = range(125, 128)  # a shell's, for a program that it could not start
_MOST_MEMORY = 2048
"""MiB: a kernel that may use more is given as many, and finds out by itself."""


class V86Machine(Machine):
    """v86 has no long mode. It brings nothing out, and has no debugger."""

    info: ClassVar[MachineInfo] = MachineInfo(
        name="v86",
        summary="v86: a PC in JavaScript and WebAssembly, 32 bits, in node as in a browser",
        abilities=("exit-status",),
        bits=(32,),
        pace=5.0,
        needs=NEEDS,
    )

    def takes(self, boot: Boot) -> str:
        if boot.bits != 32:
            return f"has a processor of 32 bits alone, and this kernel needs one of {boot.bits}"
        if why := refusal(boot):
            return f"boots from a medium, which {why}"
        level, *features = boot.processor.split("+")
        if level != "i686":
            return f"has no processor {level}, only i686"
        if unknown := sorted({*features} - _WITHOUT):
            return f"has no processor with {unknown[0]}"
        if boot.wiring != Wiring():
            return "has the usual serial ports and exit port of a PC alone"
        return ""

    def prepare(self, boot: Boot) -> None:
        """Bring what is not in the cache: v86, node and the firmware, 30 MB."""
        _way(obtain_v86())
        build_loaders(Cache())

    def describe(self, boot: Boot, options: MachineOptions) -> list[str]:
        """None: what it would read is written for each run."""
        raise UsageError("--keep: machine v86 has no command to keep", hint="`xboot image --iso FILE` writes a medium that it boots")

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        assert options.folder is not None  # the boot stage gives one
        v86 = obtain_v86()
        _way(v86)
        work = options.folder / "v86"
        work.mkdir()
        for file in (DRIVER, *v86.files):
            shutil.copyfile(file, work / file.name)
        write_medium(boot, build_loaders(Cache()), work / "medium.iso")
        words = [*(file.name for file in v86.files), "medium.iso", str(min(boot.memory, _MOST_MEMORY))]
        with socket_pairs(2) as ((console, result), theirs):
            command = [_NODE, DRIVER.name, f"{BUILD}/{words[0]}", *words[1:], *(str(end.fileno()) for end in theirs)]
            process = await start_process(command, theirs, command_in(v86.node.folder, work, "", ()))
        return V86Carrier(process, console, result)

    def components(self, boot: Boot) -> Sequence[Component]:
        """v86, node, the firmware, and what the medium adds."""
        loaders = build_loaders(Cache())
        return [*obtain_v86().components(), *components(boot, loaders, [loaders.bios])]

    def confinement(self, boot: Boot, options: MachineOptions) -> str:
        return _way(obtain_v86())


class V86Carrier(ProcessCarrier):
    """A node that runs v86."""

    def end_of(self, status: int) -> End:
        """The guest's byte is in the status: nothing else that ends here has one from 65 to 124."""
        byte = status - _STATUS
        if 0 < byte < MAX_ENDING and status not in _NO_BYTES:
            return End(byte, f"wrote {byte:#04x} to its exit port")
        return super().end_of(status)


def _way(v86: V86) -> str:
    """How node is kept apart here: bubblewrap, or unshare. Raises MissingToolError where neither works."""
    try:
        return way_in(v86.node.folder)
    except MissingToolError as error:
        raise MissingToolError(
            f"machine v86 cannot run its node: {error.message}",
            hint="install bubblewrap, and allow user namespaces (or be root); or choose another machine, as in `-b tccboot@qemu`",
        ) from None


plugin = V86Machine()
