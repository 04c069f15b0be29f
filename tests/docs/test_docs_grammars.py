"""What the pages of script and channel say is what the readers do: their examples are accepted, their rejected lines are rejected."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from xboot.boot.channel import ACK, READY, ChannelReader, run_line
from xboot.boot.transcript import NO_NONCE, Made, transcript_sha256
from xboot.errors import GuestError, InputError
from xboot.linearize import parse_script
from xboot.model import Phase

DOCS = Path(__file__).resolve().parents[2] / "docs"
NONCE = "0123456789abcdef0123456789abcdef"


def block(page: str, kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


SCRIPT = block("script.md", "xboot-script").encode()


def conversation() -> list[tuple[str, bytes]]:
    lines = [line.split(None, 1) for line in block("channel.md", "xboot-channel").splitlines()]
    return [(who, text.encode()) for who, text in lines]


def test_the_examples_transcript() -> None:
    """As the guest said it, with zeros; and as it is computed from what a report holds."""
    said = [line.replace(NONCE.encode(), NO_NONCE.encode(), 1) + b"\n" for who, line in conversation() if who == "guest"]
    digest = hashlib.sha256(b"".join(said)).hexdigest()
    script = parse_script(SCRIPT)
    reader = ChannelReader(script, NONCE)
    messages = [reader.feed(line) for who, line in conversation()[2:] if who == "guest"]
    made = [
        Made(m.step, m.name or m.path, m.sha256, m.size, tuple(m.references)) for m in messages if m.phase in (Phase.SOURCE, Phase.OUTPUT)
    ]
    assert transcript_sha256(script.sha256, made) == digest
    assert f"`{digest}`" in (DOCS / "channel.md").read_text()


def test_the_example_of_a_script_is_one() -> None:
    script = parse_script(SCRIPT)
    assert script.sha256 in (DOCS / "script.md").read_text()
    assert b"\xc3\xa4" in script.steps[0].argv[2] and b"\t" in script.steps[0].argv[2]


SOURCE_LINE, ARGV, OUTPUTS, RESULT = (re.search(pattern, SCRIPT)[0] for pattern in (  # type: ignore[index]
    rb" \(source [^\n]*\n", rb"\(argv [^\n]*\)(?=\n)", rb"\(outputs [^\n]*\)\)(?=\)\n)", rb"\(result [^\n]*\)\)(?=\n)",
))  # fmt: skip
WRONG = [
    ("another version", b"(xboot-script 1\n", b"(xboot-script 2\n"),
    ("a clause that is unknown", b'  (cwd "/build")\n', b'  (cwd "/build")\n  (umask "022")\n'),
    ("missing", b'  (cwd "/build")\n', b""),
    ("out of order", b'  (system "i686-linux")\n', b'  (cwd "/build")\n  (system "i686-linux")\n'),
    ("a step whose number is not one more", b"(step 1 ", b"(step 2 "),
    ("a raw control byte", b"\\x09", b"\t"),
    ("from 0x7f up", b"\\xc3\\xa4", b"\xc3\xa4"),
    ("an escape that is not in the grammar", b"\\x09", b"\\t"),
    ("an escape where the byte stands for itself", b"A tab", b"\\x41 tab"),
    ("64 lower-case hex digits", b"e133a925", b"E133A925"),
    ("64 lower-case hex digits", b"e133a925", b"133a925"),
    ("a leading zero", b"(step 1 ", b"(step 01 "),
    ("a sign", b"(step 1 ", b"(step +1 "),
    ("more than nine digits", b"(step 1 ", b"(step 1000000000 "),
    ("after the last parenthesis", b'-hello"))\n', b'-hello"))\n;'),
    ("a path that is no store path", b'(source "/nix/store/1mdff', b'(source "/nix/store/../mdff'),
    ("a path that is no store path", b'(source "/nix/store/1mdffrrxwk93q0salp83wsqq6g50cbnx-busybox-static"', b'(source "hello"'),
    (
        "a path that is no store path",
        b'(outputs ("out" "/nix/store/ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8-hello"',
        b'(outputs ("out" "/etc/passwd"',
    ),
    ("a path that is no store path", b'(step 1 "/nix/store/qm8v5da4pwp5mrfzkzl1fvcd38h26mly-hello.drv"', b'(step 1 ""'),
    ("no absolute path", b'(store "/nix/store")', b'(store "x")'),
    ("no absolute path", b'(store "/nix/store")', b'(store "/nix/../nix/store")'),
    ("no absolute path", b'(cwd "/build")', b'(cwd "build")'),
    ("no absolute path", b'("/etc/group"', b'("/../etc/group"'),
    ("no absolute path", b'(builder "/nix', b'(builder "nix'),
    ("there twice", SOURCE_LINE, SOURCE_LINE * 2),
    ("there twice", b'(env ("out"', b'(env ("out" "x") ("out"'),
    ("there twice", b'("/etc/group"', b'("/etc/group" "") ("/etc/group"'),
    ("there twice", b"(inputs", b'(inputs "/nix/store/1mdffrrxwk93q0salp83wsqq6g50cbnx-busybox-static"'),
    ("there twice", b"(outputs (", b'(outputs ("out" "/nix/store/ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8-dev") ('),
    ("out of order", b'(env ("out"', b'(env ("zout" "x") ("out"'),
    ("an empty `argv`", ARGV, b"(argv)"),
    ("an empty `argv`", OUTPUTS, b"(outputs))"),
    ("an empty `argv`", RESULT, b"(result))"),
    ("that nothing makes", b'(result "/nix/store/ymf5', b'(result "/nix/store/zmf5'),
    (
        "that nothing makes",
        b'(result "/nix/store/ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8-hello"',
        b'(result "/nix/store/1mdffrrxwk93q0salp83wsqq6g50cbnx-busybox-static"',
    ),
    ("neither a source nor an earlier", b'(inputs "/nix/store/1mdff', b'(inputs "/nix/store/2mdff'),
    ("neither a source nor an earlier", b"(inputs", b'(inputs "/nix/store/ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8-hello"'),
    ("neither a source nor an earlier", b"(references)", b'(references "/nix/store/2mdffrrxwk93q0salp83wsqq6g50cbnx-busybox-static")'),
    (
        "neither a source nor an earlier",
        b"(graphs)",
        b'(graphs ("/build/g" "/nix/store/1mdffrrxwk93q0salp83wsqq6g50cbnx-busybox-static/bin"))',
    ),
    ("a NUL byte", b'(argv "sh"', b'(argv "sh\\x00"'),
    ("a NUL byte", b'(env ("out"', b'(env ("a=b" "") ("out"'),
]


@pytest.mark.parametrize(("rule", "old", "new"), WRONG, ids=[f"{n}-{w[0]}" for n, w in enumerate(WRONG)])
def test_a_script_with_a_mistake_is_rejected(rule: str, old: bytes, new: bytes) -> None:
    page = (DOCS / "script.md").read_text()
    assert rule in page[page.index("## What a reader must reject") :], "the page names the rule"
    assert old in SCRIPT
    with pytest.raises(InputError):
        parse_script(SCRIPT.replace(old, new))


def test_the_example_of_a_channel_is_one() -> None:
    reader = ChannelReader(parse_script(SCRIPT), NONCE)
    (_, ready), (who, run), *lines = conversation()
    assert ready == READY
    assert (who, run + b"\n") == ("host", run_line(NONCE, 0, 0, ()))
    for who, line in lines:
        assert who == "guest"
        reader.feed(line)
    assert reader.finished
    assert ACK == b"(ack)\n"


def rejected() -> list[tuple[str, str, str]]:
    text = (DOCS / "channel.md").read_text()
    return re.findall(r"^\| `(\w+)` \| `(.*)` \| (.*) \|$", text[text.index("## What a reader must reject") :], re.MULTILINE)


@pytest.mark.parametrize(("after", "line", "why"), rejected())
def test_each_line_of_the_table_is_rejected(after: str, line: str, why: str) -> None:
    lines = [text for who, text in conversation()]
    script = parse_script(SCRIPT)
    output = next(text for text in lines if text.startswith(b"(output")).decode()
    digest = re.findall('"([0-9a-f]{64})"', output)[0]
    words = {
        "OTHER": f'"{"f" * 32}"', "SCRIPT": script.sha256, "ZEROS": "0" * 64, "SOURCE": script.sources[0].path,
        "HASH-IN-UPPER-CASE": digest.upper(), "HASH": digest, "N": f'"{NONCE}"',
    }  # fmt: skip
    hostile = re.sub(r"\b(OTHER|SCRIPT|ZEROS|SOURCE|HASH-IN-UPPER-CASE|HASH|N)\b", lambda found: words[found[0]], line)
    reader = ChannelReader(script, NONCE)
    for text in lines[2:] if after != "run" else []:
        reader.feed(text)
        if text.startswith(f"({after} ".encode()):
            break
    with pytest.raises(GuestError):
        reader.feed(hostile.encode())


def test_the_table_is_not_empty() -> None:
    assert len(rejected()) >= 20
