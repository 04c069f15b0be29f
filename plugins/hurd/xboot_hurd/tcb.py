"""What an image of the hurd backend makes you trust, measured."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

from xboot.guest.sources import served_calls
from xboot.model import Artifact, BootImage, Component
from xboot.tcb import SourceFile, count_files, image_components
from xboot_hurd.lines import SOURCES_FILE


def components(image: BootImage) -> Sequence[Component]:
    """One component for each owner of bytes in the image."""
    counted = {name: _counted(image.artifacts[name]) for name in ("kernel", "server")}
    found = image_components(image, counted)
    return [
        dataclasses.replace(c, syscalls=served_calls(image.artifacts["server"].source_files)) if c.name == "server" else c for c in found
    ]


def _counted(artifact: Artifact) -> Mapping[str, SourceFile]:
    record = [path for path in artifact.source_files if path.name == SOURCES_FILE]
    if record:
        return {name: SourceFile(**values) for name, values in json.loads(record[0].read_text()).items()}
    return {f"{path.parent.name}/{path.name}": file for path, file in count_files(artifact.source_files).items()}
