"""Measuring what an image makes one trust."""

from xboot.tcb.components import digest, image_components
from xboot.tcb.lines import SourceFile, by_language, count_files, count_lines

__all__ = ["SourceFile", "by_language", "count_files", "count_lines", "digest", "image_components"]
