"""Far calls of programs, whose stack QEMU before 9.1 moves with the kernel's rights: the machine ends before a kernel is lost."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import xboot_qemu.guard
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.tcc import obtain_tcc, run_tcc
from xboot.machine import MachineOptions
from xboot.testing.boot import Booted, Plan, boot, source
from xboot.testing.builders import HOSTILE
from xboot_qemu.command import find_program
from xboot_qemu.confine import confinement, has_seccomp
from xboot_qemu.guard import SOURCE, guard, made_by, needed, unguarded
from xboot_qemu.said import SECCOMP, ask, folders, starts_behind_walls, takes_plugins, version

TCG = MachineOptions("tcg")
# Places that each kernel maps and writes, in its view of all memory: low ones; tccboot hides what is below 14 MiB and not its own.
ATTACKS = [
    *(("tccboot", how, "80f00508") for how in ("call", "page", "return", "iret")),
    *(("hurd", how, "c0100008") for how in ("call", "return", "iret")),
    ("linux", "long", "ffff888000000508"),
    ("mirage", "long", "ffff800000000508"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("far") / "far"
    folder.mkdir()
    code = Path(__file__).with_name("far-calls.c")
    run_tcc(obtain_tcc(DebianPackages(Cache())), ["-nostdlib", "-static", f"-I{HOSTILE}", "-o", str(folder / "far"), str(code)], folder)
    return folder


@pytest.fixture
def run(program: Path, tmp_path: Path) -> Callable[..., Booted]:
    def started(backend: str, *words: str) -> Booted:
        plan = Plan()
        tree = plan.add(source(program))
        builder = f"{tree.path}/far"
        plan.step(builder, [builder.encode(), *(word.encode() for word in words)], inputs=[tree.path], system="i686-linux")
        return boot(plan.script(), backend, tmp_path / "boot", export=False)

    return started


@pytest.mark.boot
@pytest.mark.parametrize(("backend", "how", "at"), ATTACKS)
def test_the_kernels_memory_is_out_of_a_programs_reach(run: Callable[..., Booted], backend: str, how: str, at: str) -> None:
    verdict = run(backend, how, at).verdict
    assert not verdict.ok
    assert "status 77" not in verdict.failure
    if needed(find_program("qemu-system-x86_64"), TCG):
        assert "a program reached the kernel's memory by a far call or return" in verdict.failure


@pytest.mark.boot
@pytest.mark.parametrize("backend", ["tccboot", "hurd", "linux", "mirage"])
def test_a_programs_own_stack_is_its_own(run: Callable[..., Booted], backend: str) -> None:
    booted = run(backend, "own", "0")
    if backend == "mirage":  # its SMAP is in the way of this QEMU's defect, so there such a program ends
        assert "came back" in booted.console or "killed by signal 11" in booted.verdict.failure
    else:
        assert "came back" in booted.console
        assert "did not make" in booted.verdict.failure


@pytest.mark.boot
@pytest.mark.parametrize("how", ["call", "return", "iret"])
def test_a_linux_of_32_bits_is_guarded_too(program: Path, tmp_path: Path, how: str) -> None:
    plan = Plan()
    tree = plan.add(source(program))
    builder = f"{tree.path}/far"
    plan.step(builder, [builder.encode(), how.encode(), b"c0200008"], inputs=[tree.path], system="i686-linux")
    verdict = boot(plan.script(), "linux", tmp_path / "boot", export=False, settings={"bits": "32"}).verdict
    assert not verdict.ok and "status 77" not in verdict.failure
    if needed(find_program("qemu-system-x86_64"), TCG):
        assert "a program reached the kernel's memory by a far call or return" in verdict.failure, verdict.failure


@pytest.mark.compiler
@pytest.mark.parametrize(
    ("bits", "at", "found"),
    [
        (64, 0x80200000, 0),  # where a kernel that chooses its place by chance may begin, before it is in its own half
        (64, 0xC1000000, 0),
        (64, 0xFFFFFFFF81000000, 0xFFFF800000000000),
        (32, 0x80200000, 0x80000000),
        (32, 0xC1000000, 0xC0000000),
        (32, 0x00100000, 0),
    ],
)
def test_the_kernels_half_is_learnt_from_its_width(tmp_path: Path, bits: int, at: int, found: int) -> None:
    code, program = tmp_path / "learns.c", tmp_path / "learns"
    code.write_text(
        f'#define VERSION 1\n#define STATUS 42\n#define BITS {bits}\n#include "{SOURCE}"\n'
        f"int main(void)\n{{\n    learn({at}ull);\n    return kernel_from != ({found}ull ? {found}ull : ~0ull);\n}}\n"
    )
    calls = sorted(set(re.findall(r"(qemu_plugin_\w+)\(", SOURCE.read_text())) - {"qemu_plugin_install"})
    (tmp_path / "qemu.c").write_text("".join(f"void {name}(void) {{}}\n" for name in calls))  # nothing of QEMU's is asked
    subprocess.run(["gcc", "-o", str(program), str(code), str(tmp_path / "qemu.c")], check=True, capture_output=True)
    assert subprocess.run([str(program)], check=False).returncode == 0


def _qemu(folder: Path, version: str, usage: str = "-plugin [file=]<file>") -> str:
    """Something that says that it is this QEMU."""
    program = folder / f"qemu-{version}"
    program.write_text(f'#!/bin/sh\n[ "${{*#*-help}}" = "$*" ] || printf "QEMU emulator version {version}, Copyright\\n{usage}\\n"\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.compiler
def test_which_emulators_are_guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, mended = _qemu(tmp_path, "7.2.22"), _qemu(tmp_path, "9.1.0")
    assert needed(old, TCG) and not needed(old, MachineOptions("kvm")) and not needed(mended, TCG)
    assert guard(mended, TCG, 64) is None and unguarded(mended, TCG) == ""
    assert guard(old, TCG, 64) is not None and unguarded(old, TCG) == ""
    assert guard(old, TCG, 64) != guard(_qemu(tmp_path, "9.0.2"), TCG, 64)  # another version of the plugins' interface
    assert needed(_qemu(tmp_path, "of our own"), TCG)
    bare = _qemu(tmp_path, "8.0.0", usage="nothing")
    assert guard(bare, TCG, 64) is None and "takes no plugins" in unguarded(bare, TCG)
    assert confinement(bare, TCG).endswith("far calls are not watched")
    monkeypatch.setattr(xboot_qemu.guard, "_compiler", lambda: None)
    assert guard(old, TCG, 64) is None and "no C compiler" in unguarded(old, TCG)


def test_what_compiles_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    tcc = ("", "a" * 64)
    for found, said in (
        (tcc, "Debian's TCC as it is locked, toolroot " + "a" * 64),
        (("/usr/bin/cc", ""), "/usr/bin/cc of this machine"),
        (None, ""),
    ):
        monkeypatch.setattr(xboot_qemu.guard, "_compiler", lambda found=found: found)
        assert made_by() == said


def test_an_emulator_is_asked_once_for_each_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path(_qemu(tmp_path, "8.1.0"))
    asked: list[list[str]] = []
    usual = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **how: (asked.append(list(command)), usual(command, **how))[1])
    ask(str(program))
    assert needed(str(program), TCG) and unguarded(str(program), TCG) == "" and takes_plugins(str(program))
    assert version(str(program)) == "8.1.0" and folders(str(program)) == ()
    walled = starts_behind_walls(str(program))
    questions = sorted(command[command.index(str(program)) + 1 :] for command in asked if command[-1] != SECCOMP[-1])
    assert questions == sorted([["-L", "help"], [*SECCOMP, "-help"], *([] if walled else [["-help"]])])
    assert has_seccomp(str(program)) and len(asked) == (2 if walled else 4)


@pytest.mark.compiler
def test_the_guards_compiler_is_not_read_where_its_work_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it made is made again when it is damaged."""
    old = _qemu(tmp_path, "7.2.22")
    (tmp_path / "cache").mkdir()
    for kind in Cache().root.iterdir():
        if kind.name != "qemu-guard":  # others boot with that one now
            (tmp_path / "cache" / kind.name).symlink_to(kind)
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    for name in ("_compiler", "_made"):  # they ask once in each process
        monkeypatch.setattr(xboot_qemu.guard, name, getattr(xboot_qemu.guard, name).__wrapped__)
    found = guard(old, TCG, 64)
    assert found is not None
    usual, read = xboot_qemu.guard.obtain_tcc, []
    monkeypatch.setattr(xboot_qemu.guard, "obtain_tcc", lambda *args: (read.append(args), usual(*args))[1])
    assert guard(old, TCG, 64) == found and unguarded(old, TCG) == "" and not read
    whole = found.read_bytes()
    found.write_bytes(bytes(len(whole)))
    assert guard(old, TCG, 64) == found and found.read_bytes() == whole and read


def test_a_version_stands_in_the_first_line_or_nowhere(tmp_path: Path) -> None:
    program = tmp_path / "qemu"
    program.write_text('#!/bin/sh\necho usage\necho "-machine version 9.9"\n')
    program.chmod(0o755)
    assert version(str(program)) == "" and needed(str(program), TCG)
    failing = tmp_path / "failing"
    failing.write_text('#!/bin/sh\necho "QEMU emulator version 9.9"\nexit 1\n')
    failing.chmod(0o755)
    assert version(str(failing)) == "" and needed(str(failing), TCG) and needed(str(tmp_path / "absent"), TCG)
