"""A machine without an exit device: the guest says on the console what it was to end with, and stands still."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.machine import MachineOptions
from xboot.model import Boot
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.voter import Voter
from xboot_qemu.machine import plugin as qemu

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
SAID = b"this machine has no exit device; it is halted. What it was to end with: "


async def told_nonsense(boot: Boot) -> bytes:
    """The console of a guest that gives up, since the host's line is not one; what it says of the exit device."""
    carrier = await qemu.start(boot, MachineOptions("tcg"))
    try:
        console, _ = await asyncio.open_connection(sock=carrier.console)  # from here on it is read, or QEMU would wait
        reader, writer = await asyncio.open_connection(sock=carrier.result)
        assert await reader.readline() == b"(xboot 1)\n"
        writer.write(b"(nonsense)\n")
        await console.readuntil(SAID)
        return await console.readline()
    finally:
        await carrier.close()


@pytest.mark.boot
@pytest.mark.parametrize("name", ["linux", "linux/scheme", "tccboot", "hurd", "mirage"])
def test_a_guest_says_what_it_was_to_end_with(name: str, tmp_path: Path) -> None:
    pipeline = Pipeline(Plugins.load())
    request = Request([str(HELLO)], [Voter.parse(name)])
    voter, options = pipeline.options(request)
    script = pipeline.plan(request)
    artifacts = pipeline.prepare(voter.backend, script, options)
    image = pipeline.package(voter.backend, script, artifacts, options, tmp_path)
    boot = pipeline.boot(voter.backend, image, options)
    assert boot.wiring.exit == 0xF4
    bare = replace(boot, wiring=replace(boot.wiring, exit=None))
    byte = asyncio.run(asyncio.wait_for(told_nonsense(bare), 120))
    assert int(byte.split()[0], 16) == 0x11
