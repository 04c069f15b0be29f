"""Content hashes as people write them: SRI (`sha256-…=`), `sha256:` with hex or nix32, both plain."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from xboot.errors import InputError
from xboot.storepath import DIGEST_SIZES, nix32_decode

__all__ = ["ContentHash", "parse_hash"]


class ContentHash(NamedTuple):
    """An algorithm (`md5`, `sha1`, `sha256`, `sha512`) and a digest in hex."""

    algo: str
    hex: str


def parse_hash(text: str, where: str) -> ContentHash:
    """The hash that `text` is; without an algorithm in it, SHA-256 is meant. Raises InputError; `where` is for its message."""
    for separator in ("-", ":"):
        algo, sign, digest = text.partition(separator)
        if sign and algo in DIGEST_SIZES:
            break
    else:
        algo, digest = "sha256", text
    size = DIGEST_SIZES[algo]
    try:
        if len(digest) == 2 * size:
            data = bytes.fromhex(digest)
        elif len(digest) == (size * 8 + 4) // 5:
            data = nix32_decode(digest)
        else:
            data = base64.b64decode(digest, validate=True)
    except (ValueError, binascii.Error, InputError):
        data = b""
    if len(data) != size:
        raise InputError(
            f"{where}: {text!r} is no {algo} hash", hint=f"write it as SRI ({algo}-…), or {algo}: with {2 * size} hex digits or nix32"
        )
    return ContentHash(algo, data.hex())
