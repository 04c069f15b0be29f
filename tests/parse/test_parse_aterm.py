"""The text of derivations: exact round trip, and refusal of everything that Nix would not have written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot.errors import InputError, RefusedError
from xboot.model import Derivation, Output
from xboot.parse import parse_derivation, write_derivation
from xboot.parse.aterm import MAX_TEXT

HASH = "0" * 32
STORE = "/nix/store"
PATH = f"{STORE}/{HASH}-x.drv"
names = st.text("abcXYZ09+-_?=", min_size=1, max_size=12)
strings = st.one_of(
    st.binary(max_size=30),
    st.lists(st.sampled_from([b"\\", b'"', b"\n", b"\t", b"\r", b"(", b"],[", b")", b"\0", b"\1", b"n"])).map(b"".join),
)
paths = names.map(lambda name: f"{STORE}/{HASH}-{name}")


@st.composite
def derivations(draw: st.DrawFn) -> Derivation:
    outputs = sorted(draw(st.sets(names, min_size=1, max_size=4)))
    inputs = draw(st.dictionaries(names.map(lambda name: f"{STORE}/{HASH}-{name}.drv"), st.sets(names, min_size=1, max_size=3), max_size=5))
    return Derivation(
        path=PATH,
        outputs={name: Output(name, f"{STORE}/{HASH}-{name}") for name in outputs},
        input_drvs={path: tuple(sorted(inputs[path])) for path in sorted(inputs)},
        input_srcs=tuple(sorted(draw(st.sets(paths, max_size=4)))),
        system=draw(st.sampled_from(["x86_64-linux", "i686-linux", "builtin"])),
        builder=draw(strings),
        args=tuple(draw(st.lists(strings, max_size=5))),
        env=dict(sorted(draw(st.dictionaries(strings, strings, max_size=6)).items())),
    )


@given(derivations())
def test_what_is_written_reads_the_same(drv: Derivation) -> None:
    assert parse_derivation(write_derivation(drv), PATH) == drv


@given(derivations(), st.integers(min_value=0), st.binary(max_size=3), st.integers(0, 3))
def test_a_damaged_text_is_refused_or_is_another_derivation(drv: Derivation, place: int, new: bytes, removed: int) -> None:
    text = write_derivation(drv)
    place %= len(text) + 1
    damaged = text[:place] + new + text[place + removed :]
    try:
        other = parse_derivation(damaged, PATH)
    except InputError as error:
        assert error.message.startswith(PATH)
    else:
        assert write_derivation(other) == damaged


@given(derivations(), st.integers(min_value=0))
def test_a_truncated_text_is_refused_with_its_end(drv: Derivation, length: int) -> None:
    text = write_derivation(drv)
    length %= len(text)
    with pytest.raises(InputError, match=f"at byte {length} of {length}: the text ends"):
        parse_derivation(text[:length], PATH)


def test_real_graphs_round_trip(graphs: Path) -> None:
    files = list(graphs.glob("*/*.drv"))
    assert len(files) == 16 + 20 + 228
    for file in files:
        text = file.read_bytes()
        assert write_derivation(parse_derivation(text, f"/gnu/store/{file.name}")) == text


def text(**parts: str) -> bytes:
    """A small derivation with some parts replaced."""
    p = {"outputs": f'("out","{STORE}/{HASH}-x","","")', "inputs": "", "sources": "", "system": '"x86_64-linux"', "args": "", "env": ""}
    p |= {"builder": '"/bin/sh"'} | parts
    return f"Derive([{p['outputs']}],[{p['inputs']}],[{p['sources']}],{p['system']},{p['builder']},[{p['args']}],[{p['env']}])".encode(
        "latin-1"
    )


def test_the_small_derivation_is_one() -> None:
    assert parse_derivation(text(), PATH).builder == b"/bin/sh"


A, B = f"{STORE}/{HASH}-a", f"{STORE}/{HASH}-b"
SHA = "a" * 64


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the text ends where 'Derive\\('"),
        (b"\x7fELF", "at byte 0 of 4"),
        (text() + b"\n", "1 bytes after the end"),
        (text() * 2, "bytes after the end"),
        (b" " + text(), "at byte 0 of"),
        (text(args='"a\\q"'), r"\\q is none of the escapes"),
        (text(args='"a\nb"'), "a line feed inside a string"),
        (text(args='"a\\n\tb"'), "a tab inside a string"),
        (text(args='"a\rb"'), "a carriage return inside a string"),
        (text(args='"a",'), "at byte"),
        (text(args='"a" ,"b"'), "at byte"),
        (text(args="a"), "at byte"),
        (text(args='"a"]'), "at byte"),
        (text(outputs=""), "at byte 8 of"),
        (text(outputs='("out","","","",""])'), "at byte"),
        (text(inputs=f'("{A}.drv",[])'), "at byte"),
        (text(env='("a")'), "at byte"),
        (text(env='("a","1"),("a","2")'), "environment variables name b'a' twice"),
        (text(env='("b","1"),("a","2")'), "environment variables are not sorted"),
        (text(sources=f'"{B}","{A}"'), "input sources are not sorted"),
        (text(sources=f'"{A}","{A}"'), "input sources name .* twice"),
        (text(sources='"/etc/passwd"'), "not a store path of /nix/store"),
        (text(sources=f'"{STORE}/../../etc/passwd"'), "not a store path"),
        (text(sources=f'"{A}/bin"'), "inside a store path"),
        (text(sources=f'"/gnu/store/{HASH}-a"'), "not a store path of /nix/store"),
        (text(inputs=f'("{A}",["out"])'), "not named .drv"),
        (text(inputs=f'("{A}",["out"])', sources=f'"{A}"'), "not named .drv"),
        (text(inputs=f'("{A}.drv",["out","dev"])'), "outputs of .* are not sorted"),
        (text(inputs=f'("{A}.drv",["out","out"])'), "outputs of .* twice"),
        (text(inputs=f'("{A}.drv",[")],["])'), "no name of an output"),
        (text(inputs=f'("{B}.drv",["out"]),("{A}.drv",["out"])'), "input derivations are not sorted"),
        (text(inputs=f'("{A}.drv",["out"]),("{A}.drv",["out"])'), "input derivations name .* twice"),
        (text(inputs=f'("{A}.drv",["a","b"]),("{A}.drv",["out"])'), "input derivations name .* twice"),
        (text(outputs=f'("out","{A}","",""),("dev","{B}","","")'), "outputs are not sorted"),
        (text(outputs=f'("out","{A}","",""),("out","{B}","","")'), "outputs name 'out' twice"),
        (text(outputs=f'("","{A}","","")'), "no name of an output"),
        (text(outputs=f'("],[","{A}","","")'), "no name of an output"),
        (text(outputs='("out","/tmp/x","","")'), "not a store path"),
        (text(outputs=f'("out","{A}","sha256","{SHA[1:]}")'), "not 64 lower-case hex digits"),
        (text(outputs=f'("out","{A}","sha256","{SHA.upper()}")'), "not 64 lower-case hex digits"),
        (text(outputs=f'("out","{A}","crc32","{SHA}")'), "hashed with 'crc32'"),
        (text(outputs=f'("out","{A}","","{SHA}")'), "hashed with ''"),
        (text(outputs=f'("dev","{A}","sha256","{SHA}")'), "be called `out`"),
        (text(outputs=f'("out","","sha256","{SHA}")'), "have a path"),
        (text(outputs=f'("out","{A}","r:sha256","")'), "cannot have a path beforehand"),
        (text(outputs=f'("dev","{A}","",""),("out","","r:sha256","")'), "different kinds"),
        (text(system='""'), "no name of a system"),
        (text(system='"x86 linux"'), "no name of a system"),
    ],
)  # fmt: skip
def test_refuses(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        parse_derivation(data, PATH)
    assert caught.value.message.startswith(PATH)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'DrvWithVersion("xp-dyn-drv",' + text()[7:], 'dynamic derivation .DrvWithVersion "xp-dyn-drv"'),
        (text(outputs='("out","","r:sha256","impure")'), "impure derivation"),
        (text(outputs='("out","","text:sha256","")'), "method 'text'"),
    ],
)
def test_refuses_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        parse_derivation(data, PATH)


def test_refuses_absurd_sizes() -> None:
    with pytest.raises(InputError, match="more than a derivation may have"):
        parse_derivation(bytes(MAX_TEXT + 1), PATH)


INPUTS = f'("{A}.drv",["dev","out"]),("{B}.drv",["out"])'


def test_an_escape_outside_of_strings_is_no_text() -> None:
    """At each place of a text, instead of nothing or of a comma: what it stands for within a string must not count."""
    whole = text(inputs=INPUTS, sources=f'"{A}","{B}"', args='"a","b"', env='("a","1"),("b","2")')
    assert write_derivation(parse_derivation(whole, PATH)) == whole
    accepted = 0
    for escape in (b"\\n", b"\\t", b"\\r", b'\\"', b"\\\\", b'\\",\\"', b"\\n,", b",\\n"):
        for place in range(len(whole)):
            for removed in (0, 1):
                damaged = whole[:place] + escape + whole[place + removed :]
                try:
                    found = parse_derivation(damaged, PATH)
                except InputError:
                    continue
                accepted += 1
                assert write_derivation(found) == damaged, damaged
    assert accepted > 50  # within strings


def test_a_line_feed_between_inputs_is_no_comma() -> None:
    whole = text(inputs=INPUTS)
    for separator in (b"\\n", b"\\n\\n", b",\\n"):
        with pytest.raises(InputError, match="not a derivation: at byte"):
            parse_derivation(whole.replace(b"]),(", b"])" + separator + b"("), PATH)


def test_large_shapes_are_not_remembered() -> None:
    from xboot.parse import aterm

    before = aterm._layout.cache_info().currsize
    many = text(args=",".join(['"a"'] * aterm._REMEMBERED))
    assert len(parse_derivation(many, PATH).args) == aterm._REMEMBERED
    assert aterm._layout.cache_info().currsize == before


def test_a_shape_cannot_be_forged_with_other_characters() -> None:
    for outside in (b"(,)", b"\n", b"\\", b'\\"', b"\xff", b"\0"):
        data = text(args='"a","b"').replace(b'"a","b"', b'"a"' + outside + b'"b"')
        with pytest.raises(InputError, match="at byte"):
            parse_derivation(data, PATH)
