"""Which system calls a built kernel really has, read from its machine code.

The kernel keeps its calls in tables of pointers in .rodata, one entry a number. Configuration does not shorten them: a call that was
left out points to code that only returns -ENOSYS. So a table is a long run of pointers into .text, and an entry is offered unless its
code (behind the jumps that the dispatcher is made of) begins by answering -38. The names are those that the headers of the lock's package
`linux-libc-dev` have for the same numbers.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import XbootError

_HEADERS = "usr/include/x86_64-linux-gnu/asm"
_LEAST = 400  # entries: no other table of code pointers is that long
_ENDBR = b"\xf3\x0f\x1e\xfa"
_ENOSYS = (b"\x48\xc7\xc0\xda\xff\xff\xff", b"\xb8\xda\xff\xff\xff")  # mov $-38 to %rax, to %eax
_JUMP = 0xE9
_TELLS = 180  # pread64 on i386, and on x86-64 nfsservctl, which no kernel has


def offered_syscalls(vmlinux: Path) -> Sequence[str]:
    """Names, sorted, of the calls of both ABIs together; none when the file is no ELF file with such tables (a bzImage). Where the package
    with the names is not to be had, a call is `number N`.
    """
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - every command loads this module, and few read ELF
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    try:
        with vmlinux.open("rb") as file:
            elf = ELFFile(file)
            text, tables = elf.get_section_by_name(".text"), elf.get_section_by_name(".rodata")
            if text is None or tables is None:
                return ()
            code, base, data = text.data(), int(text["sh_addr"]), tables.data()
    except ELFError:
        return ()
    names: set[str] = set()
    headers = _headers()
    for table in _tables(data, base, base + len(code), elf.elfclass):
        present = [number for number, pointer in enumerate(table) if not _is_absent(code, pointer - base)]
        known = _names(headers, "32" if _TELLS in present else "64")
        names |= {known.get(number, f"number {number}") for number in present}
    return tuple(sorted(names))


def _tables(data: bytes, low: int, high: int, bits: int) -> Iterator[Sequence[int]]:
    size, letter = bits // 8, {32: "I", 64: "Q"}[bits]
    words = struct.unpack(f"<{len(data) // size}{letter}", data[: len(data) // size * size])
    start = 0
    for at, word in enumerate((*words, 0)):
        if not low <= word < high:
            if at - start >= _LEAST:
                yield words[start:at]
            start = at + 1


def _is_absent(code: bytes, at: int) -> bool:
    for _ in range(4):
        if code.startswith(_ENDBR, at):
            at += len(_ENDBR)
        if code.startswith(_ENOSYS, at):
            return True
        if not 0 <= at < len(code) - 5 or code[at] != _JUMP:
            return False
        at += 5 + int.from_bytes(code[at + 1 : at + 5], "little", signed=True)
    return False


def _headers() -> Path | None:
    try:
        return DebianPackages(Cache()).unpacked("linux-libc-dev")[0] / _HEADERS
    except XbootError:
        return None


def _names(headers: Path | None, abi: str) -> dict[int, str]:
    header = headers / f"unistd_{abi}.h" if headers else None
    if header is None or not header.is_file():
        return {}
    return {int(number): name for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", header.read_text(), re.MULTILINE)}
