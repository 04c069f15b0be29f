"""Images from a kit alone: no network, no cache, another user, another folder; and the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.parts import locked, obtain_part

pytestmark = [pytest.mark.apt, pytest.mark.compiler]
VOTERS = ("hurd", "tccboot")  # whose images are made in seconds; the others are made the same way
TCB = [sys.executable, "-m", "xboot", "tcb", "--json", "-b", ",".join(VOTERS)]
ALONE = ["unshare", "--map-user=1000", "--map-group=1000", "--net"]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `xboot parts --fetch --into` makes it, but with links, and without Linux, which these images do not need."""
    folder = tmp_path_factory.mktemp("kit")
    for part in locked().parts:
        if not part.name.startswith("linux-source") and not locked().optional(part):
            (folder / part.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / part.path).symlink_to(obtain_part(part))
    return folder


def measures(command: list[str], **environment: str) -> dict[str, tuple[str, str, str]]:
    """Voter → SHA-256 of its image, digest, and base."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment, timeout=500)
    if "unshare:" in done.stderr:
        pytest.skip("no user namespace: " + done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    (name,) = {"voters", "backends"} & found.keys()
    return {voter: (m["imageSha256"], m["digest"], m["base"]) for voter, m in found[name].items()}


def test_the_same_images_from_a_kit_without_a_network(kit: Path, tmp_path: Path) -> None:
    elsewhere = {"XBOOT_CACHE": str(tmp_path / "another-cache"), "XBOOT_STORE": str(tmp_path / "store"), "HOME": str(tmp_path)}
    alone = measures([*ALONE, *TCB], XBOOT_MIRROR=str(kit), **elsewhere)
    assert alone == measures(TCB) and alone.keys() == set(VOTERS)
    assert {base for _, _, base in alone.values()} == {"locked"}


def test_without_kit_and_network_one_sentence(tmp_path: Path) -> None:
    env = os.environ | {"XBOOT_CACHE": str(tmp_path / "cache"), "XBOOT_STORE": str(tmp_path / "store"), "XBOOT_MIRROR": ""}
    done = subprocess.run([*ALONE, *TCB], capture_output=True, text=True, check=False, env=env, timeout=200)
    if "unshare:" in done.stderr:
        pytest.skip("no user namespace: " + done.stderr.strip())
    assert done.returncode == 4 and "Traceback" not in done.stderr
    error, hint = done.stderr.strip().splitlines()[-2:]
    assert error.startswith("error: ") and "cannot be had: " in error and hint.startswith("hint: ")
    assert not list((tmp_path / "cache").rglob("*.part"))
