"""A page that builds in a browser, in Chromium: it loads nothing, reads the channel strictly, and keeps what a guest says as text."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import SECONDS, Browser

from xboot.errors import InputError
from xboot.model import Boot, Protocol, Script
from xboot.show.html import Engine, web_page
from xboot.show.report import sri
from xboot.testing import good_run
from xboot.testing.boot import Plan

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
HASH = "sha256-ZP0ooGdeMFvZsCtJBonatXVcjqWiM7N05V46LXzF1xQ="

# What a page needs of v86: it plays the guest, and does what a test says.
FAKE = """
class V86 {
    constructor(options) {
        this.heard = "";
        this.listeners = {};
        const text = new TextDecoder().decode(options.cdrom.buffer);
        if (text !== "medium" || options.memory_size !== 64 << 20) throw new Error("options");
        this.v86 = {cpu: {io: {register_write: (port, who, act) => { if (port === 0xf4) this.exits = act; }}}};
    }
    add_listener(name, act) { this.listeners[name] = act; if (name === "emulator-ready") setTimeout(act, 0); }
    serial_send_bytes(port, bytes) { this.heard += new TextDecoder().decode(bytes); }
    stop() {}
    run() {
        const put = (port, byte) => this.listeners[`serial${port}-output-byte`](byte);
        const tell = (port, text) => new TextEncoder().encode(text).forEach(byte => put(port, byte));
        const say = text => tell(1, text + "\\n"), print = text => tell(0, text + "\\n"), exits = byte => this.exits(byte);
        let nonce = "";
        const greet = () => { say("(xboot 1)"); nonce = /^\\(run "([0-9a-f]{32})" 0 0\\)\\n$/.exec(this.heard)[1]; };
        ACTS
    }
}
"""
HOSTILE = "</pre><img src=x onerror='window.pwned=1'><script>window.pwned=2</script>\x1b[2J"
HOSTILE_JS = json.dumps(HOSTILE).replace("</", "<\\/")
GREET = "greet(); "
ENDS = " exits(0x31);"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def script() -> Script:
    plan = Plan()
    plan.step("/builder", name="one")
    plan.step("/builder", name="two", outputs=("out", "dev"))
    return plan.script()


def ended(browser: Browser) -> str:
    """Press the button, wait until the page says how the run ended, and give that."""
    browser.evaluate("document.getElementById('start').click()")
    deadline = time.monotonic() + 2 * SECONDS
    while browser.evaluate("document.getElementById('verdict').hidden"):
        assert time.monotonic() < deadline, browser.evaluate("document.body.innerText")
        time.sleep(0.05)
    return str(browser.evaluate("document.getElementById('verdict').className + ': ' + document.getElementById('verdict').textContent"))


def fake_page(tmp_path: Path, script: Script, acts: str, published: dict[str, str] | None = None) -> Path:
    """A page whose PC does this; `GOOD` in it is all lines of a good run but the last, `DONE` that one."""
    *said, done = [act.line.replace("SCRIPT", script.sha256) for act in good_run(script) if act.line]
    good = "".join(f"say({json.dumps(line)}.replace('NONCE', nonce));" for line in said)
    acts = acts.replace("GOOD", good).replace("DONE", f"say({json.dumps(done)}.replace('NONCE', nonce));")
    for name, text in (("v86.js", FAKE.replace("ACTS", acts)), ("medium", "medium"), ("other", "other")):
        (tmp_path / name).write_text(text)
    other = tmp_path / "other"
    boot = Boot(Protocol.MULTIBOOT, other, 64, bits=32, processor="i686")
    known = {path: hashlib.sha256(path.encode()).hexdigest() for path in script.results} if published is None else published
    page = tmp_path / "page.html"
    engine = Engine(tmp_path / "v86.js", other, other, other, other)
    page.write_text(web_page(script, "fake", boot, tmp_path / "medium", engine, known))
    return page


def test_a_good_run(browser: Browser, script: Script, tmp_path: Path) -> None:
    browser.open(fake_page(tmp_path, script, f"print({HOSTILE_JS});" + GREET + "GOOD DONE" + ENDS))
    verdict = ended(browser)
    assert verdict.startswith("verdict good: Built here"), verdict
    for number, path in enumerate(script.results):
        cell = browser.evaluate(f"document.getElementById('output-{number}').textContent")
        assert cell == sri(hashlib.sha256(path.encode()).hexdigest())
    assert browser.evaluate("[...document.querySelectorAll('[id^=step-state]')].map(e => e.textContent)") == ["done"] * 4
    assert HOSTILE.replace("\x1b", "") in browser.evaluate("document.getElementById('console').textContent")
    assert browser.evaluate("window.pwned") is None
    assert browser.logged == []


@pytest.mark.parametrize(
    ("acts", "said"),
    [
        ("say('nonsense');", "first line"),
        ("say('(xboot 2)');", "first line"),
        (GREET + "say(`(done \"${nonce}\")`);" + ENDS, "broke the rules"),
        (GREET + "nonce = '0'.repeat(32); GOOD DONE" + ENDS, "broke the rules"),
        (GREET + "GOOD" + ENDS, "ended with 31 before it was done"),
        (GREET + "GOOD DONE exits(0x21);", "ended with 21"),
        (GREET + "exits(0x11);" + "GOOD DONE" + ENDS, "ended with 11 before it was done"),
        (GREET + "GOOD DONE DONE" + ENDS, "broke the rules"),
        (GREET + "GOOD DONE setTimeout(() => { setTimeout(() => exits(0x31)); throw new Error('unreachable'); });", "unreachable"),
        ("throw new Error('unreachable');", "unreachable"),
        (GREET + "GOOD GOOD DONE" + ENDS, "broke the rules"),
        (GREET + "say('x'.repeat(2000000));", "no line of the result channel"),
        (GREET + "tell(1, '\\u0007');", "no line of the result channel"),
        (GREET + 'say(`(hello "${nonce}" "SHA") `.replace("SHA", "0".repeat(64)));', "broke the rules"),
        (GREET + "GOOD say(`(fail \"${nonce}\" 1 exit \"<img src=x onerror=window.pwned=3>\")`);", "in the PC"),
    ],
    ids=[
        "nonsense", "version", "too early", "nonce", "no done", "failure", "panic", "twice", "gives up", "at once", "again",
        "flood", "control", "script", "fail",
    ],
)  # fmt: skip
def test_a_run_that_is_none(browser: Browser, script: Script, tmp_path: Path, acts: str, said: str) -> None:
    browser.open(fake_page(tmp_path, script, acts))
    verdict = ended(browser)
    assert verdict.startswith("verdict bad: ") and said in verdict, verdict
    assert browser.evaluate("window.pwned") is None


def test_another_hash_than_the_published_one(browser: Browser, script: Script, tmp_path: Path) -> None:
    path = script.results[0]
    browser.open(fake_page(tmp_path, script, GREET + "GOOD DONE" + ENDS, {path: "0" * 64}))
    assert ended(browser) == f"verdict bad: Built, but {path} has another hash than the published one"
    assert browser.evaluate("document.getElementById('output-0').classList.contains('other')")


def test_nothing_was_published(browser: Browser, script: Script, tmp_path: Path) -> None:
    browser.open(fake_page(tmp_path, script, GREET + "GOOD DONE" + ENDS, {}))
    assert ended(browser).startswith("verdict unsure: Built;")


def test_an_emulator_that_a_page_cannot_hold(script: Script, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"v86\.js: cannot stand in a page"):
        fake_page(tmp_path, script, "print('</script>')")


@pytest.mark.boot
@pytest.mark.parametrize("backend", ["hurd", "tccboot"])
def test_hello_in_a_browser(browser: Browser, tmp_path: Path, backend: str) -> None:
    page = tmp_path / "hello.html"
    command = [sys.executable, "-m", "xboot", "web", str(page), "-b", backend, "--expect", HASH, str(HELLO)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert "1 of 1 results have a hash" in made.stdout
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.read_text()), "the page names another place"
    browser.open(page, width=390)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    assert ended(browser) == "verdict good: Built here, and the hash is the published one"
    assert browser.evaluate("document.getElementById('output-0').textContent") == HASH
    assert browser.logged == []
    assert [place for place in browser.requests if not place.startswith("blob:")] == [page.resolve().as_uri()]
    if keep := os.environ.get("XBOOT_SCREENSHOTS"):
        browser.screenshot(Path(keep) / f"web-{backend}.png")


def web(*arguments: object) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "xboot", "web", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.boot
def test_what_cannot_be_made_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    status, said = web(page, HELLO, "-b", "mirage")
    assert status and "backend mirage does not boot in a browser, by machine v86, which has a processor of 32 bits alone" in said
    known = tmp_path / "known.json"
    path = "/nix/store/ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8-hello"
    known.write_text(json.dumps({path: "sha256-" + "A" * 43 + "="}))
    status, said = web(page, HELLO, "--expect", HASH, "--expect-file", known)
    assert status and f"{path}: two hashes are known of it" in said
    for place, why in ((tmp_path, "is a folder"), (tmp_path / "none" / "page.html", "there is no folder")):
        status, said = web(place, HELLO)
        assert status and why in said
    assert list(tmp_path.iterdir()) == [known]
