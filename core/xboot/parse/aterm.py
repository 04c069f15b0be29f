"""The text of a `.drv` file: `parse_derivation` and `write_derivation`.

    Derive([("NAME","PATH","ALGO","HASH"),…],[("DRV",["OUTPUT",…]),…],["SOURCE",…],"SYSTEM","BUILDER",["ARG",…],[("VARIABLE","VALUE"),…])

A string is any sequence of bytes; `"`, `\\`, line feed, carriage return and tab are written with a backslash, nothing else is. Nix itself
takes any `\\x` for `x` and lists in any order when it reads. xboot takes only what Nix and Guix write: a text that is accepted is written
again to the byte, so no two readers can see different derivations in one text.

How it is fast: no loop over characters. The text, as Latin-1 so that characters are bytes, is split at its quotation marks, which gives the
strings and, between them, the *shape*: all that is not a string. What is found out about a shape is remembered, since the shapes of a graph
repeat. When anything is wrong, `xboot.parse.diagnose` reads the text again, slowly, to say what and where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

from xboot.errors import InputError, RefusedError
from xboot.model import Derivation, Output
from xboot.parse.diagnose import diagnose
from xboot.storepath import DIGEST_SIZES, check_store_path

__all__ = ["MAX_TEXT", "Known", "parse_derivation", "write_derivation"]

_T = TypeVar("_T")

MAX_TEXT = 32 << 20
"""Largest `.drv` that is read, in bytes. Nixpkgs' largest have a few hundred kilobytes."""

# In a shape each string is one quotation mark.
_OUTPUT, _INPUT, _VARIABLE, _STRING = '(",",",")', '(",["])', '(",")', '"'
_SHAPE = re.compile(r'[Derive(),"\[\]]*')
_INPUT_OF_SEVERAL = re.compile(r'\(",\["(?:,")*\]\)')
_OUTPUT_NAME = re.compile(r"[0-9A-Za-z+\-._?=]+")
_HEX = re.compile(r"[0-9a-f]+")
_SYSTEM = re.compile(r"[!-~]+")

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# Stand-ins for `"` and `\\"` while a text is taken apart: bytes that hardly any text has, else characters that are no bytes (which makes
# all strings wide, thus slow).
_NARROW, _WIDE = ("\0", "\1"), ("\u0100", "\u0101")
_REMEMBERED = 1 << 16  # characters of the largest shape that is remembered: larger ones do not repeat, and would fill the memory


class _Layout(NamedTuple):
    """How many strings each part of a derivation has, as indexes into all of them."""

    strings: int
    inputs: int  # where the input derivations begin
    input_outputs: Sequence[int] | None  # how many outputs of each input are used; None: one of each
    sources: int
    system: int  # the builder is next, then the arguments
    env: int


@lru_cache(maxsize=4096)
def _layout(shape: str) -> _Layout | None:
    """Where the parts of a derivation of this shape are; None when no derivation has it."""
    if _SHAPE.fullmatch(shape) is None:
        return None
    sections = shape.split("],[")
    if len(sections) != 4 or not shape.startswith("Derive([") or not shape.endswith("])"):
        return None
    input_sources, _, args = sections[2].partition('],",",[')
    counts = _count_inputs(sections[1])
    outputs = _repeats(sections[0][len("Derive([") :], _OUTPUT)
    sources = _repeats(input_sources, _STRING)
    arguments = _repeats(args, _STRING)
    variables = _repeats(sections[3][: -len("])")], _VARIABLE)
    if counts is None or not outputs or min(sources, arguments, variables) < 0:
        return None
    inputs = 4 * outputs
    source_index = inputs + len(counts) + sum(counts)
    system = source_index + sources
    env = system + 2 + arguments
    return _Layout(env + 2 * variables, inputs, counts if any(count > 1 for count in counts) else None, source_index, system, env)


def _repeats(text: str, unit: str) -> int:
    """How many of `unit`, with commas between, `text` is; -1 when it is something else."""
    count = (len(text) + 1) // (len(unit) + 1)
    return count if text == ",".join([unit] * count) else -1


def _count_inputs(text: str) -> list[int] | None:
    """How many outputs of each input derivation are used."""
    count = _repeats(text, _INPUT)
    if count >= 0:
        return [1] * count
    units = text.replace("),(", ")\n(").split("\n")
    if not all(map(_INPUT_OF_SEVERAL.fullmatch, set(units))):
        return None
    return [unit.count(_STRING) - 1 for unit in units]


