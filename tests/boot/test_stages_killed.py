"""Killed or interrupted in any stage, and two at once: nothing is left running, nothing is broken, and the next run works."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

XBOOT = [sys.executable, "-m", "xboot"]
CONTENT = bytes(range(256)) * 2000

pytestmark = pytest.mark.slow

RECIPE = """
[recipe]
system = "i686-linux"
[source.tree]
type = "tree"
path = "tree"
[source.slow]
type = "url"
url = "{url}"
hash = "sha256:{hash}"
[derivation.planted]
builder = "{{tree}}/bin/sh"
[derivation.fetched]
builder = "{{slow}}/bin/sh"
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a store of this test's own."""
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XBOOT_STORE", str(tmp_path / "store"))
    return tmp_path


@pytest.fixture
def slow_server() -> Iterator[tuple[str, threading.Event]]:
    """Serves `CONTENT`: its first half at once, the second when the event is set. Its URL, and the event."""
    go = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
            self.send_header("Content-Length", str(len(CONTENT) - start))
            self.end_headers()
            half = max(start, len(CONTENT) // 2)
            self.wfile.write(CONTENT[start:half])
            self.wfile.flush()
            go.wait(30)
            self.wfile.write(CONTENT[half:])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/file", go
    go.set()
    server.shutdown()
    server.server_close()


def plant(folder: Path, url: str = "http://127.0.0.1:1/") -> Path:
    """A recipe with a tree of 3,000 files, which takes a while to copy, and a source behind `url`."""
    tree = folder / "tree"
    for number in range(30):
        (tree / str(number)).mkdir(parents=True)
        for name in range(100):
            (tree / str(number) / str(name)).write_bytes(b"x")
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(url=url, hash=hashlib.sha256(CONTENT).hexdigest()))
    return path


