"""The kernel ends the machine when it finds itself inconsistent; what protects its own memory is in force in the machine."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import mirage_guest as guest
import pytest

from xboot.hooks import BackendOptions
from xboot.machine import MachineOptions
from xboot_mirage.backend import plugin
from xboot_mirage.toolchain import GUEST
from xboot_qemu.command import command_line

pytestmark = pytest.mark.compiler

HERE = Path(__file__).parent
NONCE = "0123456789abcdef" * 2
PANICS = (
    "released twice", "used after it was given back", "too many users", "was written to", "used as what it is not",
    "released as what it is not",
    "used after it was given back", "used as what it is not", "used as what it is not", "no such page frame", "not within one page",
    "used after it was given back", "used as what it is not", "no such page frame", "no such page frame", "given that is in use",
    "used after it was given back",
)  # fmt: skip


@pytest.fixture(scope="module")
def bites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("bites") / "bites"
    base = [GUEST / "base" / name for name in ("frames.c", "aspace.c", "onebyte.c")]
    subprocess.run(
        ["gcc", "-O1", "-w", "-DXBOOT_HOST", f"-I{GUEST / 'base'}", *base, HERE / "fake_base.c", HERE / "bites.c", "-o", program],
        check=True,
    )
    return program


@pytest.mark.parametrize("number", range(len(PANICS)))
def test_a_defect_ends_the_machine(bites: Path, number: int) -> None:
    done = subprocess.run([bites, str(number)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4, done.stdout
    assert re.fullmatch(rf"panic: .*{PANICS[number]}.*\n", done.stdout)


def test_a_page_table_never_becomes_a_page(bites: Path) -> None:
    done = subprocess.run([bites, str(len(PANICS))], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "no defect\n"


class Machine:
    """A guest in the midst of a step, looked at through QEMU's monitor."""

    def __init__(self, folder: Path) -> None:
        options = BackendOptions(executor="ocaml", memory=128, settings={"clock": "fixed"})
        guest.compile_program(folder / "tree" / "bin" / "waits", HERE / "waits.c", "-m32", "-mgeneral-regs-only")
        tree = guest.source(folder / "tree")
        builder = f"{tree.path}/bin/waits"
        image = plugin.package(
            guest.script([tree], [guest.step(1, builder, [builder], [tree.path])]),
            plugin.prepare(options, lambda event: None),
            options,
            folder,
        )
        command = command_line(
            plugin.boot(image, options),
            MachineOptions("tcg"),
            control=f"socket,path={folder / 'qmp'},server=on,wait=off",
            console=f"file,path={folder / 'console'}",
            result=f"socket,path={folder / 'channel'},server=on,wait=on",
        )
        self.process = subprocess.Popen(["timeout", "60", *command])
        self.channel = _connect(folder / "channel").makefile("rw", newline="\n")
        self.qmp = _connect(folder / "qmp").makefile("rw", newline="\n")
        self._reply()
        self._command("qmp_capabilities")
        assert self.channel.readline() == "(xboot 1)\n"
        self.channel.write(f'(run "{NONCE}" 0 0)\n')
        self.channel.flush()
        while "(begin" not in self.channel.readline():
            pass
        deadline = time.monotonic() + 30
        while "waiting" not in (folder / "console").read_text("latin-1"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.folder = folder

    def monitor(self, line: str) -> str:
        return str(self._command("human-monitor-command", {"command-line": line}))

    def memory(self) -> bytes:
        self._command("pmemsave", {"val": 0, "size": 128 << 20, "filename": str(self.folder / "memory")})
        return (self.folder / "memory").read_bytes()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _command(self, name: str, arguments: dict[str, object] | None = None) -> object:
        self.qmp.write(json.dumps({"execute": name, "arguments": arguments or {}}) + "\n")
        self.qmp.flush()
        return self._reply()

    def _reply(self) -> object:
        while True:
            reply = json.loads(self.qmp.readline())
            if "return" in reply or "QMP" in reply:
                return reply.get("return")
            assert "error" not in reply, reply


def _connect(path: Path) -> socket.socket:
    deadline = time.monotonic() + 20
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
            return link
        except OSError:
            link.close()
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    running = Machine(tmp_path_factory.mktemp("m"))
    yield running
    running.end()


@pytest.mark.boot
def test_the_nonce_is_in_memory_once_and_mapped_nowhere(machine: Machine) -> None:
    memory = machine.memory()
    places = [match.start() for match in re.finditer(NONCE.encode(), memory)]
    assert len(places) == 1
    pages = re.findall(r"^([0-9a-f]+): ([0-9a-f]+) (\S+)$", machine.monitor("info tlb").replace("\r", ""), re.MULTILINE)
    shown = [va for va, at, flags in pages if int(at, 16) <= places[0] < int(at, 16) + (2 << 20 if "P" in flags else 4096)]
    assert shown == []


@pytest.mark.boot
def test_no_page_is_written_and_executed(machine: Machine) -> None:
    pages = re.findall(r"^([0-9a-f]+): ([0-9a-f]+) (\S+)$", machine.monitor("info tlb").replace("\r", ""), re.MULTILINE)
    kernel = [(int(va, 16), int(at, 16), flags) for va, at, flags in pages if int(va, 16) >> 47]
    assert len(kernel) > 1000
    executed = {at for va, at, flags in kernel if "X" not in flags}  # X stands for the no-execute bit
    assert len(executed) > 200
    assert not [flags for va, at, flags in kernel if "X" not in flags and "W" in flags]
    assert not executed & {at for va, at, flags in kernel if "W" in flags}  # not by another address either
    assert not [va for va, at, flags in kernel if "U" in flags]
    assert not [va for va, at, flags in kernel if va >= 0xFFFFFFFF80000000 and "W" in flags and "X" not in flags]


@pytest.mark.boot
def test_the_processor_keeps_the_kernel_from_programs_pages(machine: Machine) -> None:
    registers = machine.monitor("info registers")
    cr0, cr4 = (int(re.search(rf"{name}=([0-9a-f]+)", registers)[1], 16) for name in ("CR0", "CR4"))  # type: ignore[index]
    efer = int(re.search(r"EFER=([0-9a-f]+)", registers)[1], 16)  # type: ignore[index]
    assert cr0 >> 16 & 1  # WP: read-only pages bind the kernel
    assert cr4 >> 20 & 1  # SMEP
    assert cr4 >> 21 & 1  # SMAP
    assert cr4 >> 11 & 1  # UMIP
    assert efer >> 11 & 1  # NXE
