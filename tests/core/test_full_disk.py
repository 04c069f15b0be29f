"""A full or read-only disk below cache, store, report, log or export: one sentence, status 4, nothing half-written, and no waiting."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from xboot._workspace import cache_root
from xboot.parts import locked, obtain_part
from xboot.testing.recipes import recipe_text, shell_step
from xboot.toolroot import TCC

XBOOT = [sys.executable, "-m", "xboot"]
RECIPE = """
[recipe]
system = "i686-linux"
[source.big]
type = "file"
path = "big"
[source.url]
type = "url"
url = "file://{folder}/big"
hash = "{hash}"
[derivation.a]
builder = "{{big}}/bin/sh"
[derivation.b]
builder = "{{url}}/bin/sh"
"""


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where `on` mounts a disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def on(disk: Path, options: str, *words: object, program: Sequence[str] = XBOOT, **environment: object) -> subprocess.CompletedProcess[str]:
    """Run `xboot WORDS…` where a tmpfs with these mount options is at `disk`, and list what is there in the end (after a line `---`)."""
    script = (
        'mount -t tmpfs -o "$1" none "$2" || exit 99; disk=$2; shift 2; "$@"; status=$?; echo ---; find "$disk" -mindepth 1; exit $status'
    )
    env = (
        os.environ | {"XBOOT_CACHE": str(disk / "cache"), "XBOOT_STORE": str(disk / "store")} | {k: str(v) for k, v in environment.items()}
    )
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", options, str(disk), *program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=env, timeout=60)
    if done.returncode == 99 or "unshare failed" in done.stderr:
        pytest.skip("no user namespace in which a file system can be mounted: " + done.stderr.strip())
    return done


def refused(done: subprocess.CompletedProcess[str], problem: str, hint: str) -> list[str]:
    """Check the message; returns the files that are left on the disk."""
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    error, advice = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert problem in error
    assert advice.startswith("hint: ")
    assert hint in advice
    return done.stdout.partition("---\n")[2].splitlines()


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    import hashlib

    content = os.urandom(1 << 20)
    (tmp_path / "big").write_bytes(content)
    (tmp_path / "recipe.toml").write_text(RECIPE.format(folder=tmp_path, hash="sha256:" + hashlib.sha256(content).hexdigest()))
    return tmp_path / "recipe.toml"


FULL = "No space left on device"


def test_the_store_is_full(recipe: Path, disk: Path, tmp_path: Path) -> None:
    left = refused(on(disk, "size=512k", "derive", f"{recipe}:a"), FULL, "XBOOT_STORE")
    assert left == [str(disk / "store")]
    done = on(disk, "size=4m", "derive", f"{recipe}:a")
    assert done.returncode == 0, done.stderr


def test_the_store_is_full_while_fetching(recipe: Path, disk: Path) -> None:
    left = refused(on(disk, "size=512k", "fetch", f"{recipe}:b"), FULL, "XBOOT_STORE")
    assert not [path for path in left if "store/" in path and not path.endswith(".drv")]


def test_a_bundle_on_a_full_disk(recipe: Path, disk: Path, tmp_path: Path) -> None:
    elsewhere = {"XBOOT_CACHE": tmp_path / "cache", "XBOOT_STORE": tmp_path / "store"}
    assert refused(on(disk, "size=512k", "bundle", f"{recipe}:a", disk / "b", **elsewhere), FULL, "free some space") == []


@pytest.mark.parametrize("room", ["16k", "1m"])
def test_apt_is_not_left_waiting_on_a_full_disk(disk: Path, tmp_path: Path, room: str) -> None:
    (tmp_path / "recipe.toml").write_text(
        '[recipe]\nsystem = "i686-linux"\n[source.b]\ntype = "debian"\npackage = "busybox-static"\n[derivation.a]\nbuilder = "{b}/bin/sh"\n'
    )
    done = on(disk, f"size={room}", "derive", tmp_path / "recipe.toml", XBOOT_STORE=tmp_path / "store")
    assert done.returncode == 4, done.stderr
    assert "128 MiB" in done.stderr or FULL in done.stderr


@pytest.mark.apt
def test_a_kit_on_a_full_disk(disk: Path) -> None:
    done = on(disk, "size=200k", "parts", "--fetch", "--group", "images-i386", "--into", disk / "kit", XBOOT_CACHE=cache_root())
    left = refused(done, FULL, "free some space")
    assert not [name for name in left if name.endswith(".new")]


@pytest.mark.apt
@pytest.mark.parametrize(("room", "said"), [("1m", "does not fit on the disk"), ("9m", FULL)])
def test_a_toolroot_on_a_full_disk(disk: Path, tmp_path: Path, room: str, said: str) -> None:
    """First a part does not fit, then what is unpacked from it: nothing of it stands as if it were whole."""
    (tmp_path / "kit").mkdir()
    for part in locked().group("toolroot"):
        if part.name in TCC:
            (tmp_path / "kit" / part.file_name).symlink_to(obtain_part(part))
    code = "from xboot.cache import Cache; from xboot.toolroot import TCC, LockedTools; LockedTools(Cache(), TCC).tree"
    done = on(disk, f"size={room}", XBOOT_MIRROR=f"{tmp_path / 'kit'}\n", program=(sys.executable, "-c", code))
    assert done.returncode == 1 and re.search(said, done.stderr), done.stderr
    left = done.stdout.partition("---\n")[2].splitlines()
    assert not [
        name for name in left if name.endswith((".part", "/root")) or "/toolroot/." in name or re.search(r"toolroot/.*\.sums", name)
    ]


@pytest.mark.parametrize("words", [["plan"], ["show"], ["plan", "-f", "dot"]])
def test_standard_output_on_a_full_disk(recipe: Path, tmp_path: Path, words: list[str]) -> None:
    env = os.environ | {"XBOOT_CACHE": str(tmp_path / "cache"), "XBOOT_STORE": str(tmp_path / "store")}
    with open("/dev/full", "w") as full:
        done = subprocess.run([*XBOOT, *words, f"{recipe}:a"], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=env)
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith(f"error: {FULL}")
    assert "Exception" not in done.stderr


def test_a_store_that_cannot_be_written_to(recipe: Path, disk: Path) -> None:
    done = on(disk, "ro", "derive", f"{recipe}:a")
    assert refused(done, f"{disk}/store: cannot be written to: Read-only file system", "XBOOT_STORE") == []


def test_a_cache_that_cannot_be_written_to(recipe: Path, disk: Path, tmp_path: Path) -> None:
    done = on(disk, "ro", "fetch", f"{recipe}:b", XBOOT_STORE=tmp_path / "store")
    assert refused(done, f"{disk}/cache: Read-only file system", "XBOOT_CACHE") == []


@pytest.mark.boot
@pytest.mark.parametrize(
    ("size", "place", "words"),
    [
        ("1m", "runs", ("--seal", "run")),
        ("1m", "results", ()),
        ("64k", "log", ("--log", "{disk}/console")),
        ("256k", "export", ("--export", "{disk}/export")),
    ],
)
def test_a_run_on_a_full_disk(disk: Path, tmp_path: Path, size: str, place: str, words: tuple[str, ...]) -> None:
    """The cache is the real one but for what this run writes, which is on the small disk."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for kind in cache_root().iterdir():
        if kind.name != "runs":
            (cache / kind.name).symlink_to(kind)
    if place == "runs":
        (cache / "runs").symlink_to(disk)
    recipe = tmp_path / "recipe.toml"
    dd = "{busybox}/bin/dd if=/dev/zero bs=1024"
    recipe.write_text(recipe_text({"loud": shell_step(f"{dd} of=$out count=1024; {dd} count=300 >&2")}))
    words = tuple(word.format(disk=disk) for word in words)
    more = {"XBOOT_RESULTS": disk} if place == "results" else {}
    done = on(
        disk, f"size={size}", "run", "-q", "--accel", "tcg", *words, recipe, XBOOT_CACHE=cache, XBOOT_STORE=tmp_path / "store", **more
    )
    if place == "runs":
        left = refused(done, FULL, "free some space")
    else:  # the machine ran: what it had verified is reported, and then what went wrong
        assert done.returncode == 4, done.stderr
        *_, output, ending, sealed, hint = done.stderr.splitlines()
        assert sealed.startswith("sealed: ")
        assert re.match(r"(unknown |not run ) /nix/store/\S+-loud", output)
        assert re.match(rf"failed on linux\S* .*: {disk}\S*: {FULL}", ending), ending
        assert hint.startswith("hint: free some space")
        assert "Traceback" not in done.stderr
        left = done.stdout.partition("---\n")[2].splitlines()
    assert [path for path in left if "run-" in path or path.endswith((".nar", ".part"))] == []