def start(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*XBOOT, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(*words: object) -> str:
    """Run a verb that must succeed; its standard error."""
    done = subprocess.run([*XBOOT, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr


def wait_for(condition: Callable[[], object], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def end(process: subprocess.Popen[str], how: signal.Signals) -> str:
    """End a process and check how it says goodbye; its standard error."""
    assert process.poll() is None, process.communicate()
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130, err
        assert err.splitlines()[-1] == "interrupted; nothing was left running"
    assert "Traceback" not in err
    return err


HOW = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


@pytest.mark.parametrize("how", HOW)
def test_while_deriving(own: Path, how: signal.Signals) -> None:
    recipe, store = plant(own), own / "store"
    process = start("derive", f"{recipe}:planted")
    assert wait_for(lambda: [*store.glob(".staging-*/*/*/1*")])
    end(process, how)
    left = list(store.iterdir())
    if how is not signal.SIGKILL:
        assert left == []
    for staging in left:
        os.utime(staging, (1, 1))  # it is a minute later
    finish("derive", f"{recipe}:planted")
    assert sorted(path.name[33:] for path in store.iterdir()) == ["planted.drv", "tree"]


@pytest.mark.parametrize("how", HOW)
def test_while_fetching(own: Path, slow_server: tuple[str, threading.Event], how: signal.Signals) -> None:
    url, go = slow_server
    recipe = plant(own, url)
    process = start("fetch", f"{recipe}:fetched")
    assert wait_for(lambda: any(part.stat().st_size == len(CONTENT) // 2 for part in own.glob("cache/downloads/*.part")))
    end(process, how)
    go.set()
    if how is signal.SIGTERM:  # as well as going on with what came, one may do without
        assert "removed 0 entries, 0.3 MB" in finish("cache", "prune")
        assert [*own.glob("cache/downloads/*.part")] == []
    assert "1 fetched" in finish("fetch", f"{recipe}:fetched")
    assert [path.read_bytes() for path in (own / "store").glob("*-file")] == [CONTENT]


def test_two_fetches_at_once(own: Path, slow_server: tuple[str, threading.Event]) -> None:
    url, go = slow_server
    recipe = plant(own, url)
    first = start("fetch", f"{recipe}:fetched")
    assert wait_for(lambda: any(part.stat().st_size for part in own.glob("cache/downloads/*.part")))
    second = start("fetch", f"{recipe}:fetched")
    assert second.stderr is not None
    assert second.stderr.readline() == "waiting for another xboot, which is busy with the download of file\n"
    finish("cache", "prune")  # what is on its way stays
    assert [*own.glob("cache/downloads/*.part")]
    go.set()
    for process in (first, second):
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert [path.read_bytes() for path in (own / "store").glob("*-file")] == [CONTENT]


@pytest.mark.parametrize("how", HOW)
def test_while_bundling(own: Path, how: signal.Signals) -> None:
    recipe = plant(own)
    finish("derive", f"{recipe}:planted")
    process = start("bundle", f"{recipe}:planted", own / "b")
    assert wait_for(lambda: [*own.glob(".b-*")] or (own / "b").exists())
    if (own / "b").exists():
        pytest.fail("the bundle was written before it could be interrupted")
    end(process, how)
    assert not (own / "b").exists()
    finish("bundle", f"{recipe}:planted", own / "b")
    finish("plan", own / "b")


def test_while_starting(own: Path) -> None:
    """Ctrl-C while Python still imports: no traceback either."""
    said = set()
    for delay in (0.04, 0.07, 0.1, 0.15, 0.2, 0.3):
        process = start("plan", own / "none.toml")
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        said.add(process.returncode)
        if process.returncode != -signal.SIGINT:  # before the first line of ours, Python's own way of ending holds
            assert "Traceback" not in err or "xboot/" not in err, err
            assert process.returncode in (130, 3) or err.startswith("Fatal Python error: init_"), err
    assert 130 in said


PREPARING = """
import sys, time
from pathlib import Path
from xboot.cache import Cache
def make(work):
    (work / "f").write_text("x")
    print("making", flush=True)
    sys.stdin.readline()
print(Cache(Path(sys.argv[1])).folder("kind", {"a": "1"}, make), flush=True)
sys.stdin.readline()
"""


def preparing(cache: Path) -> subprocess.Popen[str]:
    """A process that makes an entry when told to go on, prints its folder, and uses it until told again."""
    command = [sys.executable, "-c", PREPARING, str(cache)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def test_two_at_one_entry_of_the_cache(tmp_path: Path) -> None:
    first = preparing(tmp_path)
    assert line(first) == "making"
    second = preparing(tmp_path)
    assert second.stderr is not None
    assert second.stderr.readline().startswith("waiting for another xboot, which is busy with kind ")
    tell(first)
    assert line(first) == line(second)  # the second is given what the first made
    for process in (first, second):
        process.communicate("go\n", timeout=60)
        assert process.returncode == 0


def test_what_is_made_or_used_is_not_pruned(own: Path) -> None:
    cache = own / "cache"
    process = preparing(cache)
    assert line(process) == "making"
    assert "removed 0 entries" in finish("cache", "prune")
    tell(process)
    folder = Path(line(process))
    assert "removed 0 entries, 0.0 MB; 1 in use stay" in finish("cache", "prune")
    assert (folder / "f").read_text() == "x"
    process.kill()
    process.communicate()
    assert "removed 1 entry" in finish("cache", "prune")
    assert not folder.exists()


def test_what_a_killed_process_was_making_is_swept(own: Path) -> None:
    for _ in range(2):
        process = preparing(own / "cache")
        assert line(process) == "making"
        process.kill()
        process.communicate()
        assert len([path for path in (own / "cache" / "kind").iterdir() if path.is_dir()]) == 1  # the one before was swept by this one
    finish("cache", "prune")
    assert [path for path in (own / "cache" / "kind").iterdir() if path.is_dir()] == []


@pytest.mark.boot
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_at_any_moment_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals) -> None:
    from xboot._workspace import cache_root

    real, mine = cache_root(), tmp_path / "cache"
    mine.mkdir()
    for kind in real.iterdir():
        if kind.name != "runs":
            (mine / kind.name).symlink_to(kind)
    monkeypatch.setenv("XBOOT_CACHE", str(mine))
    monkeypatch.setenv("XBOOT_RESULTS", str(mine / "results"))
    hello = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
    words = ("run", "--accel", "tcg", "--fresh", "--export", tmp_path / "export", hello)
    begin = time.monotonic()
    finish(*words)
    whole = time.monotonic() - begin
    for part in range(1, 9):
        process = start(*words)
        time.sleep(whole * part / 8)
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (130, 0, -how), err
        assert "Traceback" not in err or "xboot/" not in err, err
        assert wait_for(lambda: not _emulators(mine))
    finish(*words)
    assert [path for folder in ("runs", "results/tmp") for path in (mine / folder).glob("*") if path.is_dir()] == []


def _emulators(marker: Path) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system" in words[0] and any(str(marker).encode() in word for word in words):
            found.append(int(place.name))
    return found
