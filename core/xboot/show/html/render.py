"""Templates with everything escaped, and a policy that lets a browser do nothing but draw.

What guests print, and the names in derivations, are hostile. Three walls: jinja2 escapes every value; control characters and those
that turn the direction of text are made visible; and the page's Content-Security-Policy allows its own style sheet, by its hash, and
nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
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


def render(template: str, **values: Any) -> str:
    """A page. `style` and `policy` are added."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"visible": visible, "number": number, "seconds": seconds}
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template(template).render(style=_STYLE, policy=policy, **values)
