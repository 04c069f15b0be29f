"""`xboot doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xboot._workspace import cache_root
from xboot.plugins import Plugins
from xboot.recipe import default_store_folder
from xboot.show.safe import marked


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
    Need("setpriv", "util-linux", "ends QEMU when xboot ends, however it does"),
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
    plugins = Plugins.load()
    for name, registered in sorted(plugins.machines.items()):
        for sentence in registered.machine.condition():
            console.print(f"[green]ok[/]       machine {name}: {marked(sentence)}", highlight=False, soft_wrap=True)
    for origin, reason in plugins.broken.items():
        console.print(f"[bold red]broken[/]   {marked(f'plugin {origin}: {reason}')}", highlight=False, soft_wrap=True)
    writable = [_place(console, *place) for place in (("cache", cache_root()), ("store", default_store_folder()))]
    for what, needs in (("to mend it", [n for n in missing if not n.optional]), ("optional", [n for n in missing if n.optional])):
        if needs:
            packages = " ".join(sorted({need.package for need in needs}))
            console.print(f"{what}: apt-get install --no-install-recommends {packages}", highlight=False, soft_wrap=True)
    return 0 if all(writable) and all(need.optional for need in missing) else 4


def _place(console: Console, what: str, folder: Path) -> bool:
    """Whether a folder of ours can be written to, and how much room there is."""
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        reason = f"{what}: {folder} cannot be written to ({error.strerror}); XBOOT_{what.upper()} names another folder"
        console.print(f"[bold red]broken[/]   {marked(reason)}", highlight=False, soft_wrap=True)
        return False
    free = shutil.disk_usage(there).free
    console.print(f"[green]ok[/]       {what}: {marked(str(folder))}, {free / 1e9:.1f} GB free", highlight=False, soft_wrap=True)
    return True
