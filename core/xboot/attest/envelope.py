"""Signed statements on disk: DSSE envelopes, one a line, as an in-toto bundle (`*.intoto.jsonl`).

There is exactly one way to write a file: the same envelope in other JSON (blanks, order, another base64 of the same bytes) is refused.
So every changed byte is noticed: within the payload and signature by the signature, everywhere else by the form.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError

from xboot.attest.keys import PrivateKey, TrustedKey
from xboot.errors import InputError
from xboot.files import load_json, read_regular

PAYLOAD_TYPE = "application/vnd.in-toto+json"  # in-toto attestation framework, envelope layer
FILE_SUFFIX = ".intoto.jsonl"  # the framework's recommended name for bundles
MAX_SIZE = 16 << 20
"""Bytes of a file that are read at most. The largest graphs (some 5,000 derivations) stay below half of that."""

_MARKS = (b"{", b"[", b",", b'"')
_MAX_MARKS = 64  # an envelope with one signature has 26 of them
_FIELDS = {"payload", "payloadType", "signatures"}


class UnknownKeyError(InputError):
    """The file is signed, but by none of the keys that the user trusts."""


def canonical(value: object) -> bytes:
    """The one form of JSON that is written: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def sign(statements: Sequence[bytes], key: PrivateKey) -> bytes:
    """The content of a file: each statement in an envelope of its own, signed by `key`."""
    lines = []
    for statement in statements:
        envelope = Envelope(statement, PAYLOAD_TYPE, {})
        envelope.sign(key.crypto)
        lines.append(canonical(envelope.to_dict()) + b"\n")
    return b"".join(lines)


def read_envelopes(path: Path, keys: Mapping[str, TrustedKey]) -> tuple[list[bytes], TrustedKey]:
    """The payloads of a file, and the one key of `keys` (keyid → key) that signed all of them.

    Nothing of a payload is looked at before its signature was verified. Raises InputError (UnknownKeyError), naming the file.
    """
    payloads: list[bytes] = []
    signers: dict[str, TrustedKey] = {}
    for number, line in enumerate(_lines(path), 1):
        envelope = _envelope(line, f"{path}, line {number}")
        key = _verified(envelope, keys, f"{path}, line {number}")
        signers[key.keyid] = key
        payloads.append(envelope.payload)
    if len(signers) != 1:
        raise InputError(f"{path}: its lines are signed by different keys ({', '.join(sorted(k.signer for k in signers.values()))})")
    return payloads, next(iter(signers.values()))


def _lines(path: Path) -> list[bytes]:
    data = read_regular(path, MAX_SIZE, "an attestation")
    if not data:
        raise InputError(f"{path}: empty")
    if not data.endswith(b"\n"):
        raise InputError(f"{path}: truncated: it ends in the middle of a line")
    return data[:-1].split(b"\n")


def _envelope(line: bytes, where: str) -> Envelope:
    if sum(map(line.count, _MARKS)) > _MAX_MARKS:  # before it becomes millions of values in memory
        raise InputError(f"{where}: not a DSSE envelope, which has the fields payload, payloadType and signatures, and no more")
    try:
        value: Any = load_json(line)
    except ValueError as error:
        raise InputError(f"{where}: not JSON, or truncated: {error}") from None
    if not isinstance(value, dict) or set(value) != _FIELDS or not isinstance(value["signatures"], list):
        raise InputError(f"{where}: not a DSSE envelope, which has the fields payload, payloadType and signatures")
    if value["payloadType"] != PAYLOAD_TYPE:
        raise InputError(f"{where}: payload type {str(value['payloadType'])[:100]!r}, expected {PAYLOAD_TYPE!r}")
    if len(value["signatures"]) != 1:
        raise InputError(f"{where}: {len(value['signatures'])} signatures, expected one; each signer has a file of their own")
    try:
        envelope = Envelope.from_dict(value)
        written = canonical(envelope.to_dict())
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise InputError(f"{where}: not a DSSE envelope: its payload or signature is malformed") from None
    if written != line:
        raise InputError(f"{where}: not in the form that `xboot attest` writes; it was changed after it was written")
    return envelope


def _verified(envelope: Envelope, keys: Mapping[str, TrustedKey], where: str) -> TrustedKey:
    (keyid,) = envelope.signatures
    key = keys.get(keyid)
    if key is None:
        raise UnknownKeyError(f"{where}: signed by the key {str(keyid)[:16]!r}…, which is none of the keys that were named")
    try:
        envelope.verify([key.key], 1)
    except (VerificationError, UnverifiedSignatureError):
        raise InputError(f"{where}: the signature of {key.signer} does not fit: the content or the signature was changed") from None
    return key
