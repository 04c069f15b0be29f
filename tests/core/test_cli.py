"""The command line as its users meet it: exit statuses, one sentence and a hint, JSON on standard output, no traceback ever."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from xboot.cli.app import app
from xboot.cli.values import _Words, command

ROOT = Path(__file__).parents[2]
HELLO = ROOT / "examples" / "hello" / "recipe.toml"
HASH = "sha256-ZP0ooGdeMFvZsCtJBonatXVcjqWiM7N05V46LXzF1xQ="


def xboot(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]


@pytest.mark.boot
def test_run_reports_what_the_docs_say() -> None:
    done = xboot("run", "-q", "--json", "--accel", "tcg", "--expect", HASH, HELLO)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    documented = set(
        re.findall(
            r"`(\w+)`",
            "".join(line.split("|")[1] for line in (ROOT / "docs" / "report.md").read_text().splitlines() if line.startswith("| `")),
        )
    )
    assert set(report) == documented
    assert report["verdict"] == "match"
    assert report["outputs"][0]["narHash"] == HASH
    assert "\x1b" not in done.stderr  # piped: no colours, no bars
    assert len([line for line in done.stderr.splitlines() if not line.startswith("waiting for another xboot")]) == 3


@pytest.mark.boot
def test_a_difference_is_1_and_shows_both_hashes() -> None:
    wrong = "sha256-" + "A" * 43 + "="
    done = xboot("run", "--accel", "tcg", "--expect", wrong, HELLO)
    assert done.returncode == 1
    assert HASH in done.stderr
    assert wrong in done.stderr


@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["run"], 2, "Missing argument"),
        (["frobnicate"], 2, "frobnicate"),
        (["run", "--backend", "minix", HELLO], 2, "no backend 'minix'"),
        (["run", "--expect", "abc", HELLO], 2, "'abc' is not a SHA-256"),
        (["run", "--set", "colour", HELLO], 2, "expected KEY=VALUE"),
        (["run", "--accel", "warp", HELLO], 2, "expected auto, tcg or kvm"),
        (["run", f"{HELLO}:nothing"], 2, "nothing"),
        (["plan", "-f", "poem", HELLO], 2, "expected script, table, dot or guile"),
        (["compare", "--voters", "linux,linux", HELLO], 2, "named twice"),
        (["tcb", "-f", "cyclonedx"], 2, "exactly one voter"),
        (["run", "/nonexistent/x.drv"], 3, "/nonexistent/x.drv"),
        (["run", "nothing.toml"], 3, "nothing.toml"),
        (["run", "--export", "/proc/nothing", HELLO], 4, "/proc/nothing"),
        (["run", "--log", "/nonexistent/log", HELLO], 4, "/nonexistent/log"),
        (["run", "--step-timeout", "-1", HELLO], 2, "--step-timeout"),
        (["run", "--expect-file", "/nonexistent", HELLO], 3, "/nonexistent: cannot be read: No such file"),
        (["run", ROOT / "README.md"], 3, "neither a derivation nor a recipe nor a bundle"),
        (["bundle", HELLO, "/nonexistent/x"], 2, "there is no folder /nonexistent"),
        (["bundle", HELLO, "/tmp"], 2, "is a folder"),
        (["cache", "prune", "--days", "-1"], 2, "--days"),
    ],
)
def test_mistakes_get_one_sentence(arguments: list[object], status: int, message: str) -> None:
    done = xboot(*arguments)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug in xboot" not in done.stderr


def test_a_lying_derivation_is_3(tmp_path: Path) -> None:
    file = tmp_path / ("0" * 32 + "-liar.drv")
    file.write_text(
        'Derive([("out","/nix/store/'
        + "0" * 32
        + '-liar","","")],[],[],"i686-linux","/bin/sh",[],[("out","/nix/store/'
        + "0" * 32
        + '-liar")])'
    )
    done = xboot("run", file)
    assert done.returncode == 3
    assert "-liar" in done.stderr


@pytest.mark.apt
@pytest.mark.compiler
def test_plan_is_the_script_and_its_hash_identifies_the_run() -> None:
    import hashlib

    done = xboot("plan", HELLO)
    assert done.returncode == 0
    assert done.stdout.startswith("(xboot-script 1\n")
    table = xboot("plan", "-f", "table", HELLO).stdout
    assert table.splitlines()[1].split("\t")[2] == "hello"
    assert len(hashlib.sha256(done.stdout.encode()).hexdigest()) == 64
    assert xboot("plan", "-f", "dot", HELLO).stdout.startswith("digraph")


@pytest.mark.apt
@pytest.mark.compiler
def test_show_is_json_and_aterm() -> None:
    shown = json.loads(xboot("show", "--recursive", HELLO).stdout)
    (path,) = shown
    assert shown[path]["system"] == "i686-linux"
    assert xboot("show", "--aterm", HELLO).stdout.startswith("Derive(")


@pytest.mark.boot
def test_backends_doctor_cache_version_completion(tmp_path: Path) -> None:
    listed = json.loads(xboot("backends", "--json").stdout)
    assert {"linux", "tccboot"} <= set(listed["backends"])
    assert listed["broken"] == {}
    assert "linux" in xboot("backends").stdout
    doctor = xboot("doctor")
    assert doctor.returncode == 0, doctor.stderr
    assert "qemu-system-x86_64" in doctor.stderr
    bare = xboot("doctor", env={"PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert bare.returncode == 4
    assert "apt-get install --no-install-recommends" in bare.stderr
    assert xboot("cache", "show").returncode == 0
    assert xboot("--version").stdout.startswith("xboot ")
    assert (
        "complete"
        in xboot(
            "--show-completion", "bash", env={"PATH": "/usr/bin:/bin", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
        ).stdout.lower()
    )


def test_what_is_missing_or_cannot_be_written_is_4(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = xboot(
        "doctor", env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XBOOT_CACHE": "/proc/x", "XBOOT_STORE": str(tmp_path / "s")}
    )
    assert done.returncode == 4
    assert "broken   cache: /proc/x cannot be written to" in done.stderr
    assert "XBOOT_CACHE names another folder" in done.stderr
    assert f"store: {tmp_path}/s" in done.stderr
    nothing = xboot("run", "-q", HELLO, env={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)})  # no QEMU, no apt, nothing
    assert nothing.returncode == 4
    assert nothing.stderr.count("\n") == 2
    assert "is not installed" in nothing.stderr


def test_the_cache_is_shown_with_its_sum(tmp_path: Path) -> None:
    from xboot.cache import Cache

    env = {"PATH": "/usr/bin:/bin", "XBOOT_CACHE": str(tmp_path), "HOME": str(tmp_path)}
    assert xboot("cache", "show", env=env).stdout == f"0 entries, 0.0 MB, in {tmp_path}\n"
    folder = Cache(tmp_path).folder("kind", {"a": "1"}, lambda work: (work / "f").write_bytes(bytes(2_500_000)) and None)
    lines = xboot("cache", "show", env=env).stdout.splitlines()
    assert lines[1].split() == ["kind", "2.5", "MB", *lines[1].split()[3:5], folder.name]
    assert lines[2] == f"1 entry, 2.5 MB, in {tmp_path}"


def test_prune_removes_only_what_is_told(tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "XBOOT_CACHE": str(tmp_path), "HOME": str(tmp_path)}
    done = xboot("cache", "prune", env=env)
    assert done.returncode == 0, done.stderr
    assert "removed 0 entries" in done.stderr


@pytest.mark.parametrize("word", ["\x1b[31m", "../../etc/passwd", "-", "--", "é" * 300, "{a}", "[bold]x[/bold]", ":", "a.toml:", "/"])
def test_odd_targets_end_in_a_sentence(word: str) -> None:
    done = xboot("plan", word)
    assert done.returncode in (2, 3, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "bug in xboot" not in done.stderr


def test_help_brings_no_reader_of_markdown_and_what_is_written_in_it_can_still_be_shown() -> None:
    code = (
        "import sys\nfrom xboot.cli.app import app\nfrom xboot.cli.values import command\n"
        "made = command(app, ['--help'])\n"
        "made(['--help'], prog_name='xboot', standalone_mode=False)\n"
        "assert not {'markdown_it', 'pygments', 'pydantic'} & set(sys.modules), sorted(sys.modules)\n"
        "import typer.rich_utils as shown\nfrom rich.console import Console\n"
        "Console().print(shown.Markdown('# *loud*'))\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
        "    told = shown.Traceback.from_exception(type(error), error, error.__traceback__)\n"
        "    Console().print(told)\n    assert isinstance(told, shown.Traceback)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "loud" in done.stdout and "*" not in done.stdout.split("loud")[1] and "ZeroDivisionError" in done.stdout


def test_one_verb_is_made_as_among_all() -> None:
    whole = command(app)
    for verb in (*whole.commands, "no-such-verb"):
        made = command(app, [verb, "--help"])
        assert set(made.commands) == ({verb} if verb in whole.commands else set(whole.commands))
        if verb in whole.commands:
            shown, expected = (one.commands[verb] for one in (made, whole))
            assert [(p.name, p.opts, p.metavar, p.required) for p in shown.params] == [
                (p.name, p.opts, p.metavar, p.required) for p in expected.params
            ]
            assert set(getattr(shown, "commands", {})) == set(getattr(expected, "commands", {}))
    assert set(command(app, ["--help"]).commands) == set(command(app, []).commands) == set(whole.commands)
    assert set(command(app, ["--mirror", "x", "run"]).commands) == set(whole.commands)


def test_words_are_read_without_pydantic_as_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer to load than all of a plan, and a derivation's file needs none of it."""
    code = (
        "import atexit, sys\nfrom xboot.__main__ import main\n"
        "atexit.register(lambda: print(*sorted({'pydantic', 'xboot.parse'} & sys.modules.keys())))\nmain()\n"
    )
    words = ["plan", "--format", "table", "--seed", "/nix/store/a", "--seed", "/nix/store/b", "/nowhere.drv"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.stdout == "xboot.parse\n" and "/nowhere.drv" in done.stderr
    read = []
    monkeypatch.setattr("xboot.cli.values._Words.coerce", lambda self, value, param, ctx: read.append((value, param, ctx)) or value)
    words = ["plan", "--seed", "a", "--seed", "b", "--memory", "64", "--store", "/nix", "x.drv"]
    with suppress(Exception):
        command(app, words)(words, standalone_mode=False)
    monkeypatch.undo()
    seen = set()
    for value, param, ctx in read:
        usual = type(param).get_runtime_param(param).coerce(value, param=param, ctx=ctx)
        assert _Words(lambda param=param: type(param).get_runtime_param(param)).coerce(value, param, ctx) == usual
        seen.add(param.name)
    assert {"seed", "memory", "store", "targets", "format"} <= seen
