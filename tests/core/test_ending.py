"""How a command ends: which file an error names, and what is written to the byte."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.cli import ending
from xboot.errors import InputError
from xboot.recipe import derive
from xboot.show.safe import SafeConsole

ROOT = Path(__file__).parents[2]


def said(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> tuple[int, str]:
    into = io.StringIO()
    monkeypatch.setattr(ending, "err", SafeConsole(file=into, width=10_000))

    def command(**_: object) -> int:
        raise error

    return ending._guarded(command), into.getvalue()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_that_of_what_is_written(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Of a copy both ends are in the error; the one that was read has room enough."""
    status, text = said(monkeypatch, OSError(code, os.strerror(code), "/cache/source", None, "/store/copy"))
    assert status == 4
    assert "/store/copy: " in text
    assert "/cache/source" not in text


def test_other_errors_name_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = said(monkeypatch, OSError(errno.EACCES, "Permission denied", b"/from/\xff\x1b", None, "/to"))
    assert "/from/\\xff\\x1b: Permission denied" in text


def test_an_error_is_one_line_whatever_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = said(monkeypatch, InputError("a\nmatch    /nix/store\x1b[2J [red]x[/]" + "y" * 100_000, hint="\x07\n"))
    assert status == 3
    assert text.count("\n") == 2
    assert text.startswith("error: a\\nmatch    /nix/store\\x1b[2J [red]x[/]y")
    assert len(text) < 9000
    assert "hint: \\x07\\n" in text


LEAVES = """
import atexit, os, sys, threading, time
from xboot.cli.ending import run_to_end
def command(**_):
    print("said")
    sys.stderr.write("told ")
    if len(sys.argv) > 1:
        threading.Thread(target=lambda: (time.sleep(0.5), print("by a thread", flush=True))).start()
    return 7
atexit.register(lambda: print("at the end"))
run_to_end(command)
"""


@pytest.mark.parametrize(("words", "after"), [((), ""), (("thread",), "by a thread\n")])
def test_what_is_left_to_do_is_done_at_the_end(words: tuple[str, ...], after: str) -> None:
    done = subprocess.run([sys.executable, "-c", LEAVES, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, f"said\n{after}at the end\n", "told ")


def test_the_text_of_a_derivation_is_shown_to_the_byte(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[derivation.a]\nbuilder = '/b'\n[derivation.b]\nbuilder = '/b'\nargs = ['{a}', \"\\u001b[2J\"]\n")
    derived = derive(recipe, tmp_path / "store")
    files = [derived.store / derived.derivations[name].rpartition("/")[2] for name in ("a", "b")]
    command = [sys.executable, "-m", "xboot", "show", "--aterm", "--store", str(derived.store)]
    for asked in (files[1:], files):
        done = subprocess.run([*command, *map(str, asked)], capture_output=True, check=True, stdin=subprocess.DEVNULL)
        roots = {file.read_bytes() for file in asked}
        assert set(done.stdout.split(b"\n")) == roots
        assert len(done.stdout) == sum(map(len, roots)) + len(roots) - 1
