"""What an image of the linux backend makes you trust, measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from xboot.model import Artifact, BootImage, Component
from xboot.tcb import SourceFile, image_components
from xboot_linux.kernel import SOURCES_FILE
from xboot_linux.syscalls import offered_syscalls


def components(image: BootImage) -> Sequence[Component]:
    """One component for each owner of bytes in the image."""
    kernel = image.artifacts["kernel"]
    found = image_components(image, {"kernel": _kernel_sources(kernel)})
    return [replace(c, syscalls=offered_syscalls(kernel.path)) if c.name == "kernel" else c for c in found]


def _kernel_sources(kernel: Artifact) -> dict[str, SourceFile]:
    """What kbuild's dependency files named, counted when the kernel was built; empty for a kernel that came as a binary."""
    if not kernel.source_files:
        return {}
    (record,) = kernel.source_files
    assert record.name == SOURCES_FILE
    return {name: SourceFile(**values) for name, values in json.loads(record.read_text()).items()}
