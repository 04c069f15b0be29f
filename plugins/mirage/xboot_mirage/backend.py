"""The mirage backend: one freestanding OCaml image that is kernel, Linux personality, executor and verifier in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from xboot.backend import Backend, choose_memory
from xboot.cache import Cache
from xboot.errors import UsageError
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Component, Module, Protocol, Script, Setting, Window
from xboot.package import assemble, write_payload
from xboot.toolroot import TOOLCHAIN, WALLS
from xboot_mirage.build import built_image
from xboot_mirage.tcb import components, image_regions

MiB = 1 << 20

# The processor that builders see: the same on every host. SMEP, SMAP and UMIP are for the kernel's own protection.
_PROCESSOR = "x86-64-v2+smep+smap+umip"
# SeaBIOS's variant for microvm; where a distribution made that name a link (Debian), qboot.
_QEMU = ("-M", "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=off", "-bios", "bios-microvm.bin")
_LOW_MEMORY = 3072  # MiB: QEMU puts more than this above 4 GiB, where no export window can follow it
_MOST_MEMORY = 8192  # MiB, unless the user asks for more


class MirageBackend(Backend):
    """A kernel in another language, by which faults of C are not shared."""

    info: ClassVar[BackendInfo] = BackendInfo(
        name="mirage",
        summary="an OCaml unikernel: kernel, Linux personality, executor and verifier in one image",
        systems=("i686-linux", "x86_64-linux"),
        executors=("ocaml",),
        abilities=("export", "standalone"),
        max_payload=(_LOW_MEMORY - 72) * MiB,  # QEMU puts the initrd below 3 GiB, beside the kernel
        settings=(
            Setting(
                "clock",
                "what builders see: the same time in every run, or the real one",
                ("fixed", "real"),
                default="fixed",
            ),
            TOOLCHAIN,
        ),
        needs=(WALLS,),
        contract=2,
    )

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        return built_image(Cache(), notify, options.settings.get("toolchain", "locked"), standalone=options.standalone)

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        payload = write_payload(script, folder / "initrd")
        kernel = artifacts["kernel"]
        files = {"kernel": kernel.path, "initrd": payload.path}
        return assemble(self.info.name, script, files, [*image_regions(kernel), *payload.regions], artifacts)

    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        window = -(-options.export_size // MiB)
        least = _memory(image.files["initrd"].stat().st_size)
        memory = choose_memory(options, least, _LOW_MEMORY - window if window else max(least, _MOST_MEMORY))
        if options.export_size and memory + options.export_size // MiB > _LOW_MEMORY:
            raise UsageError(
                f"the mirage backend exports only from machines of at most {_LOW_MEMORY} MiB, window included; this one has {memory}",
                hint="give less --memory, or leave out --export",
            )
        return Boot(
            protocol=Protocol.PVH,
            kernel=image.files["kernel"],
            modules=(Module(image.files["initrd"]),),
            words=f"mem={memory}M clock={_clock(options)}",
            memory=memory,
            bits=64,
            processor=_PROCESSOR,
            window=Window(memory * MiB, options.export_size) if options.export_size else None,
            hints={"qemu": _QEMU},
        )

    def components(self, image: BootImage) -> Sequence[Component]:
        return components(image)


def _clock(options: BackendOptions) -> str:
    return options.settings.get("clock", "fixed")


def _memory(payload: int) -> int:
    """MiB for a payload of so many bytes: it stands in memory twice while it is unpacked, and builders need room."""
    return max(512, 384 + -(-payload // MiB) * 3)


plugin = MirageBackend()
