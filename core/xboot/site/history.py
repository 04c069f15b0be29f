"""What changed from one making of a site to the next: attestations carry no time, so the site remembers when it first saw what.

The memory is a file of the site itself. It says nothing about the evidence, only when it was seen here.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xboot._records import dataclass
from xboot.attest.envelope import canonical
from xboot.errors import InputError, UsageError
from xboot.files import load_json
from xboot.site.evidence import Evidence, Target

__all__ = ["FILE", "MAX_HISTORY", "Event", "History", "now", "read_history"]

FILE = "history.json"
MAX_HISTORY = 64 << 20
"""Bytes of a history that are read at most."""

_MAX_EVENTS = 5000  # remembered; older ones are dropped, and the page says so
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Time = Annotated[str, Field(pattern=f"^{_TIME.pattern}$")]


class Event(BaseModel):
    """Something that was seen at a time (UTC): of which target, and what, in words."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    time: _Time
    script: _Hex
    name: str
    what: str

    @property
    def id(self) -> str:
        """A name for ever."""
        return hashlib.sha256(canonical(self.model_dump())).hexdigest()


class _Seen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    name: str
    state: str
    said: dict[str, list[_Hex]]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    xbootHistory: Annotated[int, Field(ge=1, le=1)]
    site: _Hex
    dropped: Annotated[int, Field(ge=0)]
    targets: dict[_Hex, _Seen]
    events: list[Event]


@dataclass(frozen=True, slots=True)
class History:
    """`site`: a number that stays. `targets`: as they were seen last. `events`: oldest first; `dropped`: how many older ones there were."""

    site: str
    targets: Mapping[str, _Seen] = field(default_factory=dict)
    events: Sequence[Event] = ()
    dropped: int = 0

    def after(self, evidence: Evidence, moment: str) -> History:
        """With what is new in `evidence`, seen at `moment`."""
        seen = {target.script: _seen(target) for target in evidence.targets}
        events = list(self.events)
        for script, one in seen.items():
            events += [Event(time=moment, script=script, name=one.name, what=what) for what in _changes(self.targets.get(script), one)]
        for script, before in self.targets.items():
            if script not in seen:
                events.append(Event(time=moment, script=script, name=before.name, what="no valid attestation is left"))
        dropped = max(0, len(events) - _MAX_EVENTS)
        return History(self.site, seen, events[dropped:], self.dropped + dropped)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        said = _File(xbootHistory=1, site=self.site, dropped=self.dropped, targets=dict(self.targets), events=list(self.events))
        return said.model_dump()


def _seen(target: Target) -> _Seen:
    """Who says what: signer and voter → digests over the outputs that they attest."""
    said: dict[str, set[str]] = {}
    for a in target.found.attestations:
        digest = hashlib.sha256(canonical(dict(a.claim.outputs))).hexdigest()
        said.setdefault(f"{a.signer} on {a.claim.voter}", set()).add(digest)
    return _Seen(name=target.name, state=target.state, said={who: sorted(what) for who, what in sorted(said.items())})


def _changes(before: _Seen | None, now: _Seen) -> list[str]:
    if before is None:
        return [f"first seen: {now.state}; {', '.join(now.said)}"]
    found = [f"attested by {who}" for who in now.said if who not in before.said]
    found += [f"no longer attested by {who}" for who in before.said if who not in now.said]
    found += [f"{who} attests other outputs than before" for who in now.said if before.said.get(who, now.said[who]) != now.said[who]]
    return [*found, f"{before.state}, now {now.state}"] if before.state != now.state else found


def now() -> str:
    """The moment, or SOURCE_DATE_EPOCH where that is set, in UTC. Raises UsageError when that is no number of seconds."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not said:
        return datetime.fromtimestamp(int(time.time()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        return datetime.fromtimestamp(int(said), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"SOURCE_DATE_EPOCH={said!r} is no number of seconds since 1970") from None


def read_history(data: bytes | None, where: str, moment: str) -> History:
    """The history that a site has, or, of none, a fresh one. Raises InputError that names `where`."""
    if data is None:
        return History(hashlib.sha256(f"{moment} {os.urandom(16).hex()}".encode()).hexdigest())
    try:
        said = _File.model_validate(load_json(data))
    except (ValueError, ValidationError):
        raise InputError(f"{where}: not the history that `xboot site` writes", hint="make the site anew in another folder") from None
    return History(said.site, said.targets, said.events, said.dropped)
