"""The kernel in long mode: programs of both widths on it, the compiler that makes it, and planted defects."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from guest_tree import BASE, payload, tiny_program

from xboot import nar
from xboot.boot import RunOptions
from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import BackendError
from xboot.guest.build import EXECUTOR, Architecture, Compiler, sources
from xboot.guest.own_tcc import OwnTcc
from xboot.guest.tcc import obtain_tcc, run_tcc
from xboot.hooks import BackendOptions
from xboot.machine import MachineOptions
from xboot.model import EMPTY_SCRIPT, Script, Verdict
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.testing.boot import boot as start
from xboot.testing.builders import ATTACKS, HOSTILE, PROGRAMS, SYSCALLS, Builder, Builders, load_builders, syscall_answers
from xboot.testing.recipes import APPLETS
from xboot.voter import Voter
from xboot_qemu.command import find_program
from xboot_qemu.guard import needed
from xboot_tccboot.kernel import compile_on_host, own_tree, pack
from xboot_tccboot.loader import build_loader

pytestmark = pytest.mark.boot

HERE = Path(__file__).parent
WIDE = {"bits": "64"}


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return Plugins.load()


@pytest.fixture
def builders(plugins: Plugins, tmp_path: Path) -> Callable[[str], Builders]:
    def make(system: str) -> Builders:
        (tmp_path / system).mkdir(exist_ok=True)
        return Builders(tmp_path / system, system, plugins)

    return make


def run(script: Script, plugins: Plugins, log: Path, settings: Mapping[str, str] | None = None) -> Verdict:
    options = RunOptions(step_timeout=60, accelerator="tcg", log=log)
    return Pipeline(plugins, "tccboot").run(Request(voters=[Voter("tccboot")], settings=settings or {}, run=options), script).verdict


def test_the_guest_compiles_what_the_host_and_debians_tcc_compile(
    plugins: Plugins, builders: Callable[[str], Builders], tcc: OwnTcc, tmp_path: Path
) -> None:
    script = builders("x86_64-linux").shell("hello", 'test "$(cd / && pwd)" = / && echo hello > $out')
    verdict = run(script, plugins, tmp_path / "log")
    assert verdict.ok, verdict.failure
    tree = own_tree(tcc, bits=64)
    made = file_sha256(compile_on_host(tree, tcc, tmp_path / "here"))
    assert f"kernel sha256 {made}" in (tmp_path / "log").read_text()
    words = [line.split(" ", 1) for line in tree.manifest.splitlines()]
    options, files = ([rest for word, rest in words if word == kind] for kind in ("option", "file"))
    run_tcc(obtain_tcc(DebianPackages(Cache()), "tcc"), [*options, "-o", "debian.elf", *files], tmp_path / "here")
    assert file_sha256(tmp_path / "here" / "debian.elf") == made


@pytest.mark.parametrize(("bits", "architecture"), [("64", "x86_64"), ("auto", "i386")])
def test_the_executor_has_the_kernels_width_and_debians_tcc_compiles_the_same(
    bits: str, architecture: Architecture, plugins: Plugins, tmp_path: Path
) -> None:
    made = Pipeline(plugins, "tccboot").prepare("tccboot", EMPTY_SCRIPT, BackendOptions(settings={"bits": bits}))["executor"]
    assert made.path.read_bytes()[4] == {"i386": 1, "x86_64": 2}[architecture], "the class of an ELF file"
    compiler: Compiler = "tcc" if architecture == "x86_64" else "i386-tcc"
    for file in EXECUTOR.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    debian, objects = obtain_tcc(DebianPackages(Cache()), compiler), []
    for source in sources(architecture, compiler):
        objects.append(f"{source.stem}.o")
        run_tcc(debian, ["-nostdlib", "-nostdinc", "-c", source.name, "-o", objects[-1]], tmp_path)
    run_tcc(debian, ["-nostdlib", "-static", *objects, "-o", "executor"], tmp_path)
    assert file_sha256(tmp_path / "executor") == made.sha256
    assert {path.name for path in made.source_files} >= {f"start-{architecture}.S", f"sha256-block-{architecture}.S"}


MIXED = """
[derivation.first]
builder = "{wide}/bin/sh"
args = ["-c", "echo 64 > $out; {narrow}/bin/sh -c 'echo 32; {wide}/bin/echo 64' >> $out"]
[derivation.last]
system = "i686-linux"
builder = "{narrow}/bin/sh"
args = ["-c", "{wide}/bin/tr 0-9 a-j < {first} > $out; {narrow}/bin/sort {first} >> $out"]
"""


def test_programs_of_both_widths_run_in_one_step_and_in_one_boot(plugins: Plugins, tmp_path: Path) -> None:
    links = "{ " + ", ".join(f'"bin/{applet}" = "busybox"' for applet in (*APPLETS, "echo")) + " }"
    text = '[recipe]\nsystem = "x86_64-linux"\n'
    for name, architecture in (("wide", "amd64"), ("narrow", "i386")):
        text += f'[source.{name}]\ntype = "debian"\npackage = "busybox-static"\narchitecture = "{architecture}"\n'
        text += f'select = ["bin/busybox"]\nlinks = {links}\n'
    (tmp_path / "recipe.toml").write_text(text + MIXED)
    pipeline = Pipeline(plugins, "tccboot")
    script = pipeline.plan(Request(targets=[f"{tmp_path / 'recipe.toml'}:last"]))
    assert script.systems == {"i686-linux", "x86_64-linux"}
    verdict = start(script, "tccboot", tmp_path, plugins=plugins, timeout=60, export=True).verdict
    assert verdict.ok, verdict.failure
    assert b"ge\ndc\nge\n32\n64\n64\n" in verdict.exports[script.results[0]].read_bytes()


def test_narrow_calls_answer_as_linux_does(plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path) -> None:
    script = builders("i686-linux").script(load_builders(PROGRAMS)["syscalls"], to_output=True)
    verdict = start(script, "tccboot", tmp_path, plugins=plugins, timeout=60, export=True, settings=WIDE).verdict
    assert verdict.ok, verdict.failure
    answers = "".join(f"{line}\n" for line in syscall_answers(SYSCALLS))
    assert answers.encode() in verdict.exports[script.results[0]].read_bytes()


def in_tests(name: str, folder: Path, system: str) -> Builder:
    """A program that stands beside this file, as a builder."""
    source = folder / name
    source.write_text((HERE / name).read_text().replace('"attack', f'"{HOSTILE}/attack'))
    return Builder(source.stem, source, "", None, system=system)


@pytest.mark.parametrize("backend", ["tccboot", "mirage"])
def test_wide_calls_answer_as_linux_does(backend: str, plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path) -> None:
    """Those with structures or arguments that i386 has otherwise; the answers are those of the linux backend."""
    script = builders("x86_64-linux").script(in_tests("wide_calls.c", tmp_path, "x86_64-linux"), to_output=True)
    verdict = start(script, backend, tmp_path, plugins=plugins, timeout=60, export=True).verdict
    assert verdict.ok, verdict.failure
    with verdict.exports[script.results[0]].open("rb") as stream:
        (said,) = (b"".join(entry.chunks) for entry in nar.read(stream) if entry.kind == "regular")
    assert said.decode().splitlines() == (HERE / "wide_calls.txt").read_text().splitlines()


@pytest.mark.parametrize(("program", "system"), [("modes.c", "x86_64-linux"), ("modes32.c", "i686-linux")])
def test_a_program_never_runs_code_of_the_other_width(
    program: str, system: str, plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path
) -> None:
    script = builders(system).script(in_tests(program, tmp_path, system))
    verdict = run(script, plugins, tmp_path / "log", WIDE)
    assert verdict.ok, verdict.failure + (tmp_path / "log").read_text()


def test_the_kernels_memory_is_out_of_reach_of_a_far_call(plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path) -> None:
    script = builders("x86_64-linux").script(in_tests("far64.c", tmp_path, "x86_64-linux"))
    verdict = run(script, plugins, tmp_path / "log")
    assert not verdict.ok and "status 77" not in verdict.failure
    if needed(find_program("qemu-system-x86_64"), MachineOptions("tcg")):
        assert "a program reached the kernel's memory by a far call or return" in verdict.failure


def test_the_kernel_is_of_the_width_that_the_run_needs(plugins: Plugins, builders: Callable[[str], Builders]) -> None:
    pipeline = Pipeline(plugins, "tccboot")
    made = {
        bits: pipeline.prepare("tccboot", EMPTY_SCRIPT, BackendOptions(systems=frozenset(systems)))["kernel"].sha256
        for bits, systems in ((32, ["i686-linux"]), (0, []), (64, ["i686-linux", "x86_64-linux"]))
    }
    assert made[32] == made[0] != made[64]


@pytest.mark.parametrize(
    ("memory", "low"),
    [(768, 768), (3008, 3008), (3519, 3519), (3520, 3008), (4096, 3008), (16320, 3008)],
)
def test_the_window_is_below_what_a_pc_has_its_devices_in(memory: int, low: int, plugins: Plugins, tmp_path: Path) -> None:
    options = BackendOptions(systems=frozenset({"x86_64-linux"}), export_size=64 << 20, memory=memory)
    pipeline = Pipeline(plugins, "tccboot")
    image = pipeline.package("tccboot", EMPTY_SCRIPT, pipeline.prepare("tccboot", EMPTY_SCRIPT, options), options, tmp_path)
    boot = pipeline.boot("tccboot", image, options)
    assert boot.window is not None
    assert (boot.memory, boot.window.base, boot.bits) == (memory, low << 20, 64)
    assert boot.words == (f"memory={low} high={memory - low}" if memory > low else f"memory={low}")
    with pytest.raises(BackendError, match="of 64 bits uses at most 16320 MiB"):
        pipeline.boot("tccboot", image, replace(options, memory=16321))


@pytest.mark.parametrize("memory", [3072, 4608])
def test_memory_above_4_gib_is_used(memory: int, plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path) -> None:
    """1.5 GiB of it are above (of 4608 MiB), and taken first; the export's window is below."""
    script = builders("x86_64-linux").shell("much", "while read name size unit; do echo $name $size; done < /proc/meminfo > $out")
    booted = start(script, "tccboot", tmp_path, plugins=plugins, timeout=60, memory=memory, export=True)
    assert booted.ok, booted.verdict.failure
    (total,) = re.findall(rb"MemTotal: (\d+)", booted.verdict.exports[script.results[0]].read_bytes())
    assert memory * 0.95 < int(total) >> 10 < memory
    holds = builders("x86_64-linux").script(in_tests("much.c", tmp_path, "x86_64-linux"))
    booted = start(holds, "tccboot", tmp_path, plugins=plugins, timeout=120, memory=memory)
    assert booted.ok, booted.verdict.failure + booted.console[-1000:]


