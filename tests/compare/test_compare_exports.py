"""Two kernels that really differ: where that begins, and both NARs of the diverging output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xboot import nar
from xboot.testing.recipes import recipe_text, shell_step

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"


@pytest.mark.boot
def test_the_diverging_output_is_brought_out_of_both(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    lines = ['args = ["-c", "uname -r > $out"]' if line.startswith("args") else line for line in HELLO.read_text().splitlines()]
    recipe.write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "xboot", "compare", "-q", "--voters", "linux,tccboot", "--export", "difference", str(recipe)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, done.stderr
    found = {}
    for name in ("linux", "tccboot"):
        (file,) = (tmp_path / "difference" / name).glob("*.nar")
        assert str(file.relative_to(tmp_path)) in done.stderr
        with file.open("rb") as stream:
            found[name] = b"".join(b"".join(entry.chunks) for entry in nar.read(stream))
    assert found["linux"].strip() and found["tccboot"].strip()
    assert found["linux"] != found["tccboot"]


@pytest.fixture(scope="module")
def looked_for(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A recipe with one step that asks the kernel who it is, compared step by step with linux's word for all that follows."""
    folder = tmp_path_factory.mktemp("differs")
    steps = {
        "base": shell_step("echo base > $out"),
        "asks": shell_step("{busybox}/bin/cat {base} /proc/version > $out"),
        "uses": shell_step("{busybox}/bin/wc -c < {asks} > $out; echo {asks} >> $out"),
        "apart": shell_step("{busybox}/bin/cat {base} {base} > $out"),
    }
    (folder / "recipe.toml").write_text(recipe_text(steps))
    env = os.environ | {"XBOOT_RESULTS": str(folder / "results"), "XBOOT_RESULTS_KEY": str(folder / "key")}
    command = [
        sys.executable, "-m", "xboot", "compare", "-q", "--json", "--voters", "linux,tccboot", "--seal", "steps", "--keep-going",
        "--inputs-of", "linux", "--html", "page.html", "recipe.toml:uses,apart",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=env)
    assert done.returncode == 1, done.stderr
    (folder / "report.json").write_text(done.stdout)
    return folder, json.loads(done.stdout), done.stderr


@pytest.mark.boot
def test_where_the_difference_of_two_kernels_begins(looked_for: tuple[Path, dict[str, Any], str]) -> None:
    folder, report, said = looked_for
    found = {step["drv"].rsplit("-", 1)[1].removesuffix(".drv"): step for step in report["steps"]}
    assert {name: step["state"] for name, step in found.items()} == dict.fromkeys(("base", "uses", "apart"), "agrees") | {"asks": "differs"}
    assert [path.rsplit("-", 1)[1] for path in found["uses"]["given"]["tccboot"]] == ["asks"]
    assert report["seal"] == "steps" and report["complete"] == ["linux", "tccboot"]
    assert "differs by itself  asks: linux " in said
    check = [sys.executable, "-m", "xboot", "check-report", "report.json", "recipe.toml:uses,apart"]
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, done.stderr
    assert "each step in a boot of its own" in done.stderr


@pytest.mark.boot
def test_what_differs_is_there_without_another_boot(looked_for: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = looked_for
    for name, word in (("linux", b"Linux version"), ("tccboot", b"base")):
        (file,) = (folder / "xboot-difference" / name).glob("*.nar")
        assert word in file.read_bytes()
