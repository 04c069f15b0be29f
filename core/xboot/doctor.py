"""`xboot doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from xboot.plugins import Plugins


@dataclass(frozen=True, slots=True)
class Need:
    """A program that xboot runs: what for, which Debian package holds it, and whether plain `xboot run` can do without."""

    program: str
    package: str
    purpose: str
    optional: bool = False


NEEDS = (
    Need("qemu-system-x86_64", "qemu-system-x86", "boots x86_64 guests"),
    Need("qemu-system-i386", "qemu-system-x86", "boots i386 guests"),
    Need("gcc", "gcc", "compiles the C executor and the Linux kernel"),
    Need("make", "make", "builds the Linux kernel"),
    Need("flex", "flex", "builds the Linux kernel"),
    Need("bison", "bison", "builds the Linux kernel"),
    Need("bc", "bc", "builds the Linux kernel"),
    Need("xz", "xz-utils", "unpacks the Linux source"),
    Need("apt-get", "apt", "obtains sources from Debian"),
    Need("dpkg-deb", "dpkg", "unpacks Debian packages"),
    Need("i386-tcc", "tcc", "compiles the tccboot loader", optional=True),
    Need("ocamlfind", "ocaml-findlib", "builds the mirage unikernel", optional=True),
    Need("nix-store", "nix-bin", "compares with what nix built", optional=True),
    Need("guix", "guix", "compares with what guix built", optional=True),
)


def examine(console: Console) -> int:
    """Print one line a need; returns the exit status: 0 when nothing needed is missing, else 4."""
    missing: list[Need] = []
    for need in NEEDS:
        path = shutil.which(need.program)
        if path:
            console.print(f"[green]ok[/]       {need.program}: {path}", highlight=False)
        else:
            word = "[yellow]optional[/]" if need.optional else "[bold red]missing[/] "
            console.print(f"{word} {need.program}: {need.purpose} (Debian package {need.package})", highlight=False)
            missing.append(need)
    console.print(f"[green]ok[/]       acceleration: {_acceleration()}", highlight=False)
    for origin, reason in Plugins.load().broken.items():
        console.print(f"[bold red]broken[/]   {escape(f'plugin {origin}: {reason}')}", highlight=False, soft_wrap=True)
    if missing:
        packages = " ".join(sorted({need.package for need in missing}))
        console.print(f"to mend it: apt-get install --no-install-recommends {packages}", highlight=False)
    return 4 if any(not need.optional for need in missing) else 0


def _acceleration() -> str:
    from xboot.boot import kvm_works  # noqa: PLC0415 - runs a probe guest, so only when asked

    if shutil.which("qemu-system-x86_64") is None:
        return "unknown without QEMU"
    try:
        return "KVM (a probe guest ran)" if kvm_works() else "TCG (no KVM that runs a guest)"
    except subprocess.SubprocessError as error:
        return f"TCG (the KVM probe failed: {error})"
