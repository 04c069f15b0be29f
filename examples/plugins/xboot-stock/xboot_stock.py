"""The stock backend: Debian's cloud kernel, and an initrd with nothing but the executor, the script and the sources.

A worked example. It uses only xboot's public interface, so a backend of your own can begin as a copy of this file.

A backend answers four questions, in this order:

    prepare      which files does it need that do not depend on the script?   (a kernel, an executor: `Artifact`)
    package      how do these and one script become what is booted?           (`BootImage`: files, and who owns each byte)
    boot         what does that need of a machine?                            (`Boot`)
    components   what of it does one have to trust?                           (`Component`)

Everything else is done for it: the result channel, deadlines, the verdict, reports. What the guest must do is the
executor's contract (docs/contract.md); whoever uses xboot's C executor on a kernel with Linux's system calls has it done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from xboot.backend import Backend
from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import MissingToolError
from xboot.guest.build import build_executor
from xboot.hooks import BackendOptions, Notify
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Component, Module, Protocol, Role, Script, Window
from xboot.package import assemble, whole_file, write_payload
from xboot.tcb import image_components

MiB = 1 << 20

# Debian has one such package for each kernel version that it supports; the names end in the version's ABI number.
_PACKAGES = r"^linux-image-[0-9][0-9.]*-[0-9]+-cloud-amd64$"

# The console is the first serial port; the executor finds the result channel on the second one by itself. A kernel
# that panics ends the machine, by a triple fault (QEMU runs with -no-reboot). That is not the byte for success: it
# counts as a failure. With panic=0 the run would wait for its deadline instead.
_APPEND = "console=ttyS0 quiet reboot=t panic=-1"

# Name the processor, always: builders look at it.
_PROCESSOR = "x86-64-v2"


class StockBackend(Backend):
    """Debian's cloud kernel for amd64. It declares no settings, so `--set` is refused for it."""

    # What `xboot backends` shows. `name` is what users write after -b. `systems`: Nix's names of the platforms
    # whose builders the kernel runs; xboot refuses any other before something slow starts. `contract`: the version of
    # the contract that this file was written for. Write it out. An xboot that speaks another one then refuses the plugin
    # in one sentence, instead of failing somewhere in the middle.
    info: ClassVar[BackendInfo] = BackendInfo(
        name="stock",
        summary="Debian's cloud kernel as packaged; an initrd with only the executor",
        systems=("i686-linux", "x86_64-linux"),
        executors=("c",),
        abilities=("export",),  # see `boot`
        maturity="experimental",
        contract=2,
    )

    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        """The kernel, and xboot's C executor as a static program.

        `Cache` keeps what is slow to get, by content; both calls below are quick the second time. Settings come from the
        user, checked against `BackendInfo.settings`: what is not declared there never comes here.
        """
        cache = Cache()
        return {"kernel": _kernel(DebianPackages(cache)), "executor": build_executor("x86_64", "gcc", cache)}

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        """Two files: the kernel as it is, and the payload as initrd.

        `write_payload` writes the archive of docs/contract.md, section 2, with the executor as /init. It returns the
        regions of that file: which component owns which bytes. `assemble` adds the hash of all files. The same
        arguments must give the same bytes: no time, no folder name, no random number may get into a file here.
        """
        payload = write_payload(script, folder / "initrd", init=artifacts["executor"])
        files = {"kernel": artifacts["kernel"].path, "initrd": payload.path}
        return assemble(self.info.name, script, files, [whole_file("kernel", artifacts["kernel"]), *payload.regions], artifacts)

    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        """What the image needs, in words that every machine understands. Serial ports and exit device are those of the contract (`Wiring`);
        the machine, QEMU or another, brings them. It may boot the image's files only.
        """
        payload = -(-image.files["initrd"].stat().st_size // MiB)
        # The archive stands in memory twice while it is unpacked, and builders need room.
        memory = options.memory or max(512, 256 + 4 * payload)
        # For --export the machine gets more memory than the kernel is told of. There the executor lays out what the host then reads.
        words = f"{_APPEND} mem={memory}M" if options.export_size else _APPEND
        return Boot(
            protocol=Protocol.LINUX,
            kernel=image.files["kernel"],
            modules=(Module(image.files["initrd"]),),
            words=words,
            memory=memory,
            bits=64,
            processor=_PROCESSOR,
            window=Window(memory * MiB, options.export_size) if options.export_size else None,
            native=False,  # True would promise that it was tried with KVM as well
        )

    def components(self, image: BootImage) -> Sequence[Component]:
        """One component for each owner of bytes. Lines are counted where an artifact names its sources: the executor does, the kernel
        cannot, so it is reported as what it is: opaque.
        """
        return image_components(image)


def _kernel(debian: DebianPackages) -> Artifact:
    """The newest cloud kernel that xboot's lock has, or Debian's signed index offers; its package,
    version and SHA-256 go into `origin`, so that a report says what was booted.
    """
    names = debian.search(_PACKAGES)
    if not names:
        # An error that a user can act on is one of xboot.errors, with a hint. Anything else is reported as this plugin's mistake.
        raise MissingToolError("no linux-image-*-cloud-amd64 package is to be had", hint="name a mirror of Debian with XBOOT_MIRROR")
    newest = max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
    folder, deb = debian.unpacked(newest)
    (image,) = (folder / "boot").glob("vmlinuz-*")
    return Artifact(
        name="kernel",
        path=image,
        sha256=file_sha256(image),
        size=image.stat().st_size,
        role=Role.KERNEL,
        origin=f"Debian {deb.package} {deb.version} (sha256 {deb.sha256})",
        version=deb.version,
        lines_method="opaque",
        prebuilt=True,  # nobody compiled it here
    )


plugin = StockBackend()  # what the entry point in pyproject.toml names
