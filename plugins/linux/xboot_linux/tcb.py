"""What an image of the linux backend makes one trust, measured."""

from __future__ import annotations

import json
from collections.abc import Sequence

from xboot.model import Artifact, BootImage, Component
from xboot.tcb import SourceFile, image_components
from xboot_linux.kernel import SOURCES_FILE


def components(image: BootImage) -> Sequence[Component]:
    """One component for each owner of bytes in the image."""
    return image_components(image, {"kernel": _kernel_sources(image.artifacts["kernel"])})


def _kernel_sources(kernel: Artifact) -> dict[str, SourceFile]:
    """What kbuild's dependency files named, counted when the kernel was built; empty for a kernel that came as a binary."""
    if not kernel.source_files:
        return {}
    (record,) = kernel.source_files
    assert record.name == SOURCES_FILE
    return {name: SourceFile(**values) for name, values in json.loads(record.read_text()).items()}
