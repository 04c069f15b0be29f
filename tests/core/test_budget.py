"""Memory and time of the readers, by counting: twice the input is twice the calls, and memory is a stated multiple of the input.

No clock is read. Calls are counted by the interpreter (`sys.setprofile`), memory by `tracemalloc`. docs/limits.md states the multiples.
"""

from __future__ import annotations

import gc
import io
import re
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from xboot import nar
from xboot.boot.channel import MAX_LINE, ChannelReader
from xboot.errors import InputError, XbootError
from xboot.files import load_json
from xboot.foreign import printable
from xboot.frontends.bundle import _read_manifest
from xboot.hooks import LinearizeOptions
from xboot.linearize import linearize, parse_script, script_text
from xboot.linearize.numbers import json_text
from xboot.model import Closure, Derivation, Output, Script, Source, SourceKind, Step, StepOutput
from xboot.parse import parse_derivation, write_derivation
from xboot.parse.aterm import MAX_TEXT
from xboot.recipe.read import parse_recipe
from xboot.recipe.references import expand

STORE = "/nix/store"
PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"


def path(number: int, name: str = "x") -> str:
    digits = ""
    for _ in range(32):
        number, digit = divmod(number, 32)
        digits = DIGITS[digit] + digits
    return f"{STORE}/{digits}-{name}"


def calls(work: Callable[[], object]) -> int:
    """How many functions, of Python or of C, a piece of work calls."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def memory(work: Callable[[], object]) -> int:
    """The most that a piece of work holds at once, in bytes."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        peak = tracemalloc.get_traced_memory()[1]
        del kept
    finally:
        tracemalloc.stop()
    return peak


def refused(work: Callable[[], object]) -> None:
    try:
        work()
    except XbootError:
        return
    pytest.fail("it was accepted")


def drv(inputs: int = 0, sources: int = 0, env: int = 0, args: int = 0, several: int = 0) -> bytes:
    return write_derivation(
        Derivation(
            path(1, "x.drv"), {"out": Output("out", path(2))},
            {path(n, "i.drv"): ("dev", "out") if n < several else ("out",) for n in range(inputs)},
            [path(n, "s") for n in range(sources)], "i686-linux", b"/b", [b'a "b"\n'] * args,
            {b"v%07d" % n: b"x\\y" for n in range(env)},
        )
    )  # fmt: skip


def archive(files: int) -> bytes:
    def word(data: bytes) -> bytes:
        return len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)

    file = b"".join(map(word, (b"(", b"type", b"regular", b"contents", b"x", b")")))
    entries = b"".join(
        word(b"entry") + word(b"(") + word(b"name") + word(b"%07d" % n) + word(b"node") + file + word(b")") for n in range(files)
    )
    return b"".join(map(word, (b"nix-archive-1", b"(", b"type", b"directory"))) + entries + word(b")")


def script(steps: int, sources: int = 1) -> Script:
    found = [Source(path(n, "s"), SourceKind.NAR, Path("/x"), "a" * 64, 1) for n in range(sources)]
    made = [
        Step(n, path(n, "d.drv"), "i686-linux", b"/b", [b"b"], [(b"a", b"1")], "/build", [], [], [s.path for s in found[:20]],
             [StepOutput("out", path(n, "o"))])
        for n in range(1, steps + 1)
    ]  # fmt: skip
    return Script(script_text(STORE, found, made, [path(1, "o")]), "0" * 64, STORE, found, made, [path(1, "o")])


def channel(references: int) -> bytes:
    listed = " ".join(f'"{path(n)}"' for n in range(references))
    return f'(output "{"0" * 32}" 1 "out" "sha256" "{"a" * 64}" 1 ({listed}))'.encode()


def output_line(line: bytes) -> object:
    reader = ChannelReader(script(1, 0), "0" * 32)
    reader.feed(f'(hello "{"0" * 32}" "{"0" * 64}")'.encode())
    reader.feed(f'(begin "{"0" * 32}" 1)'.encode())
    return reader.feed(line)


def manifest(files: int) -> bytes:
    lines = [f"file {'a' * 64} 1 store/{path(n, 's').rpartition('/')[2]}.nar" for n in range(files)]
    return "\n".join(["xboot-bundle 1", f"store {STORE}", f"root {path(9, 'r.drv')}", *lines, f"file {'a' * 64} 1 store/zz", ""]).encode()


def manifest_read(data: bytes) -> object:
    try:
        return _read_manifest(Path("b"), data)
    except InputError:  # the last line is none: all others were read
        return None


def recipe(derivations: int) -> bytes:
    return b"".join(b"[derivation.d%d]\nbuilder = '{a}'\nargs = ['x']\n" % n for n in range(derivations))


def members(count: int) -> bytes:
    return ("{" + ",".join(f'"m{n}":{n}.5' for n in range(count)) + "}").encode()


def unrolled(sources: int) -> object:
    found = {path(n, "s"): Source(path(n, "s"), SourceKind.NAR, Path("/x"), "a" * 64, 1) for n in range(sources)}
    top = Derivation(path(1, "x.drv"), {"out": Output("out", path(2))}, {}, list(found), "i686-linux", f"{path(3)}/b".encode(), [], {})
    return linearize(Closure(STORE, [top.path], {top.path: top}, found, {}), LinearizeOptions())


