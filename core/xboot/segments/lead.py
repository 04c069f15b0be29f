"""Who has a say in how a run of several boots goes on, beside its user: a comparison, which holds several voters together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from xboot.model import Source
from xboot.segments.cut import Segment

__all__ = ["Halted", "Lead"]


class Halted(Exception):
    """The run ends before the segment that was to begin. The text says why, in one sentence."""


class Lead(Protocol):
    """Asked by one voter's run, in its thread."""

    def begins(self, segment: Segment) -> Mapping[str, Source]:
        """May wait. The outputs of earlier segments that this one is to see otherwise than this voter made them. Raises Halted."""

    def ended(self, segment: Segment, built: Mapping[str, Source]) -> None:
        """A segment got to its end, or failed: then `built` is empty."""
