"""Foreign text on its way to a terminal: made harmless in one place, and no code goes around it."""

from __future__ import annotations

import ast
import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from xboot.foreign import MAX_SHOWN, printable, printable_lines
from xboot.show.safe import SafeConsole, marked

ROOT = Path(__file__).parents[2]
MARK = "\x1b]0;PWNED\x07"
ALLOWED = {  # the ways out themselves, and what is printed before anything foreign was read
    "core/xboot/show/safe.py",
    "core/xboot/__main__.py",
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 你好 [x]", "Grüße, 你好 [x]"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nmatch  /nix/store", "a\\nmatch  /nix/store"),
        ("a\rb\tc\x9b", "a\\x0db\\x09c\\x9b"),
        ("a\u202eb\u2028\ufeff", "a\\u202eb\\u2028\\ufeff"),
        (os.fsdecode(b"\xff\x1b"), "\\xff\\x1b"),
        ("\ud800\U000e0001", "\\ud800\\U000e0001"),
        (b"a\n\xc3\xa4\x7f", "a\\x0a\\xc3\\xa4\\x7f"),
        ("x" * (MAX_SHOWN + 7), "x" * MAX_SHOWN + "… (7 more)"),
    ],
)
def test_printable(text: str | bytes, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    assert printable(text).isprintable()
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


@given(st.text(st.characters(codec=None)))
def test_a_console_lets_nothing_through(text: str) -> None:
    into = io.StringIO()
    console = SafeConsole(file=into, width=10_000, force_terminal=False)
    console.print(text, markup=False, highlight=False)
    table = Table(text.replace("[", ""), box=None)
    table.add_row(marked(text))
    console.print(table)
    console.print(f"[bold]{marked(text)}[/]", highlight=True)
    assert into.getvalue().replace("\n", "").isprintable()


def _ways_around(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("rich.markup", "rich"):
            found += [f"line {node.lineno}: imports {alias.name} from {node.module}" for alias in node.names if alias.name != "box"]
        if (
            isinstance(node, ast.Attribute)
            and node.attr in ("stdout", "stderr")
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
        ):
            found.append(f"line {node.lineno}: sys.{node.attr}")
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("Console", "rich.print", "typer.echo", "typer.secho", "click.echo", "os.write"):
                found.append(f"line {node.lineno}: {name}")
            if name == "print" and not (len(node.args) == 1 and ast.unparse(node.args[0]).split("(")[0].endswith("to_json")):
                found.append(f"line {node.lineno}: print")
    return found


def test_no_code_goes_around() -> None:
    files = [*(ROOT / "core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    assert len(files) > 100
    found = {}
    for file in files:
        name = str(file.relative_to(ROOT))
        if name not in ALLOWED and "/testing/" not in name and "/scaffold/" not in name:
            ways = _ways_around(ast.parse(file.read_text()))
            if ways:
                found[name] = ways
    assert found == {
        "core/xboot/cli/app.py": [next(w for w in found.get("core/xboot/cli/app.py", [""]))],  # --version
        "core/xboot/cli/ending.py": found.get("core/xboot/cli/ending.py"),  # flushes, and drops what could not be written
        "core/xboot/tcb/lines.py": [next(w for w in found.get("core/xboot/tcb/lines.py", [""]))],  # read by the process that began it
    }, found
    assert all("sys.stdout" in way for way in found["core/xboot/cli/ending.py"])
    assert "print" in found["core/xboot/cli/app.py"][0]


def test_the_walk_finds_ways_around() -> None:
    bad = "from rich.markup import escape\nfrom rich import print as p\nimport sys\nsys.stderr.write(x)\nprint(x)\nConsole().print(x)\n"
    assert len(_ways_around(ast.parse(bad))) == 5
    assert _ways_around(ast.parse("print(to_json(x))\nconsole.print(x)\n")) == []


# ------------------------------------------------------------ as a user meets it: a terminal of our own


def _on_a_terminal(*arguments: object, cwd: Path) -> tuple[int, bytes]:
    master, slave = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": "200", "XBOOT_STORE": str(cwd / "own-store")}
    command = [sys.executable, "-m", "xboot", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=env, cwd=cwd, start_new_session=True)
    os.close(slave)
    said, end = b"", time.monotonic() + 120
    while time.monotonic() < end:
        if select.select([master], [], [], 0.5)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:  # the other end was closed
                break
            said += data
        elif process.poll() is not None:
            break
    os.close(master)
    return process.wait(timeout=60), said


TEXT = '[recipe]\nsystem = "i686-linux"\n[source.a]\ntype = "text"\ntext = "x"\n'
TOML = MARK.replace("\x1b", "\\u001b").replace("\x07", "\\u0007")
RECIPES = {
    "a name": f'[recipe]\nsystem = "i686-linux"\n[source."{TOML}"]\ntype = "file"\n',
    "a field": f'{TEXT}"{TOML}" = 1\n[derivation.d]\nbuilder = "{{a}}"\n',
    "a path": f'[source.a]\ntype = "file"\npath = "{TOML}"\n[derivation.d]\nbuilder = "{{a}}"\n',
    "a key of TOML": f'{TEXT}"{TOML}" = 1\n"{TOML}" = 2\n',
    "a reference": f'{TEXT}[derivation.d]\nbuilder = "{{a}}"\nargs = ["{{{TOML}}}"]\n',
    "allowedReferences": f'{TEXT}[derivation.d]\nbuilder = "{{a}}"\n[derivation.d.env]\nallowedReferences = "{TOML}"\n',
    "features": f'{TEXT}[derivation.d]\nbuilder = "{{a}}"\n[derivation.d.env]\nrequiredSystemFeatures = "{TOML} kvm"\n',
    "JSON": f'{TEXT}[derivation.d]\nbuilder = "{{a}}"\n[derivation.d.env]\n__json = "{{{TOML}"\n',
    "graphs": f'{TEXT}[derivation.d]\nbuilder = "{{a}}"\n[derivation.d.env]\nexportReferencesGraph = "{TOML} /nix"\n',
    "the environment": f'{TEXT}[derivation.d]\nbuilder = "{{a}}"\n[derivation.d.env]\nX = "{TOML}"\n',
}


UNSAID = ("a key of TOML", "features")  # the message has no need of it


@pytest.mark.parametrize("what", RECIPES)
def test_a_recipe_cannot_write_to_the_terminal(what: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPES[what])
    verbs = (("show",), ("show", "--aterm")) if what == "the environment" else (("plan",),)
    for verb in verbs:
        _, said = _on_a_terminal(*verb, "recipe.toml", cwd=tmp_path)
        assert (b"PWNED" in said) == (what not in UNSAID), said
        assert b"\x1b]" not in said


@pytest.mark.apt
def test_names_of_files_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    evil = tmp_path / f"x{MARK}.intoto.jsonl"
    evil.write_text("rubbish\n")
    assert _on_a_terminal("keygen", "bob", cwd=tmp_path)[0] == 0
    (tmp_path / f"e{MARK}.drv").write_text("Derive(")
    (tmp_path / f"h{MARK}.json").write_text("{")
    (tmp_path / "key.json").write_text(json.dumps({MARK: "sha256-" + "A" * 43 + "="}))
    hello = ROOT / "examples" / "hello" / "recipe.toml"
    for status, *arguments in (
        (3, "verify-attestation", "--key", "bob.pub", "."),
        (3, "plan", f"e{MARK}.drv"),
        (3, "run", "--expect-file", f"h{MARK}.json", hello),
        (2, "run", "--expect-file", "key.json", hello),
        (3, "plan", f"nothing{MARK}.toml"),
        (2, "run", "--backend", MARK, hello),
    ):
        found, said = _on_a_terminal(*arguments, cwd=tmp_path)
        assert found == status, said
        assert b"PWNED" in said
        assert b"\x1b]" not in said


def test_urls_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:1/{TOML}"
    (tmp_path / "recipe.toml").write_text(
        f'[source.a]\ntype = "url"\nurl = "{url}"\nname = "f"\nhash = "sha256-{"A" * 43}="\n[derivation.d]\nbuilder = "{{a}}"\n'
    )
    _, said = _on_a_terminal("fetch", "--into", "store", "recipe.toml", cwd=tmp_path)
    assert b"PWNED" in said
    assert b"\x1b]" not in said
