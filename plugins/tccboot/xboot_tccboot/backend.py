"""The tccboot backend: a loader that holds TCC compiles a small kernel from its C source at boot, and enters it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from xboot.backend import Backend, choose_memory
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import BackendError, UsageError
from xboot.guest.build import Architecture, Compiler, build_executor
from xboot.guest.own_tcc import obtain_own_tcc
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Component, Module, Protocol, Script, Setting, SettingKind, Window
from xboot.package import assemble, whole_file, write_payload
from xboot.toolroot import TOOLCHAIN
from xboot_tccboot.kernel import compiled_hash, other_tree, own_tree, pack, with_hash
from xboot_tccboot.loader import build_loader, loader_parts, loader_regions
from xboot_tccboot.tcb import components

MiB = 1 << 20
# Of the kernel's own width: the architecture, and the compiler as Debian names it.
_EXECUTORS: Mapping[int, tuple[Architecture, Compiler]] = {32: ("i386", "i386-tcc"), 64: ("x86_64", "tcc")}
_PROCESSORS = {32: "i686+smep+smap+nx", 64: "x86-64-v2+smep+smap+nx"}  # SMEP, SMAP, no-execute: for the kernel's own protection
# MiB: what the kernel's direct map covers (guest/kernel/kernel.h); in long mode with the window
_MAX_MEMORY = {32: 2032, 64: 16384}
_WHOLE, _SPLIT = 3584, 3072  # MiB: a PC of QEMU's has less than that below 4 GiB; if it has more, this, and the rest above


class TccbootBackend(Backend):
    """A kernel that is compiled from its source at every boot."""

    info: ClassVar[BackendInfo] = BackendInfo(
        name="tccboot",
        summary="a loader with TCC inside compiles a small kernel at boot, then boots it; no Linux, no gcc",
        systems=("i686-linux", "x86_64-linux"),
        executors=("c",),
        abilities=("export", "standalone"),
        max_payload=900 * MiB,  # in memory twice while it is unpacked
        maturity="experimental",
        settings=(
            Setting("kernel-tree", "the source of another multiboot kernel, with a manifest", kind=SettingKind.FOLDER, default="its own"),
            Setting(
                "bits",
                "`64`: the kernel in long mode for every run, not only for those with steps for x86_64",
                ("auto", "64"),
                default="auto",
            ),
            TOOLCHAIN,
        ),
        contract=2,
    )

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        cache = Cache()
        debian = DebianPackages(cache)
        toolchain = options.settings.get("toolchain", "locked")
        tcc = obtain_own_tcc(debian, toolchain)
        folder = options.settings.get("kernel-tree")
        if folder and options.standalone:
            raise UsageError("backend tccboot: a kernel-tree cannot run by itself", hint="leave out --standalone, or --set kernel-tree")
        bits = _bits(options)
        tree = other_tree(Path(folder), bits) if folder else own_tree(tcc, standalone=options.standalone, bits=bits)
        loader = build_loader(tcc, cache, bits)
        return {
            **loader_parts(loader),
            "kernel": with_hash(pack(tree, cache), compiled_hash(tree, tcc, cache), loader),
            "executor": build_executor(*_EXECUTORS[bits], cache, toolchain, standalone=options.standalone),
        }

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        if _bits(options) == 32 and (wide := sorted(script.systems - {"i686-linux"})):
            raise BackendError(f"tccboot's kernel of 32 bits does not run {', '.join(wide)} builders", hint="--set bits=64")
        payload = write_payload(script, folder / "payload", init=artifacts["executor"])
        files = {"loader": artifacts["loader"].path, "kernel": artifacts["kernel"].path, "payload": payload.path}
        regions = [*loader_regions(artifacts["loader"]), whole_file("kernel", artifacts["kernel"]), *payload.regions]
        return assemble(self.info.name, script, files, regions, artifacts)

    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        most = _most_memory(options)
        memory = choose_memory(options, min(most, _memory(image.files["payload"].stat().st_size)), most)
        if memory > most:
            raise BackendError(
                f"tccboot's kernel of {_bits(options)} bits uses at most {most} MiB of memory here; this run needs {memory}",
                hint="choose --memory, or another backend",
            )
        window = -(-options.export_size // MiB)
        low = min(memory, _SPLIT - window if memory + window >= _WHOLE else _WHOLE)
        return Boot(
            protocol=Protocol.MULTIBOOT,
            kernel=image.files["loader"],
            modules=(Module(image.files["kernel"]), Module(image.files["payload"])),
            words=f"memory={low}" + (f" high={memory - low}" if memory > low else ""),
            memory=memory,
            bits=_bits(options),
            processor=_PROCESSORS[_bits(options)],
            window=Window(low * MiB, options.export_size) if options.export_size else None,
        )

    def components(self, image: BootImage) -> list[Component]:
        return list(components(image))


def _bits(options: BackendOptions) -> int:
    """Of the kernel: 64 for runs that have a step for x86_64, all of whose steps then run on it, and for others when the user wants it."""
    return 64 if "x86_64-linux" in options.systems or options.settings.get("bits") == "64" else 32


def _memory(payload: int) -> int:
    """MiB for a payload of so many bytes: it stands in memory twice while it is unpacked, and builders need room."""
    return max(768, 512 + -(-payload // MiB) * 3)


def _most_memory(options: BackendOptions) -> int:
    """MiB that the kernel can use: in long mode the window, below 4 GiB where executors look, is part of what the kernel's map covers."""
    window = -(-options.export_size // MiB) if _bits(options) == 64 else 0
    return _MAX_MEMORY[_bits(options)] - window


plugin = TccbootBackend()
