"""Writes what images measure into docs/tcb.md and README.md: digests, bytes, lines.

Usage: make figures. The images are those that `xboot run` would boot here; they are built if they are not there yet. Whoever changes what
is in an image runs this, and commits what it wrote: `make test` compares. Nothing is written of images that are not of the locked base.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE, README = ROOT / "docs" / "tcb.md", ROOT / "README.md"
BEGIN, END = "<!-- figures: written by `make figures`, held by `make test` -->\n", "<!-- end of figures -->\n"
BACKENDS = ("hurd", "linux", "mirage", "tccboot")
_LAYERS = {
    "loader": "loader",
    "compiler in the boot path": "compiler in the boot path",
    "kernel": "kernel, and the personality in it",
    "services": "services (personality server; language runtime and libraries)",
    "executor": "executor",
}
Report = Mapping[str, Any]


def main() -> int:
    """Measure and write; the exit status."""
    command = [sys.executable, "-m", "xboot", "tcb", "--all", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        return done.returncode
    report = json.loads(done.stdout)
    problem = drift(report)
    if problem:
        print(f"figures: {problem}; nothing is written")
        return 1
    try:
        texts = {PAGE: page(PAGE.read_text(), report), README: readme(README.read_text(), report)}
    except ValueError as error:
        print(f"figures: {error}; nothing is written")
        return 1
    for path, text in texts.items():
        if text != path.read_text():
            path.write_text(text)
            print(f"figures: written into {path.relative_to(ROOT)}")
    return 0


def drift(report: Report) -> str:
    """Why nothing can be published of these measures; empty when all images are of the locked base."""
    drifted = {name: report["backends"][name]["base"] for name in BACKENDS}
    return "; ".join(f"the image of {name} is not of the locked base: {base}" for name, base in drifted.items() if base != "locked")


def page(text: str, report: Report) -> str:
    """docs/tcb.md with these figures. Raises ValueError when it has no place for them."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"docs/tcb.md has no lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{before}{BEGIN}\n{figures(report)}\n{END}{after}"


def figures(report: Report) -> str:
    """The tables."""
    backends = {name: report["backends"][name] for name in BACKENDS}
    tools = dict.fromkeys(tool for m in backends.values() for tool in m["builtWith"] if tool.startswith(("Debian ", "toolroot ", "tcc ")))
    lines = ["Images without script and seeds, as the locked base makes them on any host:", ""]
    lines += ["| | SHA-256 of the image | digest of what was measured |", "|---|---|---|"]
    lines += [f"| {name} | `{m['imageSha256']}` | `{m['digest']}` |" for name, m in backends.items()]
    lines += ["", "Built with:", "", *(f"- {tool}" for tool in tools), ""]
    lines += [f"| | {' | '.join(backends)} |", f"|---|{'---|' * len(backends)}"]
    rows = {
        "bytes of the image": [m["bytes"] for m in backends.values()],
        "of these opaque": [m["opaqueBytes"] for m in backends.values()],
        "lines compiled": [m["lines"] for m in backends.values()],
        **{f"· {shown}": [_in_layer(m, layer) for m in backends.values()] for layer, shown in _LAYERS.items()},
        "system calls offered": [len(m["syscalls"]) for m in backends.values()],
    }
    lines += [f"| {name} | {' | '.join('' if n is None else f'{n:,}' for n in row)} |" for name, row in rows.items()]
    spoken = [", ".join(language for language in m["languages"] if language != "other") for m in backends.values()]
    lines += [f"| languages | {' | '.join(spoken)} |", "", "Lines in common, by file:", ""]
    lines += [
        f"- {' and '.join(pair['backends'])}: {pair['lines']:,}" for pair in report["overlap"] if set(pair["backends"]) <= set(BACKENDS)
    ]
    return "\n".join(lines) + "\n"


def _in_layer(measures: Report, layer: str) -> int | None:
    """Lines of a layer's components; None when the image has no such layer, or none of its lines are known."""
    counted = [c["lines"] for c in measures["components"] if c["layer"] == layer and c["lines"] is not None]
    return sum(counted) if counted else None


def readme(text: str, report: Report) -> str:
    """README.md with these figures. Raises ValueError when it has not the place for one."""
    backends = {name: report["backends"][name] for name in BACKENDS}
    for name, m in backends.items():
        text = _put(text, rf"(?m)^(\| `{name}` \|[^|]*\| )\d[\d,]*\d", f"{m['lines']:,}")
        text = _put(text, rf"(?m)^(\| `{name}` \|[^|]*\|[^|]*\| )[\d.]+", _megabytes(m["bytes"]))
    mach = next(c for c in backends["hurd"]["components"] if c["name"] == "kernel")
    text = _put(text, r"(, of these Mach's )\d[\d,]*\d", f"{mach['lines']:,}")
    text = _put(text, r"(, of these )[\d.]+(?= MB came compiled)", _megabytes(mach["bytes"]))
    common = {tuple(sorted(pair["backends"])): pair["lines"] for pair in report["overlap"]}
    text = _put(text, r"(executor's source with `tccboot` and `hurd` \()\d[\d,]*\d", f"{common['linux', 'tccboot']:,}")
    text = _put(text, r"(share their personality as well \()\d[\d,]*\d", f"{common['hurd', 'tccboot']:,}")
    names = re.search(r"(?m)^ +│( linux +│.*)│$", text)
    if names is None:
        raise ValueError("README.md has no picture whose columns begin with linux")
    cells = [f" {round(backends[name.strip()]['lines'], -3):,} lines".ljust(len(name)) for name in names[1].split("│")]
    return _put(text, r"(?m)^( +│) \d[\d,]*\d lines .*$", "│".join([*cells, ""]))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def _put(text: str, place: str, figure: str) -> str:
    """`text` with the figure at its place: a pattern whose first group stands before it."""
    found, count = re.subn(place, lambda match: match[1] + figure, text)
    if count != 1:
        raise ValueError(f"README.md has {count} places like {place!r}; expected one")
    return found


if __name__ == "__main__":
    sys.exit(main())
