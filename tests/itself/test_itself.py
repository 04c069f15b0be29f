"""tccboot's image rebuilds itself, what was rebuilt boots, and a changed byte in a source is found and named."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from xboot.errors import UsageError
from xboot.itself import PARTS, usual_recipe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "examples" / "self" / "recipe.toml"
SOURCES = ("core/xboot/guest", "plugins/tccboot/xboot_tccboot/guest", "examples/self", "examples/chain")


def rebuild(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", "self", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=env)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose results store serves all tests here: what one has built need not be built again."""
    folder = tmp_path_factory.mktemp("itself")
    return os.environ | {"XBOOT_RESULTS": str(folder / "results"), "XBOOT_RESULTS_KEY": str(folder / "key")}


@pytest.fixture(scope="module")
def rebuilt(kept: dict[str, str]) -> tuple[dict[str, Any], str]:
    """What `xboot self` says of tccboot and mirage, which share no guest code."""
    done = rebuild("-q", "--json", "-b", "tccboot,mirage", env=kept)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.boot
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_image_rebuilds_itself_and_what_was_rebuilt_boots(rebuilt: tuple[dict[str, Any], str]) -> None:
    report, said = rebuilt
    assert f"this image, run on itself and on 1 other kernel, rebuilds itself: sha256 {report['narSha256']}; what was rebuilt boots" in said
    outputs = {output["path"].split("-", 1)[1]: set(output["narSha256"].values()) for output in report["comparison"]["outputs"]}
    assert report["differs"] == [] and report["comparison"]["complete"] == ["tccboot", "mirage"]
    assert {part: outputs[part] for part in PARTS} == {part: {sha256} for part, sha256 in report["parts"].items()}
    assert report["booted"]["failure"] is None
    assert set(report["booted"]["outputs"].values()) == outputs["hello"], "what was rebuilt has built the same"


@pytest.mark.boot
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_is_the_image_that_hello_boots(rebuilt: tuple[dict[str, Any], str], kept: dict[str, str]) -> None:
    command = [sys.executable, "-m", "xboot", "run", "-q", "--json", "--seal", "run", "-b", "tccboot", ROOT / "examples/hello/recipe.toml"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=kept)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["imageSha256"] == rebuilt[0]["imageSha256"]


@pytest.mark.boot
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("file", "before", "after", "differs"),
    [
        ("plugins/tccboot/xboot_tccboot/guest/loader/main.c", "loader: compiling", "loader: Compiling", ["loader", "image"]),
        ("plugins/tccboot/xboot_tccboot/guest/kernel/main.c", "/* main.c", "/* Main.c", ["kernel", "image"]),
        ("core/xboot/guest/personality/table.c", "/* ", "/*  ", ["kernel", "image"]),
        ("core/xboot/guest/executor/main.c", "script sha256", "script SHA256", ["executor", "archive", "image"]),
    ],
)
def test_a_changed_byte_in_a_source_is_found_and_its_part_named(
    file: str, before: str, after: str, differs: list[str], rebuilt: tuple[dict[str, Any], str], kept: dict[str, str], tmp_path: Path
) -> None:
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    changed = tmp_path / file
    text = changed.read_text()
    assert before in text
    changed.write_text(text.replace(before, after, 1))
    done = rebuild("-q", "--json", "-b", "tccboot", tmp_path / "examples/self/recipe.toml", env=kept)
    report = json.loads(done.stdout)
    assert (done.returncode, report["differs"], report["booted"]) == (1, differs, None), done.stderr
    assert report["parts"] == rebuilt[0]["parts"]
    for part in differs:
        assert re.search(
            rf"^{part}: what was built in a guest has NAR SHA-256 [0-9a-f]{{64}}, what boots here {report['parts'][part]}$",
            done.stderr,
            re.M,
        )
    assert f"this image does not rebuild itself; what differs: {', '.join(differs)}" in done.stderr


@pytest.mark.boot
def test_it_can_be_interrupted(tmp_path: Path) -> None:
    env = os.environ | {"XBOOT_RESULTS": str(tmp_path / "results"), "XBOOT_RESULTS_KEY": str(tmp_path / "key")}
    command = [sys.executable, "-m", "xboot", "self", "-b", "tccboot"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=env, start_new_session=True) as process:
        assert process.stderr is not None
        assert any("step 1/12  tcc1" in line for line in process.stderr), "the first builder runs"
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130, said
    assert "this image had not rebuilt itself when it was interrupted" in said
    assert "Traceback" not in said and "rebuilds itself" not in said


@pytest.mark.apt
@pytest.mark.compiler
def test_the_script_in_the_image_is_that_of_hello() -> None:
    """Of the recipe's own hello and of examples/hello, which are one."""
    import xboot

    for target in (f"{RECIPE}:hello", ROOT / "examples" / "hello" / "recipe.toml"):
        assert xboot.plan(target).text == (RECIPE.parent / "hello.script").read_bytes()


def test_tccboot_must_be_among_the_voters() -> None:
    done = rebuild("-b", "mirage,linux")
    assert done.returncode == 2
    assert "tccboot is not among the voters" in done.stderr and "add tccboot" in done.stderr


def test_what_was_rebuilt_must_come_out_of_its_machine() -> None:
    done = rebuild("-b", "tccboot@v86,mirage")
    assert done.returncode == 2
    assert "tccboot@v86: the rebuilt image cannot be brought out of this machine" in done.stderr and "add tccboot" in done.stderr


def test_without_a_source_tree_the_recipe_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert usual_recipe() == RECIPE
    monkeypatch.setattr("xboot.itself.__file__", str(tmp_path / "lib" / "xboot" / "itself.py"))
    with pytest.raises(UsageError, match="installed without its source tree"):
        usual_recipe()


@pytest.mark.apt
def test_a_recipe_that_does_not_build_the_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text((ROOT / "examples" / "hello" / "recipe.toml").read_text())
    done = rebuild("-b", "tccboot", tmp_path / "recipe.toml")
    assert done.returncode in (2, 3) and "'image'" in done.stderr
