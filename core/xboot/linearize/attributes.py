"""Attributes of a derivation that a daemon acts upon: passAsFile, structured attributes, exportReferencesGraph,
placeholders, reference checks.

After Nix 2.8: `ParsedDerivation`, `LocalDerivationGoal::initTmpDir`, `writeStructuredAttrs`, `checkOutputs`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from xboot.errors import InputError, RefusedError
from xboot.files import load_json
from xboot.linearize.numbers import json_text, shell_number
from xboot.model import Derivation, ReferenceCheck
from xboot.storepath import nix32

_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLANKS = re.compile(rb"[ \t\n\r]+")
_GRAPH_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*")
REFERENCE_ATTRIBUTES = ("allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites")
_REFERENCE_VARIABLES = {kind.encode(): kind for kind in REFERENCE_ATTRIBUTES}


@functools.cache
def placeholder(output: str) -> bytes:
    """What stands for the path of an output before it is known (`hashPlaceholder`)."""
    return b"/" + nix32(sha256(b"nix-output:" + output.encode()).digest()).encode()


class Rewriter:
    """Replaces the placeholders of a derivation's own outputs by their paths. `nul`: some argument or value has a NUL byte."""

    def __init__(self, drv: Derivation) -> None:
        values = (*drv.args, *drv.env.values())
        text = b"\0".join(values)
        self.nul = text.count(b"\0") >= len(values)
        # Mostly none stands in the text; but structured attributes get some that are not in it yet.
        found = [name for name in drv.outputs if placeholder(name) in text or b"__json" in drv.env]
        self._pairs = [(placeholder(name), drv.outputs[name].path.encode()) for name in found]

    def __bool__(self) -> bool:
        """False when it changes nothing."""
        return bool(self._pairs)

    def __call__(self, value: bytes) -> bytes:
        for mark, path in self._pairs:
            value = value.replace(mark, path)
        return value


def structured(drv: Derivation) -> dict[str, Any] | None:
    """The structured attributes, or None. Raises InputError when `__json` is malformed."""
    text = drv.env.get(b"__json")
    if text is None:
        return None
    try:
        value = load_json(text)
    except ValueError as error:
        raise InputError(f"{drv.path}: its structured attributes are not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{drv.path}: its structured attributes are no JSON object")
    return value


def words(value: bytes) -> list[bytes]:
    """The words of an attribute that is a list, as nix takes it apart (`tokenizeString`)."""
    return [word for word in _BLANKS.split(value) if word] if value else []


def string_list(drv: Derivation, attributes: Mapping[str, Any] | None, name: str) -> list[bytes]:
    """An attribute that is a list of strings, structured or not (`getStringsAttr`). Raises InputError for structured ones that are none."""
    if attributes is None:
        return words(drv.env.get(name.encode(), b""))
    value = attributes.get(name, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise InputError(f"{drv.path}: its attribute {name} is no list of strings")
    return [word.encode() for word in value]


def is_true(drv: Derivation, attributes: Mapping[str, Any] | None, name: str) -> bool:
    """An attribute that is a truth value, structured or not (`getBoolAttr`). Raises InputError for structured ones that are none."""
    if attributes is None:
        return drv.env.get(name.encode()) == b"1"
    value = attributes.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"{drv.path}: its attribute {name} is neither true nor false")
    return value


def plain_environment(drv: Derivation, cwd: str, rewrite: Rewriter) -> tuple[Mapping[bytes, bytes], list[tuple[str, bytes]]]:
    """Bindings and files of a derivation without structured attributes: passAsFile names those that become files."""
    as_file = frozenset(words(drv.env.get(b"passAsFile", b"")))
    if not as_file:
        return {name: rewrite(value) for name, value in drv.env.items()} if rewrite else drv.env, []
    env: dict[bytes, bytes] = {}
    files: list[tuple[str, bytes]] = []
    for name, value in drv.env.items():
        if name in as_file:
            path = f"{cwd}/.attr-{nix32(sha256(name).digest())}"
            files.append((path, rewrite(value)))
            env[name + b"Path"] = path.encode()
        else:
            env[name] = rewrite(value)
    return env, files


