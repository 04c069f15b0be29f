"""Payloads for tests of the personality, made without a kernel."""

from __future__ import annotations

import io
import struct

from xboot.package import CpioWriter

BASE = 0x08048000


def tiny_program(code: bytes = b"", memory: int = 0x8000) -> bytes:
    """A static i386 ELF file: one segment, all rights, `memory` bytes from BASE on."""
    header = struct.calcsize("<16sHHIIIIIHHHHHH") + struct.calcsize("<8I")
    size = header + len(code)
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    elf = struct.pack("<16sHHIIIIIHHHHHH", ident, 2, 3, 1, BASE + header, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<8I", 1, 0, BASE, BASE, size, max(memory, size), 7, 4096)
    return elf + segment + code


def payload(program: bytes) -> bytes:
    """The archive of docs/contract.md section 2, with `program` as /init and /prog, and a few things for a builder to stumble over."""
    sink = io.BytesIO()
    cpio = CpioWriter(sink)
    cpio.directory(b"dev", 0o755)
    for name, major, minor, mode in (
        (b"console", 5, 1, 0o600),
        (b"full", 1, 7, 0o666),
        (b"null", 1, 3, 0o666),
        (b"ttyS1", 4, 65, 0o600),
        (b"zero", 1, 5, 0o666),
    ):
        cpio.device(b"dev/" + name, major, minor, mode)
    cpio.directory(b"dir", 0o777)
    cpio.file(b"init", 0o555, len(program), [program])
    cpio.symlink(b"link", b"dir/x")
    cpio.symlink(b"loop", b"loop")
    cpio.file(b"prog", 0o555, len(program), [program])
    script = b"#!/prog argument\n"
    cpio.file(b"script", 0o755, len(script), [script])
    cpio.end()
    return sink.getvalue()
