"""Measuring what an image makes you trust."""

from typing import TYPE_CHECKING

from xboot._callable import callable_package
from xboot._lazy import later
from xboot.tcb.build_time import BuildTime, Made, build_time
from xboot.tcb.components import digest, image_components
from xboot.tcb.counted import SourceFile
from xboot.tcb.lines import by_language, count_files, count_lines
from xboot.tcb.measured import LAYERS, TRUSTED_FOR, Measured
from xboot.tcb.overlap import Overlap, overlap
from xboot.tcb.substrate import host_kernel, opaque_file

if TYPE_CHECKING:
    from xboot.tcb.cyclonedx import to_cyclonedx

__all__ = [
    "LAYERS",
    "TRUSTED_FOR",
    "BuildTime",
    "Made",
    "Measured",
    "Overlap",
    "SourceFile",
    "build_time",
    "by_language",
    "count_files",
    "count_lines",
    "digest",
    "host_kernel",
    "image_components",
    "opaque_file",
    "overlap",
    "to_cyclonedx",
]

__getattr__ = later(__name__, {"to_cyclonedx": "xboot.tcb.cyclonedx"})  # cyclonedx takes 50 ms to import
callable_package(__name__)