def structured_environment(
    drv: Derivation, attributes: dict[str, Any], cwd: str, rewrite: Rewriter
) -> tuple[dict[bytes, bytes], list[tuple[str, bytes]]]:
    """Bindings and files of a derivation with structured attributes: `.attrs.json` and `.attrs.sh`."""
    value = attributes | {"outputs": {name: placeholder(name).decode() for name in drv.outputs}}
    try:
        text = json_text(value)
        files = [(f"{cwd}/.attrs.json", rewrite(text.encode())), (f"{cwd}/.attrs.sh", rewrite(_shell(value).encode()))]
    except RecursionError:
        raise InputError(f"{drv.path}: its structured attributes are nested too deeply") from None
    env = {b"NIX_ATTRS_JSON_FILE": f"{cwd}/.attrs.json".encode(), b"NIX_ATTRS_SH_FILE": f"{cwd}/.attrs.sh".encode()}
    return env, files


def _shell(value: Mapping[str, Any]) -> str:
    """The declarations for bash: what cannot be said in bash is left out, as Nix does."""
    lines = []
    for key, item in sorted(value.items(), key=lambda pair: pair[0].encode()):
        if not _SHELL_NAME.fullmatch(key):
            continue
        if isinstance(item, list):
            words = [_simple(entry) for entry in item]
            if None not in words:
                lines.append(f"declare -a {key}=({''.join(f'{word} ' for word in words)})\n")
        elif isinstance(item, dict):
            pairs = [(name, _simple(entry)) for name, entry in sorted(item.items(), key=lambda pair: pair[0].encode())]
            if all(word is not None for _, word in pairs):
                lines.append(f"declare -A {key}=({''.join(f'[{_quoted(name)}]={word} ' for name, word in pairs)})\n")
        elif (word := _simple(item)) is not None:
            lines.append(f"declare {key}={word}\n")
    return "".join(lines)


def _simple(value: Any) -> str | None:
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "''"
    if isinstance(value, bool):
        return "1" if value else ""
    return shell_number(value) if isinstance(value, int | float) else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def graphs(
    drv: Derivation, attributes: dict[str, Any] | None, cwd: str, rewrite: Rewriter, resolve: Callable[[str], str]
) -> list[tuple[str, list[str]]]:
    """exportReferencesGraph: file in the build directory → the path whose closure it lists. `resolve` gives the store path that a word
    means (`GraphPaths.resolve`).
    """
    if attributes is not None:
        if "exportReferencesGraph" in attributes:
            raise RefusedError(
                f"{drv.path}: exportReferencesGraph in structured attributes needs hashes and sizes that are known only after the build"
            )
        return []
    if b"exportReferencesGraph" not in drv.env:
        return []
    pairs = words(rewrite(drv.env[b"exportReferencesGraph"]))
    if len(pairs) % 2:
        raise InputError(f"{drv.path}: exportReferencesGraph has an odd number of words, expected pairs of file and path")
    found = []
    for name, path in zip(pairs[::2], pairs[1::2], strict=True):
        if not _GRAPH_NAME.fullmatch(name):
            raise InputError(f"{drv.path}: exportReferencesGraph names the file {name.decode(errors='replace')!r}, which is no plain name")
        found.append((f"{cwd}/{name.decode()}", [resolve(path.decode(errors="replace"))]))
    return found


def reference_checks(drv: Derivation, step: int, attributes: dict[str, Any] | None) -> Iterator[ReferenceCheck]:
    """AllowedReferences and kin, from the environment or from `outputChecks`. Words are store paths or names of outputs."""
    if attributes is None:
        for variable, kind in _REFERENCE_VARIABLES.items():
            if variable in drv.env:
                yield ReferenceCheck(step, "", kind, _paths(drv, drv.env[variable].decode(errors="replace").split()))
        return
    checks = attributes.get("outputChecks", {})
    if not isinstance(checks, dict):
        raise InputError(f"{drv.path}: outputChecks is no JSON object")
    for output, rules in checks.items():
        if not isinstance(rules, dict):
            raise InputError(f"{drv.path}: outputChecks.{output} is no JSON object")
        for kind, words in rules.items():
            if kind in ("maxSize", "maxClosureSize", "ignoreSelfRefs"):
                raise RefusedError(f"{drv.path}: the output check {kind} is not supported")
            if kind in REFERENCE_ATTRIBUTES:
                if not isinstance(words, list):
                    raise InputError(f"{drv.path}: outputChecks.{output}.{kind} is no list")
                yield ReferenceCheck(step, output, kind, _paths(drv, [str(word) for word in words]))


def _paths(drv: Derivation, words: list[str]) -> list[str]:
    paths = []
    for word in words:
        if word in drv.outputs:
            paths.append(drv.outputs[word].path)
        elif word.startswith("/"):
            paths.append(word)
        else:
            raise InputError(f"{drv.path}: a reference check names {word!r}, which is neither a store path nor one of its outputs")
    return paths
