"""A PC played by a thread at the other end of a pseudo-terminal: noise, silence, garbled bytes, a cable that is pulled out."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.boot import RunOptions, run_machine
from xboot.errors import UsageError
from xboot.machine import Carrier, MachineOptions
from xboot.model import Boot, BootImage, Protocol, Serial, Verdict, Window, Wiring
from xboot.pipeline import resolve
from xboot.plugins import Plugins
from xboot.testing import good_run
from xboot.testing.boot import Plan
from xboot.voter import Voter
from xboot_serial.line import open_line
from xboot_serial.machine import SerialMachine

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"


class SwitchedOn(SerialMachine):
    """Somebody switches the PC on once xboot listens."""

    def __init__(self, switch: Callable[[], None]) -> None:
        self._switch = switch

    async def start(self, boot: Boot, options: MachineOptions) -> Carrier:
        carrier = await super().start(boot, options)
        self._switch()
        return carrier


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """The PC's end of a cable, a descriptor that a test may close; and the name of ours."""
    master, slave = pty.openpty()
    yield master, os.ttyname(slave)
    os.close(slave)


@pytest.fixture
def run(tmp_path: Path, line: tuple[int, str]) -> Callable[..., Verdict]:
    """Run a PC that does everything right. `on_the_way`: line number and line to what goes over the cable; None: it is pulled out."""
    plan = Plan()
    plan.step("/builder")
    script = plan.script()
    kernel = tmp_path / "kernel"
    kernel.write_bytes(b"no kernel: nothing looks into it")
    image = BootImage("none", script, {"kernel": kernel}, (), {}, hashlib.sha256(b"").hexdigest())
    boot = Boot(Protocol.MULTIBOOT, kernel, 64, bits=32, processor="i686")
    cable, name = line

    def play(on_the_way: Callable[[int, bytes], bytes | None]) -> None:
        said, nonce = ["(xboot 1)", *(act.line for act in good_run(script) if act.line)], b""
        for number, text in enumerate(said):
            sent = on_the_way(number, text.encode().replace(b"SCRIPT", script.sha256.encode()).replace(b"NONCE", nonce) + b"\n")
            if sent is None:
                break
            os.write(cable, sent)
            if not number:
                heard = b""
                while not heard.endswith(b"\n"):
                    try:
                        heard += os.read(cable, 1)
                    except OSError:  # the run is over
                        return
                nonce = heard.split(b'"')[1]
        else:
            return
        os.close(cable)

    def started(on_the_way: Callable[[int, bytes], bytes | None], limit: float = 60, address: str = "", console: str = "") -> Verdict:
        player = threading.Thread(target=play, args=[on_the_way], daemon=True)
        options = RunOptions(boot_timeout=limit, step_timeout=limit, run_timeout=limit, address=(address or name) + console)
        return run_machine(image, boot, SwitchedOn(player.start), options, lambda event: None)

    return started


def test_all_is_well_and_rests_on_done_alone(run: Callable[..., Verdict]) -> None:
    verdict = run(lambda number, line: line)
    assert verdict.ok, verdict.failure
    assert verdict.done_alone and verdict.machine == "serial"


@pytest.mark.parametrize("noise", [b"BdsDxe: starting Boot0001\r\n", b"\x00\xff\x1b[2J", b"(xbo", b"(xboot", b"x" * 100_000])
def test_what_the_firmware_says_first_is_passed_over(run: Callable[..., Verdict], noise: bytes) -> None:
    verdict = run(lambda number, line: line if number else noise + line)
    assert verdict.ok, verdict.failure


@pytest.mark.parametrize(
    ("on_the_way", "said"),
    [
        (lambda number, line: line.replace(b"(hello", b"(hallo") if number == 1 else line, "broke the result channel's rules"),
        (lambda number, line: line[:30] + line[31:] if number == 1 else line, "expected this run's nonce"),
        (lambda number, line: line.replace(b"\n", b"\xff\n") if number == 2 else line, "broke the result channel's rules"),
        (lambda number, line: b"" if number == 1 else line, "broke the result channel's rules"),
        (lambda number, line: line + line if number == 2 else line, "broke the result channel's rules"),
        (
            lambda number, line: re.sub(b'"[0-9a-f]{64}"', b'"' + b"0" * 64 + b'"', line) if number == 1 else line,
            "the guest read a script with",
        ),
        (lambda number, line: line.replace(b"1", b"2") if not number else line, "first line on the result channel was not (xboot 1)"),
        (lambda number, line: None if number == 0 else line, "hung up"),
        (lambda number, line: None if number == 2 else line, "hung up"),
    ],
    ids=[
        "garbled",
        "a byte lost",
        "a byte too many",
        "a line lost",
        "a line twice",
        "another medium",
        "another version",
        "pulled",
        "pulled midway",
    ],
)
def test_what_a_bad_cable_does_is_no_verdict(
    run: Callable[..., Verdict], on_the_way: Callable[[int, bytes], bytes | None], said: str
) -> None:
    verdict = run(on_the_way)
    assert not verdict.ok and said in verdict.failure, verdict.failure


