"""What is shown of a run: stages before the boot on a terminal, and nothing of them when piped; steps always, unless nobody wants it."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.model import Event, Phase
from xboot.show.progress import ProgressDisplay
from xboot.show.safe import SafeConsole
from xboot.show.times import time_left

sys.path.insert(0, str(Path(__file__).parents[2]))  # for bench.graph, which is no part of the distribution


@pytest.mark.parametrize("width", [60, 80, 120, 240])
def test_a_running_step_is_one_line_on_terminals_of_all_widths(width: int) -> None:
    shown = io.StringIO()
    console = SafeConsole(file=shown, width=width, force_terminal=True, color_system=None, legacy_windows=False)
    display = ProgressDisplay(console)
    display.begin("boot", "a machine")
    name = "an-odd-\x1b[31m-name-" + "x" * 300
    display._steps = {1: name, 2: "last"}
    display._times = {1: 61.0, 2: 9.0}
    display.xboot_event(Event(Phase.BEGIN, 1.0, 1))
    (drawn,) = console.render_lines(display._progress.get_renderable())
    text = "".join(segment.text for segment in drawn)
    assert len(text) <= width and "\x1b" not in text
    assert "boot" in text and "0/2" in text and "0:00:00" in text
    assert "an-odd-" in text
    assert ("of 1 min 1 s" in text, "of 1 min 1 s, ~1 min 10 s to the end" in text) == (width > 60, width > 80)


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


# ---------------------------------------------------------------- steps, in lines

_PIPED = """
import sys
from xboot import plugins
from xboot.cli.app import main
from xboot.testing import FakeBackend, FakeMachine, Say, good_run
real = plugins.Plugins.load
def acts(script):
    for act in good_run(script):
        yield act
        if act.line.startswith("(begin"):
            yield Say(wait=0.3)
@classmethod
def load(cls):
    found = real()
    found._machines.clear()
    found.add(FakeMachine("qemu", abilities=("exit-status",)), "test:machine")
    for name in ("one", "two"):
        found.add(FakeBackend(name, lambda s: list(acts(s))), f"test:{name}")
    return found
plugins.Plugins.load = load
main()
"""


def faked(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _PIPED, *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment(folder), timeout=60
    )


def test_steps_come_and_go_in_lines_when_piped(tmp_path: Path) -> None:
    """Who logs to a file sees each step begin and end, with its time; a second run says what the first took."""
    (tmp_path / "sh").write_text("x")
    path = tmp_path / "recipe.toml"
    path.write_text(
        '[recipe]\nsystem = "i686-linux"\n[source.sh]\ntype = "file"\npath = "sh"\n'
        '[derivation.a]\nbuilder = "{sh}"\n[derivation.b]\nbuilder = "{sh}"\nargs = ["{a}"]\n'
    )
    words = ("run", "-b", "one", f"{path}:b", "--json")
    first = faked(tmp_path, *words).stderr
    assert re.search(r"^ +\d+\.\d s  boot       one: 2 steps, \d+ MiB$", first, re.M), first
    assert re.search(r"^ +\d+\.\d s  step 1/2  a$", first, re.M), first
    assert re.search(r"^ +\d+\.\d s  step 2/2  b: done in 0\.[3-9] s$", first, re.M), first
    again = faked(tmp_path, *words).stderr
    assert re.search(r"step 1/2  a \(took 0\.[3-9] s before; about 0\.[6-9] s to the end\)", again), again
    assert re.search(r"boot .* \(its steps took 0\.[6-9] s before\)", again), again
    both = faked(tmp_path, "compare", "--backends", "one,two", f"{path}:b").stderr
    assert re.search(r"  one: step 2/2  b \(took", both), both
    assert re.search(r"  two: step 2/2  b: done in", both), both
    for verb in (words, ("compare", "--backends", "one,two", f"{path}:b")):
        quiet = faked(tmp_path, *verb, "-q")
        assert quiet.returncode == 0
        assert "step 1" not in quiet.stderr
        assert "package" not in quiet.stderr
    for file in (tmp_path / "cache" / "times").iterdir():  # whatever lies there, nobody stumbles
        file.write_text("[1, ")
    assert "before" not in faked(tmp_path, *words).stderr


def test_a_step_that_fails_says_so_in_its_line() -> None:
    import io

    from rich.console import Console

    from xboot.model import Event, Phase, Script, Step, StepOutput
    from xboot.show.lines import StepLines

    step = Step(1, f"/nix/store/{'0' * 32}-a\x1b.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [], [StepOutput("out", "/p")])
    shown = io.StringIO()
    lines = StepLines(Console(file=shown, width=200))
    lines.expect(Script(b"", "0" * 64, "/nix/store", [], [step], []))
    lines.xboot_event(Event(Phase.BEGIN, 1.0, 1))
    lines.xboot_event(Event(Phase.RUNNING, 61.0, 1, text="has run for 60 s; the console's last words: \x1b[2J"))
    lines.xboot_event(Event(Phase.FAIL, 131.0, 1, text="no"))
    assert re.search(r"step 1/1  .*: has run for 60 s; the console's last words: \\x1b", shown.getvalue())
    assert "failed after 2 min 10 s" in shown.getvalue()
    assert "\x1b" not in shown.getvalue()


def test_how_long_to_the_end() -> None:
    """Known only when every step that is left is."""
    known = {1: 10.0, 2: 20.0, 4: 40.0}
    assert time_left(known, 4, 4) == 40.0
    assert time_left(known, 1, 4) is None
    assert time_left({**known, 3: 30.0}, 2, 4) == 90.0
