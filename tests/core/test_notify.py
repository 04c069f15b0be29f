"""`--notify CMD`: told however a run ends, without a shell, and of no weight for the verdict."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.cli.notify import notifying
from xboot.errors import InputError, UsageError

_NOTES = """
import os, sys
open(sys.argv[1], "w").write(" ".join([os.environ["XBOOT_VERDICT"], os.environ["XBOOT_STATUS"], *sys.argv[2:]]) + "\\n" + sys.stdin.read())
print("noted")
sys.exit(int(os.environ.get("FAILS", 0)))
"""


@pytest.fixture
def command(tmp_path: Path) -> str:
    """Writes what it is told to `told`; a word that a shell would take for a program stays a word."""
    (tmp_path / "notes.py").write_text(_NOTES)
    return shlex.join([sys.executable, str(tmp_path / "notes.py"), str(tmp_path / "told"), "$(id)", "; true"])


def told(tmp_path: Path) -> tuple[str, dict]:
    first, _, rest = (tmp_path / "told").read_text().partition("\n")
    return first, json.loads(rest)


def test_a_run_that_ended(tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str]) -> None:
    with notifying(command, ["a.drv"]) as ending:
        ending.set({"verdict": "could not run", "failure": "it broke"}, 6)
    words, report = told(tmp_path)
    assert words == "could not run 6 $(id) ; true"
    assert report == {
        "targets": ["a.drv"], "verdict": "could not run", "status": 6, "report": {"verdict": "could not run", "failure": "it broke"}
    }  # fmt: skip
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == "noted\n"


@pytest.mark.parametrize(
    ("error", "words"),
    [(InputError("bad", hint="mend it"), "error 3"), (KeyboardInterrupt(), "interrupted 130"), (OSError(28, "full"), "error 4"),
     (ValueError("odd"), "error 70")],
)  # fmt: skip
def test_one_that_never_came_to_a_verdict(tmp_path: Path, command: str, error: BaseException, words: str) -> None:
    with pytest.raises(type(error)), notifying(command, []):
        raise error
    said, report = told(tmp_path)
    assert said.startswith(words + " ")
    assert (report["report"] or {}).get("error") in ("bad", "[Errno 28] full", None)


def test_its_failure_is_said_and_changes_nothing(
    tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "7")
    with notifying(command, []) as ending:
        ending.set({"verdict": "match"}, 0)
    assert ending.status == 0
    assert "ended with 7; the verdict stands" in capfd.readouterr().err
    broken = tmp_path / "broken"
    broken.write_text("#!/nowhere\n")
    broken.chmod(0o755)
    with notifying(str(broken), []) as ending:
        ending.set({"verdict": "match"}, 0)
    assert "did not start" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["", "'", "/no/such/program x"])
def test_what_is_no_command_is_refused_before_the_run(command: str) -> None:
    with pytest.raises(UsageError, match="--notify"), notifying(command, []):
        pytest.fail("it ran")


def test_on_the_command_line(tmp_path: Path, command: str) -> None:
    for verb in ("run", "compare"):
        arguments = [sys.executable, "-m", "xboot", verb, "--json", "--notify", command, str(tmp_path / "none.drv")]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 3, done.stderr
        words, report = told(tmp_path)
        assert words.startswith("error 3 ") and "none.drv" in report["report"]["error"] and done.stdout == ""
        (tmp_path / "told").unlink()
