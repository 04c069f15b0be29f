"""Nix's signatures and binary caches.

A signature is ed25519 over the *fingerprint* `1;STORE PATH;sha256:NAR HASH IN NIX32;NAR SIZE;REFERENCES, JOINED BY COMMAS`, written
`KEY NAME:BASE64`. The rules are those of Nix 2 (`ValidPathInfo::fingerprint`, `NarInfo::to_string`); tests/nix asks nix.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # its package has no __all__

from xboot.attest.keys import PrivateKey, load_private
from xboot.errors import InputError
from xboot.files import read_regular
from xboot.offer.agreed import AgreedOutput
from xboot.storepath import hash_part, nix32, store_name

__all__ = ["binary_cache", "fingerprint", "load_signing_key", "narinfo", "nix_public_key", "signature"]

_MAX_KEY = 16384
_NIX_KEY = re.compile(rb"([A-Za-z0-9][A-Za-z0-9._-]{0,62}):([A-Za-z0-9+/]{86}==)\s*")


def load_signing_key(path: Path) -> PrivateKey:
    """A key of `xboot keygen`, or one that `nix key generate-secret` wrote. Raises InputError, which names no part of the key."""
    data = read_regular(path, _MAX_KEY, "a key")
    match = _NIX_KEY.fullmatch(data)
    if match is None:
        return load_private(path)
    try:
        secret = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise InputError(f"{path}: not a signing key of Nix") from None
    key = Ed25519PrivateKey.from_private_bytes(secret[:32])
    if key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw) != secret[32:]:
        raise InputError(f"{path}: not a signing key of Nix: its two halves are of different keys")
    return PrivateKey(match[1].decode(), CryptoSigner(key))


def nix_public_key(key: PrivateKey) -> str:
    """As it is written into `trusted-public-keys`."""
    raw = bytes.fromhex(key.crypto.public_key.keyval["public"])
    return f"{key.signer}:{base64.b64encode(raw).decode()}"


def fingerprint(output: AgreedOutput) -> str:
    """What is signed of an output."""
    digest = nix32(bytes.fromhex(output.nar_sha256))
    return f"1;{output.path};sha256:{digest};{output.nar_size};{','.join(output.references)}"


def signature(output: AgreedOutput, key: PrivateKey) -> str:
    """As it stands behind `Sig: `."""
    signed = bytes.fromhex(key.crypto.sign(fingerprint(output).encode()).signature)
    return f"{key.signer}:{base64.b64encode(signed).decode()}"


def narinfo(output: AgreedOutput, key: PrivateKey) -> str:
    """The file that tells Nix of an output; its NAR lies uncompressed in `nar/`."""
    digest = f"sha256:{nix32(bytes.fromhex(output.nar_sha256))}"
    fields = {
        "StorePath": output.path, "URL": f"nar/{output.file}", "Compression": "none", "FileHash": digest, "FileSize": output.nar_size,
        "NarHash": digest, "NarSize": output.nar_size, "References": " ".join(map(store_name, output.references)),
        "Deriver": store_name(output.drv), "Sig": signature(output, key),
    }  # fmt: skip
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def binary_cache(outputs: Iterable[AgreedOutput], key: PrivateKey) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file but the NARs."""
    store = ""
    for output in outputs:
        store = output.path.rpartition("/")[0]
        yield f"{hash_part(output.path)}.narinfo", narinfo(output, key).encode()
    yield "nix-cache-info", f"StoreDir: {store}\n".encode()
