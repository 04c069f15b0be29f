"""A person's ed25519 key, in PEM files that OpenSSL reads too: NAME.key (PKCS #8, for its owner alone) and NAME.pub.

The signer's name is the name of the file. It is a label that whoever verifies has chosen; what is checked is the key.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]  # its package has no __all__

from xboot._records import dataclass
from xboot.errors import InputError, UsageError
from xboot.files import read_regular

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_MAX_PEM = 16384


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs. `signer` is the name of its file without the ending."""

    signer: str
    crypto: CryptoSigner

    @property
    def keyid(self) -> str:
        return str(self.crypto.public_key.keyid)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key that the user named. `signer` is the name of its file without the ending."""

    signer: str
    path: Path
    key: SSlibKey

    @property
    def keyid(self) -> str:
        return str(self.key.keyid)


def generate_key(name: str, folder: Path) -> tuple[Path, Path]:
    """Make a fresh key; returns the private and the public file. Never overwrites one: who loses a key loses a name."""
    _check_name(name, f"{name}")
    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}.key", folder / f"{name}.pub"
    for path in paths:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} exists already; a key is never overwritten", hint="choose another name or folder")
    for path, content, mode in zip(paths, (secret, public), (0o600, 0o644), strict=True):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as file:
            file.write(content)
    return paths


def load_private(path: Path) -> PrivateKey:
    """Read NAME.key. Raises InputError when it is no unencrypted ed25519 private key in PEM."""
    data = _read(path)
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError:
        raise InputError(f"{path}: the private key is encrypted", hint="decrypt it first: openssl pkey -in FILE -out NAME.key") from None
    except (ValueError, UnsupportedAlgorithm):
        hint = "NAME.pub is the public key; NAME.key signs" if b"PUBLIC KEY" in data else "`xboot keygen NAME` makes one"
        raise InputError(f"{path}: not a private key in PEM format", hint=hint) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: a key of another kind than ed25519", hint="`xboot keygen NAME` makes one")
    return PrivateKey(_signer(path), CryptoSigner(key))


def load_public(path: Path) -> TrustedKey:
    """Read NAME.pub. Raises InputError when it is no ed25519 public key in PEM."""
    data = _read(path)
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        hint = "this is a private key: name the .pub file beside it" if b"PRIVATE KEY" in data else None
        raise InputError(f"{path}: not a public key in PEM format", hint=hint) from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path}: a key of another kind than ed25519")
    return TrustedKey(_signer(path), path, SSlibKey.from_crypto(key))


def _read(path: Path) -> bytes:
    return read_regular(path, _MAX_PEM, "a key")


def _signer(path: Path) -> str:
    name = path.name.removesuffix(".key").removesuffix(".pub").removesuffix(".pem")
    _check_name(name, str(path))
    return name


def _check_name(name: str, where: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise UsageError(f"{where}: a signer's name is letters, digits, dots, dashes and underscores, at most 63, not {name!r}")
