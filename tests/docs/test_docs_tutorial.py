"""The tutorial, as a stranger does it: its files are written, its commands run, and what they print is compared with the page."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "tutorial.md"

# Keeps folder and environment from one command to the next, as a terminal does.
_SHELL = 'test -f "$2" && . "$2" && cd "$PWD"; eval "$1"; status=$?; export -p > "$2"; exit $status'


@dataclass(frozen=True)
class Block:
    title: str
    kind: str
    text: str


def blocks() -> list[Block]:
    found = re.findall(r"^(?:\*\*(\S+)\*\*\n\n)?```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
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


def matches(shown: list[str], printed: str) -> bool:
    """Whether `printed` is as shown: … stands for anything, on a line of its own for any lines; blanks are as many as they like."""
    parts = [
        ".*" if line == "…" else r"\s*" + ".*".join(re.escape(" ".join(p.split())) for p in line.split("…")) + r"\s*" for line in shown
    ]
    text = "\n".join(" ".join(line.split()) for line in printed.splitlines())
    return not shown or re.search("\n?".join(parts), text, re.DOTALL) is not None


def test_matching_can_fail() -> None:
    assert matches(["a…c", "…", "d"], "a b c\nx\ny\nd")
    assert not matches(["a…c"], "b c")
    assert not matches(["a", "b"], "b\na")


def test_the_page_has_what_is_run() -> None:
    assert sum(block.kind == "console" for block in blocks()) >= 9
    assert {"xboot-first/pyproject.toml", "xboot-first/xboot_first.py", "hello.toml", "xboot-first/test_first.py"} == {
        block.title for block in blocks() if block.title
    }
    assert all(block.title or block.kind == "console" for block in blocks())


@pytest.mark.slow
@pytest.mark.boot
def test_the_tutorial(tmp_path: Path) -> None:
    (tmp_path / "xboot").symlink_to(REPOSITORY)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST"))}
    env |= {"COLUMNS": "240", "NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    for block in blocks():
        if block.title:
            file = tmp_path / block.title
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text)
            continue
        for command, shown in commands(block):
            done = subprocess.run(
                ["bash", "-c", _SHELL, "bash", command, tmp_path / "state"], cwd=tmp_path, env=env, text=True, timeout=500, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            assert done.returncode == 0, f"$ {command}\n{done.stdout[-3000:]}"
            assert matches(shown, done.stdout), f"$ {command}\nshown:\n" + "\n".join(shown) + f"\nprinted:\n{done.stdout[-3000:]}"
