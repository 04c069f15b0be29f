"""What the hashes should be: from the user, a file, the script's fixed outputs, or a store that has the paths already."""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot import nar
from xboot.errors import InputError, UsageError
from xboot.files import load_json, read_regular
from xboot.model import Script
from xboot.storepath import nix32_decode
from xboot.words import counted

_MAX_FILE = 64 << 20
_ORIGINS = ("--expect", "fixed-output", "store")  # a file of such a name must not take the place of what stands under it

Expected = dict[str, dict[str, str]]


def parse_hash(text: str) -> str:
    """A SHA-256 in hex, from SRI (`sha256-…`), hex or nix32, the latter two also after `sha256:`. Raises UsageError."""
    body = text.removeprefix("sha256:")
    try:
        if text.startswith("sha256-"):
            digest = base64.b64decode(text.removeprefix("sha256-"), validate=True)
        elif re.fullmatch("[0-9a-fA-F]{64}", body):
            digest = bytes.fromhex(body)
        elif len(body) == 52:
            digest = nix32_decode(body)
        else:
            digest = b""
    except (binascii.Error, ValueError, InputError):
        digest = b""
    if len(digest) != 32:
        raise UsageError(f"{text!r} is not a SHA-256", hint="give it as SRI (sha256-…), as 64 hex digits, or in nix32 (52 characters)")
    return digest.hex()


def gather_expectations(script: Script, given: Sequence[str], file: Path | None, stores: Sequence[Path]) -> Expected:
    """Store path → origin → NAR SHA-256 in hex. Paths are those of outputs, and of sources where the user speaks of them.

    Raises UsageError for what makes no sense, InputError for a malformed file.
    """
    expected: Expected = {}
    for text in given:
        path, value = _target(script, text)
        if expected.setdefault(path, {}).setdefault("--expect", value) != value:
            raise UsageError(f"--expect {text}: another --expect says that {path} has another hash", hint="only one can be right")
    if file is not None:
        origin = f"./{file.name}" if file.name in _ORIGINS else file.name
        for path, value in _read_file(script, file).items():
            expected.setdefault(path, {})[origin] = value
    for step in script.steps:
        for output in step.outputs:
            if output.fixed is not None and output.fixed.mode == "recursive":
                expected.setdefault(output.path, {})["fixed-output"] = output.fixed.sha256
    for path, value in _recorded(script, stores).items():
        expected.setdefault(path, {})["store"] = value
    return expected


# A hash in base64 ends with `=`, so the sign that separates is the one before something that is a hash from end to end.
_NAMED = re.compile(r"(?P<name>.+?)=(?P<hash>sha256[-:].*|[0-9a-fA-F]{64}|[0-9a-z]{52})")


def _target(script: Script, text: str) -> tuple[str, str]:
    """The store path and the hash that one `--expect` speaks of."""
    match = None if text.startswith(("sha256-", "sha256:")) else _NAMED.fullmatch(text)
    if match is None:
        if len(script.results) != 1:
            raise UsageError(f"--expect {text}: there are {len(script.results)} results", hint="say which one you mean: --expect NAME=HASH")
        return script.results[0], parse_hash(text)
    name = match["name"]
    outputs, sources = [o.path for step in script.steps for o in step.outputs], [source.path for source in script.sources]
    found = _called(name, outputs) or _called(name, sources)
    if len(found) != 1:
        raise UsageError(f"--expect {text}: {counted(len(found), 'output')} are called {name!r}", hint="give the whole store path")
    return found[0], parse_hash(match["hash"])


def _called(name: str, paths: Sequence[str]) -> list[str]:
    return [path for path in paths if name in (path, path.rsplit("/", 1)[1], path.rsplit("/", 1)[1][33:])]


def _read_file(script: Script, file: Path) -> dict[str, str]:
    try:
        values = load_json(read_regular(file, _MAX_FILE, "a file of hashes"))
    except ValueError as error:
        raise InputError(f"{file}: not JSON: {error}", hint='it must be one object: {"/nix/store/…": "sha256-…"}') from None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise InputError(f"{file}: expected one JSON object, store path → hash")
    paths = {o.path for step in script.steps for o in step.outputs} | {source.path for source in script.sources}
    strays = sorted(set(values) - paths)
    if strays:
        raise UsageError(
            f"{file}: {strays[0]} is no output or source of this script ({len(strays)} such)",
            hint="`xboot plan -f table` lists the outputs",
        )
    return {path: parse_hash(value) for path, value in values.items()}


def _recorded(script: Script, stores: Sequence[Path]) -> Mapping[str, str]:
    """What this machine's store says of the outputs: nix's own record, else the hash of what stands in a store folder given by the user."""
    paths = [o.path for step in script.steps for o in step.outputs]
    found = _from_folders(paths, stores)
    if script.store_dir == "/nix/store":
        found |= _from_nix([path for path in paths if Path(path).exists()])
    elif script.store_dir == "/gnu/store":
        found |= {path: nar.nar_hash(Path(path)).sha256 for path in paths if Path(path).exists() or Path(path).is_symlink()}
    return found


def _from_folders(paths: Sequence[str], stores: Sequence[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        for store in stores:
            for place in (store / path.rsplit("/", 1)[1], store / path.lstrip("/")):
                if path not in found and (place.exists() or place.is_symlink()):
                    found[path] = nar.nar_hash(place).sha256
    return found


def _from_nix(paths: Sequence[str]) -> dict[str, str]:
    if not paths or shutil.which("nix-store") is None:
        return {}
    found: dict[str, str] = {}
    for path in paths:
        done = subprocess.run(
            ["nix-store", "--query", "--hash", path], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode == 0 and done.stdout.startswith("sha256:"):
            found[path] = parse_hash(done.stdout.strip())
    return found