def test_a_pc_that_nobody_switches_on(run: Callable[..., Verdict]) -> None:
    verdict = run(lambda number, line: b"", limit=1)
    assert not verdict.ok and "no end within the boot limit of 1 s" in verdict.failure


def test_a_second_cable_carries_the_console(run: Callable[..., Verdict]) -> None:
    master, slave = pty.openpty()

    def on_the_way(number: int, line: bytes) -> bytes:
        if not number:
            os.write(master, b"the kernel speaks\n")
        return line

    verdict = run(on_the_way, console=f"+{os.ttyname(slave)}")
    os.close(slave)
    os.close(master)
    assert verdict.ok, verdict.failure
    assert "the kernel speaks" in verdict.console_tail


def test_lines_that_cannot_be_used(run: Callable[..., Verdict], line: tuple[int, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for address, said in [
        ("/dev/null", "it is no serial line"),
        (str(tmp_path / "file"), "it is no serial line"),
        (str(tmp_path), "Is a directory"),
        (str(tmp_path / "nothing"), "No such file"),
    ]:
        with pytest.raises(UsageError, match=said):
            run(lambda number, line: line, address=address)
    with open_line(line[1]), pytest.raises(UsageError, match="another program uses it"):
        run(lambda number, line: line)
    with pytest.raises(UsageError, match="No such file"):
        run(lambda number, line: line, console="+/nothing")
    open_line(line[1]).close()  # let go again


def test_what_it_takes() -> None:
    boot = Boot(Protocol.MULTIBOOT, Path("kernel"), 64, bits=32, processor="i686")
    machine = SerialMachine()
    assert machine.takes(boot) == ""
    assert "medium" in machine.takes(replace(boot, protocol=Protocol.LINUX))
    assert "export window" in machine.takes(replace(boot, window=Window(1 << 28, 1 << 20)))
    assert "serial ports" in machine.takes(replace(boot, wiring=Wiring(result=Serial(0x3E8, 4))))
    with pytest.raises(UsageError, match="no command to keep"):
        machine.describe(boot, MachineOptions())


def test_the_address_is_asked_for_and_refused() -> None:
    plugins = Plugins.load()
    assert str(resolve(Voter.parse("hurd@serial:/dev/ttyUSB0+/dev/ttyS1"), plugins)) == "hurd/c@serial:/dev/ttyUSB0+/dev/ttyS1"
    with pytest.raises(UsageError, match="which serial") as caught:
        resolve(Voter.parse("hurd@serial"), plugins)
    assert caught.value.hint == "write it hurd@serial:/dev/ttyUSB0"
    with pytest.raises(UsageError, match="without an address"):
        resolve(Voter.parse("hurd@bochs:/dev/ttyUSB0"), plugins)
    with pytest.raises(UsageError, match="no such form") as caught:
        resolve(Voter.parse("hurd@qemu:/dev/ttyUSB0"), plugins)
    assert caught.value.hint == "write it hurd@qemu or hurd@qemu:ovmf"
    assert str(resolve(Voter.parse("hurd@qemu:ovmf"), plugins)) == "hurd/c@qemu:ovmf"
    for text in ("hurd@:x", "hurd:x", "hurd@serial:", "hurd@serial:a b", "hurd@serial:\x1b[2J"):
        with pytest.raises(UsageError, match="names no voter"):
            Voter.parse(text)


def test_the_command_line_says_it_in_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xboot", "run", "-b", "tccboot@serial:/dev/null", str(HELLO)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2, done.stderr
    assert "error: serial line /dev/null: it is no serial line" in done.stderr
    assert "Traceback" not in done.stderr
