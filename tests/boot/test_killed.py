"""However xboot ends, no QEMU stays behind and the next run works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xboot.testing.recipes import recipe_text, shell_step

pytestmark = pytest.mark.boot

RECIPE = recipe_text(
    {
        "sleeper": shell_step("{busybox}/bin/sleep 1000"),
        "quick": shell_step("echo quick > $out"),
        "after": shell_step("read x < {quick}; {busybox}/bin/sleep 1000"),
    }
)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    subprocess.run([sys.executable, "-m", "xboot", "derive", str(path)], check=True, capture_output=True)
    return path


def start(recipe: Path, *more: str, background: bool = False, name: str = "sleeper") -> subprocess.Popen[str]:
    """`background`: as a script starts it with `&`, so that Ctrl-C is not meant for it."""
    command = [sys.executable, "-m", "xboot", "run", "--accel", "tcg", *more, f"{recipe}:{name}"]
    if background:
        command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, start_new_session=True
    )


def emulators(marker: Path) -> list[int]:
    """Pids of the QEMUs that were started for images below `marker`."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system" in words[0] and any(str(marker).encode() in word for word in words):
            found.append(int(place.name))
    return found


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, with the real one's contents, so that its runs can be told from others."""
    from xboot._workspace import cache_root

    real = cache_root()
    mine = tmp_path / "cache"
    mine.mkdir()
    for kind in real.iterdir():
        if kind.name != "runs":
            (mine / kind.name).symlink_to(kind)
    monkeypatch.setenv("XBOOT_CACHE", str(mine))
    monkeypatch.setenv("XBOOT_RESULTS", str(mine / "results"))
    return mine


def left_behind(cache: Path) -> list[Path]:
    """What runs have not cleaned up: of one boot and of several."""
    return [path for folder in ("runs", "results/tmp") for path in (cache / folder).glob("*") if path.is_dir()]


def wait_for(condition, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(("delay", "seal"), [(0.0, "steps"), (0.3, "steps"), (0.3, "run"), (1.5, "steps")])
def test_kill_9_takes_the_emulator_along(recipe: Path, cache: Path, delay: float, seal: str) -> None:
    process = start(recipe, "--seal", seal)
    assert wait_for(lambda: emulators(cache)), process.communicate(timeout=60)
    time.sleep(delay)
    process.kill()
    process.wait(timeout=60)
    assert wait_for(lambda: not emulators(cache))
    # What the dead run left is swept by the next one, which works.
    command = [sys.executable, "-m", "xboot", "run", "--accel", "tcg", "--seal", seal, f"{recipe}:quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert left_behind(cache) == []


@pytest.mark.parametrize(
    ("kind", "background"),
    [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True)],
    ids=["SIGINT", "SIGTERM", "SIGTERM-background"],
)
def test_interrupted(recipe: Path, cache: Path, kind: signal.Signals, background: bool) -> None:
    process = start(recipe, background=background)
    assert wait_for(lambda: emulators(cache))
    time.sleep(1.0)
    if background:
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
    process.send_signal(kind)
    _, err = process.communicate(timeout=60)
    assert wait_for(lambda: not emulators(cache))
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert left_behind(cache) == []


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_what_was_verified_until_then_is_reported(recipe: Path, cache: Path, kind: signal.Signals) -> None:
    """Whoever interrupts a run keeps its finished steps: verdict lines and report."""
    process = start(recipe, "--json", name="after")
    assert process.stderr is not None
    while "step 2/2" not in (line := process.stderr.readline()):
        assert line, "it ended"
    process.send_signal(kind)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["verdict"] == "interrupted"
    assert report["failure"].startswith("interrupted at ")
    done, left = report["outputs"]
    assert (done["status"], left["status"]) == ("unknown", "not run")
    assert f"unknown  {done['path']}  {done['narHash']}" in err
    assert "interrupted on linux" in err
    assert err.splitlines()[-1] == "interrupted; nothing was left running"


def test_killed_while_the_cache_is_filled(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom xboot.cache import Cache\n"
        "def make(work):\n    (work / 'half').write_text('half')\n    print('making', flush=True)\n    time.sleep(60)\n"
        "Cache(Path(sys.argv[1])).folder('kind', {'a': '1'}, make)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "making\n"
    process.kill()
    process.wait()
    from xboot.cache import Cache

    folder = Cache(tmp_path).folder("kind", {"a": "1"}, lambda work: (work / "whole").write_text("whole") and None)
    assert [p.name for p in folder.iterdir()] == ["whole"]
    assert len(Cache(tmp_path).entries()) == 1


def test_two_runs_at_once(recipe: Path) -> None:
    command = [sys.executable, "-m", "xboot", "run", "--accel", "tcg", f"{recipe}:quick"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err


def test_no_emulator_installed(recipe: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for program in Path(folder).iterdir():
            if not program.name.startswith("qemu") and not (tools / program.name).exists():
                (tools / program.name).symlink_to(program)
    env = os.environ | {"PATH": str(tools)}
    command = [sys.executable, "-m", "xboot", "run", "--accel", "tcg", f"{recipe}:quick"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 4
    assert "qemu-system-x86_64 is not installed" in done.stderr
    assert "hint: `xboot doctor` says how it is installed here" in done.stderr
