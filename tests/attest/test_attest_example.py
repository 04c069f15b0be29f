"""The example repository: real attestations that verify, of targets that are still these."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.attest import collect_files, verify_files
from xboot.attest.policy import judge, load_policy

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "attestations"


def folder(name: str) -> Path:
    (found,) = EXAMPLE.glob(f"{name}-*")
    return found


@pytest.mark.parametrize(("name", "differs", "enough"), [("hello", 0, True), ("named", 1, True), ("greeting", 0, False)])
def test_each_says_what_the_page_says(name: str, differs: int, enough: bool) -> None:
    policy = load_policy(EXAMPLE / "policy.toml")
    found = verify_files(collect_files([folder(name)]), policy.keys)
    assert not found.refused
    assert len(found.divergences) == differs
    assert judge(found, policy).enough == enough
    assert found.script_sha256.startswith(folder(name).name.removeprefix(f"{name}-"))
    assert {a.claim.seal for a in found.attestations} == {"steps"}


@pytest.mark.apt
@pytest.mark.parametrize(
    ("name", "target", "status"),
    [("hello", "examples/hello/recipe.toml", 0), ("named", "examples/attestations/named/recipe.toml", 1)],
)
def test_the_targets_are_still_these(name: str, target: str, status: int) -> None:
    """examples/attestations/make.sh makes the example anew when a recipe changed."""
    command = ["verify-attestation", "--json", "--policy", EXAMPLE / "policy.toml", "--target", ROOT / target, folder(name)]
    done = subprocess.run([sys.executable, "-m", "xboot", *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert json.loads(done.stdout)["refused"] == []


def test_the_keys_say_that_they_are_for_demonstration() -> None:
    assert all(key.name.startswith("demo-") for key in (EXAMPLE / "keys").iterdir())
    assert "for demonstration" in (EXAMPLE / "README.md").read_text()
