"""Measuring what an image makes one trust."""

from xboot.tcb.components import digest, image_components
from xboot.tcb.cyclonedx import to_cyclonedx
from xboot.tcb.lines import SourceFile, by_language, count_files, count_lines
from xboot.tcb.overlap import Overlap, overlap
from xboot.tcb.substrate import substrate

__all__ = [
    "Overlap",
    "SourceFile",
    "by_language",
    "count_files",
    "count_lines",
    "digest",
    "image_components",
    "overlap",
    "substrate",
    "to_cyclonedx",
]
