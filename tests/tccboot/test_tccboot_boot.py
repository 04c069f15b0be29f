"""tccboot end to end: the loader, the kernel it makes, hello, and the syscall conformance program."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from guest_tree import payload, tiny_program

from xboot.cache import Cache
from xboot.errors import BackendError, UsageError
from xboot.guest.own_tcc import OwnTcc
from xboot.hooks import BackendOptions, ReadOptions
from xboot.model import Role
from xboot.pipeline import Pipeline, Request
from xboot_tccboot.backend import plugin
from xboot_tccboot.kernel import KernelTree, compile_on_host, other_tree, own_tree, pack

pytestmark = [pytest.mark.boot, pytest.mark.nix]

TINY = """
asm(".text\\n.globl _start\\n_start:\\n jmp 1f\\n .align 4\\n .long 0x1badb002\\n .long 3\\n"
    ".long 0 - 0x1badb002 - 3\\n1: mov $0x90000, %esp\\n call work\\n");
static void out(unsigned port, unsigned byte) { asm volatile("outb %b0, %w1" : : "a"(byte), "Nd"(port)); }
void work(void) { const char *s = "another kernel\\n"; while (*s) out(0x3f8, *s++); out(0xf4, 0x31); for (;;) ; }
"""
MANIFEST = "name another kernel\noption -nostdlib\noption -static\noption -Wl,-Ttext=0x200000\nfile tiny.c\n"


def console_hash(text: str) -> str:
    match = re.search(r"kernel sha256 ([0-9a-f]{64})", text)
    assert match, text
    return match[1]


@pytest.fixture
def hello(nix, busybox) -> str:
    file = nix.root / "hello.nix"
    nix.root.mkdir(exist_ok=True)
    file.write_text(
        """{ busybox }: let bb = builtins.path { path = busybox; name = "busybox"; }; in {
          hello = derivation { name = "hello"; system = "i686-linux"; builder = "${bb}/bin/sh"; args = [ "-c" "echo hello > $out" ]; }; }"""
    )
    found: str = nix.instantiate(file, busybox=str(busybox["i686-linux"]))["hello"]
    return found


def test_hello_on_a_kernel_that_is_the_hosts_byte_for_byte(boot, nix, hello: str, tcc: OwnTcc, tmp_path: Path) -> None:
    nix.realise([hello])
    output = nix.run("nix-store", "--query", "--outputs", hello).stdout.strip()
    verdict = boot(hello, expected=nix.hash(output))
    assert verdict.ok, verdict.failure
    assert verdict.outputs[0].status.value == "match"
    here = tmp_path / "here"
    here.mkdir()
    elf = compile_on_host(own_tree(tcc), tcc, here)
    made = console_hash((tmp_path / "console").read_text())
    assert made == hashlib.sha256(elf.read_bytes()).hexdigest()
    assert made in plugin.prepare(BackendOptions(), lambda event: None)["kernel"].version


def test_two_boots_report_the_same(boot, hello: str, tmp_path: Path) -> None:
    logs = []
    for _ in range(2):
        assert boot(hello).ok
        logs.append((tmp_path / "console").read_bytes())
    assert logs[0] == logs[1]


# ---------------------------------------------------------------- the loader


def tree(folder: Path, manifest: str = MANIFEST, source: str = TINY) -> KernelTree:
    folder.mkdir(exist_ok=True)
    (folder / "manifest").write_text(manifest)
    (folder / "tiny.c").write_text(source)
    return other_tree(folder)


@pytest.fixture
def something(tmp_path: Path) -> Path:
    path = tmp_path / "payload"
    path.write_bytes(payload(tiny_program()))
    return path


def test_another_kernel_tree_boots(qemu, tmp_path: Path, something: Path) -> None:
    status, text = qemu(pack(tree(tmp_path / "t"), Cache(tmp_path / "c")).path, something)
    assert status == 99
    assert "another kernel" in text.splitlines()


def test_errors_of_the_compiler_name_file_and_line(qemu, tmp_path: Path, something: Path) -> None:
    broken = tree(tmp_path / "t", source=TINY + "\nint f(void) { return nothing; }\n")
    status, text = qemu(pack(broken, Cache(tmp_path / "c")).path, something)
    assert status == 35
    assert "tiny.c:7: error: 'nothing' undeclared" in text


@pytest.mark.parametrize(
    ("manifest", "source", "message"),
    [
        (MANIFEST, TINY + "double d = 1.5;", "limit: floating constants that are not whole numbers cannot be compiled here: 1.5"),
        (MANIFEST.replace("0x200000", "0x8000000"), TINY, "limit: the kernel must fit between 1 MiB and 14 MiB"),
        (MANIFEST, TINY + "void g(void); void h(void) { g(); }", "undefined symbol 'g'"),
        (MANIFEST, TINY + '#include "tiny.c"\n', "include"),
    ],
)
def test_what_the_loader_cannot_do_is_said(qemu, tmp_path: Path, something: Path, manifest: str, source: str, message: str) -> None:
    status, text = qemu(pack(tree(tmp_path / "t", manifest, source), Cache(tmp_path / "c")).path, something)
    assert status == 35
    assert message in text


def test_loader_without_modules(qemu) -> None:
    status, text = qemu()
    assert (status, "the kernel's source tree is missing" in text) == (35, True)


def test_loader_with_too_little_memory(qemu, tmp_path: Path, something: Path) -> None:
    status, text = qemu(pack(tree(tmp_path / "t"), Cache(tmp_path / "c")).path, something, memory=36)
    assert (status, "limit: the loader needs 40 MiB" in text) == (35, True)


def test_kernel_without_payload(qemu, tcc: OwnTcc, tmp_path: Path) -> None:
    status, text = qemu(pack(own_tree(tcc), Cache(tmp_path / "c")).path)
    assert (status, "expected exactly one module: the payload" in text) == (35, True)


def test_payload_that_is_none(qemu, tcc: OwnTcc, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"rubbish" * 100)
    status, text = qemu(pack(own_tree(tcc), Cache(tmp_path / "c")).path, rubbish)
    assert (status, "payload: not a newc archive" in text) == (35, True)


def test_process_1_that_ends_is_a_panic(qemu, tcc: OwnTcc, tmp_path: Path) -> None:
    code = bytes.fromhex("b80100000031dbcd80")  # exit(0)
    path = tmp_path / "payload"
    path.write_bytes(payload(tiny_program(code)))
    status, text = qemu(pack(own_tree(tcc), Cache(tmp_path / "c")).path, path)
    assert (status, "panic: process 1 ended" in text) == (35, True)


# ---------------------------------------------------------------- trees that users bring


def test_trees_are_checked_before_the_boot(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file named manifest"):
        other_tree(tmp_path)
    (tmp_path / "manifest").write_text("file nothing.c\n")
    with pytest.raises(UsageError, match=r"nothing\.c"):
        other_tree(tmp_path)
    (tmp_path / "manifest").write_text("files nothing.c\n")
    with pytest.raises(UsageError, match="unknown word 'files'"):
        other_tree(tmp_path)


def test_every_byte_is_somebodys(nix, pipeline: Pipeline, hello: str, tmp_path: Path) -> None:
    script = pipeline.linearize(pipeline.read([hello], ReadOptions(stores=[nix.store])), Request().linearize)
    artifacts = plugin.prepare(BackendOptions(), lambda event: None)
    image = plugin.package(script, artifacts, BackendOptions(), tmp_path)
    found = {component.name: component for component in plugin.components(image)}
    assert sum(component.bytes for component in found.values()) == sum(path.stat().st_size for path in image.files.values())
    assert found["kernel"].lines and found["kernel"].lines > 4000
    assert {"kernel/device.c", "personality/device.c", "kernel/entry.S"} <= set(found["kernel"].source_hashes)
    assert {"read", "execve", "clone", "getdents64"} <= set(found["kernel"].syscalls)
    assert found["tcc"].lines and any("libtcc" in name for name in found["tcc"].source_hashes)
    assert found["tcc"].role is Role.COMPILER and found["tcc"].bytes > 200_000
    assert found["loader"].lines and found["loader"].bytes < 30_000
    assert found["libtcc1"].lines and 0 < found["libtcc1"].bytes < 10_000
    seeds = {name for name, component in found.items() if component.role is Role.SEED}
    assert {name for name, component in found.items() if component.prebuilt} == seeds
    assert not any("gcc" in tool for component in found.values() for tool in component.built_with)


@pytest.mark.parametrize("bits", [32, 64])
def test_the_kernel_is_two_units_that_contain_every_file(tcc: OwnTcc, bits: int) -> None:
    tree = own_tree(tcc, bits=bits)
    compiled = re.findall(r"^file (\S+)$", tree.manifest, re.M)
    units = [name for name in compiled if name.endswith(".c") and name != "libtcc1.c"]
    assert units == ["i386/personality.c", "kernel/kernel.c"]
    included = [name for unit in units for name in re.findall(r'#include "(\S+\.c)"', tree.files[unit].read_text())]
    assert len(included) == len(set(included))
    there = {name for name in tree.files if name.endswith((".c", ".S"))}
    wide = {name for name in included if name not in tree.files}
    assert there - {*included, *compiled} == set()
    assert wide == (set() if bits == 64 else {"kernel/descriptors.c", "x86_64/wide.c"})


@pytest.mark.parametrize("unit", ["i386/personality.c", "kernel/kernel.c"])
def test_files_of_a_unit_share_no_names(tcc: OwnTcc, unit: str) -> None:
    """Two variables of one name that no file initialises would be one, without a word of any compiler's (C17, 6.9.2)."""
    tree = own_tree(tcc, bits=64)
    owners: dict[str, set[str]] = {}
    for file in re.findall(r'#include "(\S+\.c)"', tree.files[unit].read_text()):
        text = re.sub(r"/\*.*?\*/", "", tree.files[file].read_text(), flags=re.DOTALL)
        text = re.sub(r"^static ((?:const )?struct) \{[^}]*\}", r"static \1", text, flags=re.MULTILINE)
        text = re.sub(r"^#ifndef MACHINE_WIDE *$.*?^#(else|endif)", "", text, flags=re.DOTALL | re.MULTILINE)
        named = re.findall(r"^static [^;={(]*?(\w+) *(?:\[[^;={]*)?[;={(]", text, re.MULTILINE)
        assert len(named) == len(re.findall("^static ", text, re.MULTILINE)), f"{file}: a name that this test does not see"
        for name in set(named):
            owners.setdefault(name, set()).add(file)
    assert {name: files for name, files in owners.items() if len(files) > 1} == {}


# ---------------------------------------------------------------- what users may ask for


def test_a_tree_that_tcc_refuses_is_refused_before_the_boot(tmp_path: Path) -> None:
    tree(tmp_path / "t", source="int f( {\n")
    with pytest.raises(BackendError, match=r"tiny\.c:1: error"):
        plugin.prepare(BackendOptions(settings={"kernel-tree": str(tmp_path / "t")}), lambda event: None)


def test_more_memory_than_the_kernel_can_use_is_refused(pipeline: Pipeline, nix, hello: str, tmp_path: Path) -> None:
    script = pipeline.linearize(pipeline.read([hello], ReadOptions(stores=[nix.store])), Request().linearize)
    image = plugin.package(script, plugin.prepare(BackendOptions(), lambda event: None), BackendOptions(), tmp_path)
    with pytest.raises(BackendError, match="at most 2032 MiB"):
        plugin.boot(image, BackendOptions(memory=4096))
