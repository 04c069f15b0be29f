"""What stands below an image and is in none: a machine's program and firmware, and this host's kernel. Trusted all the same."""

from __future__ import annotations

import platform
from pathlib import Path

from xboot.cache import file_sha256
from xboot.model import Component, Role


def opaque_file(name: str, role: Role, path: Path, version: str = "") -> Component:
    """A program or firmware that is installed on this host: its size and hash, and nothing known of its source. Raises OSError."""
    return Component(name, role, path.stat().st_size, file_sha256(path), str(path), version, lines_method="opaque", prebuilt=True)


def host_kernel() -> Component:
    """The kernel of this host. It cannot be measured from within: 0 bytes, without a hash."""
    origin = f"{platform.system()}, running"
    return Component("host kernel", Role.SUBSTRATE, 0, "", origin, platform.release(), lines_method="opaque", prebuilt=True)
