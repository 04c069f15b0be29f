"""The boot module: the server's ELF program with the payload as one more segment.

GNU Mach loads one program from a boot module and hands over no other file, so what the server needs travels inside it. Layout of the file:
the server as it was linked, its header and program header table replaced; padding to a page; 16 bytes (`payload\\n`, the payload's size as
a 32-bit little-endian number, zeros); the payload. guest/main.c reads the latter at address 0x80000000.
"""

from __future__ import annotations

import struct
from pathlib import Path

from xboot.errors import BackendError
from xboot.model import Artifact, Region
from xboot.package import FRAMING, Payload

MAX_PAYLOAD = 350 << 20
"""Bytes; Mach was seen to hang with more at 2 GiB of memory."""

_PAGE = 4096
_ADDRESS = 0x80000000
_PT_LOAD = 1
_HEADER, _ENTRY = 52, 32  # sizes of the ELF header and of an entry of its table
_READ_WRITE = 6
_CHUNK = 1 << 20


def write_module(server: Artifact, payload: Payload, destination: Path) -> tuple[Path, list[Region]]:
    """Write the module; who owns which part of it. Raises BackendError for a payload that Mach cannot load."""
    if payload.size > MAX_PAYLOAD:
        raise BackendError(
            f"the payload has {payload.size} bytes; GNU Mach loads a boot module of at most {MAX_PAYLOAD}", hint="run it on another backend"
        )
    program = bytearray(server.path.read_bytes())
    table = len(program) + -len(program) % 4
    entries = _loads(program, server.path)
    start = table + _ENTRY * (len(entries) + 1)
    start += -start % _PAGE
    entries.append((start, _ADDRESS, payload.size + 16, payload.size + 16, _READ_WRITE))
    struct.pack_into("<I", program, 28, table)  # e_phoff
    struct.pack_into("<I", program, 32, 0)  # e_shoff: the section headers are of no use here
    struct.pack_into("<HH", program, 42, _ENTRY, len(entries))
    struct.pack_into("<HHH", program, 46, 0, 0, 0)
    program += bytes(table - len(program))
    for offset, address, in_file, in_memory, flags in entries:
        program += struct.pack("<8I", _PT_LOAD, offset, address, address, in_file, in_memory, flags, _PAGE)
    program += bytes(start - len(program))
    with destination.open("wb") as sink, payload.path.open("rb") as source:
        sink.write(program)
        sink.write(b"payload\n" + struct.pack("<II", payload.size, 0))
        while chunk := source.read(_CHUNK):
            sink.write(chunk)
    regions = [Region("module", 0, start, server.name), Region("module", start, 16, FRAMING)]
    regions += [Region("module", start + 16 + r.offset, r.size, r.component) for r in payload.regions]
    return destination, regions


def _loads(program: bytes | bytearray, path: Path) -> list[tuple[int, int, int, int, int]]:
    """Of each segment that is loaded: offset, address, bytes in the file and in memory, flags (System V ABI, figures 4-3 and 5-1; the
    libraries that read ELF take longer to load than all else that packing does). Raises BackendError for what is no program for i386.
    """
    try:
        if program[:6] != b"\x7fELF\x01\x01":
            raise ValueError("it is no ELF file of 32 bits")
        (table,) = struct.unpack_from("<I", program, 28)
        size, count = struct.unpack_from("<HH", program, 42)
        if size != _ENTRY:
            raise ValueError(f"its program headers have {size} bytes")
        found = [struct.unpack_from("<8I", program, table + number * _ENTRY) for number in range(count)]
    except (ValueError, struct.error) as error:
        raise BackendError(f"{path}: the server is no program that Mach can load: {error}") from None
    return [(at, address, in_file, size, flags) for kind, at, address, _, in_file, size, flags, _ in found if kind == _PT_LOAD]
