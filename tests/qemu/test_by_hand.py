"""What `--keep` leaves boots by hand; `--gdb` waits for a debugger, and a run with one is a run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from xboot.machine import MachineOptions
from xboot.model import Boot, Module, Protocol, Serial, Window, Wiring
from xboot_qemu.command import command_line
from xboot_qemu.machine import plugin as qemu

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
NONCE = "0123456789abcdef" * 2


def xboot(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "xboot", *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def connected(place: Path, process: subprocess.Popen[str]) -> socket.socket:
    deadline = time.monotonic() + 60
    while True:
        end = socket.socket(socket.AF_UNIX)
        try:
            end.connect(str(place))
            return end
        except OSError:
            end.close()
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.boot
@pytest.mark.parametrize("backend", ["linux", "tccboot", "hurd", "mirage"])
def test_what_is_kept_boots_by_hand(tmp_path: Path, backend: str) -> None:
    kept, moved = tmp_path / "kept", tmp_path / "moved"
    done = xboot("run", "--json", "--accel", "tcg", "-b", backend, "--keep", kept, HELLO)
    said, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    kept.rename(moved)
    (output,) = json.loads(said)["outputs"]
    process = subprocess.Popen(
        ["timeout", "60", moved / "command"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        channel = connected(moved / "result.sock", process).makefile("rw", newline="\n")
        assert channel.readline() == "(xboot 1)\n"
        channel.write(f'(run "{NONCE}" 0 0)\n')
        channel.flush()
        lines = channel.read().splitlines()
        assert lines[-1] == f'(done "{NONCE}")'
        assert any(output["narSha256"] in line for line in lines)
        assert process.wait(timeout=20) == 99
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def answered(end: socket.socket, packet: str) -> str:
    """gdb's remote protocol: what is answered to a packet."""
    end.sendall(f"${packet}#{sum(packet.encode()) % 256:02x}".encode())
    said = b""
    while said.count(b"#") == 0:
        data = end.recv(1)
        assert data
        said += data
    end.recv(2)
    end.sendall(b"+")
    return said.partition(b"$")[2].removesuffix(b"#").decode()


@pytest.mark.boot
def test_a_debugger_comes_before_the_first_instruction(tmp_path: Path) -> None:
    place, log = tmp_path / "gdb", tmp_path / "log"
    process = xboot("run", "--json", "--accel", "tcg", "-b", "mirage", "--gdb", place, "--log", log, HELLO)
    end = connected(place, process)
    assert answered(end, "?").startswith("T05")
    time.sleep(1.0)
    assert log.read_bytes() == b""
    end.sendall(b"$c#63")
    said, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(said)["outputs"][0]["status"] == "unknown"


# ---------------------------------------------------------------- from a `Boot` to QEMU's words


def words(boot: Boot, **options: str) -> list[str]:
    return command_line(boot, MachineOptions("tcg", **options), "", "stdio", "null")


def after(command: list[str], word: str) -> list[str]:
    return [following for here, following in pairwise(command) if here == word]


def test_words_for_each_protocol() -> None:
    pvh = words(Boot(Protocol.PVH, Path("a,b"), 64, (Module(Path("c,d")),), "quiet", hints={"qemu": ("-M", "microvm"), "bochs": ("x",)}))
    assert after(pvh, "-kernel") == ["a,b"] and after(pvh, "-initrd") == ["c,d"] and after(pvh, "-append") == ["quiet"]
    assert after(pvh, "-M") == ["microvm"] and "x" not in pvh
    modules = (Module(Path("a,b")), Module(Path("c"), "one two,three"))
    multiboot = words(Boot(Protocol.MULTIBOOT, Path("k"), 64, modules, bits=32, processor="i686"))
    assert after(multiboot, "-initrd") == ["a,,b,c one two,,three"]
    assert after(multiboot, "-M") == ["pc"] and "-cpu" not in multiboot and "i386" in multiboot[0]


def test_words_for_processor_memory_and_window() -> None:
    plain = Boot(Protocol.PVH, Path("k"), 64)
    assert after(words(plain), "-cpu") == ["qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt"]
    assert after(words(Boot(Protocol.PVH, Path("k"), 64, processor="x86-64-v2+smep")), "-cpu")[0].endswith("+popcnt,+smep")
    assert after(words(plain), "-m") == ["64M"]
    assert after(words(Boot(Protocol.PVH, Path("k"), 64, window=Window(64 << 20, (1 << 20) + 1))), "-m") == ["66M"]
    card = words(Boot(Protocol.PVH, Path("k"), 64, window=Window(0xF8000000, 64 << 20, device=True)))
    assert after(card, "-m") == ["64M"] and "ivshmem-plain,memdev=window" in after(card, "-device")


def test_words_for_the_wiring() -> None:
    usual = after(words(Boot(Protocol.PVH, Path("k"), 64)), "-device")
    assert [device.split(",", 1)[0] for device in usual] == ["isa-debug-exit", "isa-serial", "isa-serial"]
    bare = Boot(Protocol.PVH, Path("k"), 64, wiring=Wiring(console=None, result=Serial(0x3E8, 4), exit=None))
    assert after(words(bare), "-device") == ["isa-serial,chardev=result,iobase=0x3e8,irq=4,index=1"]


def test_words_for_a_debugger() -> None:
    boot = Boot(Protocol.PVH, Path("k"), 64)
    assert "-S" not in words(boot)
    assert after(words(boot, gdb="1234"), "-gdb") == ["tcp:127.0.0.1:1234"]
    assert after(words(boot, gdb="/x/gdb"), "-gdb") == ["unix:/x/gdb,server=on,wait=off"]


@pytest.mark.parametrize(
    ("boot", "reason"),
    [
        (Boot(Protocol.PVH, Path("k"), 64, bits=16), "16 bits"),
        (Boot(Protocol.PVH, Path("k"), 64, processor="x86-64-v9+x"), "no processor x86-64-v9"),
        (Boot(Protocol.PVH, Path("k"), 64, (Module(Path("a")), Module(Path("b")))), "one initrd"),
        (Boot(Protocol.LINUX, Path("k"), 64, (Module(Path("a"), "words"),)), "one initrd"),
    ],
)
def test_what_qemu_does_not_take(boot: Boot, reason: str) -> None:
    assert reason in qemu.takes(boot)
