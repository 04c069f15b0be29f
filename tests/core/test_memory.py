"""How much memory a guest gets, and what is refused because no memory would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.backend import choose_memory
from xboot.boot import memory
from xboot.budget import share
from xboot.errors import BackendError
from xboot.hooks import BackendOptions
from xboot.model import Script, Source, SourceKind, Step, StepOutput
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins

STORE = "/nix/store"


@pytest.mark.parametrize(
    ("asked", "spare", "chosen"),
    [(None, 0, 512), (None, 900, 900), (None, 100, 512), (None, 64000, 2000), (300, 64000, 300), (9000, 64000, 9000)],
)
def test_a_guest_gets_what_can_be_spared(asked: int | None, spare: int, chosen: int) -> None:
    assert choose_memory(BackendOptions(memory=asked, spare=spare), 512, 2000) == chosen


def test_machines_at_once_share_what_is_free() -> None:
    assert share(10_000, 4) == 2500 - memory.OVERHEAD
    assert share(100, 4) == 0
    assert share(1000, 0) == 1000 - memory.OVERHEAD


def test_free_memory_knows_every_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/meminfo": "MemAvailable: 8388608 kB\nCommitLimit: 4194304 kB\nCommitted_AS: 1048576 kB\n"}
    monkeypatch.setattr(memory, "_text", lambda path: files.get(path, ""))
    assert memory.free_memory() == 8192 - 256
    files["/proc/sys/vm/overcommit_memory"] = "2"
    assert memory.free_memory() == 3072 - 256
    files |= {"/sys/fs/cgroup/memory.max": str(2 << 30), "/sys/fs/cgroup/memory.current": str(1 << 30)}
    assert memory.free_memory() == 1024 - 256
    files["/sys/fs/cgroup/memory.max"] = "max"
    assert memory.free_memory() == 3072 - 256


@pytest.mark.parametrize("backend", ["linux", "tccboot", "hurd", "mirage"])
def test_what_a_kernel_cannot_hold_is_refused_before_anything_is_made(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the sizes alone: no kernel is made, and nothing is packed for minutes to fail then."""
    plugins = Plugins.load()
    limit = plugins.backend(backend).max_payload
    assert 300 << 20 < limit < 3 << 30

    def sized(size: int) -> Script:
        path = f"{STORE}/{'0' * 32}-big"
        step = Step(1, f"{STORE}/1.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [path], [StepOutput("out", f"{STORE}/o")])
        return Script(b"", "0" * 64, STORE, [Source(path, SourceKind.NAR, Path("/nowhere"), "a" * 64, size)], [step], [])

    made: list[str] = []
    monkeypatch.setattr(plugins, "call", lambda hook, **_: made.append(hook) or {})
    with pytest.raises(
        BackendError, match=rf"{backend} holds at most {limit}; the largest source is {STORE}/0+-big with {4 << 30}"
    ) as caught:
        Pipeline(plugins).prepare(backend, sized(4 << 30), BackendOptions())
    assert "--seed" in (caught.value.hint or "")
    assert "xboot_prepare" not in made
    Pipeline(plugins).prepare(backend, sized(limit), BackendOptions())
    assert "xboot_prepare" in made
