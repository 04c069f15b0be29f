"""Programs in Bochs' place that die, hang, flood and lie. None has success without `done` on the channel and the byte in the log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from xboot.boot import RunOptions, run_machine
from xboot.errors import MissingToolError, UsageError
from xboot.machine import MachineOptions
from xboot.medium import Loaders
from xboot.model import Artifact, Boot, BootImage, Cause, Protocol, Role, Serial, Verdict, Window, Wiring
from xboot.testing import good_run
from xboot.testing.boot import Plan
from xboot_bochs import machine, program
from xboot_bochs.command import configuration, reason
from xboot_bochs.program import Bochs

KERNEL = Path("kernel")

# It reads its settings as Bochs does, plays host and guest on the terminal, and then does what a test says.
FAKE = """#!/bin/sh
[ "$1" = --help ] && exit 0
console=$(sed -n 's/^com1:.*dev=//p' "$3") result=$(sed -n 's/^com2:.*dev=//p' "$3") log=$(sed -n 's/^log: //p' "$3")
exec 3<> "$result" 4> "$log" 5> "$console"
exits() { echo "00000000001d[UNMAP ] 8-bit write to 00f4 = $1" >&4; }
greet() { echo "(xboot 1)" >&3; read -r line <&3; nonce=${line#*\\"}; nonce=${nonce%%\\"*}; }
forever() { while :; do sleep 60; done; }
"""

ENDS = "exits 31; forever"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Verdict]:
    """Run a program of these lines in Bochs' place; `GOOD` among them is a guest that does everything right, up to `done`."""
    plan = Plan()
    plan.step("/builder")
    script = plan.script()
    said = [act.line.replace("SCRIPT", script.sha256).replace("NONCE", "$nonce") for act in good_run(script) if act.line]
    good = "greet\n" + "\n".join('echo "' + line.replace('"', '\\"') + '" >&3' for line in said)
    kernel = tmp_path / "kernel"
    kernel.write_bytes(b"no kernel: nothing looks into it")
    image = BootImage("none", script, {"kernel": kernel}, (), {}, hashlib.sha256(b"").hexdigest())
    boot = Boot(Protocol.MULTIBOOT, kernel, 64, bits=32, processor="i686")
    loader = Artifact("medium loader", kernel, "", 0, Role.LOADER)
    monkeypatch.setattr(machine, "write_medium", lambda boot, loader, medium: medium.write_bytes(b"medium"))
    monkeypatch.setattr(machine, "build_loaders", lambda cache: Loaders(loader, loader))

    def started(lines: str, limit: float = 60) -> Verdict:
        fake = tmp_path / "bin" / "bochs"
        fake.parent.mkdir(exist_ok=True)
        fake.write_text(FAKE + lines.replace("GOOD", good) + "\n")
        fake.chmod(0o755)
        bochs = Bochs(fake, kernel, kernel, kernel, "3.0", "")
        monkeypatch.setattr(machine, "obtain_bochs", lambda: bochs)
        options = RunOptions(boot_timeout=limit, step_timeout=limit, run_timeout=limit)
        return run_machine(image, boot, machine.plugin, options, lambda event: None)

    return started


def test_all_is_well(run: Callable[..., Verdict]) -> None:
    verdict = run("echo hello >&5; GOOD\n" + ENDS)
    assert verdict.ok, verdict.failure
    assert "hello" in verdict.console_tail and not verdict.done_alone


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("GOOD\nexit 0", "ended with status 0"),
        ("GOOD\nexits 21; forever", "0x21"),
        ("GOOD\nkill -SEGV $$", "when the guest said that it was done; success is 0x31"),
        ("greet\n" + ENDS, "0x31 when the guest was at"),
        ("exits 31; forever", "0x31 when the guest was at"),
        ("exit 3", "ended with status 3"),
        ("GOOD\necho '00000000001d[UNMAP ] 8-bit write to 00f5 = 31' >&4; exit 0", "ended with status 0"),
        ("GOOD\necho 'x 00000000001d[UNMAP ] 8-bit write to 00f4 = 31' >&4; exit 0", "ended with status 0"),
        ("GOOD\nexits 11; exits 31; forever", "0x11"),
        ("echo '(xboot 1)' >&3; echo '(done \"1\")' >&3; " + ENDS, ""),
        ("echo nonsense >&3; " + ENDS, "first line"),
    ],
    ids=[
        "no byte",
        "failure",
        "dies",
        "no done",
        "at once",
        "no start",
        "another port",
        "within a line",
        "panic first",
        "forged",
        "nonsense",
    ],
)
def test_no_success_without_both(run: Callable[..., Verdict], lines: str, said: str) -> None:
    verdict = run(lines)
    assert not verdict.ok and verdict.cause is Cause.GUEST
    assert said in verdict.failure, verdict.failure


