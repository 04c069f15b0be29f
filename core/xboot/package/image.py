"""Putting an image together: its files, who owns each byte, and its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from xboot.cache import file_sha256
from xboot.errors import BackendError
from xboot.model import Artifact, BootImage, Region, Script


def whole_file(file: str, artifact: Artifact) -> Region:
    """The region of a file that is one artifact from end to end."""
    return Region(file, 0, artifact.size, artifact.name)


def assemble(
    backend: str, script: Script, files: Mapping[str, Path], regions: Iterable[Region], artifacts: Mapping[str, Artifact]
) -> BootImage:
    """The image of `files` (name → path). Raises BackendError when a byte has no owner or two.

    The image's SHA-256 is that of the lines `NAME SIZE SHA256\\n`, one a file, in bytewise order of the names.
    """
    owned = list(regions)
    for name, path in files.items():
        _check_cover(backend, name, path.stat().st_size, [region for region in owned if region.file == name])
    strays = sorted({region.file for region in owned} - set(files))
    if strays:
        raise BackendError(f"backend {backend}: regions for {', '.join(strays)}, which the image does not have")
    listing = "".join(f"{name} {files[name].stat().st_size} {file_sha256(files[name])}\n" for name in sorted(files, key=str.encode))
    return BootImage(backend, script, dict(files), owned, dict(artifacts), hashlib.sha256(listing.encode()).hexdigest())


def _check_cover(backend: str, name: str, size: int, regions: Sequence[Region]) -> None:
    at = 0
    for region in sorted(regions, key=lambda r: r.offset):
        if region.offset != at:
            what = "has no owner" if region.offset > at else f"is claimed twice, by {region.component!r} too"
            raise BackendError(f"backend {backend}: byte {min(at, region.offset)} of {name} {what}")
        at += region.size
    if at != size:
        raise BackendError(f"backend {backend}: {name} has {size} bytes, but {at} have an owner")
