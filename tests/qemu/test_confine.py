"""A QEMU that was taken over: what it can still reach. A shell script takes its place."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from qemu.qmp import EventListener, Message

from xboot.boot import channel
from xboot.boot.export import Exporter
from xboot.errors import GuestError
from xboot.machine import MachineOptions, socket_pairs, start_process
from xboot.model import Boot, Module, Phase, Protocol
from xboot.walls import prefix
from xboot_qemu.base import QemuCarrier
from xboot_qemu.confine import confinement, walls

TAKEN_OVER = """#!/bin/sh
case " $* " in *" -version "*) exit 0 ;; esac
folder=$1 secret=$2 elsewhere=$3 kernel=$4
try() { if "$@" > /dev/null 2>&1; then echo "could: $*"; else echo "could not: $*"; fi; }
try touch "$folder/mine"
try cat "$kernel"
try touch "$kernel"
try cat "$secret"
touch "$elsewhere/mine"  # into a folder of the walls' own, at most
try touch /usr/mine
try cat /etc/passwd
try kill -0 $5
echo "interfaces: $(sed -n 's/^ *\\([^ :]*\\):.*/\\1/p' /proc/net/dev | tr '\\n' ' ')"
echo "environment: ${SECRET:-none}"
"""


@pytest.fixture
def fake(tmp_path: Path) -> str:
    program = tmp_path / "qemu" / "bin" / "qemu-system-x86_64"
    program.parent.mkdir(parents=True)
    program.write_text(TAKEN_OVER)
    program.chmod(0o755)
    if not confinement(str(program), MachineOptions()).startswith("bubblewrap"):
        pytest.skip("bubblewrap is not installed, or namespaces are not allowed here")
    return str(program)


def test_a_qemu_that_was_taken_over_reaches_one_folder(fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the user")
    places = {name: tmp_path / name for name in ("run", "elsewhere", "home")}
    for place in places.values():
        place.mkdir()
    secret, kernel, initrd = places["home"] / "secret", places["elsewhere"] / "kernel", places["elsewhere"] / "initrd"
    for file in (secret, kernel, initrd):
        file.write_text("content")
    boot = Boot(Protocol.PVH, kernel, 64, (Module(initrd),))
    other = subprocess.Popen(["sleep", "60"])
    try:
        command = [fake, *map(str, (places["run"], secret, places["elsewhere"], kernel, other.pid))]
        done = subprocess.run(
            [*walls(fake, [boot.kernel, *(m.path for m in boot.modules)], MachineOptions("tcg", folder=places["run"])), *command],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    finally:
        other.kill()
        other.wait()
    said = done.stdout.splitlines()
    assert [line.partition(": ")[0] for line in said[:7]] == ["could", "could", *["could not"] * 5], done.stdout
    assert said[7:] == ["interfaces: lo ", "environment: none"]
    assert (places["run"] / "mine").is_file()
    assert sorted(path.name for path in places["elsewhere"].iterdir()) == ["initrd", "kernel"]


def test_with_a_debugger_nothing_is_shut_in(fake: str, tmp_path: Path) -> None:
    options = MachineOptions("tcg", gdb="1234", folder=tmp_path)
    assert walls(fake, [tmp_path], options) == []
    assert "bubblewrap" not in confinement(fake, options)


@pytest.mark.parametrize("place, seen", [("qemu/bin", "qemu"), ("bin", "bin"), ("", "qemu-system-x86_64")])
def test_a_qemu_of_ones_own_does_not_show_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, seen: str) -> None:
    home = tmp_path / "home"
    program = home / place / "qemu-system-x86_64"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setenv("HOME", str(home))
    assert prefix(str(program)) == [str(home / seen)]


class _Flooded:
    """QMP with a QEMU that was taken over: events without end, then JSON that no stack holds."""

    def __init__(self, _: str) -> None:
        self.events = EventListener()

    async def connect(self, _: socket.socket) -> None:
        for _number in range(1000):
            await self.events.put(Message({"event": "STOP"}))

    async def execute(self, *_: object) -> None:
        pass

    async def disconnect(self) -> None:
        raise RecursionError


def test_what_qemu_says_on_qmp_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qemu.qmp.QMPClient", _Flooded)

    async def talk() -> int:
        ours, theirs = socket.socketpair()
        process = await asyncio.create_subprocess_exec("sleep", "30")
        carrier = QemuCarrier(process, ours, ours, ours)
        await carrier.read_memory(0, 1, tmp_path / "part")
        assert carrier._client is not None
        await carrier.close()
        theirs.close()
        return len(carrier._client.events.history)

    assert asyncio.run(asyncio.wait_for(talk(), 20)) == 0


@pytest.mark.parametrize("what", ["link", "hard link", "fifo", "folder", "nothing"])
def test_a_piece_that_is_no_plain_file_is_refused(tmp_path: Path, what: str) -> None:
    """The machine writes the pieces of an export: it must not be able to name a file of the host's instead."""
    scratch, secret = tmp_path / "scratch", tmp_path / "secret"
    scratch.mkdir()
    secret.write_bytes(b"secret")
    exporter = Exporter(tmp_path / "export", scratch)
    part = exporter.part_file()
    match what:
        case "link":
            part.symlink_to(secret)
        case "hard link":
            part.hardlink_to(secret)
        case "fifo":
            subprocess.run(["mkfifo", part], check=True)
        case "folder":
            part.mkdir()
    message = channel.Message(Phase.EXPORT, 1, "out", "/nix/store/x", "0" * 64, 6, length=6)
    with pytest.raises(GuestError, match="saved no"):
        exporter.append(message, part)


# A helper whose child is on no leash for its first half second, as bubblewrap's is: its parent's death does not reach it.
SLOW_WALLS = ("sh", "-c", 'exec 3<&0; touch "$0/started"; (sleep 0.5; exec "$@" <&3) & wait')


def test_killed_before_its_child_is_on_a_leash(tmp_path: Path) -> None:
    async def started_and_killed() -> None:
        starting = asyncio.create_task(start_process(["touch", str(tmp_path / "ran")], [], [*SLOW_WALLS, str(tmp_path)]))
        while not (tmp_path / "started").exists():
            await asyncio.sleep(0.01)
        (helper,) = (int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split() if _is(pid, tmp_path))
        os.kill(helper, signal.SIGKILL)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(started_and_killed())
    deadline = time.monotonic() + 30
    while any(_is(place.name, tmp_path) for place in Path("/proc").glob("[0-9]*")):
        assert time.monotonic() < deadline, "its child was left running"
        time.sleep(0.05)
    assert not (tmp_path / "ran").exists()


def _is(pid: str, folder: Path) -> bool:
    """Whether a process's command line names a folder."""
    try:
        return str(folder).encode() in Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return False


def test_the_word_opens_the_gate(tmp_path: Path) -> None:
    async def ran() -> int:
        return await (await start_process(["touch", str(tmp_path / "ran")], [])).wait()

    assert asyncio.run(ran()) == 0 and (tmp_path / "ran").exists()


def test_a_programs_ends_of_its_sockets_are_closed_here_and_ours_if_it_was_not_started() -> None:
    with socket_pairs(2) as (ours, theirs):
        theirs[1].sendall(b"x")
    assert [end.fileno() for end in theirs] == [-1, -1] and ours[1].recv(9) == b"x" and ours[0].recv(9) == b""
    for end in ours:
        end.close()
    with pytest.raises(OSError, match="not started"), socket_pairs(2) as (ours, theirs):
        raise OSError("not started")
    assert [end.fileno() for end in (*ours, *theirs)] == [-1] * 4
