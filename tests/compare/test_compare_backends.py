"""`xboot compare` over all backends that are installed, in one command: the published hashes, and the whole chain within its time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from xboot.plugins import Plugins

ROOT = Path(__file__).parents[2]
CHAIN = ROOT / "examples" / "chain" / "recipe.toml"
MINUTES = 15  # that the chain may take on two processors


def compared(tmp_path: Path, target: Path | str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "xboot", "compare", "--json", *arguments, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["verdict"] == "agreed"
    takers = {name for name, registered in Plugins.load().backends.items() if "i686-linux" in registered.info.systems}
    assert set(report["complete"]) == takers
    assert report["failures"] == {}
    assert all(set(output["narSha256"]) == takers for output in report["outputs"])
    return report


def published(name: str) -> str:
    """The hash that the Makefile tells everybody to compare with."""
    match = re.search(rf"^{name} := (sha256-\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert match is not None
    return match[1]


def result(report: dict[str, Any], name: str) -> str:
    (found,) = {o["narHash"] for run in report["runs"].values() for o in run["outputs"] if o["path"].endswith(f"-{name}")}
    return str(found)


@pytest.mark.boot
def test_hello_agrees_on_all_backends(tmp_path: Path) -> None:
    report = compared(tmp_path, ROOT / "examples" / "hello" / "recipe.toml", "--html", str(tmp_path / "report.html"))
    assert result(report, "hello") == published("HELLO")
    assert len(report["independent"]["guestCode"]) == 2 and "mirage" in report["independent"]["guestCode"], "the others share an executor"
    page = (tmp_path / "report.html").read_text()
    assert all(f">{name}<" in page for name in report["complete"])
    documented = {
        word
        for line in (ROOT / "docs" / "compare.md").read_text().splitlines()
        if line.startswith("| `")
        for word in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert documented == set(report)


@pytest.mark.boot
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_chain_but_mescc_agrees_on_all_backends(tmp_path: Path) -> None:
    """All results of the chain except mescc, which takes four fifths of its time."""
    report = compared(tmp_path, f"{CHAIN}:scheme,hello,fixpoint")
    assert result(report, "fixpoint") == published("FIXPOINT")
    assert len({output["step"] for output in report["outputs"]}) == 7


@pytest.mark.boot
@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + 60)
@pytest.mark.skipif("XBOOT_WHOLE_CHAIN" not in os.environ, reason="takes up to a quarter of an hour; set XBOOT_WHOLE_CHAIN=1")
def test_the_whole_chain_agrees_on_all_backends(tmp_path: Path) -> None:
    start = time.monotonic()
    report = compared(tmp_path, CHAIN)
    assert time.monotonic() - start < MINUTES * 60
    assert result(report, "fixpoint") == published("FIXPOINT")
    assert {output["step"] for output in report["outputs"]} == set(range(1, 10))
