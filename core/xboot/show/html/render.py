"""Templates with everything escaped, and a policy that lets a browser do nothing but draw.

What guests print, and the names in derivations, are hostile. Three walls: jinja2 escapes every value; control characters and those
that turn the direction of text are made visible; and the page's Content-Security-Policy allows its own style sheet, by its hash, and
nothing else. A page that is to run something names its scripts, which are allowed by their hashes, too.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent / "templates"
_STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def visible(text: str) -> str:
    """Text with every character that would not show, or would move what follows, as its picture or its number."""
    return _CONTROL.sub(_picture, text.replace("\r\n", "\n"))


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else f"\\u{code:04x}"


def number(value: float) -> str:
    """With separators: 11,816,520."""
    return f"{value:,}"


def seconds(value: float) -> str:
    """As people say it: 0.4 s, 95 s, 3 min 20 s."""
    if value >= 120:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"visible": visible, "number": number, "seconds": seconds}
    return environment


def render(template: str, *, style: str = "", scripts: Sequence[str] = (), allowed: str = "", **values: Any) -> str:
    """A page. `style` and `policy` are added; to the style sheet of all pages this one's (`style`), to what may run `scripts`, and what
    `allowed` says of them in a policy's words.
    """
    whole = _STYLE + style
    policy = f"default-src 'none'; style-src {_source(whole)}; base-uri 'none'; form-action 'none'"
    if scripts:
        policy += f"; script-src {' '.join(map(_source, scripts))} {allowed}"
    return _environment().get_template(template).render(style=whole, policy=policy, **values)


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
