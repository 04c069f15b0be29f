"""The hurd backend: GNU Mach, as Debian has it, and one task of ours that is all that builders see of a system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from xboot.backend import Backend, choose_memory
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import BackendError
from xboot.guest.build import build_executor
from xboot.guest.own_tcc import obtain_own_tcc
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Component, Module, Protocol, Script, Setting, SettingKind, Window
from xboot.package import assemble, whole_file, write_payload
from xboot.toolroot import TOOLCHAIN
from xboot_hurd.kernel import debian_kernel, other_kernel
from xboot_hurd.mend import is_mended
from xboot_hurd.module import MAX_PAYLOAD, write_module
from xboot_hurd.server import build_server
from xboot_hurd.tcb import components

MiB = 1 << 20
_MOST_MEMORY = 2048  # MiB, unless the user asks for more: Mach's start takes longer then
_MAX_MEMORY = 3000  # MiB: what a 32-bit Mach without PAE reaches
# What Mach's boot script does with the module: a task of its own, which is told the name of its right to open devices.
_MODULE_WORDS = (
    "server --device-port=${{device-port}} --emulation={emulation} --window={window} --window-size={size} $(task-create) $(task-resume)"
)
# The export window is the memory of a PCI card, since Mach would use any RAM for its own.
_WINDOW = 0xF8000000
_WINDOW_SIZE = 64 * MiB
_SCREEN = (0xB8000, 4096)  # the window of a guest that runs by itself: the screen's cells


class HurdBackend(Backend):
    """A microkernel that somebody else wrote, with one server of ours on it."""

    info: ClassVar[BackendInfo] = BackendInfo(
        name="hurd",
        summary="GNU Mach without Hurd servers; a Linux personality in one task, builders in tasks of their own",
        systems=("i686-linux",),
        executors=("c",),
        abilities=("export", "standalone"),
        max_payload=MAX_PAYLOAD,
        maturity="experimental",
        settings=(
            Setting("gnumach", "another kernel, a multiboot ELF file for i386", kind=SettingKind.FILE, default="Debian's"),
            Setting("kernel", "Debian's GNU Mach, its faults `mended`, or as it is (`debian`)", ("mended", "debian"), default="mended"),
            TOOLCHAIN,
        ),
        contract=2,
    )

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        cache = Cache()
        debian = DebianPackages(cache)
        other = options.settings.get("gnumach")
        toolchain = options.settings.get("toolchain", "locked")
        return {
            "kernel": other_kernel(Path(other)) if other else debian_kernel(debian, cache, untouched=_untouched(options)),
            "server": build_server(obtain_own_tcc(debian, toolchain), cache, standalone=options.standalone),
            "executor": build_executor("i386", "i386-tcc", cache, toolchain, standalone=options.standalone),
        }

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        payload = write_payload(script, folder / "payload", init=artifacts["executor"])
        module, regions = write_module(artifacts["server"], payload, folder / "module")
        payload.path.unlink()
        files = {"kernel": artifacts["kernel"].path, "module": module}
        return assemble(self.info.name, script, files, [whole_file("kernel", artifacts["kernel"]), *regions], artifacts)

    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        size = image.files["module"].stat().st_size
        memory = choose_memory(options, _memory(size), _MOST_MEMORY)
        if memory > _MAX_MEMORY:
            raise BackendError(
                f"GNU Mach uses at most {_MAX_MEMORY} MiB of memory; this run needs {memory}", hint="choose --memory, or another backend"
            )
        if options.export_size > _WINDOW_SIZE:
            raise BackendError(f"the hurd backend's export window has {_WINDOW_SIZE} bytes; this run asks for {options.export_size}")
        size = _WINDOW_SIZE if options.export_size else 0
        window, window_size = _SCREEN if options.standalone else (_WINDOW if size else 0, size)
        words = _MODULE_WORDS.format(emulation=int(is_mended(image.files["kernel"])), window=window, size=window_size)
        return Boot(
            protocol=Protocol.MULTIBOOT,
            kernel=image.files["kernel"],
            modules=(Module(image.files["module"], words),),
            words="console=com0 noide",
            memory=memory,
            bits=32,
            processor="i686",
            window=Window(_WINDOW, size, device=True) if size else None,
        )

    def components(self, image: BootImage) -> Sequence[Component]:
        return components(image)


def _untouched(options: BackendOptions) -> bool:
    return options.settings.get("kernel") == "debian"


def _memory(module: int) -> int:
    """MiB for a boot module of so many bytes: Mach holds it twice while it loads it, the server unpacks it, and a tenth stays free."""
    if module > MAX_PAYLOAD:
        raise BackendError(
            f"the hurd backend's boot module would have {module} bytes; GNU Mach loads at most {MAX_PAYLOAD}",
            hint="run it on linux, tccboot or mirage",
        )
    return min(_MOST_MEMORY, max(1024, 640 + -(-module // MiB) * 4))


plugin = HurdBackend()
