"""The result channel's reader against guests that lie, stutter, or speak out of turn."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot.boot import ChannelReader
from xboot.boot.channel import printable, run_line
from xboot.errors import GuestError
from xboot.model import Phase, Script, Source, SourceKind, Step, StepOutput

N = "0123456789abcdef0123456789abcdef"
STORE = "/nix/store"
A, B, C = (f"{STORE}/{digit * 32}-{name}" for digit, name in (("0", "src"), ("1", "one"), ("2", "two")))
H = "a" * 64
TEXT = b"(a script)"
SHA = hashlib.sha256(TEXT).hexdigest()


def script() -> Script:
    def step(number: int, *outputs: StepOutput) -> Step:
        return Step(number, f"{STORE}/{number}.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [], outputs)

    steps = [step(1, StepOutput("dev", B), StepOutput("out", B + "-out")), step(2, StepOutput("out", C))]
    return Script(TEXT, SHA, STORE, [Source(A, SourceKind.NAR, Path("/x"), H, 120)], steps, [C])


def line(*words: str) -> bytes:
    return f"({' '.join(words)})".encode()


GOOD = [
    line("hello", f'"{N}"', f'"{SHA}"'),
    line("source", f'"{N}"', f'"{A}"', '"sha256"', f'"{H}"', "120"),
    line("begin", f'"{N}"', "1"),
    line("output", f'"{N}"', "1", '"dev"', '"sha256"', f'"{H}"', "120", f'("{A}")'),
    line("output", f'"{N}"', "1", '"out"', '"sha256"', f'"{H}"', "120", "()"),
    line("begin", f'"{N}"', "2"),
    line("output", f'"{N}"', "2", '"out"', '"sha256"', f'"{H}"', "120", f'("{A}" "{B}")'),
    line("done", f'"{N}"'),
]


def feed(lines: list[bytes], **options: object) -> list[Phase]:
    reader = ChannelReader(script(), N, **options)  # type: ignore[arg-type]
    return [reader.feed(one).phase for one in lines]


def test_a_good_run() -> None:
    reader = ChannelReader(script(), N)
    messages = [reader.feed(one) for one in GOOD]
    assert [m.phase for m in messages] == [
        Phase.HELLO,
        Phase.SOURCE,
        Phase.BEGIN,
        Phase.OUTPUT,
        Phase.OUTPUT,
        Phase.BEGIN,
        Phase.OUTPUT,
        Phase.DONE,
    ]
    assert messages[6].references == [A, B]
    assert reader.finished


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_leaving_a_line_out_is_noticed(at: int) -> None:
    with pytest.raises(GuestError):
        feed([*GOOD[:at], *GOOD[at + 1 :], b"(done)"] if at == len(GOOD) - 1 else GOOD[:at] + GOOD[at + 1 :])


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_saying_a_line_twice_is_noticed(at: int) -> None:
    with pytest.raises(GuestError):
        feed([*GOOD[: at + 1], GOOD[at], *GOOD[at + 1 :]])


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_a_wrong_nonce_is_noticed(at: int) -> None:
    with pytest.raises(GuestError, match="this run's nonce"):
        feed([*GOOD[:at], GOOD[at].replace(N.encode(), N[::-1].encode())])


BAD = [
    b"",
    b"(",
    b")",
    b"()",
    b"(())",
    b"((((((",
    b"(done)",
    b"(hello)",
    b"noise",
    b"\x1b[2J(done)",
    b"(done " + N.encode() + b")",
    b'(done "' + N.encode() + b'") ',
    b'(done "' + N.encode() + b'")\r',
    b'(output "' + N.encode() + b'" 1)',
    b'(frobnicate "' + N.encode() + b'")',
    b'(_parse "' + N.encode() + b'")',
    b'("done" "' + N.encode() + b'")',
    b'(begin "' + N.encode() + b'" 01)',
    b'(begin "' + N.encode() + b'" -1)',
    b'(begin "' + N.encode() + b'" "1")',
    b'(begin "' + N.encode() + b'" 99999999999999999999999)',
    b'(begin "\\x30' + N[1:].encode() + b'" 1)',
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("at", [0, 2, 5])
def test_malformed_lines(bad: bytes, at: int) -> None:
    with pytest.raises(GuestError):
        feed([*GOOD[:at], bad])


@given(st.lists(st.sampled_from(GOOD) | st.binary(max_size=80), max_size=12))
def test_only_the_good_run_ends(lines: list[bytes]) -> None:
    reader = ChannelReader(script(), N)
    try:
        phases = [reader.feed(one).phase for one in lines]
    except GuestError:
        return
    assert Phase.DONE not in phases or lines == GOOD


@pytest.mark.parametrize(
    ("replaced", "by"),
    [('"dev"', '"out"'), ('"dev"', '"other"'), (H, "b" * 63), (H, "B" * 64), ('"sha256"', '"md5"'), (f'("{A}")', '("/etc/passwd")'),
     (f'("{A}")', f'("{B}" "{A}")'),
     (f'("{A}")', f'("{A}" "{A}")'), (" 1 ", " 2 "), ("120", '"120"')],
)  # fmt: skip
def test_a_wrong_output_line(replaced: str, by: str) -> None:
    wrong = GOOD[3].decode().replace(replaced, by, 1).encode()
    assert wrong != GOOD[3]
    with pytest.raises(GuestError):
        feed([*GOOD[:3], wrong])


def test_another_script_is_named() -> None:
    with pytest.raises(GuestError, match=r"b{64}.*was given"):
        feed([line("hello", f'"{N}"', f'"{"b" * 64}"')])


def test_failures() -> None:
    reader = ChannelReader(script(), N)
    for one in GOOD[:3]:
        reader.feed(one)
    message = reader.feed(line("fail", f'"{N}"', "1", "exit", '"status 1\\n\\x1b[2J"'))
    assert (message.phase, message.kind, message.step) == (Phase.FAIL, "exit", 1)
    assert message.text == "status 1\\x0a\\x1b[2J"  # safe for a terminal
    with pytest.raises(GuestError, match="the run was over"):
        reader.feed(GOOD[-1])
    for bad in (
        line("fail", f'"{N}"', "1", '"exit"', '"x"'),
        line("fail", f'"{N}"', "1", "tired", '"x"'),
        line("fail", f'"{N}"', "2", "exit", '"x"'),
    ):
        with pytest.raises(GuestError):
            feed([*GOOD[:3], bad])


def export(step: int, name: str, offset: int, length: int) -> bytes:
    return line("export", f'"{N}"', str(step), f'"{name}"', str(offset), str(length))


def test_exports_come_whole_and_in_order() -> None:
    options = {"exports": [B], "window": 100}
    good = [*GOOD[:4], export(1, "dev", 0, 100), export(1, "dev", 100, 20), *GOOD[4:]]
    assert feed(good, **options).count(Phase.EXPORT) == 2
    for bad in (
        [*GOOD[:4], export(1, "dev", 0, 101)],  # more than the window
        [*GOOD[:4], export(1, "dev", 1, 50)],  # a hole
        [*GOOD[:4], export(1, "dev", 0, 0)],
        [*GOOD[:4], export(1, "dev", 0, 100), export(1, "dev", 100, 21)],  # more than the NAR
        [*GOOD[:4], export(1, "dev", 0, 100), GOOD[4]],  # broken off
        [*GOOD[:4], export(1, "dev", 0, 100), export(1, "dev", 100, 20), export(1, "dev", 0, 100)],
        [*GOOD[:5], export(1, "out", 0, 100)],  # nobody asked for it
        [*GOOD[:3], export(1, "dev", 0, 100)],  # before its hash
    ):
        with pytest.raises(GuestError):
            feed(bad, **options)


def test_the_run_line() -> None:
    assert run_line(N, 0, 0, []) == f'(run "{N}" 0 0)\n'.encode()
    assert run_line(N, 4096, 8192, [A, B]) == f'(run "{N}" 4096 8192 "{A}" "{B}")\n'.encode()


@given(st.binary())
def test_what_is_shown_is_harmless(data: bytes) -> None:
    assert all(" " <= c <= "~" for c in printable(data))


@pytest.mark.parametrize(
    ("good", "bad"), [(b'(hello "', b'(hello  "'), (b"(hello", b"( hello"), (b")", b" )"), (b"(", b" ("), (b'" "', b'""'), (b")", b") ")]
)
def test_there_is_one_way_to_space_a_line(good: bytes, bad: bytes) -> None:
    ChannelReader(script(), N).feed(GOOD[0])
    changed = GOOD[0].replace(good, bad, 1)
    assert changed != GOOD[0]
    with pytest.raises(GuestError):
        ChannelReader(script(), N).feed(changed)
