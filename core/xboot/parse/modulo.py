"""Whether a derivation's own path and the paths of its outputs are the ones that its text calls for.

An output path is a hash of the derivation *modulo* its inputs (Nix: hashDerivationModulo): each input derivation's path is replaced by
that derivation's own modulo hash, so that two derivations that differ only in how a fixed output is fetched have the same outputs. The
text that is hashed is cut from the text of the file: everything but the list of input derivations (and, for output paths, the outputs' own
paths, which are blanked) stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from xboot.errors import InputError
from xboot.model import Derivation, Output
from xboot.parse.aterm import write_derivation
from xboot.storepath import fixed_output_path, is_store_path, make_store_path, output_path_name

__all__ = ["DEFERRED", "GraphHasher", "check_text_path", "hash_derivation_modulo", "text_references"]

DEFERRED = ""
"""Stands for the modulo hash of a derivation whose output paths are known only after a build (it, or an input, is addressed by content)."""


def text_references(drv: Derivation) -> list[str]:
    """What a `.drv` file refers to: its input derivations and sources, sorted. A derivation may be both (when a builder reads its text)."""
    references = [*drv.input_drvs, *drv.input_srcs]
    references.sort()
    if any(map(drv.input_drvs.__contains__, drv.input_srcs)):
        return list(dict.fromkeys(references))
    return references


def check_text_path(drv: Derivation, text: bytes) -> None:
    """Raise InputError unless `drv.path` is the path of a derivation with this text."""
    store_dir, _, base = drv.path.rpartition("/")
    kind, digest = ":".join(["text", *text_references(drv)]), sha256(text).hexdigest()
    if not is_store_path(drv.path, kind, digest, base[33:], store_dir):
        computed = make_store_path(kind, digest, base[33:], store_dir)
        raise InputError(f"{drv.path}: its content belongs to another path, {computed}", hint="the file was changed or renamed")


def hash_derivation_modulo(drv: Derivation, inputs: Mapping[str, str]) -> str:
    """The modulo hash (hex) of one derivation; `inputs` maps each of its input derivations to that one's. `DEFERRED` when it has none."""
    hasher = GraphHasher()
    for path, digest in inputs.items():
        hasher.assume(path, digest)
    return hasher.modulo(drv, write_derivation(drv))


class GraphHasher:
    """Verifies the output paths of a graph, inputs before users."""

    def __init__(self) -> None:
        self._hashes: dict[str, str] = {}
        self._outputs: dict[str, Mapping[str, Output]] = {}
        self._owner: dict[str, str] = {}  # modulo hash -> a derivation that has it
        self._shared = False  # some derivations have the same modulo hash
        self._entries = _Entries(self)

    def assume(self, path: str, digest: str) -> None:
        """Take `digest` as the modulo hash of the derivation `path`."""
        self._hashes[path] = digest
        if digest and self._owner.setdefault(digest, path) != path:
            self._shared = True

    def __contains__(self, path: str) -> bool:
        return path in self._hashes

    @property
    def done(self) -> Mapping[str, str]:
        """Modulo hash of each derivation treated so far."""
        return self._hashes

    def add(self, drv: Derivation, text: bytes) -> None:
        """Verify the output paths of `drv`, whose inputs were added before. Raises InputError with the path found and the path computed."""
        digest = self.modulo(drv, text, check=True)
        self._outputs[drv.path] = drv.outputs
        self.assume(drv.path, digest)

    def modulo(self, drv: Derivation, text: bytes, *, check: bool = False) -> str:
        """The modulo hash of `drv`; with `check`, its output paths are verified too."""
        first = next(iter(drv.outputs.values()))
        if first.hash:
            if check:
                self.entries(drv.input_drvs)
                _check_fixed(drv, first)
            return sha256(f"fixed:out:{first.hash_algo}:{first.hash}:{first.path}".encode()).hexdigest()
        entries = self.entries(drv.input_drvs)
        if entries is None or first.hash_algo:
            if check and first.path:
                raise InputError(f"{drv.path}: names the output path {first.path}, but an input's path is known only after a build")
            return DEFERRED
        if not first.path:
            if check:
                raise InputError(f"{drv.path}: names no path for its output {first.name}, although all its inputs have one")
            return DEFERRED
        # The first `],[` ends the outputs and the first `)],[` after it the inputs: the strings before them are store paths and
        # names, which were checked to have neither.
        start = text.index(b"],[") + 3
        end = start if not entries else text.index(b")],[", start) + 1
        inputs = ",".join(entries).encode()
        if check:
            _check_outputs(drv, inputs, text[end:])
        return sha256(text[:start] + inputs + text[end:]).hexdigest()

    def entries(self, input_drvs: Mapping[str, Sequence[str]]) -> list[str] | None:
        """A list of input derivations with modulo hashes for paths, sorted; None when one of them has none."""
        entries = sorted(map(self._entries.__getitem__, input_drvs.items()))
        if entries and not entries[0]:
            return None
        if self._shared and len({entry[:66] for entry in entries}) != len(entries):
            merged: dict[str, set[str]] = {}
            for path, names in input_drvs.items():
                merged.setdefault(self._hashes[path], set()).update(names)
            entries = [_entry(digest, sorted(names)) for digest, names in sorted(merged.items())]
        return entries

    def entry(self, path: str, names: Sequence[str]) -> str:
        """How an input that uses the outputs `names` of `path` is written; empty when it has no modulo hash."""
        outputs = self._outputs.get(path)
        if outputs is not None:
            absent = next((name for name in names if name not in outputs), None)
            if absent is not None:
                raise InputError(f"{path}: has no output {absent!r}, only {', '.join(outputs)}, but another derivation uses it")
        digest = self._hashes[path]
        return _entry(digest, names) if digest else ""


