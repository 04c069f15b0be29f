"""linearize: unroll a verified closure into one script. All policy is decided here, so that executors stay dumb."""

from xboot.linearize.reader import parse_script
from xboot.linearize.render import render
from xboot.linearize.text import script_text
from xboot.linearize.unroll import linearize

__all__ = ["linearize", "parse_script", "render", "script_text"]
