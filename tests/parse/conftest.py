"""Oracles and graphs for the tests of the parse stage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # for bench.graph, which is no part of the distribution

GRAPHS = Path(__file__).parent.parent / "data" / "guix"


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real graphs of tests/data/guix, unpacked: one folder each. Do not change them."""
    folder = tmp_path_factory.mktemp("graphs")
    for archive in GRAPHS.glob("*.tar.xz"):
        subprocess.run(["tar", "-C", folder, "-xf", archive], check=True)
    return folder


@dataclass
class Nix:
    """nix-bin with a store of its own below `root`; store paths are those of /nix/store."""

    root: Path

    def run(self, *command: str, stdin: bytes | None = None, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "NIX_REMOTE": "", "NIX_CONFIG": _CONFIG}
        return subprocess.run([*command, "--store", str(self.root)], input=stdin, capture_output=True, check=check, env=environment)

    def instantiate(self, expression: str) -> list[str]:
        """The store paths of the derivations that an expression makes."""
        return self.run("nix-instantiate", "--expr", expression).stdout.decode().split()

    def show(self, *paths: str) -> dict[str, Any]:
        output = self.run("nix", "show-derivation", "--recursive", *paths).stdout
        result: dict[str, Any] = json.loads(output)
        return result

    def add(self, *arguments: str) -> str:
        return self.run("nix-store", *arguments).stdout.decode().strip()

    def file(self, path: str) -> Path:
        """Where a store path's content is."""
        return self.root / path[1:]

    def references(self, path: str) -> Sequence[str]:
        return sorted(self.run("nix-store", "--query", "--references", path).stdout.decode().split())


_CONFIG = """
experimental-features = nix-command ca-derivations impure-derivations
substituters =
sandbox = false
build-users-group =
"""


@pytest.fixture
def nix(tmp_path: Path) -> Nix:
    if shutil.which("nix-instantiate") is None:
        pytest.skip("nix-bin is not installed (tools/setup.sh installs it)")
    root = tmp_path / "nix-root"
    root.mkdir()
    return Nix(root)
