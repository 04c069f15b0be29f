"""What the hurd backend does before a boot: the kernel's mending, the boot module, refusals."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import BackendError, InputError, XbootError
from xboot.guest.own_tcc import LIBC, obtain_own_tcc
from xboot.hooks import BackendOptions
from xboot.model import Artifact, Region, Role
from xboot.package import FRAMING, Payload
from xboot_hurd.backend import plugin
from xboot_hurd.kernel import debian_kernel, other_kernel
from xboot_hurd.lines import record_sources
from xboot_hurd.mend import BY_WORDS, by_words, is_mended, measured_sooner, mend
from xboot_hurd.module import MAX_PAYLOAD, write_module
from xboot_hurd.server import build_server

pytestmark = [pytest.mark.apt, pytest.mark.compiler]


@pytest.fixture(scope="module")
def original() -> Path:
    return debian_kernel(DebianPackages(Cache()), Cache(), untouched=True).path


@pytest.fixture(scope="module")
def server() -> Artifact:
    return build_server(obtain_own_tcc(DebianPackages(Cache())), Cache())


def test_mending_changes_one_jump(original: Path, tmp_path: Path) -> None:
    before = original.read_bytes()
    after = mend(before)
    assert after is not None
    assert len(after) == len(before)
    assert [a - b for a, b in zip(before, after, strict=True) if a != b] == [8]
    (tmp_path / "kernel").write_bytes(after)
    assert is_mended(tmp_path / "kernel")
    assert not is_mended(original)


def test_only_the_known_place_is_mended(original: Path, tmp_path: Path) -> None:
    kernel = original.read_bytes()
    mended = mend(kernel)
    assert mended is not None
    assert mend(mended) is None  # it leads to the change of stacks already
    assert mend(kernel + kernel) is None  # two such places: which?
    assert mend(b"") is None
    jump = re.search(rb"\x8b\x64\x24\x04\x09\xc0\x74\x08\x8b\x43\x2c\xe9", kernel)
    assert jump is not None
    elsewhere = bytearray(kernel)
    elsewhere[jump.end() : jump.end() + 4] = (-jump.end() - 100).to_bytes(4, "little", signed=True)  # before the file's start
    assert mend(bytes(elsewhere)) is None
    (tmp_path / "kernel").write_bytes(b"no kernel")
    assert not is_mended(tmp_path / "kernel")


def test_memory_functions_by_words_lie_where_those_by_bytes_lay(original: Path, tmp_path: Path) -> None:
    """112 bytes, all of which are the lines of assembly; what is called is in its old place."""
    before = original.read_bytes()
    after = by_words(before)
    assert len(after) == len(before)
    changed = [at for at, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    start = before.index(bytes.fromhex("57568b44240c8b7424108b4c241489c7f3a4"))
    assert start % 16 == 0
    assert start <= changed[0] <= changed[-1] < start + 112
    (tmp_path / "words.S").write_text(BY_WORDS)
    subprocess.run(["gcc", "-m32", "-c", "words.S"], cwd=tmp_path, check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", "words.o", "words.bin"], cwd=tmp_path, check=True)
    assert after[start : start + 112] == (tmp_path / "words.bin").read_bytes()
    names = subprocess.run(["nm", "words.o"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    places = {name: int(at, 16) for at, _, name in map(str.split, names.splitlines())}
    assert [places[name] for name in ("memcpy", "memmove", "memset")] == [0, 32, 80]
    assert by_words(after) == after
    assert by_words(before + before) == before + before  # twice: which?


def test_the_measurement_has_two_other_numbers(original: Path) -> None:
    before = original.read_bytes()
    after = measured_sooner(before)
    assert len(after) == len(before)
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [(0x10, 0), (0, 0x10), (8, 2)]
    first, second, bits = (at for at, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
    assert second == first + 1 and first < bits < first + 400  # of one function
    assert measured_sooner(after) == after
    assert measured_sooner(before + before) == before + before  # twice: which?
    other = before.replace(before[first + 9 : first + 15], before[first + 9 : first + 11] + b"elsewhere"[:4], 1)
    assert other != before and measured_sooner(other) == other  # what is counted there is not what is counted here


@pytest.mark.parametrize("functions", [".globl memcpy, memmove, memset\n" + BY_WORDS, (LIBC / "copy.S").read_text()], ids=["mach", "tcc"])
def test_memory_functions_by_words_do_what_plain_loops_do(functions: str, tmp_path: Path) -> None:
    """Mach's mended ones, and those of TCC's library, which the loader compiles its kernel with."""
    (tmp_path / "functions.S").write_text(functions)
    flags = ["-m32", "-O1", "-ffreestanding", "-fno-builtin", "-fno-pie", "-no-pie", "-fno-stack-protector", "-nostdlib", "-static"]
    loops = "-fno-tree-loop-distribute-patterns"  # or gcc makes calls of these very functions of the loops
    source = Path(__file__).parent / "words.c"
    subprocess.run(["gcc", *flags, loops, "-o", "words", source, "functions.S"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "words"], check=True, timeout=60)


def test_the_module_is_the_server_and_the_payload(server: Artifact, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    (tmp_path / "payload").write_bytes(content)
    payload = Payload(tmp_path / "payload", len(content), (Region("payload", 0, len(content), "sources"),), len(content), 1)
    module, regions = write_module(server, payload, tmp_path / "module")
    with module.open("rb") as file:
        elf = ELFFile(file)
        *loads, last = elf.iter_segments()
        assert elf["e_shoff"] == 0
        assert last.header.p_vaddr == 0x80000000
        assert last.data() == b"payload\n" + len(content).to_bytes(4, "little") + bytes(4) + content
    with server.path.open("rb") as file:
        linked = ELFFile(file)
        wanted = [(s.header.p_vaddr, s.data()) for s in linked.iter_segments() if s.header.p_type == "PT_LOAD"]
        entry = linked["e_entry"]
    with module.open("rb") as file:
        elf = ELFFile(file)
        loaded = [(s.header.p_vaddr, s.data()) for s in list(elf.iter_segments())[: len(loads)]]
        assert elf["e_entry"] == entry
    assert [(at, len(data)) for at, data in loaded] == [(at, len(data)) for at, data in wanted]
    assert loaded[1:] == wanted[1:]
    assert loaded[0][1][52:] == wanted[0][1][52:]  # the ELF header, which was replaced, lies in the first segment
    end = 0
    for region in regions:
        assert region.offset == end, "a gap or an overlap"
        end += region.size
    assert end == module.stat().st_size
    assert {region.component for region in regions} == {"server", FRAMING, "sources"}


def test_a_payload_that_mach_cannot_load_is_refused(server: Artifact, tmp_path: Path) -> None:
    payload = Payload(tmp_path / "none", MAX_PAYLOAD + 1, (), 0, 0)
    with pytest.raises(BackendError, match=f"has {MAX_PAYLOAD + 1} bytes; GNU Mach loads a boot module of at most {MAX_PAYLOAD}"):
        write_module(server, payload, tmp_path / "module")
    assert not (tmp_path / "module").exists()


def test_foreign_kernels_are_refused_by_name(original: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no kernel")
    (tmp_path / "short").write_bytes(original.read_bytes()[:40])
    (tmp_path / "packed").write_bytes(gzip.compress(original.read_bytes()[:5000]))
    shutil.copyfile(sys.executable, tmp_path / "program")
    cases = {
        tmp_path / "none": "No such file",
        tmp_path: "Is a directory",
        tmp_path / "text": "not an ELF file",
        tmp_path / "short": "not an ELF file",
        tmp_path / "packed": "not compressed",
        tmp_path / "program": "not an i386 kernel",
    }
    for path, message in cases.items():
        with pytest.raises(InputError, match=message) as caught:
            other_kernel(path)
        assert str(path) in str(caught.value)


def test_a_kernel_of_the_users_own(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "gnumach"
    shutil.copyfile(original, path)
    artifact = other_kernel(path)
    assert artifact.role is Role.KERNEL
    assert artifact.version.startswith("GNU Mach 1.8")
    assert artifact.lines_method == "opaque"  # nobody knows of which lines it was made


def test_a_kernel_that_is_not_there_is_named() -> None:
    with pytest.raises(XbootError, match="/nonexistent/mach"):
        plugin.prepare(BackendOptions(settings={"gnumach": "/nonexistent/mach"}), lambda event: None)


@pytest.mark.parametrize(("says", "counted"), [(b"But no debugger, continuing.", {"kern/task.c"}), (b"", {"kern/task.c", "ddb/db_run.c"})])
def test_the_twins_debugger_counts_when_the_kernel_has_it(says: bytes, counted: set[str], tmp_path: Path) -> None:
    for name, function in (("ddb/db_run.c", "db_run"), ("kern/task.c", "_start")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"int {function}(void)\n{{\n    return 0;\n}}\n")
    subprocess.run(["gcc", "-g", "-nostdlib", "-static", "-o", "twin", "ddb/db_run.c", "kern/task.c"], cwd=tmp_path, check=True)
    record_sources((tmp_path / "twin").read_bytes(), tmp_path / "record", b"\x7fELF" + says)
    assert {"/".join(name.split("/")[-2:]) for name in json.loads((tmp_path / "record").read_text())} == counted


def test_the_kernel_that_boots_has_no_debugger() -> None:
    (record,) = debian_kernel(DebianPackages(Cache()), Cache()).source_files
    names = set(json.loads(record.read_text()))
    assert {"kern/task.c", "i386/i386/db_interface.c"} <= names
    assert not [name for name in names if name.startswith("ddb/") or name.endswith(("db_disasm.c", "db_trace.c"))]
