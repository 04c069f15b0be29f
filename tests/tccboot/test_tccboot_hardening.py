"""Planted defects: a kernel that finds itself inconsistent ends the machine, whatever a builder would have made of it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from guest_tree import payload, tiny_program

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.own_tcc import OwnTcc
from xboot.guest.tcc import obtain_tcc, run_tcc
from xboot.testing.builders import HOSTILE
from xboot_tccboot.kernel import own_tree, pack

pytestmark = pytest.mark.boot

# Sets AC, a flag that would switch SMAP off; getpid; then /init ends, which is a panic of its own: no success of the test.
PROGRAM = bytes.fromhex("9c 810c2400000400 9d b814000000 bb00800408 cd80 b801000000 31db cd80".replace(" ", ""))
HEAD = """CALL(getpid)
{
"""
DEFECTS = {
    "nothing": ("", "process 1 ended"),
    "a user's address is called": ("((void (*)(void))r->ebx)();", "kernel fault: vector 0000000e"),
    "a user's memory is read": ("{ volatile char c = *(char *)r->ebx; }", "kernel fault: vector 0000000e error 00000001"),
    "nothing is read": ("{ volatile char c = *(char *)8; }", "kernel fault: vector 0000000e"),
    "the lowest page is read": ("{ volatile char c = *(char *)0x80000008u; }", "kernel fault: vector 0000000e"),
    "the kernel's code is written": ("*(volatile char *)0x80100040u = 1;", "kernel fault: vector 0000000e error 00000003"),
    "an interrupt's gate is written": (
        "{ struct { unsigned short limit; u32 base; } __attribute__((packed)) t;"
        ' asm volatile("sidt %0" : "=m"(t)); *(volatile char *)t.base = 1; }',
        "kernel fault: vector 0000000e error 00000003",
    ),
    "what lies behind the kernel is read": ("{ volatile char c = *(char *)0x803ff000u; }", "kernel fault: vector 0000000e"),
    "the stack is full": ("{ char much[70000]; node_drop((struct node *)(much + 200)); }", "its stack is full"),
    "a call without end": ('{ int (*again)(void) = 0; asm volatile("1: push %%eax; jmp 1b" : : "r"(again)); }', "its stack is full"),
    "a page is used as a page table": (
        "{ u32 *d = (u32 *)((*(u32 *)p->memory->space & ~4095u) + 0x80000000u); d[4] = ((u32)machine_frame(1) - 0x80000000u) | 7;"
        " machine_space_has(p->memory->space, 0x400000); }",
        "a table or thread that is none",
    ),
    "a page table is given back as a page": ("machine_frame_drop((void *)p->memory->space);", "a frame that is none"),
    "a page table is a page's copy": ("machine_frame_keep((void *)p->memory->space);", "a frame that is none"),
    "a node is dropped twice": (
        "node_drop(root_node); node_drop(root_node); node_drop(root_node); node_drop(root_node); node_drop(root_node);",
        "a count falls below nothing",
    ),
    "a description is closed under a descriptor": (
        "{ struct file *f = p->files[0]; f->users = 1; file_drop(f); file_of(p, 1); }",
        "a descriptor of what is closed",
    ),
    "a static object is given back": (
        "{ static struct node n; pool_back(POOL_NODES, &n, sizeof n); }",
        "a block that is none of the pool's",
    ),
    "a block becomes another kind's": ("pool_back(POOL_FILES, root_node, sizeof *root_node);", "or of another kind"),
    "a block is given back twice": ("{ void *b = pool_get(40); pool_put(b, 40); pool_put(b, 40); }", "a block was given back twice"),
    "a free block is written": (
        "{ char *b = pool_get(40); pool_put(b, 40); b[8] = 1; pool_get(40); }",
        "memory was written after it was given back",
    ),
    "a free frame is written": (
        "{ char *b = pool_get(PAGE_SIZE); pool_put(b, PAGE_SIZE); b[999] = 1; pool_get(PAGE_SIZE); }",
        "memory was written after it was given back",
    ),
    "a count has no end": ("{ u32 n = 0x3fffffff; count_more(&n); }", "a count has no end"),
    "a frame that is none": ("{ static char c[8192]; machine_frame_drop((void *)(((u32)c + 4095) & ~4095u)); }", "a frame that is none"),
    "a frame is dropped twice": (
        "{ void *f = machine_frame(1); machine_frame_drop(f); machine_frame_drop(f); }",
        "a frame that is none, that nobody uses",
    ),
    "pages of the kernel are mapped": ("machine_space_zero(p->memory->space, 0x80100000u, 1, 7);", "pages that are no user's"),
    "pages beyond all are unmapped": ("machine_space_unmap(p->memory->space, 0x1000, 0xfffff);", "pages that are no user's"),
    "a page is mapped twice": ("machine_space_zero(p->memory->space, 0x08048000, 1, 7);", "a page is mapped twice"),
    "a name for what can have none": ('directory_add(root_node, "x", 1, node_nameless(p, S_IFIFO));', "a name for what can have none"),
}


# Planted before the tables are looked through, at the start.
TABLES = {
    "code can be written": "OWN_TABLE[300].value |= P_WRITE;",
    "data can be run": "OWN_TABLE[TO_PHYSICAL(kernel_stack + STACK_GUARD) / PAGE_SIZE].high = 0;",
    "all other memory can be run": "kernel_tables[1][3].high = 0;",
    "a page of the kernel is a user's": "OWN_TABLE[300].value |= P_USER;",
    "other memory is a user's": "kernel_tables[0][7].value |= P_USER;",
    "the kernel's space has a user's half": "kernel_tables[3][1].value = kernel_tables[3][2].value;",
}
LAST = "	kernel_tables[0][0].value = TO_PHYSICAL(OWN_TABLE)"

Boot = Callable[..., tuple[int, str]]


@pytest.fixture
def changed_kernel(tcc: OwnTcc, tmp_path: Path) -> Callable[[str, str, str], Path]:
    """The kernel with a text in place of another, which stands in one of its files whose names begin so."""

    def make(start: str, text: str, other: str) -> Path:
        tree = own_tree(tcc)
        name = next(n for n, path in tree.files.items() if n.startswith(start) and text in path.read_text())
        changed = tmp_path / "changed.c"
        changed.write_text(tree.files[name].read_text().replace(text, other))
        return pack(replace(tree, files={**tree.files, name: changed}), Cache()).path

    return make


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "payload"
    path.write_bytes(payload(tiny_program(PROGRAM)))
    return path


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_ends_the_machine(defect: str, qemu: Boot, changed_kernel: Callable[[str, str, str], Path], archive: Path) -> None:
    planted, said = DEFECTS[defect]
    status, console = qemu(changed_kernel("personality/", HEAD, HEAD + planted + "\n"), archive)
    assert said in console, console
    assert status == 0x11 * 2 + 1


@pytest.mark.parametrize("defect", TABLES)
def test_tables_that_give_too_much_end_the_machine_at_its_start(
    defect: str, qemu: Boot, changed_kernel: Callable[[str, str, str], Path], archive: Path
) -> None:
    status, console = qemu(changed_kernel("kernel/", LAST, TABLES[defect] + "\n" + LAST), archive)
    assert "panic: defect: " in console and "process 1" not in console, console
    assert status == 0x11 * 2 + 1


def with_stack(program: bytes) -> bytes:
    """The same ELF file, which says that its stack is not to be run."""
    (start,) = struct.unpack_from("<I", program, 28)
    (count,) = struct.unpack_from("<H", program, 44)
    headers = program[start : start + 32 * count] + struct.pack("<8I", 0x6474E551, 0, 0, 0, 0, 0, 6, 16)
    changed = bytearray(program) + headers
    struct.pack_into("<I", changed, 28, len(program))
    struct.pack_into("<H", changed, 44, count + 1)
    return bytes(changed)


ALWAYS = {"may-run": "7", "may-run-shared": "7", "may-all": "7", "handler": "7", "handler-info": "7", "stack-again": "7"}
NEVER = dict.fromkeys(("data", "heap", "stack", "mapped", "shared", "read-only", "never-touched", "no-more"), "11")
OLD = dict.fromkeys(NEVER, "7")  # a page of zeros is run up to its end; the code of the next one follows


@pytest.mark.parametrize(
    ("processor", "stack", "expected"),
    [
        ("qemu32,+smep,+smap,+nx", True, {**ALWAYS, **NEVER, "mapped-new": "11"}),
        ("qemu32,+smep,+smap,+nx", False, {**ALWAYS, **OLD, "mapped-new": "11"}),
        ("qemu32", True, {**ALWAYS, **OLD, "mapped-new": "7"}),
    ],
    ids=["says", "says-nothing", "no-such-processor"],
)
def test_data_is_not_run(processor: str, stack: bool, expected: dict[str, str], qemu: Boot, tcc: OwnTcc, tmp_path: Path) -> None:
    """As Linux on i386: a program that says nothing of its stack may run all that it may read; so may all without no-execute."""
    program = tmp_path / "program"
    words = ["-nostdlib", "-static", "-I", str(HOSTILE), "-o", str(program), str(Path(__file__).with_name("runs_data.c"))]
    run_tcc(obtain_tcc(DebianPackages(Cache())), words, tmp_path)
    content = program.read_bytes()
    archive = tmp_path / "payload"
    archive.write_bytes(payload(with_stack(content) if stack else content))
    _, console = qemu(pack(own_tree(tcc), Cache()).path, archive, processor=processor)
    found = dict(line.split() for line in console.splitlines() if line.count(" ") == 1)
    assert {name: found.get(name) for name in expected} == expected, console


def test_a_processor_without_the_tables_ends_the_machine(qemu: Boot, tcc: OwnTcc, archive: Path) -> None:
    status, console = qemu(pack(own_tree(tcc), Cache()).path, archive, processor="qemu32,-pae")
    assert "process 1" not in console
    assert status == 0x11 * 2 + 1


# int $39; int $47; write(1, the text behind, 8); exit
INTERRUPTED = bytes.fromhex("cd27cd2f b804000000 bb01000000 b975800408 ba08000000 cd80 b801000000 cd80".replace(" ", "")) + b"goes on\n"


def test_an_interrupt_that_nobody_asked_for_changes_nothing(qemu: Callable[..., tuple[int, str]], tcc: OwnTcc, tmp_path: Path) -> None:
    """Of the controllers, which QEMU never makes give one: here the gates are open to a program, which goes through both and goes on."""
    tree = own_tree(tcc)
    main = tree.files["kernel/main.c"].read_text()
    changed = tmp_path / "main.c"
    for vector in (39, 47):
        closed = f"gate({vector}, trap_{vector}, 0);"
        assert closed in main
        main = main.replace(closed, closed.replace(", 0)", ", 3)"))
    changed.write_text(main)
    kernel = pack(replace(tree, files={**tree.files, "kernel/main.c": changed}), Cache()).path
    archive = tmp_path / "payload"
    archive.write_bytes(payload(tiny_program(INTERRUPTED)))
    _, console = qemu(kernel, archive)
    assert "goes on\npanic: process 1 ended" in console, console
