"""hurd end to end: the kernel as Debian has it, the system calls beside Linux's, the attacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.testing.builders import CALLS, SYSCALLS, syscall_answers

pytestmark = [pytest.mark.boot, pytest.mark.nix]
SIGILL, SIGSEGV = 4, 11


@pytest.mark.parametrize("kernel", ["mended", "debian"])
def test_hello_on_both_kernels(boot, nix, derivation, kernel: str) -> None:
    drv = derivation("echo hello > $out; echo $$ | ${bb}/bin/busybox cat >> $out")
    nix.realise([drv])
    output = nix.run("nix-store", "--query", "--outputs", drv).stdout.strip()
    verdict = boot(drv, kernel=kernel)
    assert verdict.ok, verdict.failure
    assert verdict.outputs[0].nar_sha256 == nix.hash(output)


@pytest.mark.parametrize("program", [SYSCALLS, CALLS], ids=["syscalls", "calls"])
def test_system_calls_on_the_kernel_as_debian_built_it(output, program: Path) -> None:
    """The conformance suite asks the mended kernel; here calls come as exceptions."""
    assert output("exec ${p}/prog > $out", program, kernel="debian") == syscall_answers(program)


def test_mach_gives_a_builder_nothing(output) -> None:
    lines = output("${p}/prog > $out", Path(__file__).parent / "mach_attacks.c", timeout=120)
    found = {name: int(end) for name, end in (line.rsplit(" ", 1) for line in lines)}
    assert found["Mach's own calls that answer"] == 0
    assert found["ports to send to"] == 0
    assert found["still here"] == 1
    ended, killed = 77 << 8, 9
    assert {name for name, end in found.items() if end not in (0, 1, ended, killed, SIGILL, SIGSEGV)} == set()
    assert found["the gate's code"] == SIGSEGV
    forged = {"rights for the server", "memory for the server", "the right to its own answers"}
    forged |= {"a reply right", "a short message", "a wrong number"}
    forged |= {"a window made larger", "a window that ends before it begins", "more read than was there"}
    forged |= {"a claim without a window", "a reading without a window", "a claim that its message does not hold"}
    assert {found[attack] for attack in forged} == {killed}
    assert found["more counted than moved"] == found["another file's number in the gate"] == ended
    assert found["what it claims is what it could have written"] == 1
    assert found["nothing of a false claim is written"] == found["a file that is only read is as it was"] == 1


def test_a_stopped_machine_is_a_failure(boot, derivation) -> None:
    """Mach may find its way back: the machine stops, and the run fails, or the program alone is killed."""
    verdict = boot(derivation("echo early > $out; ${p}/prog || echo $? > $out; sleep 1", Path(__file__).parent / "stop.c"), timeout=5)
    if verdict.ok:
        (file,) = verdict.exports.values()
        assert b"139\n" in file.read_bytes()
        return
    assert verdict.failure is not None
    assert {output.status.value for output in verdict.outputs} == {"not run"}


@pytest.mark.parametrize("kernel", ["mended", "debian"])
def test_the_gate_knows_the_heaps_end(output, kernel: str) -> None:
    lines = output("${p}/prog > $out", Path(__file__).parent / "heap.c", kernel=kernel, timeout=120)
    found = dict(line.rsplit(" ", 1) for line in lines)
    assert found["steps"] == "60000"
    assert found["wrong"] == "0", lines
    assert int(found["signals"]) > 10
