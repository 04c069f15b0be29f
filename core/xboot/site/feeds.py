"""Atom feeds (RFC 4287) of what changed: one for the site, one for each target."""

from __future__ import annotations

from collections.abc import Sequence

from xboot.show.html.render import render
from xboot.site.evidence import Target
from xboot.site.history import Event

__all__ = ["feed"]

_MOST_ENTRIES = 100
_NEVER = "1970-01-01T00:00:00Z"


def feed(site: str, events: Sequence[Event], target: Target | None = None) -> str:
    """The newest of `events`, which are newest first. Ids are made of digests, so that they stay when a site moves."""
    return render(
        "site-feed.xml.j2", site=site, events=events[:_MOST_ENTRIES], target=target, updated=events[0].time if events else _NEVER
    )  # fmt: skip
