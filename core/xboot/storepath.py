"""Store paths: their grammar, the nix32 alphabet, and how each kind of path follows from what it names.

A store path is `STORE/HASH-NAME`. HASH is 32 characters of nix32: the SHA-256 of the *fingerprint* `KIND:sha256:DIGEST:STORE:NAME`, folded
to 160 bits by XOR. KIND and DIGEST say what the path stands for:

| what | KIND | DIGEST |
|---|---|---|
| a text file, a `.drv` | `text[:REF…]` | SHA-256 of the text |
| a file tree; a fixed output with recursive SHA-256 | `source[:REF…]` | SHA-256 of the NAR |
| another fixed output | `output:out` | SHA-256 of `fixed:out:[r:]ALGO:HASH:` |
| an ordinary output | `output:NAME` | SHA-256 of the masked derivation (`xboot.parse.modulo`) |

The rules are those of Nix 2.x and Guix 1.x, which agree.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from hashlib import sha256

from xboot.errors import InputError

__all__ = [
    "DIGEST_SIZES",
    "check_store_path",
    "compress_hash",
    "fixed_output_path",
    "hash_part",
    "is_store_path",
    "make_store_path",
    "nix32",
    "nix32_decode",
    "output_path_name",
    "short_name",
    "source_path",
    "store_name",
    "text_path",
]

_ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_PAIR_SHIFTS = tuple(range(150, -1, -10))
_LOW_160 = (1 << 160) - 1
_TO_INT_DIGITS = bytes(b"0123456789abcdefghijklmnopqrstuv"[_ALPHABET.index(chr(b))] if chr(b) in _ALPHABET else 0x21 for b in range(256))
_HASH_LENGTH = 32
_MAX_NAME = 211  # Nix's limit on what follows the dash

# `.` and `..` with or without something after a dash are refused by newer Nix because a URL or a shell could take them for folders.
_BASE = re.compile(r"[0-9abcdfghijklmnpqrsvwxyz]{32}-(?!\.\.?(?:-|\Z))[0-9A-Za-z+\-._?=]{1,211}")

DIGEST_SIZES = {name: hashlib.new(name, usedforsecurity=False).digest_size for name in ("md5", "sha1", "sha256", "sha512")}
"""Bytes in a digest of each hash algorithm that a fixed output may use."""


def nix32(data: bytes) -> str:
    """`data` in Nix's base 32: the little-endian number's digits, most significant first, without padding."""
    number = int.from_bytes(data, "little")
    length = (len(data) * 8 + 4) // 5
    return "".join([_ALPHABET[(number >> 5 * place) & 31] for place in range(length - 1, -1, -1)])


def nix32_decode(text: str) -> bytes:
    """The inverse of `nix32`. Raises InputError on a character outside the alphabet, or when the leading bits are not zero."""
    number = 0
    for character in text:
        digit = _ALPHABET.find(character)
        if digit < 0:
            raise InputError(f"not a nix32 string: {text!r} has the character {character!r}")
        number = number << 5 | digit
    size = len(text) * 5 // 8
    if number >> size * 8:
        raise InputError(f"not a nix32 string: {text!r} stands for more than {size} bytes")
    return number.to_bytes(size, "little")


def compress_hash(digest: bytes, size: int = 20) -> bytes:
    """Fold `digest` into `size` bytes by XOR: byte i goes to place i mod `size`."""
    folded = bytearray(size)
    for place, byte in enumerate(digest):
        folded[place % size] ^= byte
    return bytes(folded)


def make_store_path(kind: str, digest_hex: str, name: str, store_dir: str) -> str:
    """The path of an object called `name` with the given fingerprint."""
    digest = sha256(f"{kind}:sha256:{digest_hex}:{store_dir}:{name}".encode()).digest()
    # nix32(compress_hash(digest)), thousands of times a graph: as one number (bytes 20 to 31 fall on 0 to 11), two digits at a time.
    number = int.from_bytes(digest, "little")
    number = number & _LOW_160 ^ number >> 160
    hash_part = "".join([_PAIRS[(number >> shift) & 1023] for shift in _PAIR_SHIFTS])
    return f"{store_dir}/{hash_part}-{name}"


def is_store_path(path: str, kind: str, digest_hex: str, name: str, store_dir: str) -> bool:
    """Whether `path` is `make_store_path` of the rest: reading digits is quicker than writing them, and there is a path to each path."""
    digest = sha256(f"{kind}:sha256:{digest_hex}:{store_dir}:{name}".encode()).digest()
    number = int.from_bytes(digest, "little")
    place = len(store_dir) + 1
    try:
        found = int(path[place : place + _HASH_LENGTH].encode().translate(_TO_INT_DIGITS), 32)
    except ValueError:
        return False
    return found == number & _LOW_160 ^ number >> 160 and path == f"{store_dir}/{path[place : place + _HASH_LENGTH]}-{name}"


def text_path(name: str, content: bytes, references: Iterable[str], store_dir: str) -> str:
    """The path of a text file (`toFile`, a `.drv`) that refers to `references`."""
    return make_store_path(":".join(["text", *sorted(references)]), sha256(content).hexdigest(), name, store_dir)


def source_path(name: str, nar_sha256_hex: str, store_dir: str, references: Iterable[str] = ()) -> str:
    """The path of a file tree whose NAR has the given SHA-256."""
    return make_store_path(":".join(["source", *sorted(references)]), nar_sha256_hex, name, store_dir)


def fixed_output_path(name: str, algo: str, hash_hex: str, recursive: bool, store_dir: str) -> str:
    """The path of a fixed output: `hash_hex` is of the file (flat) or of the NAR (recursive)."""
    if recursive and algo == "sha256":
        return source_path(name, hash_hex, store_dir)
    digest = sha256(f"fixed:out:{'r:' if recursive else ''}{algo}:{hash_hex}:".encode()).hexdigest()
    return make_store_path("output:out", digest, name, store_dir)


def output_path_name(drv_name: str, output: str) -> str:
    """The name of an output's path; `drv_name` is the derivation's name without `.drv`."""
    return drv_name if output == "out" else f"{drv_name}-{output}"


def check_store_path(path: str, store_dir: str) -> None:
    """Raise InputError unless `path` is directly in `store_dir` and well formed."""
    if not path.startswith(store_dir + "/"):
        raise InputError(f"{path!r} is not a store path of {store_dir}")
    base = path[len(store_dir) + 1 :]
    if _BASE.fullmatch(base) is None:
        raise InputError(f"{path!r} is not a store path: {_fault(base)}")


def _fault(base: str) -> str:
    """What is wrong with the last component of a would-be store path."""
    if "/" in base:
        return "it names something inside a store path"
    if len(base) <= _HASH_LENGTH + 1 or base[_HASH_LENGTH] != "-":
        return "its last part must be 32 characters of hash, a dash and a name"
    if any(character not in _ALPHABET for character in base[:_HASH_LENGTH]):
        return f"its hash part {base[:_HASH_LENGTH]!r} is not nix32"
    if len(base) - _HASH_LENGTH - 1 > _MAX_NAME:
        return f"its name is longer than {_MAX_NAME} characters"
    return "its name has a character outside 0-9 A-Z a-z + - . _ ? =, or is `.` or `..`"


def store_name(path: str) -> str:
    """The last component of a store path: hash, dash and name."""
    return path.rpartition("/")[2]


def short_name(path: str) -> str:
    """The name of a store path or derivation as people say it: without folder, hash and `.drv`."""
    return store_name(path)[_HASH_LENGTH + 1 :].removesuffix(".drv")


def hash_part(path: str) -> str:
    """The 32 characters of hash in a store path."""
    return store_name(path)[:_HASH_LENGTH]
