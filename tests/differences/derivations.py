"""Random derivations as Nix expressions: hypothesis draws what each has, this file writes it down. The same seed gives the same text.

A derivation's builder is busybox's shell. Its outputs are random trees (modes, links, hard links, odd names, references to whatever it
depends on and to itself); its first output says besides what the builder saw: environment, arguments, files in its directory.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

OUTPUTS = ("out", "dev", "lib", "bin", "doc-1")
MODES = ("644", "755", "600", "000", "111", "444", "777", "1777", "640", "4", "100")
FOLDER_MODES = ("755", "700", "555", "000", "1777", "711")


@dataclass(frozen=True)
class File:
    """A regular file: pieces of bytes, and places (number of a dependency or -1 for itself, number of an output) whose store paths stand
    between them; `repeat`: how many times all of it is written.
    """

    pieces: Sequence[bytes | tuple[int, int]]
    mode: str
    repeat: int = 1


@dataclass(frozen=True)
class Link:
    """A symbolic link, to text or below a store path."""

    target: bytes
    below: tuple[int, int] | None


@dataclass(frozen=True)
class Folder:
    """Names and what they stand for; `hard` names are hard links to the first regular file in it."""

    entries: Mapping[bytes, object]
    mode: str
    hard: Sequence[bytes] = ()


@dataclass(frozen=True)
class Sample:
    """What one derivation has. Numbers of dependencies count backwards, from the derivation itself."""

    outputs: Sequence[str]
    trees: Sequence[object]
    dependencies: Sequence[tuple[int, int]]
    variables: Mapping[str, object]
    as_files: Sequence[str]
    graph: Sequence[int]
    structured: bool
    arguments: Sequence[str]
    name: str
    made: int = field(default=0, compare=False)


_TEXT = st.text(st.sampled_from("abcxyzABC019 .,-_=+/$`'\"\\{}()[]<>|&;*?!#%~\n\t\r\u00e9\u20ac\U0001f600"), max_size=24)
_NAME = st.binary(min_size=1, max_size=12).map(lambda name: name.replace(b"\0", b"n").replace(b"/", b"s")).filter(
    lambda name: name not in (b".", b"..") and not name.endswith(b"\n")
)  # fmt: skip
_PLACE = st.tuples(st.integers(-1, 3), st.integers(0, 4))
_FILES = st.builds(
    File, st.lists(st.one_of(st.binary(max_size=40), _PLACE), max_size=4), st.sampled_from(MODES), st.sampled_from((1, 1, 1, 1, 7, 60))
)
_LINKS = st.builds(
    Link, st.binary(min_size=1, max_size=20).map(lambda target: target.replace(b"\0", b"0").rstrip(b"\n") or b"x"), st.none() | _PLACE
)
_TREES = st.recursive(
    _FILES | _LINKS,
    lambda inner: st.builds(
        Folder, st.dictionaries(_NAME, inner, max_size=5), st.sampled_from(FOLDER_MODES), st.lists(_NAME, max_size=2, unique=True)
    ),
    max_leaves=7,
)
_PLAIN = st.one_of(_TEXT, st.integers(-(2**31), 2**31), st.booleans(), st.lists(_TEXT, max_size=3))
_JSON = st.recursive(
    st.one_of(_TEXT, st.integers(-(2**53), 2**53), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("a", "b c", "d-e", "\u00fc", "F_1")), inner, max_size=3),
    max_leaves=6,
)
_VARIABLES = ("foo", "Bar", "x1", "HOME", "TMPDIR", "a-b", "c.d", "_under", "PATH_2", "LANG")


@st.composite
def _samples(draw: st.DrawFn) -> Sample:
    outputs = draw(st.lists(st.sampled_from(OUTPUTS), min_size=1, max_size=3, unique=True))
    structured = draw(st.integers(0, 3)) == 0
    variables = draw(st.dictionaries(st.sampled_from(_VARIABLES), _JSON if structured else _PLAIN, max_size=4))
    strings = [name for name, value in variables.items() if isinstance(value, str) and name.isidentifier()]
    return Sample(
        outputs,
        [draw(st.dictionaries(_NAME, _TREES, max_size=4)), *(draw(_TREES) for _ in outputs[1:])],
        draw(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4)), max_size=4)),
        variables,
        draw(st.lists(st.sampled_from(strings), unique=True)) if strings and not structured else [],
        draw(st.lists(st.integers(0, 3), max_size=2)) if not structured else [],
        structured,
        draw(st.lists(_TEXT, max_size=3)),
        draw(st.text(st.sampled_from("abcXYZ019+-._?="), min_size=1, max_size=16).filter(lambda name: not name.startswith("."))),
    )


def text(count: int, number: int) -> str:
    """A Nix file with `count` derivations, always the same for the same number: drawn by a process of its own, since hypothesis also
    draws what stands in whatever modules are loaded.
    """
    command = [sys.executable, "-P", str(Path(__file__)), str(count), str(number)]
    environment = {"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin", "HYPOTHESIS_NO_PLUGINS": "1"}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout


def _draw(count: int, number: int) -> list[Sample]:
    found: list[Sample] = []

    @seed(number)
    @settings(max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(_samples())
    def collect(sample: Sample) -> None:
        found.append(sample)

    collect()
    return found


def expression(drawn: Sequence[Sample]) -> str:
    """A Nix function from `busybox` and `system` to the derivations, each named d0, d1, …."""
    text = ["{ busybox, system }:", "let", '  bb = builtins.path { path = busybox; name = "busybox"; };']
    text += [f"  d{number} = {_derivation(number, drawn)};" for number in range(len(drawn))]
    return "\n".join([*text, "in { inherit " + " ".join(f"d{number}" for number in range(len(drawn))) + "; }", ""])


def _derivation(number: int, drawn: Sequence[Sample]) -> str:
    sample = drawn[number]
    inside = _Writer(number, drawn)
    script = "".join(inside.script())
    arguments = " ".join([_string("-e"), _string("-c"), f'"{script}"', _string("builder"), *map(_string, sample.arguments)])
    attributes = {
        "name": _string(f"{sample.name}-{number}"),
        "system": "system",
        "builder": '"${bb}/bin/sh"',
        "outputs": _value(list(sample.outputs)),
        **{_string(name): _value(value) for name, value in sample.variables.items()},
        "args": f"[ {arguments} ]",
    }
    if sample.structured:
        attributes["__structuredAttrs"] = "true"
    if sample.as_files:
        attributes["passAsFile"] = _value(list(sample.as_files))
    if sample.graph and inside.places:
        words = [f'"graph{i}" {inside.places[which % len(inside.places)]}' for i, which in enumerate(sample.graph)]
        attributes["exportReferencesGraph"] = f"[ {' '.join(words)} ]"
    return "derivation { " + " ".join(f"{name} = {value};" for name, value in attributes.items()) + " }"


class _Writer:
    """The script of one derivation, in pieces that are already escaped for a Nix string."""

    def __init__(self, number: int, drawn: Sequence[Sample]) -> None:
        self.sample = drawn[number]
        self.places = []
        self.current = 0  # the output that is being made: it may mention itself and those behind it, for nix refuses circles
        for back, output in self.sample.dependencies:
            if back <= number:
                other = drawn[number - back]
                self.places.append(f"d{number - back}.{_attribute(other.outputs[output % len(other.outputs)])}")

    def place(self, where: tuple[int, int]) -> str:
        """A store path: of a dependency, or of one of its own outputs."""
        which, output = where
        if which < 0 or not self.places:
            rest = self.sample.outputs[self.current :]
            return f'${{builtins.placeholder "{rest[output % len(rest)]}"}}'
        return f"${{{self.places[which % len(self.places)]}}}"

    def script(self) -> Iterator[str]:
        """All of it."""
        first = self.place((-1, 0))
        yield f"export PATH=${{bb}}/bin; mkdir {first} {first}/saw; "
        if not self.sample.structured:
            yield f"env | sort > {first}/saw/env; "
        yield f"for a; do printf '<%s>' \\\"\\$a\\\"; done > {first}/saw/arguments; ls -A > {first}/saw/files; "
        yield f"for f in .attrs.json .attrs.sh graph*; do [ ! -e \\$f ] || cp \\$f {first}/saw/; done; "
        for name in self.sample.as_files:
            yield f'cat \\"\\${name}Path\\" > {first}/saw/as-file-{name}; '
        yield from self.tree(Folder(self.sample.trees[0], "755"), first, True)  # type: ignore[arg-type]
        for number, tree in enumerate(self.sample.trees[1:], 1):
            self.current = number
            yield from self.output(tree)

    def output(self, tree: object) -> Iterator[str]:
        """The commands that make one whole output. Nix refuses one that all may write to at its top (docs/refusals.md)."""
        path = self.place((-1, 0))
        yield from self.tree(tree, path)
        if not isinstance(tree, Link):
            yield f"chmod go-w {path}; "

    def tree(self, node: object, path: str, is_there: bool = False) -> Iterator[str]:
        """The commands that make a tree at `path`."""
        if isinstance(node, File):
            yield f": > {path}; "
            if node.repeat > 1:
                yield f"i=0; while [ \\$i -lt {node.repeat} ]; do "
            for piece in node.pieces:
                yield f"printf '{_octal(piece)}' >> {path}; " if isinstance(piece, bytes) else f"printf %s {self.place(piece)} >> {path}; "
            yield "i=\\$((i+1)); done; " if node.repeat > 1 else ""
            yield f"chmod {node.mode} {path}; "
        elif isinstance(node, Link):
            below = f"{self.place(node.below)}/" if node.below else ""
            yield f"ln -s -- {below}\\\"\\$(printf '{_octal(node.target)}')\\\" {path}; "
        elif isinstance(node, Folder):
            yield "" if is_there else f"mkdir {path}; "
            files = []
            for name, entry in node.entries.items():
                if is_there and name == b"saw":
                    continue
                inside = f"{path}/{_word(name)}"
                yield from self.tree(entry, inside)
                if isinstance(entry, File):
                    files.append(inside)
            for name in node.hard:
                if files and name not in node.entries:
                    yield f"ln {files[0]} {path}/{_word(name)}; "
            yield f"chmod {node.mode} {path}; "


def _octal(data: bytes) -> str:
    """For printf, inside of single quotes, inside of a Nix string."""
    return "".join(f"\\\\{byte:03o}" for byte in data)


def _word(name: bytes) -> str:
    return f"\\\"\\$(printf '{_octal(name)}')\\\""


def _attribute(name: str) -> str:
    return f'"{name}"'


def _string(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int():
            return f"({value})"
        case str():
            return _string(value)
        case list():
            return f"[ {' '.join(map(_value, value))} ]"
        case dict():
            return "{ " + " ".join(f"{_string(name)} = {_value(inner)};" for name, inner in value.items()) + " }"
        case _:
            raise TypeError(value)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(expression(_draw(int(sys.argv[1]), int(sys.argv[2]))), end="")