class _Entries(dict[tuple[str, Sequence[str]], str]):
    """Remembers `GraphHasher.entry`. The keys are what `input_drvs.items()` yields, so that a whole list is looked up without a
    loop in Python.
    """

    def __init__(self, hasher: GraphHasher) -> None:
        super().__init__()
        self._hasher = hasher

    def __missing__(self, use: tuple[str, Sequence[str]]) -> str:
        self[use] = entry = self._hasher.entry(*use)
        return entry


def _entry(digest: str, names: Sequence[str]) -> str:
    return '("' + digest + '",["' + '","'.join(names) + '"])'


def _check_fixed(drv: Derivation, output: Output) -> None:
    algo = output.hash_algo.removeprefix("r:")
    store_dir, _, base = drv.path.rpartition("/")
    computed = fixed_output_path(base[33:-4], algo, output.hash, algo != output.hash_algo, store_dir)
    if output.path != computed:
        raise _wrong_path(drv, output, computed)
    _check_variable(drv, output)


def _check_outputs(drv: Derivation, inputs: bytes, rest: bytes) -> None:
    """Output paths from the derivation in which they are blanked; `rest` is the text behind the input derivations."""
    head = "Derive([" + ",".join([f'("{name}","","","")' for name in drv.outputs]) + "],["
    for output in drv.outputs.values():
        # The pattern can only stand for a variable: inside a string a quotation mark has a backslash before it.
        variable = f'("{output.name}","'.encode()
        rest = rest.replace(variable + output.path.encode() + b'")', variable + b'")', 1)
    digest = sha256(head.encode() + inputs + rest).hexdigest()
    store_dir, _, base = drv.path.rpartition("/")
    for output in drv.outputs.values():
        kind, name = f"output:{output.name}", output_path_name(base[33:-4], output.name)
        if not is_store_path(output.path, kind, digest, name, store_dir):
            raise _wrong_path(drv, output, make_store_path(kind, digest, name, store_dir))
        _check_variable(drv, output)


def _wrong_path(drv: Derivation, output: Output, computed: str) -> InputError:
    return InputError(f"{drv.path}: the path of its output {output.name} is given as {output.path}, but computes to {computed}")


def _check_variable(drv: Derivation, output: Output) -> None:
    value = drv.env.get(output.name.encode())
    if value != output.path.encode():
        found = "not set" if value is None else repr(value.decode("latin-1"))
        raise InputError(f"{drv.path}: its variable {output.name} should be {output.path}, but is {found}")
