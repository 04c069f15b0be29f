"""Stages before the boot show how far they are on a terminal, and say nothing when piped."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # for bench.graph, which is no part of the distribution

RECIPE = """
[recipe]
system = "i686-linux"
[source.tree]
type = "tree"
path = "tree"
[source.url]
type = "url"
url = "file://{folder}/payload"
hash = "sha256-{hash}"
[derivation.a]
builder = "{{tree}}/bin/sh"
args = ["{{url}}"]
"""


def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"XBOOT_CACHE": str(tmp_path / "cache"), "XBOOT_STORE": str(tmp_path / "store"), "TERM": "xterm", "COLUMNS": "120"}


def on_terminal(tmp_path: Path, *arguments: object) -> tuple[int, str]:
    """Exit status, and what standard error, a terminal, was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "xboot", *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, env=environment(tmp_path),
    )  # fmt: skip
    os.close(slave)
    shown = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: the other side is closed
            break
        if not data:
            break
        shown += data
    os.close(master)
    return process.wait(), shown.decode(errors="replace")


def piped(tmp_path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment(tmp_path))


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    from bench.graph import make_graph

    made = make_graph(tmp_path_factory.mktemp("graph") / "store", count=600)
    return made.folder, made.root


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    import base64
    import hashlib

    (tmp_path / "payload").write_bytes(b"x" * 100_000)
    (tmp_path / "tree" / "bin").mkdir(parents=True)
    (tmp_path / "tree" / "bin" / "sh").write_text("x")
    digest = base64.b64encode(hashlib.sha256(b"x" * 100_000).digest()).decode()
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(folder=tmp_path, hash=digest))
    return path


MOVES = re.compile(r"\x1b\[\d*[AK]|\x1b\[\?25l")  # a line that is drawn again: the cursor hidden, moved up, the line wiped


@pytest.mark.parametrize("verb", ["plan", "show"])
def test_a_graph_is_read(graph: tuple[Path, str], tmp_path: Path, verb: str) -> None:
    folder, root = graph
    status, shown = on_terminal(tmp_path, verb, root, "--store", folder)
    assert status == 0, shown
    assert MOVES.search(shown)
    assert "parse" in shown
    quiet = piped(tmp_path, verb, root, "--store", folder)
    assert quiet.returncode == 0
    assert "\x1b" not in quiet.stderr
    assert [line for line in quiet.stderr.splitlines() if "missing" not in line] == []


def test_reading_tells_how_far_it_is(graph: tuple[Path, str]) -> None:
    from xboot.hooks import ReadOptions
    from xboot.parse import read_closure

    folder, root = graph
    said: list[str] = []
    read_closure(root, ReadOptions(stores=[folder], notify=lambda event: said.append(event.text)))
    assert said[:2] == ["256 derivations", "512 derivations"]
    assert "outputs of 600 derivations" in said
    assert any(text.startswith("source ") for text in said)


def test_derive_fetch_and_bundle(recipe: Path, tmp_path: Path) -> None:
    verbs = ((["derive", recipe], "derive"), (["fetch", recipe], "fetch"), (["bundle", recipe, tmp_path / "b"], "bundle"))
    for words, stage in (*verbs, (["plan", tmp_path / "b"], "parse")):
        status, shown = on_terminal(tmp_path, *words)
        assert status == 0, shown
        assert MOVES.search(shown), words
        assert stage in shown


def test_derive_fetch_and_bundle_piped(recipe: Path, tmp_path: Path) -> None:
    for words, lines in (
        (["derive", recipe], 0),
        (["fetch", recipe], 2),
        (["bundle", recipe, tmp_path / "b"], 1),
        (["plan", tmp_path / "b"], 0),
    ):
        done = piped(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stderr
        assert done.stderr.count("\n") == lines, done.stderr
