"""The examples from outside the tree: installed by their own pyproject into a fresh environment, then used as a stranger would."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples" / "plugins"
HELLO = REPOSITORY / "examples" / "hello" / "recipe.toml"
HASH = "sha256-ZP0ooGdeMFvZsCtJBonatXVcjqWiM7N05V46LXzF1xQ="

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = [pytest.mark.slow, pytest.mark.boot]


def test_all_three_are_found(outside: Run) -> None:
    found = json.loads(outside("backends", "--json").stdout)
    assert found["backends"]["stock"]["origin"] == "xboot-stock:stock"
    assert found["broken"] == {}


@pytest.mark.boot
def test_the_stock_kernel_verifies_hello(outside: Run) -> None:
    done = outside("run", "--backend", "stock", "--expect", HASH, HELLO)
    assert done.returncode == 0, done.stderr
    assert "verified on stock" in done.stderr
    assert f"hello  {HASH}" in done.stderr


@pytest.mark.boot
def test_the_stock_kernel_says_when_a_hash_is_another(outside: Run, tmp_path: Path) -> None:
    wrong = "sha256-" + "A" * 43 + "="
    done = outside("run", "--backend", "stock", "--expect", wrong, "--report", f"junit={tmp_path}/v.xml", HELLO)
    assert done.returncode == 1, done.stderr
    suite = ET.parse(tmp_path / "v.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    failure = suite.find("testcase/failure")
    assert failure is not None and "0" * 64 in failure.get("message", "")


def test_what_the_stock_kernel_makes_one_trust(outside: Run) -> None:
    done = outside("tcb", "--backend", "stock", "--format", "json")
    assert done.returncode == 0, done.stderr
    (measure,) = json.loads(done.stdout)["backends"].values()
    components = {c["name"]: c for c in measure["components"]}
    assert components["kernel"]["prebuilt"] and components["kernel"]["lines"] is None
    assert components["executor"]["lines"] > 1000
    assert "busybox" not in done.stdout


def test_the_stock_backend_refuses_a_setting(outside: Run) -> None:
    done = outside("run", "--backend", "stock", "--set", "colour=red", HELLO)
    assert done.returncode == 2
    assert "the backend stock has no setting 'colour'" in done.stderr


@pytest.mark.boot
def test_a_script_with_a_header_is_a_derivation(outside: Run, tmp_path: Path) -> None:
    done = outside("run", "--backend", "stock", "--export", tmp_path / "out", EXAMPLES / "xboot-shell" / "greeting.xsh")
    assert done.returncode == 0, done.stderr
    (nar,) = (tmp_path / "out").glob("*greeting*")
    assert b"EVERY BYTE HAS AN OWNER\n" in nar.read_bytes()


def test_junit_is_written_to_standard_output(outside: Run) -> None:
    done = outside("run", "--report", "junit", "--expect", HASH, HELLO)
    assert done.returncode == 0, done.stderr
    assert ET.fromstring(done.stdout)[0].get("failures") == "0"


def test_a_format_that_nobody_writes_is_refused(outside: Run) -> None:
    done = outside("run", "--report", "nosuch=x", HELLO)
    assert done.returncode == 2
    assert "no installed plugin writes the format 'nosuch'" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("#!/bin/sh\n", "line 1 is '#!/bin/sh', expected '#!xboot-shell 1'"),
        ("#!xboot-shell 2\n", "expected '#!xboot-shell 1'"),
        ("#!xboot-shell 1\n# system mips-linux\n", "line 2: 'system'"),
        ("#!xboot-shell 1\n# source out x\n", "line 2: 'out' cannot be the name of a source"),
        ("#!xboot-shell 1\n# source a ../x\n", "line 2: '../x' must be a file beside the script"),
        ("#!xboot-shell 1\n# source a x\n", "x: cannot be read"),
        ("", "line 1 is ''"),
    ],
)
def test_a_script_with_a_wrong_header_is_refused_with_its_line(outside: Run, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.xsh").write_text(text)
    done = outside("plan", "a.xsh")
    assert done.returncode == 3, done.stderr
    assert says in done.stderr


def test_the_script_does_not_depend_on_the_folder(outside: Run, tmp_path: Path) -> None:
    plans = []
    for name in ("one", "another folder"):
        shutil.copytree(EXAMPLES / "xboot-shell", tmp_path / name)
        plans.append(outside("plan", tmp_path / name / "greeting.xsh").stdout)
    assert plans[0] == plans[1] != ""
