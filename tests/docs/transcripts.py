"""Pages that are run: their files are written, their commands typed, and what they print is compared with what the page shows.

A block ```console has commands after `$ `, each with the lines that it prints; a block below a line of its own, **NAME**, is the file NAME.
`…` stands for anything in a line, and on a line of its own for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# Keeps folder and environment from one command to the next, as a terminal does.
_SHELL = 'test -f "$2" && . "$2" && cd "$PWD"; eval "$1"; status=$?; export -p > "$2"; exit $status'


@dataclass(frozen=True)
class Block:
    """A block of a page: its file's name (empty for a transcript), its language, its text."""

    title: str
    kind: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    found = re.findall(r"^(?:\*\*(\S+)\*\*\n\n)?```(\w+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(*parts) for parts in found]


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Each command with the lines that the page shows below it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def matches(shown: Sequence[str], printed: str) -> bool:
    """Whether `printed` is as shown: … stands for anything, on a line of its own for any lines; blanks are as many as they like."""
    parts = [
        ".*" if line == "…" else r"\s*" + ".*".join(re.escape(" ".join(p.split())) for p in line.split("…")) + r"\s*" for line in shown
    ]
    text = "\n".join(" ".join(line.split()) for line in printed.splitlines())
    return not shown or re.search("\n?".join(parts), text, re.DOTALL) is not None


def stranger(**more: str) -> dict[str, str]:
    """The environment of somebody who has nothing of the tests': no Python's variables, wide lines, no colours."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST"))}
    return env | {"COLUMNS": "240", "NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONDONTWRITEBYTECODE": "1"} | more


def follow(page: Path, folder: Path, env: Mapping[str, str], *, inside: Sequence[str] = ()) -> None:
    """Do in `folder` what the page says, and compare what comes with what it shows. `inside`: what runs each command (a fresh root)."""
    for block in blocks(page):
        if block.title:
            file = folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        elif block.kind == "console":
            for command, shown in commands(block):
                done = subprocess.run(
                    [*inside, "bash", "-c", _SHELL, "bash", command, folder / "state"], cwd=folder, env=env, text=True, timeout=500,
                    check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )  # fmt: skip
                assert done.returncode == 0, f"$ {command}\n{done.stdout[-3000:]}"
                assert matches(shown, done.stdout), f"$ {command}\nshown:\n" + "\n".join(shown) + f"\nprinted:\n{done.stdout[-3000:]}"
