"""A server on loopback, a part, and packages as Debian makes them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass, field

from xboot.parts import Part


@dataclass
class Mirror:
    """A server on loopback: path → content; how much less than announced it sends; what it was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut: int = 0
    asked: list[str] = field(default_factory=list)


CONTENT = b"the very bytes" * 1000
PART = Part(
    "tool", "amd64", "pool/main/t/tool/tool_1.0+b1_amd64.deb", "1:1.0+b1", "bookworm", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT)
)


def deb(*members: tuple[str, bytes | str | None], data: str = "data.tar.xz") -> bytes:
    """A package: names with content (bytes), a link's target (text), or nothing (a folder)."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:xz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size, info.mode = len(content), 0o4755
            else:
                info.type = tarfile.DIRTYPE if content is None else tarfile.SYMTYPE
                info.linkname = content or ""
            tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    found = b"!<arch>\n"
    for name, body in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), (data, inner.getvalue())):
        found += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode() + body + b"\n" * (len(body) % 2)
    return found