# ---------------------------------------------------------------- planted defects

# Calls getpid by int $0x80, with an address of its own in ebx, in 32-bit code; then /init ends, which is a panic of its own. AC is
# set: in the kernel it would switch SMAP off.
PROGRAM = bytes.fromhex("9c 810c2400000400 9d b814000000 bb00800408 cd80 b801000000 31db cd80".replace(" ", ""))
# The same by syscall, in 64-bit code, with the address in edi.
WIDE_PROGRAM = bytes.fromhex("9c 810c2400000400 9d b827000000 bf00800408 0f05 b83c000000 31ff 0f05".replace(" ", ""))


def wide_program() -> bytes:
    """tiny_program's likeness, of 64 bits."""
    code = 64 + 56
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, BASE + code, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 1, 7, 0, BASE, BASE, code + len(WIDE_PROGRAM), 0x8000, 4096) + WIDE_PROGRAM


HEAD = "CALL(getpid)\n{\n"
LAST = "	kernel_tables[0][0].value = TO"
DEFECTS = {
    "nothing": ("call_process.c", HEAD, "", "process 1 ended"),
    "a user's address is called": ("call_process.c", HEAD, "((void (*)(void))r->ebx)();", "kernel fault: vector 0000000e"),
    "a user's memory is read": ("call_process.c", HEAD, "{ volatile char c = *(char *)r->ebx; }", "vector 0000000e error 00000001"),
    "the kernel's code is written": (
        "call_process.c", HEAD, "{ volatile char *at = (char *)0xffff800000100040ul; *at = 1; }", "vector 0000000e error 00000003",
    ),
    "an interrupt's gate is written": (
        "call_process.c", HEAD,
        '{ struct { unsigned short limit; unsigned long base; } __attribute__((packed)) t; asm volatile("sidt %0" : "=m"(t));'
        " *(volatile char *)t.base = 1; }",
        "kernel fault: vector 0000000e error 00000003",
    ),
    "a frame with another upper half": (
        "call_process.c", HEAD, "machine_frame_drop((char *)machine_frame(1) + (1ul << 40));", "a frame that is none",
    ),
    "the stack is full": ("call_process.c", HEAD, '{ asm volatile("1: push %rax; jmp 1b"); }', "its stack is full"),
    "a program goes on at no address": ("call_process.c", HEAD, "p->r->eip = 0xffff800000100000ul;", "process 1 ended"),
    "data can be run": ("protect.c", LAST, "OWN_TABLE[TO_PHYSICAL(kernel_stack) / PAGE_SIZE + 4].high = 0;", "defect: memory"),
    "memory is a user's": ("protect.c", LAST, "kernel_tables[3][7].value |= P_USER;", "defect: memory"),
    "the kernel has a user's half": ("protect.c", LAST, "kernel_space->root[7].value = 1;", "a user's half"),
}  # fmt: skip


