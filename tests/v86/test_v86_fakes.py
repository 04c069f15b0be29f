"""Emulators in v86's place that die, hang, flood and lie, in the node that runs v86, behind the walls that it has. None has success without
`done` on the channel and the byte at the exit port.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.boot import RunOptions, run_machine
from xboot.errors import MissingToolError, UsageError
from xboot.machine import MachineOptions
from xboot.medium import Loaders
from xboot.model import Artifact, Boot, BootImage, Cause, Protocol, Role, Serial, Verdict, Window, Wiring
from xboot.testing import good_run
from xboot.testing.boot import Plan
from xboot_v86 import machine, program

KERNEL = Path("kernel")

# What drive.mjs needs of v86: it plays the guest, and does what a test says.
FAKE = """
import fs from "node:fs";
import net from "node:net";
const listeners = {}, heard = [];
let wakes = () => {};
const tell = (port, text) => { for (const byte of Buffer.from(text)) listeners[`serial${port}-output-byte`](byte); };
const say = text => tell(1, text + "\\n"), print = text => tell(0, text + "\\n");
async function line() {
    while (!heard.includes(10)) await new Promise(done => { wakes = done; });
    return Buffer.from(heard.splice(0, heard.indexOf(10) + 1)).toString();
}
let nonce = "", exits = null;
async function greet() { say("(xboot 1)"); nonce = (await line()).split('"')[1]; }
export class V86 {
    constructor(options) {
        if (Buffer.from(options.cdrom.buffer).toString() !== "medium" || options.memory_size !== 64 << 20) throw new Error("options");
        this.v86 = {cpu: {io: {register_write: (port, who, act) => { if (port === 0xf4) exits = act; }}}};
    }
    add_listener(name, act) { listeners[name] = act; if (name === "emulator-ready") setImmediate(act); }
    serial_send_bytes(port, bytes) { if (port === 1) heard.push(...bytes); wakes(); }
    stop() {}
    async run() {
        const forever = () => new Promise(() => setInterval(() => {}, 1000));
ACTS
    }
}
"""
ENDS = "exits(0x31); await forever();"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Verdict]:
    """Run an emulator of these lines; `GOOD` among them is a guest that does everything right, up to `done`."""
    plan = Plan()
    plan.step("/builder")
    script = plan.script()
    said = [act.line.replace("SCRIPT", script.sha256) for act in good_run(script) if act.line]
    good = "await greet();" + "".join(f"say({json.dumps(line)}.replace('NONCE', nonce));" for line in said)
    kernel = tmp_path / "kernel"
    kernel.write_bytes(b"no kernel: nothing looks into it")
    image = BootImage("none", script, {"kernel": kernel}, (), {}, hashlib.sha256(b"").hexdigest())
    boot = Boot(Protocol.MULTIBOOT, kernel, 64, bits=32, processor="i686")
    loader = Artifact("medium loader", kernel, "", 0, Role.LOADER)
    monkeypatch.setattr(machine, "write_medium", lambda boot, loader, medium: medium.write_bytes(b"medium"))
    monkeypatch.setattr(machine, "build_loaders", lambda cache: Loaders(loader, loader))
    real = program.obtain_v86()

    def started(lines: str, limit: float = 60) -> Verdict:
        fake = tmp_path / "libv86.mjs"
        fake.write_text(FAKE.replace("ACTS", lines.replace("GOOD", good)))
        monkeypatch.setattr(machine, "obtain_v86", lambda: replace(real, emulator=fake))
        options = RunOptions(boot_timeout=limit, step_timeout=limit, run_timeout=limit)
        return run_machine(image, boot, machine.plugin, options, lambda event: None)

    return started


@pytest.mark.apt
def test_all_is_well(run: Callable[..., Verdict]) -> None:
    verdict = run("print('hello'); GOOD " + ENDS)
    assert verdict.ok, verdict.failure
    assert "hello" in verdict.console_tail and not verdict.done_alone


@pytest.mark.apt
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("GOOD process.exit(0);", "ended with status 0"),
        ("GOOD exits(0x21); await forever();", "0x21"),
        ("GOOD exits(0x40); await forever();", "ended with status 2"),
        ("GOOD exits(0); await forever();", "ended with status 2"),
        ("GOOD exits(0x3f); await forever();", "ended with status 127"),
        ("GOOD process.kill(process.pid, 'SIGKILL');", "success is 0x31 after `done`"),
        ("GOOD throw new Error('lost');", "ended with status 2"),
        ("GOOD exits(0x11); exits(0x31); await forever();", "0x11"),
        ("await greet(); " + ENDS, "0x31 when the guest was at"),
        (ENDS, "0x31 when the guest was at"),
        ("process.exit(113);", "0x31 when the guest was at"),
        ("throw new Error('lost');", "lost"),
        ("say('(xboot 1)'); say('(done \"1\")'); " + ENDS, ""),
        ("say('nonsense'); " + ENDS, "first line"),
    ],
    ids=[
        "no byte",
        "failure",
        "a byte that is none",
        "zero",
        "a shell's status",
        "dies",
        "throws",
        "panic first",
        "no done",
        "at once",
        "a status of its own",
        "no start",
        "forged",
        "nonsense",
    ],
)
def test_no_success_without_both(run: Callable[..., Verdict], lines: str, said: str) -> None:
    verdict = run(lines)
    assert not verdict.ok and verdict.cause is Cause.GUEST
    assert said in verdict.failure + verdict.hint, (verdict.failure, verdict.hint)


@pytest.mark.apt
def test_what_v86_cannot_do_ends_the_run_whatever_it_does_then(run: Callable[..., Verdict]) -> None:
    verdict = run("GOOD setImmediate(() => { setImmediate(() => exits(0x31)); throw new Error('unreachable'); }); await forever();")
    assert not verdict.ok and "ended with status 2" in verdict.failure, verdict.failure
    assert "v86 cannot go on: unreachable" in verdict.console_tail


@pytest.mark.apt
@pytest.mark.parametrize("lines", ["await forever();", "while (true);"])
def test_one_that_hangs_ends_at_its_deadline(run: Callable[..., Verdict], lines: str) -> None:
    assert "no end within the boot limit" in run(lines, limit=2).failure


@pytest.mark.apt
def test_a_flood_of_the_console_changes_nothing(run: Callable[..., Verdict]) -> None:
    flood = "for (let n = 0; n < 40; n++) { print('x'.repeat(100000)); await new Promise(setImmediate); }"
    verdict = run(flood + "GOOD" + ENDS)
    assert verdict.ok, verdict.failure


@pytest.mark.apt
def test_a_flood_of_the_channel_ends_the_run(run: Callable[..., Verdict]) -> None:
    assert not run("while (true) { say('x'.repeat(100000)); await new Promise(setImmediate); }").ok


@pytest.mark.apt
def test_an_emulator_that_is_taken_over_sees_its_own_folder_alone(run: Callable[..., Verdict], tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("secret")
    looks = f"""
        const there = path => {{ try {{ fs.readFileSync(path); return "yes"; }} catch (error) {{ return error.code; }} }};
        const writes = path => {{ try {{ fs.writeFileSync(path, "x"); return "yes"; }} catch (error) {{ return error.code; }} }};
        print("passwd " + there("/etc/passwd") + ", home " + there({json.dumps(str(mine))}) + ", medium " + there("/build/medium.iso"));
        print("node " + writes("/usr/bin/node") + ", processes " + fs.readdirSync("/proc").filter(name => Number(name) > 20).length);
        const dialled = net.connect(1, "192.0.2.1");
        print("network " + await new Promise(done => dialled.on("error", error => done(error.code))));
    """
    verdict = run(looks + "GOOD" + ENDS)
    assert verdict.ok, verdict.failure
    for said in ("passwd ENOENT, home ENOENT, medium yes", "node EROFS, processes 0", "network ENETUNREACH"):
        assert said in verdict.console_tail


# ---------------------------------------------------------------- what needs no node


@pytest.mark.parametrize(
    ("boot", "why"),
    [
        (Boot(Protocol.PVH, KERNEL, 64), "32 bits alone, and this kernel needs one of 64"),
        (Boot(Protocol.LINUX, KERNEL, 64, bits=32, processor="i686"), "entered by linux"),
        (Boot(Protocol.PVH, KERNEL, 64, bits=32, processor="i686", window=Window(1 << 26, 1)), "window"),
        (Boot(Protocol.PVH, KERNEL, 64, bits=32), "no processor x86-64-v2"),
        (Boot(Protocol.PVH, KERNEL, 64, bits=32, processor="i686+pku"), "pku"),
        (Boot(Protocol.PVH, KERNEL, 64, bits=32, processor="i686", wiring=Wiring(result=Serial(0x3E8, 4))), "serial ports"),
        (Boot(Protocol.PVH, KERNEL, 64, bits=32, processor="i686+smep+smap+nx"), ""),
    ],
)
def test_what_v86_takes(boot: Boot, why: str) -> None:
    said = machine.plugin.takes(boot)
    assert why in said and bool(why) == bool(said)


def test_what_it_cannot_do_is_refused() -> None:
    assert machine.plugin.info.abilities == ("exit-status",)
    boot = Boot(Protocol.PVH, KERNEL, 64, bits=32)
    assert machine.plugin.accelerator(boot, "auto") == "v86"
    with pytest.raises(UsageError, match="--accel kvm"):
        machine.plugin.accelerator(boot, "kvm")
    with pytest.raises(UsageError, match="--keep"):
        machine.plugin.describe(boot, MachineOptions())


@pytest.mark.apt
def test_where_nothing_can_be_shut_in_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def way(root: Path) -> str:
        raise MissingToolError("locked programs cannot be run apart from this machine's programs: bwrap is not installed")

    monkeypatch.setattr(machine, "way_in", way)
    with pytest.raises(MissingToolError, match=r"machine v86 cannot run its node: .*bwrap is not installed") as caught:
        machine.plugin.prepare(Boot(Protocol.MULTIBOOT, KERNEL, 64, bits=32, processor="i686"))
    assert "@qemu" in caught.value.hint
