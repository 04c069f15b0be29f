"""Where an attestation lies in a repository: RESULT-SCRIPT/SIGNER/VOTER.intoto.jsonl."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xboot.attest.envelope import FILE_SUFFIX
from xboot.storepath import short_name

__all__ = ["attestation_place", "folder_name"]

_ODD = re.compile(r"[^A-Za-z0-9+._-]")
_MAX_NAME = 180  # bytes; a file system takes 255 with what stands behind it


def folder_name(results: Sequence[str], script_sha256: str) -> str:
    """The folder of a target: its first result's name, made harmless, and the script's hash."""
    name = _ODD.sub("_", short_name(results[0]) if results else "").lstrip(".-")[:_MAX_NAME]
    return f"{name or 'script'}-{script_sha256[:16]}"


def attestation_place(results: Sequence[str], script_sha256: str, signer: str, voter: str, mark: str = "") -> str:
    """The file's path in the repository. `voter`: as it is written on the command line. `mark`: what tells it from others of that voter."""
    name = voter.replace("/", "-") + (f".{mark}" if mark else "")
    return f"{folder_name(results, script_sha256)}/{signer}/{name}{FILE_SUFFIX}"
