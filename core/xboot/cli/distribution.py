"""Which distribution this is, and the command by which it gets programs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from xboot._records import dataclass

_INSTALL = {
    "debian": "apt-get install --no-install-recommends",
    "fedora": "dnf install",
    "arch": "pacman -S --needed",
    "nix": "nix-shell -p",
    "guix": "guix shell",
}
_LIKE = {"debian": "debian", "ubuntu": "debian", "fedora": "fedora", "rhel": "fedora", "centos": "fedora", "arch": "arch", "nixos": "nix",
         "guix": "guix"}  # fmt: skip


_LISTS = Path("/var/lib/apt/lists")


@dataclass(frozen=True, slots=True)
class Distribution:
    """`family` is a key of `Need.packages`; `title` is for people."""

    family: str
    title: str

    def command(self, packages: Iterable[str]) -> str:
        """What a person types to get these packages."""
        return f"{_INSTALL[self.family]} {' '.join(sorted(set(packages)))}"


def this_distribution(file: Path = Path("/etc/os-release")) -> Distribution | None:
    """By os-release(5): its own name, then those that it says it is like. None when none of them is known."""
    try:
        lines = shlex.split(file.read_text(encoding="utf-8", errors="replace"), comments=True)
    except (OSError, ValueError):
        return None
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    for name in (said.get("ID", ""), *said.get("ID_LIKE", "").split()):
        if name in _LIKE:
            return Distribution(_LIKE[name], said.get("PRETTY_NAME", name))
    return None


def offered(distribution: Distribution, packages: Iterable[str]) -> set[str]:
    """Those packages that this release has. Only Debian's apt is asked; elsewhere, and where apt knows of no package at all (its lists are
    empty), all are.
    """
    wanted = sorted(set(packages))
    if distribution.family != "debian" or not wanted or shutil.which("apt-cache") is None:
        return set(wanted)
    environment = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    command = ["apt-cache", "policy", "--", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment)
    found = re.findall(r"(?m)^(\S+):\n(?:  .*\n)*?  Candidate: (?!\(none\))", done.stdout)
    return set(found) if found or any(_LISTS.glob("*_Packages*")) else set(wanted)
