"""The linux backend: a Linux kernel with nothing in it that builders do not need, booted by PVH on QEMU's microvm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from xboot.backend import Backend, choose_memory
from xboot.cache import Cache
from xboot.errors import BackendError, UsageError
from xboot.guest.build import Architecture, build_executor
from xboot.guest.scheme import build_scheme_executor, kernel_words
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Component, Module, Protocol, Script, Setting, Window
from xboot.package import assemble, whole_file, write_payload
from xboot.toolroot import TOOLCHAIN, WALLS
from xboot_linux.kernel import built_kernel, distro_kernel
from xboot_linux.tcb import components
from xboot_linux.uml import WIRING, uml_kernel

MiB = 1 << 20
_LOW_MEMORY = 3072  # MiB: a machine puts more than this above 4 GiB; boot files must lie below, and an export window cannot follow there
_MOST_MEMORY = 4096  # MiB, unless the user asks for more: Linux enters each page in its table at the start, 40 ms a GiB under TCG

_PROCESSOR = "x86-64-v2"  # what builders see: an emulator has this level whole
_NARROW_PROCESSOR = "i686"
_MICROVM = "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=off"
_CONSOLE = "console=ttyS0 quiet"
_STANDING = "panic=0"  # without a host: nothing is begun again, and the screen stays as it is
_OVERCOMMIT = "sysctl.vm.overcommit_memory=1"  # address space is not memory: what is never touched is never refused
_ENDING = "reboot=t panic=-1"  # a panic ends the machine, with a status that is not the success status
# Nothing is measured that is known or not used. The tick is the PIT's: the local APIC's timer would first be measured, for 0.2 s.
_QUICK = "lpj=4000000 no_timer_check nolapic_timer tsc=unstable clocksource=jiffies random.trust_cpu=on"


class LinuxBackend(Backend):
    """Linux itself, of which nobody doubts that builders run on it."""

    info: ClassVar[BackendInfo] = BackendInfo(
        name="linux",
        summary="Linux from tinyconfig: no network devices, block, PCI, ACPI or modules; PVH on microvm",
        systems=("i686-linux", "x86_64-linux"),
        executors=("c", "scheme"),
        abilities=("export", "kvm", "standalone"),
        maturity="stable",
        max_payload=(_LOW_MEMORY - 72) * MiB,  # QEMU puts the initrd below 3 GiB, beside the kernel
        settings=(
            Setting(
                "kernel",
                "`built` here from Debian's source, Debian's cloud kernel (`distro`), or its User-Mode Linux (`uml`, on the machine `uml`)",
                ("built", "distro", "uml"),
                default="built",
            ),
            Setting(
                "net",
                "sockets of the kernel that is built: none, between processes (`unix`), also on a loopback of the step's own (`loopback`)",
                ("none", "unix", "loopback"),
                default="unix",
            ),
            Setting(
                "bits",
                "of the kernel that is built: `32` is less to trust, and runs i686 builders alone; `auto` is 64 where the machine has them",
                ("auto", "64", "32"),
                default="auto",
            ),
            TOOLCHAIN,
        ),
        needs=(WALLS,),
        contract=2,
    )

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        cache = Cache()
        toolchain = options.settings.get("toolchain", "locked")
        net, narrow = options.settings.get("net", "unix"), _is_narrow(options)
        chosen = options.settings.get("kernel", "built")
        if narrow and (chosen != "built" or options.executor == "scheme"):
            what = f"--set kernel={chosen}" if chosen != "built" else "the executor scheme"
            raise UsageError(f"backend linux: {what} has 64 bits alone", hint="leave out --set bits=32")
        if chosen == "built":
            kernel = built_kernel(cache, notify, net, toolchain, "32" if narrow else "64")
        else:
            kernel = uml_kernel(cache) if _is_uml(options) else distro_kernel(cache)
        if options.executor == "scheme":
            if options.standalone:
                raise UsageError("the executor scheme cannot run by itself: it has no screen", hint="--backend linux/c has one")
            return {"kernel": kernel, **build_scheme_executor(cache)}
        architecture: Architecture = "i386" if narrow else "x86_64"
        return {"kernel": kernel, "executor": build_executor(architecture, "gcc", cache, toolchain, standalone=options.standalone)}

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        if _is_narrow(options) and (wide := sorted(script.systems - {"i686-linux"})):
            raise BackendError(
                f"backend linux does not run {', '.join(wide)} builders on a kernel of 32 bits",
                hint="leave out --set bits=32, or choose a machine of 64 bits",
            )
        if _is_uml(options) and "i686-linux" in script.systems:
            raise BackendError(
                "backend linux does not run i686-linux builders on User-Mode Linux: Debian's runs programs of 64 bits alone",
                hint="leave out --set kernel=uml",
            )
        extra = tuple(artifacts[name] for name in ("guile", "scheme") if name in artifacts)
        payload = write_payload(script, folder / "initrd", init=artifacts.get("executor"), extra=extra)
        kernel = artifacts["kernel"]
        files = {"kernel": kernel.path, "initrd": payload.path}
        return assemble(self.info.name, script, files, [whole_file("kernel", kernel), *payload.regions], artifacts)

    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        window = -(-options.export_size // MiB)
        least = _memory(image.files["initrd"].stat().st_size)
        memory = choose_memory(options, least, _LOW_MEMORY - window if window else max(least, _MOST_MEMORY))
        if window and memory + window > _LOW_MEMORY:
            raise UsageError(
                f"the linux backend exports only from machines of at most {_LOW_MEMORY} MiB, window included; this one has {memory}",
                hint="give less --memory, or leave out --export",
            )
        distro, narrow = _is_distro(options), _is_narrow(options)
        limit = f"mem={memory}M" if options.export_size else ""
        init = kernel_words() if "guile" in image.artifacts else ()  # last: what follows `--` are its arguments
        if _is_uml(options):
            return Boot(
                protocol=Protocol.PROGRAM,
                kernel=image.files["kernel"],
                modules=(Module(image.files["initrd"]),),
                words=" ".join(("quiet", _OVERCOMMIT, *init)),
                memory=memory,
                processor=_PROCESSOR,
                window=Window(memory * MiB, options.export_size) if options.export_size else None,
                wiring=WIRING,
                native=True,
            )
        ending = _STANDING if options.standalone else _ENDING
        append = " ".join(word for word in (_CONSOLE, ending, _OVERCOMMIT, "" if distro else _QUICK, limit, *init) if word)
        return Boot(
            protocol=Protocol.LINUX if distro else Protocol.PVH,
            kernel=image.files["kernel"],
            modules=(Module(image.files["initrd"]),),
            words=append,
            memory=memory,
            bits=32 if narrow else 64,
            processor=_NARROW_PROCESSOR if narrow else _PROCESSOR,
            window=Window(memory * MiB, options.export_size) if options.export_size else None,
            native=True,
            hints={"qemu": ("-M", "pc" if distro or narrow else _MICROVM)},
        )

    def components(self, image: BootImage) -> Sequence[Component]:
        return components(image)


def _is_distro(options: BackendOptions) -> bool:
    return options.settings.get("kernel") == "distro"


def _is_uml(options: BackendOptions) -> bool:
    return options.settings.get("kernel") == "uml"


def _is_narrow(options: BackendOptions) -> bool:
    """Whether its kernel has 32 bits: as the user says, or else if the machine has no more and the rest can be had so."""
    bits = options.settings.get("bits", "auto")
    can = options.settings.get("kernel", "built") == "built" and options.executor != "scheme"
    return bits == "32" or (bits == "auto" and 64 not in options.bits and can)


def _memory(payload: int) -> int:
    """MiB for a payload of so many bytes: it stands in memory twice while it is unpacked, files may take half of the
    memory (tmpfs), and builders need room.
    """
    return max(512, 256 + -(-payload // MiB) * 4)


plugin = LinuxBackend()
