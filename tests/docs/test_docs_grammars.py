"""What the pages of script and channel say is what the readers do: their examples are accepted, their rejected lines are rejected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xboot.boot.channel import ACK, READY, ChannelReader, run_line
from xboot.errors import GuestError, InputError
from xboot.linearize import parse_script

DOCS = Path(__file__).resolve().parents[2] / "docs"
NONCE = "0123456789abcdef0123456789abcdef"


def block(page: str, kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


SCRIPT = block("script.md", "xboot-script").encode()


def conversation() -> list[tuple[str, bytes]]:
    lines = [line.split(None, 1) for line in block("channel.md", "xboot-channel").splitlines()]
    return [(who, text.encode()) for who, text in lines]


def test_the_example_of_a_script_is_one() -> None:
    script = parse_script(SCRIPT)
    assert script.sha256 in (DOCS / "script.md").read_text()
    assert b"\xc3\xa4" in script.steps[0].argv[2] and b"\t" in script.steps[0].argv[2]


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