READERS: dict[str, tuple[Callable[[int], bytes], Callable[[bytes], object], int]] = {
    "inputs of a derivation": (lambda n: drv(inputs=n), lambda data: parse_derivation(data, path(1, "x.drv")), 4000),
    "inputs with several outputs": (lambda n: drv(inputs=n, several=n), lambda data: parse_derivation(data, path(1, "x.drv")), 2000),
    "sources of a derivation": (lambda n: drv(sources=n), lambda data: parse_derivation(data, path(1, "x.drv")), 4000),
    "variables of a derivation": (lambda n: drv(env=n), lambda data: parse_derivation(data, path(1, "x.drv")), 4000),
    "arguments of a derivation": (lambda n: drv(args=n), lambda data: parse_derivation(data, path(1, "x.drv")), 4000),
    "entries of a NAR": (archive, lambda data: sum(1 for _ in nar.read(io.BytesIO(data))), 1000),
    "steps of a script": (lambda n: script(n).text, parse_script, 200),
    "sources of a script": (lambda n: script(1, n).text, parse_script, 500),
    "references on the channel": (channel, output_line, 2000),
    "files of a bundle": (manifest, manifest_read, 1000),
    "derivations of a recipe": (recipe, lambda data: parse_recipe(data, "recipe.toml"), 200),
    "members of JSON": (
        lambda n: ("{" + ",".join(f'"m{k}":{k}.5' for k in range(n)) + "}").encode(),
        lambda d: json_text(load_json(d)),
        1000,
    ),
    "references of a recipe": (lambda n: b"{a} ${b} " * n, lambda data: expand(data.decode(), "x", lambda name, output: name), 2000),
    "foreign text": (lambda n: b"\x1b" * n, printable, 4000),
}


@pytest.mark.parametrize("what", READERS)
def test_twice_the_input_is_twice_the_work(what: str) -> None:
    make, read, size = READERS[what]
    one, two = make(size), make(2 * size)
    read(one)  # what is made once is not counted
    few, many = calls(lambda: read(one)), calls(lambda: read(two))
    assert many <= 2.5 * few + 200, (few, many)


MULTIPLES = {  # bytes held for each byte read, at most
    "inputs of a derivation": 20, "inputs with several outputs": 20, "sources of a derivation": 12, "variables of a derivation": 30,
    "arguments of a derivation": 30, "entries of a NAR": 4, "steps of a script": 20, "sources of a script": 20,
    "references on the channel": 12, "files of a bundle": 12, "derivations of a recipe": 100, "members of JSON": 60,
    "references of a recipe": 60, "foreign text": 60,
}  # fmt: skip


@pytest.mark.parametrize("what", READERS)
def test_memory_is_a_multiple_of_the_input(what: str) -> None:
    make, read, size = READERS[what]
    data = make(4 * size)
    read(data)
    assert memory(lambda: read(data)) <= MULTIPLES[what] * len(data) + (1 << 20)


def test_the_page_states_these_multiples() -> None:
    page = PAGE.read_text()
    for what, multiple in MULTIPLES.items():
        assert f"| {what} | {multiple} |" in page, what


def test_a_large_attribute_is_refused_by_its_size() -> None:
    """100 MB in one variable: nothing is taken apart."""
    data = bytes(100_000_000)
    assert calls(lambda: refused(lambda: parse_derivation(data, path(1, "x.drv")))) < 200
    assert memory(lambda: refused(lambda: parse_derivation(data, path(1, "x.drv")))) < 1 << 20


def test_a_million_inputs_are_more_than_a_derivation_may_have() -> None:
    one = len(drv(inputs=2)) - len(drv(inputs=1))
    assert one * 1_000_000 > MAX_TEXT


def test_a_hundred_thousand_sources_are_unrolled_in_linear_time() -> None:
    few, many = calls(lambda: unrolled(1000)), calls(lambda: unrolled(10_000))
    assert many <= 10.5 * few + 200  # sorting is C's


def test_a_line_that_never_ends_is_bounded() -> None:
    """What drips is gathered up to this and no further; how long it may drip is the step's time limit."""
    assert MAX_LINE == 1 << 20
    assert "1 MiB" in PAGE.read_text()


@pytest.mark.parametrize("text", [b"(" * MAX_LINE, b'"' * MAX_LINE, b" " * MAX_LINE, b'("' + b"\\x00" * (MAX_LINE // 4), b"9" * MAX_LINE])
def test_a_line_of_nonsense_is_refused_soon(text: bytes) -> None:
    reader = ChannelReader(script(1), "0" * 32)
    assert calls(lambda: refused(lambda: reader.feed(text))) < 3000


def test_the_page_names_each_limit_that_the_code_has() -> None:
    """A limit that is changed in the code is changed on the page."""
    page = PAGE.read_text()
    listed = re.findall(r"`(xboot[\w.]*)\.(_?[A-Z][A-Z_]*)` \| ([\d,]+)", page)
    assert len(listed) >= 15
    for module, name, value in listed:
        __import__(module)
        assert getattr(sys.modules[module], name) == int(value.replace(",", "")), f"{module}.{name}"
