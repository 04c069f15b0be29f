"""How long the steps of a script took, kept from run to run: what a display says to expect, and nothing else.

CACHE/times/SCRIPT-VOTER.json: step → seconds. A file that cannot be read or written is no estimate, and no error.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from xboot._workspace import cache_root
from xboot.model import Status, Verdict

_KEPT = 256  # files; the oldest go first
_MAX_SIZE = 1 << 20


def _file(script_sha256: str, voter: str) -> Path:
    return cache_root() / "times" / f"{script_sha256[:32]}-{re.sub('[^a-z0-9]+', '-', voter)}.json"


def step_times(script_sha256: str, voter: str) -> dict[int, float]:
    """Seconds by step, as an earlier run of the script had them; empty when there was none. `voter`: backend and executor."""
    try:
        with _file(script_sha256, voter).open("rb") as file:
            value = json.loads(file.read(_MAX_SIZE))
        return {int(step): float(seconds) for step, seconds in value.items() if 0 <= float(seconds) < 1e7}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return {}


def remember_times(verdict: Verdict, voter: str) -> None:
    """Keep how long the steps took that were run to their end; what is known of the others stays."""
    took = {o.step: o.seconds for o in verdict.outputs if o.status is not Status.NOT_RUN and o.step != verdict.failed_step}
    if not took:
        return
    file = _file(verdict.script_sha256, voter)
    known: Mapping[int, float] = step_times(verdict.script_sha256, voter)
    text = json.dumps({str(step): round(seconds, 3) for step, seconds in sorted({**known, **took}.items())})
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(prefix=".part-", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w") as sink:
                sink.write(text)
            os.replace(part, file)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        for old in sorted(file.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)


def time_left(known: Mapping[int, float], step: int, steps: int) -> float | None:
    """Seconds that the steps `step` to `steps` took in an earlier run; None unless all of them are known."""
    wanted = range(step, steps + 1)
    return sum(known[number] for number in wanted) if all(number in known for number in wanted) else None


def duration(seconds: float) -> str:
    """A length of time as people say it: `3.2 s`, `4 min 10 s`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
