"""The transcript of a run: what the guest says on the result channel, as it would be with a nonce of zeros (docs/channel.md).

Everything in it stands in the run's report, so that it is computed again from any report, however that run was made: by another kernel, on
another machine, in several boots.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from xboot.boot.channel import READY
from xboot.sexp import quote

__all__ = ["NO_NONCE", "Made", "transcript_sha256"]

NO_NONCE = "0" * 32
"""The nonce of a run that nobody listens to."""


class Made(NamedTuple):
    """A source (step 0, named by its path), or an output: SHA-256 and size are those of its NAR."""

    step: int
    name: str
    sha256: str
    size: int
    references: tuple[str, ...] = ()


def transcript_sha256(script_sha256: str, made: Iterable[Made]) -> str:
    """Of a run to its end. `made`: the sources in the script's order, then the outputs in the script's order."""
    lines = [f"hello {_NONCE} {_quoted(script_sha256)}"]
    begun = 0
    for one in made:
        tail = f'"sha256" {_quoted(one.sha256)} {one.size}'
        if not one.step:
            lines.append(f"source {_NONCE} {_quoted(one.name)} {tail}")
            continue
        if one.step != begun:
            lines.append(f"begin {_NONCE} {one.step}")
        begun = one.step
        lines.append(f"output {_NONCE} {one.step} {_quoted(one.name)} {tail} ({' '.join(_quoted(path) for path in one.references)})")
    lines.append(f"done {_NONCE}")
    return hashlib.sha256(READY + b"\n" + "".join(f"({line})\n" for line in lines).encode()).hexdigest()


def _quoted(text: str) -> str:
    return quote(text.encode(errors="surrogatepass"))  # a report may hold what no guest can say


_NONCE = quote(NO_NONCE)
