"""`xboot doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from xboot._workspace import cache_root
from xboot.cache import Cache
from xboot.cli.distribution import Distribution, offered, this_distribution
from xboot.errors import UsageError
from xboot.model import Need
from xboot.parts import at_hand, locked
from xboot.parts.places import apt_archives, named_mirrors, snapshot_base
from xboot.pipeline import resolve
from xboot.plugins import Plugins
from xboot.recipe import default_store_folder
from xboot.request import Request
from xboot.show.safe import marked

_UTIL = dict.fromkeys(("debian", "fedora", "arch", "nix", "guix"), "util-linux")
_GPGV = {"debian": "gpgv", "fedora": "gnupg2", "arch": "gnupg", "nix": "gnupg", "guix": "gnupg"}
_NIX = {"debian": "nix-bin", "fedora": "nix", "arch": "nix", "nix": "nix", "guix": "nix"}
NEEDS = (
    Need("setpriv", "ends a machine when xboot ends, however it does", _UTIL),
    Need("gpgv", "checks a suite's signed index, when a package is not in the lock", _GPGV, optional=True),
    Need(
        "nix-store",
        "compares with what nix built",
        {"debian": "nix-bin", "fedora": "nix", "arch": "nix", "nix": "nix", "guix": "nix"},
        optional=True,
    ),
    Need("guix", "compares with what guix built", {"debian": "guix", "fedora": "guix", "nix": "guix", "guix": "guix"}, optional=True),
)
"""What the core itself runs. Backends and machines say what they need (`BackendInfo.needs`, `MachineInfo.needs`)."""


def examine(console: Console, plugins: Plugins | None = None, distribution: Distribution | None = None) -> int:
    """Print one line a need; returns the exit status: 0 when xboot and what runs if no voter is named have all they need, else 4."""
    plugins = plugins or Plugins.load()
    distribution = distribution or this_distribution()
    usual = resolve(Request().voter, plugins) if Request().voter.backend in plugins.backends and plugins.machines else None
    groups: list[tuple[str, Sequence[Need], bool]] = [("xboot", NEEDS, True)]
    for name, machine in sorted(plugins.machines.items()):
        groups.append((f"machine {name}", machine.machine.info.needs, usual is not None and name == usual.machine))
    for name, backend in sorted(plugins.backends.items()):
        groups.append((f"backend {name}", backend.info.needs, usual is not None and name == usual.backend))
    lacking: list[Need] = []
    desirable: list[Need] = []
    for who, needs, usually in groups:
        missing = _group(console, who, needs)
        lacking += [need for need in missing if usually and not need.optional]
        desirable += [need for need in missing if not usually or need.optional]
    for name, registered in sorted(plugins.machines.items()):
        for sentence in registered.machine.condition():
            console.print(f"[green]ok[/]       machine {marked(name)}: {marked(sentence)}", highlight=False, soft_wrap=True)
    for origin, reason in plugins.broken.items():
        console.print(f"[bold red]broken[/]   {marked(f'plugin {origin}: {reason}')}", highlight=False, soft_wrap=True)
    writable = [_parts(console), *(_place(console, *place) for place in (("cache", cache_root()), ("store", default_store_folder())))]
    named = {need.program for need in lacking}
    _propose(console, "to mend it", lacking, distribution)
    _propose(console, "optional", [need for need in desirable if need.program not in named], distribution)
    return 0 if all(writable) and not lacking else 4


def _group(console: Console, who: str, needs: Sequence[Need]) -> list[Need]:
    """One line for each need; those that are not here."""
    missing = []
    for need in needs:
        path = shutil.which(need.program)
        word = "[green]ok[/]      " if path else "[yellow]optional[/]" if need.optional else "[bold red]missing[/] "
        said = path or f"{need.purpose}"
        console.print(f"{word} {marked(f'{who}: {need.program}: {said}')}", highlight=False, soft_wrap=True)
        if path is None:
            missing.append(need)
    return missing


def _propose(console: Console, what: str, needs: Sequence[Need], distribution: Distribution | None) -> None:
    """The command that brings what is missing, with no package that this release does not have."""
    if not needs:
        return
    if distribution is None:
        names = ", ".join(sorted({need.program for need in needs}))
        console.print(f"{what}: install {marked(names)} (this distribution is not one that xboot knows)", highlight=False, soft_wrap=True)
        return
    packages = {need.program: need.packages[distribution.family] for need in needs if distribution.family in need.packages}
    there = offered(distribution, packages.values())
    if there:
        console.print(f"{what}: {marked(distribution.command(there))}", highlight=False, soft_wrap=True)
    for program in sorted({need.program for need in needs}):
        if packages.get(program) not in there:
            text = f"{what}: no package of {distribution.title} is known to hold {program}; get it from where it is made"
            console.print(marked(text), highlight=False, soft_wrap=True)


def _parts(console: Console) -> bool:
    """Whether all that images are made from is at hand, or a place is known that may have it."""
    lock, cache = locked(), Cache()
    needed = [part for part in lock.parts if not lock.optional(part)]
    lacking = [part for part in needed if not at_hand(part, cache)]
    try:
        named = len(named_mirrors())
    except UsageError as error:
        console.print(f"[bold red]broken[/]   {marked(f'parts: {error.message}')}", highlight=False, soft_wrap=True)
        return False
    archives = len({archive.base for archive in apt_archives()})
    places = [f"{named} that XBOOT_MIRROR names"] if named else []
    places += [f"{archives} of apt's mirrors"] if archives else []
    places += ["the snapshot archive that XBOOT_SNAPSHOT names"] if snapshot_base() else []
    said = f"parts: {len(needed) - len(lacking)} of {len(needed)} at hand"
    if lacking:
        said += f", {sum(part.size for part in lacking) / 1e6:.0f} MB to come, from {' and '.join(places) or 'nowhere'}"
    good = not lacking or bool(places)
    console.print(f"{'[green]ok[/]      ' if good else '[bold red]missing[/] '} {marked(said)}", highlight=False, soft_wrap=True)
    if not good:
        console.print(
            "to mend it: XBOOT_MIRROR=PLACE, a mirror of Debian or a folder of parts (docs/parts.md)", highlight=False, soft_wrap=True
        )
    return good


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
