"""Where the nonce of a run lies in the guest's memory while a builder runs: looked for in the emulator's own memory."""

from __future__ import annotations

import os
import re
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from xboot.model import Event, Phase
from xboot.plugins import Plugins
from xboot.testing.boot import Recorder
from xboot.testing.boot import boot as start
from xboot.testing.builders import Builder, Builders

pytestmark = [pytest.mark.boot, pytest.mark.nix]

NONCE = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
SOME = 16  # characters: a piece of it that is left counts, too
SAYS = "the builder runs"

# Copies in all of the memory (docs/threat-model.md). Linux keeps more, in the buffers of its serial ports.
COPIES = {"mirage": 1, "tccboot": 1, "hurd": 1}
SETTINGS: list[tuple[str, dict[str, str]]] = [*((backend, {}) for backend in COPIES), ("tccboot", {"bits": "64"})]


def _parents() -> dict[int, tuple[int, str]]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        found[int(stat.parent.name)] = (int(rest.split()[1]), name)
    return found


def _emulator() -> int:
    """The QEMU below this process."""
    processes = _parents()

    def below(pid: int) -> bool:
        while pid > 1:
            if pid == os.getpid():
                return True
            pid = processes.get(pid, (0, ""))[0]
        return False

    (pid,) = [pid for pid, (_, name) in processes.items() if name.startswith("qemu-system") and below(pid)]
    return pid


def _memory(pid: int) -> Iterator[bytes]:
    """The guest's memory, which is one mapping of the size that QEMU was told."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    size = int(re.sub(rb"\D", b"", words[words.index(b"-m") + 1])) << 20
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        if high - low == size:
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                for at in range(low, high, 1 << 20):
                    memory.seek(at)
                    yield memory.read(1 << 20)
            return
    raise AssertionError(f"no mapping of {size} bytes")


def _pieces(memory: Iterator[bytes]) -> list[str]:
    """Each run of the nonce's characters in memory, of SOME at least."""
    kept, found = b"", []
    for chunk in memory:
        text = kept + chunk
        for match in re.finditer(rb"[0-9a-f]{%d,}" % SOME, text):
            if any(NONCE[i : i + SOME].encode() in match[0] for i in range(len(NONCE) - SOME + 1)):
                found.append(match[0].decode())
        kept = b""
    return found


@pytest.mark.parametrize(("backend", "settings"), SETTINGS, ids=lambda value: value if isinstance(value, str) else "".join(value.values()))
def test_no_copy_of_the_nonce_is_left(
    backend: str, settings: dict[str, str], xboot_plugins: Plugins, xboot_builders: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[list[str]] = []
    said: list[str] = []

    def notify(recorder: Recorder, event: Event) -> None:
        recorder.events.append(event)
        said.extend(event.text if event.phase is Phase.CONSOLE else "")
        if SAYS in "".join(said) and not found:
            pid = _emulator()
            os.kill(pid, signal.SIGSTOP)
            found.append(_pieces(_memory(pid)))
            os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(Recorder, "notify", notify)
    random = secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", lambda size: NONCE if 2 * size == len(NONCE) else random(size))
    builder = tmp_path / "waits.sh"
    builder.write_text(f"echo {SAYS}; while :; do sleep 1; done\n")
    builders = cast(Builders, xboot_builders("i686-linux"))  # type: ignore[operator]
    script = builders.script(Builder("waits", builder, "", None))
    start(script, backend, tmp_path, plugins=xboot_plugins, settings=settings, export=False)
    assert len(found) == 1, "the builder did not begin"
    assert len(found[0]) == COPIES[backend], found[0]