REACHES = ["nothing", "a user's address is called", "a user's memory is read"]


@pytest.mark.parametrize(
    ("defect", "bits"),
    [*((defect, 32) for defect in DEFECTS), *((defect, 64) for defect in REACHES)],
)
def test_a_defect_ends_the_machine(defect: str, bits: int, tcc: OwnTcc, qemu_with: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """SMEP and SMAP among them: the processor is one that has both."""
    file, place, text, said = DEFECTS[defect]
    tree = own_tree(tcc, bits=64)
    (name,) = [n for n in tree.files if n.endswith("/" + file) and place in tree.files[n].read_text()]
    changed = tmp_path / "changed.c"
    after = place + text if place == HEAD else text + place
    changed.write_text(tree.files[name].read_text().replace(place, after))
    archive = tmp_path / "payload"
    archive.write_bytes(payload(tiny_program(PROGRAM) if bits == 32 else wide_program()))
    kernel = pack(replace(tree, files={**tree.files, name: changed}), Cache()).path
    status, console = qemu_with(build_loader(tcc, Cache(), 64).path, kernel, archive, processor="max")
    assert status == 35
    assert said in console


def test_a_processor_without_long_mode(tcc: OwnTcc, qemu_with: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    archive = tmp_path / "payload"
    archive.write_bytes(payload(tiny_program(PROGRAM)))
    kernel = pack(own_tree(tcc, bits=64), Cache()).path
    status, console = qemu_with(build_loader(tcc, Cache(), 64).path, kernel, archive, program="qemu-system-i386", processor="qemu32")
    assert status == 35
    assert re.search(r"kernel sha256 [0-9a-f]{64}", console)


def test_a_backend_without_the_systems_of_its_steps_is_refused(
    plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path
) -> None:
    script = builders("x86_64-linux").shell("hello", "echo hello > $out")
    artifacts = plugins.backend("tccboot") and Pipeline(plugins, "tccboot").prepare("tccboot", EMPTY_SCRIPT, BackendOptions())
    with pytest.raises(BackendError, match="x86_64-linux"):
        plugins.call("xboot_package", backend="tccboot", script=script, artifacts=artifacts, options=BackendOptions(), folder=tmp_path)


# ---------------------------------------------------------------- hostile builders of 32 bits

LONG = {"bytes-one-by-one", "deep-rubbish", "fills-memory", "floods", "many-files", "refused-writes", "terminals-fill"}
"""Left out, since they take long, or want a memory of their own; the kernel of 32 bits has them in the conformance suite."""
OF_32_BITS = {name: attack for name, attack in ATTACKS.items() if attack.system != "x86_64-linux" and name not in LONG}


def test_hostile_builders_of_32_bits_in_long_mode(plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path) -> None:
    """Those that must not fail, as the steps of one boot: each gains nothing, and its output is what it left."""
    harmless = {name: attack for name, attack in OF_32_BITS.items() if attack.fails is None}
    script = builders("i686-linux").together(harmless.values())
    booted = start(script, "tccboot", tmp_path, plugins=plugins, timeout=240, settings=WIDE)
    assert booted.ok, booted.verdict.failure + booted.console[-2000:]
    hashes = {output.path.split("-", 1)[1]: output.nar_sha256 for output in booted.verdict.outputs}
    wanted = {name: attack.nar_sha256 for name, attack in harmless.items() if attack.nar_sha256}
    assert len(wanted) >= 10
    assert {name: hashes[name] for name in wanted} == wanted


@pytest.mark.parametrize("name", ["reaches-executor", "thread-fills-memory", "too-deep"])
def test_hostile_builders_that_fail_in_long_mode(name: str, plugins: Plugins, builders: Callable[[str], Builders], tmp_path: Path) -> None:
    """What the width could change: memory, and the executor's; the rest fail by the executor's word, which is the same code."""
    attack = OF_32_BITS[name]
    script = builders("i686-linux").script(attack)
    verdict = start(script, "tccboot", tmp_path, plugins=plugins, timeout=attack.timeout, memory=attack.memory, settings=WIDE).verdict
    assert attack.fails and re.search(attack.fails, verdict.failure), verdict.failure