class Known:
    """What the derivations of one graph have in common: store paths and names of outputs whose grammar was checked, each kept once.

    Besides saving memory this makes a graph quick to walk: the same path is the same object, so comparing two is comparing addresses.
    """

    def __init__(self, store_dir: str) -> None:
        def source(path: str) -> str:
            check_store_path(path, store_dir)
            return path

        def derivation(path: str) -> str:
            if not path.endswith(".drv"):
                raise InputError(f"the input derivation {path} is not named .drv")
            return self.sources[path]

        self.store_dir = store_dir
        self.sources = _Table(source)
        self.derivations = _Table(derivation)
        self.names = _Table(_output_name)
        self.one_name = _Table(lambda name: (self.names[name],))


class _Table(dict[str, _T]):
    """A dictionary that makes its values when first asked for them."""

    def __init__(self, make: Callable[[str], _T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> _T:
        self[key] = value = self._make(key)
        return value


def _output_name(name: str) -> str:
    if _OUTPUT_NAME.fullmatch(name) is None:
        raise InputError(f"{name!r} is no name of an output")
    return name


def parse_derivation(data: bytes, path: str, known: Known | None = None) -> Derivation:
    """The derivation that `data`, the content of the store path `path`, describes.

    `path` is only used for its store folder and name; whether it is the right one for this text is for `xboot.parse.modulo` to say.
    `known` is shared by the derivations of a graph. Raises InputError with the offset of what is wrong, RefusedError for kinds of
    derivations that xboot does not know.
    """
    if len(data) > MAX_TEXT:
        raise InputError(f"{path}: {len(data)} bytes are more than a derivation may have ({MAX_TEXT})")
    if known is None:
        known = Known(path.rpartition("/")[0])
    strings, layout = _split(data, path)
    try:
        outputs = _outputs(strings[: layout.inputs], known)
        inputs = _inputs(strings[layout.inputs : layout.sources], layout.input_outputs, known)
        sources = [known.sources[source] for source in strings[layout.sources : layout.system]]
        _check_order("input sources", sources, len(set(sources)))
        system = strings[layout.system]
        if _SYSTEM.fullmatch(system) is None:
            raise InputError(f"{system!r} is no name of a system")
        rest = _encode(strings[layout.system + 1 :])
        first = layout.env - layout.system - 1
        names = rest[first::2]
        env = dict(zip(names, rest[first + 1 :: 2], strict=True))
        _check_order("environment variables", names, len(env))
    except InputError as error:
        raise type(error)(f"{path}: {error.message}", hint=error.hint) from None
    return Derivation(path, outputs, inputs, tuple(sources), system, rest[0], tuple(rest[1:first]), env)


def _encode(strings: list[str]) -> list[bytes]:
    """Each string's bytes. One pass over all of them, unless one has the byte that would separate them."""
    text = "\0".join(strings)
    encoded = text.encode("latin-1").split(b"\0")
    return encoded if len(encoded) == len(strings) else [string.encode("latin-1") for string in strings]


def _split(data: bytes, path: str) -> tuple[list[str], _Layout]:
    """The strings of a derivation, unescaped, as Latin-1, and where each part begins.

    An escape outside of all strings is no text of a derivation. All escapes are replaced in one pass; where one stood outside, the shape
    has a character that no shape has (`_SHAPE`; such characters cannot stand there for themselves, `bad` sees to that) or, after an escaped
    quotation mark, more strings than the text.
    """
    text = data.decode("latin-1")
    bad = "\n" in text or "\r" in text or "\t" in text
    if "\\" in text:
        quote, escaped_quote = _WIDE if "\0" in text or "\1" in text else _NARROW
        values = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': escaped_quote}
        try:
            text = _ESCAPE.sub(lambda match: values[match[1]], text)
        except KeyError:
            bad = True
        parts = text.replace('"', quote).replace(escaped_quote, '"').split(quote)
    else:
        parts = text.split('"')
    shape = '"'.join(parts[::2])
    layout = None if bad else _layout(shape) if len(shape) <= _REMEMBERED else _layout.__wrapped__(shape)
    strings = parts[1::2]
    if layout is None or layout.strings != len(strings):
        raise diagnose(data, path)
    return strings, layout


def _inputs(strings: list[str], counts: Sequence[int] | None, known: Known) -> dict[str, tuple[str, ...]]:
    inputs: dict[str, tuple[str, ...]]
    if counts is None:
        paths = list(map(known.derivations.__getitem__, strings[::2]))
        inputs = dict(zip(paths, map(known.one_name.__getitem__, strings[1::2]), strict=True))
    else:
        paths, inputs, place = [], {}, 0
        for count in counts:
            used = known.derivations[strings[place]]
            paths.append(used)
            if count == 1:
                inputs[used] = known.one_name[strings[place + 1]]
            else:
                names = [known.names[name] for name in strings[place + 1 : place + 1 + count]]
                _check_order(f"outputs of {used}", names, len(set(names)))
                inputs[used] = tuple(names)
            place += 1 + count
    _check_order("input derivations", paths, len(inputs))
    return inputs


def _check_order(what: str, found: Sequence[str] | Sequence[bytes], different: int) -> None:
    """Nix writes these lists from sets and maps: sorted bytewise, nothing twice."""
    in_order = sorted(found)
    if found == in_order and different == len(found):
        return
    for one, other in pairwise(in_order):
        if one == other:
            raise InputError(f"the {what} name {one!r} twice")
    wrong = next(found[place] for place, right in enumerate(in_order) if found[place] != right)
    raise InputError(f"the {what} are not sorted: {wrong!r} stands too early", hint="the file was not written by Nix or Guix")


def _outputs(strings: list[str], known: Known) -> dict[str, Output]:
    outputs = {}
    kinds = set()
    for place in range(0, len(strings), 4):
        name, path, algo, digest = strings[place : place + 4]
        name = known.names[name]
        if path:
            check_store_path(path, known.store_dir)
        if algo or digest:
            _check_hash(name, algo, digest)
        kinds.add((bool(path), bool(algo), bool(digest)))
        outputs[name] = Output(name, path, algo, digest)
    if len(strings) > 4:
        _check_order("outputs", strings[::4], len(outputs))
    if len(kinds) != 1:
        raise InputError("its outputs are of different kinds (fixed, addressed by input, addressed by content)")
    has_path, has_algo, has_digest = kinds.pop()
    if has_digest and (list(outputs) != ["out"] or not has_path):
        raise InputError("a fixed output must be the only one, be called `out` and have a path")
    if has_algo and not has_digest and has_path:
        raise InputError(f"an output addressed by its content cannot have a path beforehand, but it names {strings[1]}")
    return outputs


def _check_hash(name: str, algo: str, digest: str) -> None:
    if digest == "impure":
        raise RefusedError(f"an impure derivation: its output {name} may differ each time", hint="see docs/refusals.md")
    if algo.startswith(("text:", "git:")):
        raise RefusedError(f"the output {name} is addressed by the method {algo.partition(':')[0]!r}", hint="see docs/refusals.md")
    size = DIGEST_SIZES.get(algo.removeprefix("r:"))
    if size is None:
        raise InputError(f"the output {name} is hashed with {algo!r}; known are {', '.join(DIGEST_SIZES)}, with or without r:")
    if digest and (len(digest) != 2 * size or _HEX.fullmatch(digest) is None):
        raise InputError(f"the hash of output {name} is {digest!r}, not {2 * size} lower-case hex digits")


# ---------------------------------------------------------------- writing


def write_derivation(drv: Derivation) -> bytes:
    """The text of a derivation, to the byte as Nix and Guix write it. Everything is written in the order that `drv` has."""
    outputs = [b"(" + b",".join(map(_quote, (o.name, o.path, o.hash_algo, o.hash))) + b")" for o in drv.outputs.values()]
    inputs = [b"(" + _quote(path) + b"," + _list(map(_quote, names)) + b")" for path, names in drv.input_drvs.items()]
    env = [b"(" + _quote(name) + b"," + _quote(value) + b")" for name, value in drv.env.items()]
    parts = (
        _list(outputs),
        _list(inputs),
        _list(map(_quote, drv.input_srcs)),
        _quote(drv.system),
        _quote(drv.builder),
        _list(map(_quote, drv.args)),
        _list(env),
    )
    return b"Derive(" + b",".join(parts) + b")"


def _list(items: Sequence[bytes] | map[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _quote(value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + data.replace(b"\n", b"\\n").replace(b"\r", b"\\r").replace(b"\t", b"\\t") + b'"'
