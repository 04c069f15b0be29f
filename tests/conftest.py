"""Shared fixtures: a private nix store (the oracle), and static busybox trees (the builders)."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from needs import hide, marks_of

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every program that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What sealed runs keep is none of the user's, nothing of theirs is taken, and no test takes what another's run made: it would boot nothing.
_RESULTS = tempfile.TemporaryDirectory(prefix="xboot-results-")
_KEPT = ("XBOOT_RESULTS", "XBOOT_RESULTS_KEY")
_count = itertools.count(1)

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

OPTIONS = ["--option", "sandbox", "true", "--option", "build-users-group", "", "--option", "cores", "1", "--option", "substituters", ""]


# What builds all images anew, one processor for minutes: begun last, it would keep everybody waiting.
_LONGEST = "tests/parts/test_kit.py"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest module first; the Makefile has xdist keep this order."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Fixtures, call and teardown of a test find only the programs that its marks name (see needs.py), and an empty results store."""
    before = os.environ["PATH"]
    folder = f"{_RESULTS.name}/{next(_count)}"
    os.environ.update(zip(_KEPT, (f"{folder}/results", f"{folder}/key"), strict=True))
    if item.path.is_relative_to(Path(__file__).parent):  # the suite that --xboot-backend collects from elsewhere has no such marks
        os.environ["PATH"] = hide(before, marks_of(item))
    try:
        return (yield)
    finally:
        os.environ["PATH"] = before
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class NixStore:
    """A private store below `root`; store paths in it still say /nix/store."""

    root: Path

    @property
    def store(self) -> Path:
        return self.root / "nix" / "store"

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"NIX_REMOTE": f"local?root={self.root}", "NIX_PATH": "", "HOME": str(self.root)}
        done = subprocess.run(
            command, capture_output=True, text=True, errors="surrogateescape", env=env, check=False, stdin=subprocess.DEVNULL
        )
        assert not check or done.returncode == 0, done.stderr[-3000:]
        return done

    def instantiate(self, file: Path, **arguments: str) -> dict[str, str]:
        """Attribute → `.drv` path."""
        given = " ".join(f"{name} = {json.dumps(value)};" for name, value in arguments.items())
        expression = f"builtins.mapAttrs (name: drv: drv.drvPath) (import {file} {{ {given} }})"
        done = self.run("nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", "-E", expression)
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def realise(self, drvs: list[str], *, visible: Path | None = None) -> None:
        """Build; `visible` is shown to the builders as well."""
        more = ["--option", "sandbox-paths", str(visible)] if visible else []
        self.run("nix-store", "--realise", "--quiet", *OPTIONS, *more, *drvs)

    def hash(self, path: str) -> str:
        """The NAR hash that nix has recorded, in hex."""
        shown = self.run("nix-store", "--query", "--hash", path).stdout.strip()
        return self.run("nix-hash", "--type", "sha256", "--to-base16", shown.removeprefix("sha256:")).stdout.strip()

    def remove(self) -> None:
        """Of a store's files nobody may write to, root included where it is not the real one."""
        subprocess.run(["chmod", "-R", "u+w", str(self.root)], check=False)


@pytest.fixture(scope="session")
def nix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NixStore]:
    root = tmp_path_factory.mktemp("nix")
    store = NixStore(root)
    yield store
    store.remove()


def busybox_tree(folder: Path, architecture: str) -> Path:
    """Debian's static busybox as a tree with bin/sh and a link for every applet."""
    from xboot.cache import Cache
    from xboot.debian import DebianPackages

    unpacked, _ = DebianPackages(Cache()).unpacked("busybox-static", architecture)
    binary = next(path for path in (unpacked / "bin" / "busybox", unpacked / "usr" / "bin" / "busybox") if path.exists())
    target = folder / "bin"
    target.mkdir(parents=True)
    (target / "busybox").write_bytes(binary.read_bytes())
    (target / "busybox").chmod(0o755)
    for applet in subprocess.run([str(binary), "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            (target / applet).symlink_to("busybox")
    return folder


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """System → tree."""
    folder = tmp_path_factory.mktemp("busybox")
    return {system: busybox_tree(folder / system, arch) for system, arch in (("x86_64-linux", "amd64"), ("i686-linux", "i386"))}