def test_one_that_hangs_ends_at_its_deadline(run: Callable[..., Verdict]) -> None:
    assert "no end within the boot limit" in run("forever", limit=1).failure


def test_floods_of_console_and_log_change_nothing(run: Callable[..., Verdict]) -> None:
    flood = "(yes flood | head -c 4000000 >&5); (yes '00000000001d[CPU0  ] much' | head -c 4000000 >&4)\n"
    flood += "head -c 300000 /dev/zero >&4; echo >&4\n"
    verdict = run(flood + "GOOD\n" + ENDS)
    assert verdict.ok, verdict.failure


# ---------------------------------------------------------------- from a `Boot` to Bochs' words


BOCHS = Bochs(Path("/p"), Path("/bios"), Path("/vga"), Path("/s"), "3.0", "")


def text(boot: Boot) -> str:
    return configuration(boot, BOCHS, Path("/medium"), 11, 12, "/dev/pts/1")


def test_settings() -> None:
    small = text(Boot(Protocol.MULTIBOOT, KERNEL, 768, bits=32, processor="i686"))
    assert "model=p4_prescott_celeron_336" in small and "add_features" not in small and "guest=768, host=768" in small
    assert "dev=/dev/fd/11" in small and "log: /dev/fd/12" in small and "mode=term, dev=/dev/pts/1" in small
    large = text(Boot(Protocol.PVH, KERNEL, 4096, processor="x86-64-v2+smep+nx+umip"))
    assert "model=corei5_lynnfield_750" in large and 'add_features="smep umip"' in large and "guest=2048" in large


@pytest.mark.parametrize(
    ("boot", "why"),
    [
        (Boot(Protocol.LINUX, KERNEL, 64), "entered by linux"),
        (Boot(Protocol.PVH, KERNEL, 64, window=Window(1 << 26, 1)), "window"),
        (Boot(Protocol.PVH, KERNEL, 64, processor="x86-64-v3"), "x86-64-v3"),
        (Boot(Protocol.PVH, KERNEL, 64, processor="i686+pku"), "pku"),
        (Boot(Protocol.PVH, KERNEL, 64, wiring=Wiring(result=Serial(0x3E8, 4))), "serial ports"),
        (Boot(Protocol.PVH, KERNEL, 64, wiring=Wiring(exit=None)), "serial ports"),
    ],
)
def test_what_bochs_does_not_take(boot: Boot, why: str) -> None:
    assert why in reason(boot)


def test_what_it_cannot_do_is_refused() -> None:
    assert not {"read-memory", "gdb"} & {*machine.plugin.info.abilities}
    boot = Boot(Protocol.PVH, KERNEL, 64)
    assert machine.plugin.accelerator(boot, "auto") == "bochs"
    with pytest.raises(UsageError, match="--accel kvm"):
        machine.plugin.accelerator(boot, "kvm")
    with pytest.raises(UsageError, match="--keep"):
        machine.plugin.describe(boot, MachineOptions())


def test_without_a_compiler_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program.shutil, "which", lambda name: None)
    with pytest.raises(MissingToolError, match="so Bochs cannot be compiled"):
        program._compiler()
