"""Derivations in Nix's JSON format: written as `nix show-derivation` of Nix 2.8 prints them (version 1), read in versions 1 to 4.

| version | what is different |
|---|---|
| 1 | (Nix 2.0 and later) |
| 2 | `name`; `inputDrvs` has objects (`outputs`, `dynamicOutputs`); an output's `method` stands apart from its `hashAlgo` |
| 3 | `version`; store paths come without their store folder (Nix 2.32 prints this one) |
| 4 | `inputs` with `srcs` and `drvs`; `structuredAttrs` apart from `env`; hashes as SRI |
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from xboot.errors import InputError, RefusedError
from xboot.model import Derivation, Output
from xboot.parse.aterm import parse_derivation, write_derivation
from xboot.storepath import fixed_output_path

__all__ = ["derivation_from_json", "derivation_to_json"]

_T = TypeVar("_T")
_METHODS = {"flat": "", "nar": "r:", "recursive": "r:"}


def derivation_to_json(drv: Derivation) -> dict[str, Any]:
    """What `nix show-derivation` of Nix 2.8 prints for one derivation. Raises InputError for strings that JSON cannot hold: not UTF-8."""

    def text(value: bytes) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise InputError(f"{drv.path}: cannot be written as JSON: {value[:40]!r} is not UTF-8", hint="show it with --aterm") from None

    outputs = {}
    for name, output in drv.outputs.items():
        fields = {"path": output.path, "hashAlgo": output.hash_algo, "hash": output.hash}
        outputs[name] = {key: value for key, value in fields.items() if value}
    return {
        "outputs": outputs,
        "inputSrcs": list(drv.input_srcs),
        "inputDrvs": {path: list(names) for path, names in drv.input_drvs.items()},
        "system": drv.system,
        "builder": text(drv.builder),
        "args": [text(arg) for arg in drv.args],
        "env": {text(name): text(value) for name, value in drv.env.items()},
    }


def derivation_from_json(value: object, path: str) -> Derivation:
    """The derivation at the store path `path`, from one object of any version of the format.

    What it says is checked as the text of a derivation is, but not against `path`. Raises InputError naming the member that is wrong,
    RefusedError for dynamic derivations.
    """
    reader = _Reader(path)
    try:
        return reader.derivation(value)
    except UnicodeEncodeError as error:
        raise reader.fault(f"{error.object[:40]!r} has half a character (a lone surrogate)") from None


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path
        self._store_dir, _, base = path.rpartition("/")
        self._name = base[33:].removesuffix(".drv")

    def derivation(self, value: object) -> Derivation:
        members = self._typed(value, dict, "the derivation")
        inputs = self._typed(members.get("inputs", {}), dict, "inputs")
        drvs = self._member(members, inputs, "inputDrvs", "drvs", dict)
        sources = self._member(members, inputs, "inputSrcs", "srcs", list)
        env = {name: self._typed(v, str, f"env.{name}") for name, v in self._required(members, "env", dict).items()}
        if members.get("structuredAttrs") is not None:
            attributes = self._typed(members["structuredAttrs"], dict, "structuredAttrs")
            env["__json"] = json.dumps(attributes, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        outputs = self._required(members, "outputs", dict)
        drv = Derivation(
            path=self._path,
            outputs={name: self._output(name, output) for name, output in sorted(outputs.items())},
            input_drvs={self._full(used): self._names(used, names) for used, names in sorted(drvs.items())},
            input_srcs=sorted(self._full(self._typed(source, str, "inputSrcs")) for source in sources),
            system=self._required(members, "system", str),
            builder=self._required(members, "builder", str).encode(),
            args=tuple(self._typed(arg, str, "args").encode() for arg in self._required(members, "args", list)),
            env=dict(sorted((name.encode(), text.encode()) for name, text in env.items())),
        )
        return parse_derivation(write_derivation(drv), self._path)

    def _output(self, name: str, value: object) -> Output:
        members = self._typed(value, dict, f"outputs.{name}")
        fields = {}
        for key in ("path", "method", "hashAlgo", "hash"):
            fields[key] = "" if members.get(key) is None else self._typed(members[key], str, f"outputs.{name}.{key}")
        digest, algo = fields["hash"], fields["hashAlgo"]
        if "-" in digest:  # SRI, which names the algorithm too
            stated, _, encoded = digest.partition("-")
            algo = algo or stated
            try:
                digest = base64.b64decode(encoded, validate=True).hex()
            except ValueError:
                raise self.fault(f"outputs.{name}.hash is {fields['hash']!r}, not an SRI hash") from None
            if stated != algo:
                raise self.fault(f"outputs.{name} has hashAlgo {algo!r}, but its hash is a {stated}")
        if fields["method"]:
            if fields["method"] not in _METHODS:
                raise RefusedError(
                    f"{self._path}: the output {name} is addressed by the method {fields['method']!r}", hint="see docs/refusals.md"
                )
            algo = _METHODS[fields["method"]] + algo
        path = self._full(fields["path"]) if fields["path"] else ""
        if digest and not path:  # newer versions leave out what follows from the hash
            plain = algo.removeprefix("r:")
            path = fixed_output_path(self._name, plain, digest, plain != algo, self._store_dir)
        return Output(name, path, algo, digest)

    def _names(self, used: str, value: object) -> Sequence[str]:
        if isinstance(value, dict):
            if value.get("dynamicOutputs"):
                raise RefusedError(f"{self._path}: uses outputs of the dynamic derivation {used}", hint="see docs/refusals.md")
            value = value.get("outputs")
        return sorted(self._typed(name, str, f"inputDrvs.{used}") for name in self._typed(value, list, f"inputDrvs.{used}"))

    def _full(self, path: str) -> str:
        return path if path.startswith("/") else f"{self._store_dir}/{path}"

    def _member(self, members: Mapping[str, object], inputs: Mapping[str, object], old: str, new: str, kind: type[_T]) -> _T:
        return self._typed(members[old], kind, old) if old in members else self._required(inputs, new, kind)

    def _required(self, members: Mapping[str, object], name: str, kind: type[_T]) -> _T:
        if name not in members:
            raise self.fault(f"the member {name!r} is missing")
        return self._typed(members[name], kind, name)

    def _typed(self, value: object, kind: type[_T], name: str) -> _T:
        if not isinstance(value, kind):
            raise self.fault(f"{name} is of type {type(value).__name__}, expected {kind.__name__}")
        return value

    def fault(self, problem: str) -> InputError:
        return InputError(f"{self._path}: not a derivation in Nix's JSON format: {problem}")
