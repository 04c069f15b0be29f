"""Draws the pictures of the docs, docs/pictures/*.svg: light or dark, as the reader's browser prefers. Usage: python tools/pictures.py"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
_STYLE = """
svg { background: #ffffff; }
text { font-family: DejaVu Sans, Verdana, sans-serif; font-size: 14px; fill: #16191d; }
.small { font-size: 12.5px; } .head { font-weight: bold; } .soft { fill: #4a5058; }
.host { fill: #e8eff7; stroke: #33507a; } .guest { fill: #f7ebea; stroke: #8a3a3a; } .trust { fill: #f6f0df; stroke: #75601f; }
.good { fill: #e4f3e6; stroke: #2a6634; } .plain { fill: #f3f4f5; stroke: #62686f; }
rect { stroke-width: 1.5; } line, path.arrow { stroke: #3a4047; stroke-width: 1.6; fill: none; } .tip { fill: #3a4047; }
.border { stroke: #8a3a3a; stroke-dasharray: 7 5; }
@media (prefers-color-scheme: dark) {
  svg { background: #14171a; } text { fill: #e8eaed; } .soft { fill: #b3bac2; }
  .host { fill: #1c2a3c; stroke: #86a9d8; } .guest { fill: #38201f; stroke: #de9490; } .trust { fill: #332b14; stroke: #d6bb67; }
  .good { fill: #183020; stroke: #7cc48a; } .plain { fill: #23282d; stroke: #9aa2ab; }
  line, path.arrow { stroke: #c3c9d0; } .tip { fill: #c3c9d0; } .border { stroke: #de9490; }
}
"""


def text(x: float, y: float, said: str, kind: str = "", anchor: str = "middle") -> str:
    """A line of text."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">{escape(said)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str, head: str, *lines: str) -> str:
    """A box with a heading and lines below it."""
    middle = x + width / 2
    top = y + (height - 19 * len(lines)) / 2 + 5
    parts = [f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" class="{kind}"/>', text(middle, top, head, "head")]
    return "\n".join([*parts, *(text(middle, top + 19 * (n + 1), line, "small") for n, line in enumerate(lines))])


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line without a tip."""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def arrow(x1: float, y1: float, x2: float, y2: float, said: str = "", above: float = 7) -> str:
    """A straight arrow, with a word above its middle."""
    drawn = f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" marker-end="url(#tip)"/>'
    return drawn + (text((x1 + x2) / 2, (y1 + y2) / 2 - above, said, "small") if said else "")


def picture(width: int, height: int, title: str, described: str, parts: Iterable[str]) -> str:
    """The whole file."""
    tip = '<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>', f'<desc id="d">{escape(described)}</desc>', f"<style>{_STYLE}</style>",
            f'<defs>{tip}<path d="M0 0L10 5L0 10z" class="tip"/></marker></defs>', *parts, "</svg>", "",
        ]
    )  # fmt: skip


def trust() -> str:
    """What you must trust, and where the border is that no builder can cross."""
    parts = [
        text(20, 26, "You must trust", "head", "start"),
        box(20, 40, 420, 56, "trust", "the host, and QEMU on it", "they carry every image"),
        box(20, 108, 420, 56, "trust", "the seeds", "binaries that the derivation's graph starts from"),
        box(20, 176, 205, 76, "trust", "one kernel", "or several that agree,", "and share no code"),
        box(235, 176, 205, 76, "trust", "its executor", "a root for each step,", "hashes of outputs"),
        text(520, 26, "You need not trust", "head", "start"),
        box(520, 40, 420, 56, "guest", "builders", "they see their inputs, and no result channel"),
        box(520, 108, 420, 56, "good", "mirrors, archives, caches", "every source is held against its hash"),
        box(520, 176, 420, 76, "good", "nix-daemon, guix-daemon, systemd,", "network, disk, substitutes:", "none of them is there"),
        '<line x1="480" y1="14" x2="480" y2="262" class="border"/>',
        text(480, 284, "xboot tcb measures seeds, kernel and executor: bytes, lines, system calls, origins", "small soft"),
    ]
    said = "Left of a border: host and QEMU, seeds, a kernel, its executor. Right of it: builders, mirrors, daemons, network."
    return picture(960, 300, "The trust boundary", said, parts)


def channel() -> str:
    """Who says what on the result channel, in order."""
    host, guest = 170, 790
    said = [
        (False, "(xboot 1)", "the first line, byte for byte"),
        (True, "(run NONCE …)", "only this run knows the nonce"),
        (False, "(hello NONCE SCRIPT-HASH)", "the script that was read"),
        (False, "(source NONCE PATH HASH …)", "each source, hashed by the guest"),
        (False, "(begin NONCE STEP)", "the builder runs; its console is not believed"),
        (False, "(output NONCE STEP NAME HASH …)", "all processes of the step are gone"),
        (False, "(export NONCE …)", "the NAR, piece by piece: the host hashes it as well"),
        (True, "(ack)", "the next piece may come"),
        (False, "(done NONCE)", "then the machine's status for success"),
    ]
    bottom = 70 + 44 * len(said)
    parts = [box(90, 14, 160, 40, "host", "host"), box(710, 14, 160, 40, "guest", "guest's executor")]
    parts += [line(x, 54, x, bottom) for x in (host, guest)]
    for row, (from_host, words, means) in enumerate(said):
        y = 92 + 44 * row
        ends = (host + 4, guest - 6) if from_host else (guest - 4, host + 6)
        parts += [
            arrow(ends[0], y, ends[1], y),
            text(host + 18, y - 7, words, "head small", "start"),
            text(guest - 18, y - 7, means, "small", "end"),
        ]
    parts.append(
        box(90, bottom, 780, 46, "good", "verdict: each hash against what was expected", "a line out of order ends the run as a failure")
    )
    described = "The guest says ready; the host gives the nonce; the guest tells script, sources, steps, outputs; exports are acknowledged."
    return picture(960, bottom + 60, "The result channel", described, parts)


def segments() -> str:
    """Sealed steps: a boot each, with the host in between."""
    parts = []
    for n, x in enumerate((20, 350, 680), start=1):
        parts.append(box(x, 40, 180, 92, "guest", f"boot {n}", f"step {n} alone", "kernel and executor", "begin anew"))
    for x in (200, 530):
        parts.append(box(x + 38, 50, 74, 72, "host", "host", "hashes", "the NAR"))
        parts += [arrow(x, 86, x + 36, 86), arrow(x + 112, 86, x + 148, 86)]
    parts.append(arrow(860, 86, 904, 86))
    parts.append(text(910, 91, "verdict", "head", "start"))
    parts.append(text(20, 24, "sealed: a builder that takes over its kernel chooses its own output, and nothing else", "soft", "start"))
    words = ("step 1, step 2, step 3: a builder that takes over the kernel", "can forge every hash that comes after")
    parts.append(box(20, 196, 840, 74, "guest", "one boot for all steps (--seal run)", *words))
    parts += [arrow(860, 233, 904, 233), text(910, 238, "verdict", "head", "start"), text(20, 182, "not sealed", "soft", "start")]
    said = "Above: three boots, the host hashing what goes from one to the next. Below: one boot for all steps."
    return picture(980, 288, "Sealed steps", said, parts)


def machines() -> str:
    """A voter is a kernel, its executor, and the machine below."""
    parts = [
        box(340, 14, 300, 54, "host", "one script", "its SHA-256 names the run"),
        text(20, 138, "kernel", "head", "start"), text(20, 219, "executor", "head", "start"), text(20, 316, "machine", "head", "start"),
    ]  # fmt: skip
    kernels = (("linux", "Linux, by gcc"), ("tccboot", "compiled at boot"), ("hurd", "GNU Mach"), ("mirage", "OCaml"))
    for n, (name, made) in enumerate(kernels):
        x = 130 + 210 * n
        parts += [arrow(490, 68, x + 95, 106), box(x, 108, 190, 50, "trust", name, made), arrow(x + 95, 158, x + 95, 190)]
        executor = ("C or Scheme", "C", "C", "OCaml")[n]
        parts += [box(x, 192, 190, 44, "trust", executor), line(x + 95, 236, x + 95, 256)]
    parts.append(line(225, 256, 855, 256))
    below = (
        ("QEMU", "the usual one"),
        ("Bochs", "shares no code with it"),
        ("v86", "nor does this one"),
        ("a PC", "from CD, disk or stick"),
    )
    for n, (name, which) in enumerate(below):
        parts += [arrow(225 + 210 * n, 256, 225 + 210 * n, 282), box(130 + 210 * n, 284, 190, 54, "trust", name, which)]
    parts.append(text(490, 368, "a voter, such as linux/scheme@bochs, is one of each; xboot compare takes several", "small soft"))
    said = "One script goes to four kernels, each with its executor, on a machine: QEMU, Bochs, v86, or a PC."
    return picture(980, 384, "Voters", said, parts)


PICTURES = {"trust": trust, "channel": channel, "segments": segments, "machines": machines}


def main() -> int:
    """Write all pictures; the exit status."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw())
    return 0


if __name__ == "__main__":
    sys.exit(main())
