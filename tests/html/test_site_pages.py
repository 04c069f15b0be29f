"""The site of the example repository in Chromium: valid HTML, accessible, nothing loaded, read without a script, found by search."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from browser import Browser

from xboot.attest.policy import load_policy
from xboot.cli.consoles import err
from xboot.cli.site import make_site

pytestmark = pytest.mark.browser

EXAMPLE = Path(__file__).parents[2] / "examples" / "attestations"
AXE = "axe.run().then(r => r.violations.map(v => [v.id, v.help, v.nodes.map(n => n.html.slice(0, 200))]))"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "out"
    make_site(EXAMPLE, out, load_policy(EXAMPLE / "policy.toml"), err)
    return out


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's program, from the package that brings it."""
    spec = importlib.util.find_spec("axe_core_python")
    assert spec is not None and spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text()


def kinds(site: Path) -> dict[str, Path]:
    """One page of each kind; of targets, each state that there is."""
    found = {file.stem: file for file in sorted(site.glob("*.html"))}
    for file in sorted(site.glob("*/*.html")):
        text = file.read_text()
        state = next((s for s in ("agreed", "differs") if f'">{s}</span></p>' in text), "")
        found.setdefault(f"{file.parent.name} {state}".strip(), file)
    return found


def violations(browser: Browser, axe: str) -> list[object]:
    browser.send("Runtime.evaluate", expression=axe)
    answer = browser.send("Runtime.evaluate", expression=AXE, awaitPromise=True, returnByValue=True)
    found: list[object] = answer["result"]["value"]
    return found


def test_every_page_is_valid_html(site: Path) -> None:
    for file in sorted(site.rglob("*.html")):
        html5lib.HTMLParser(strict=True).parse(file.read_text())  # raises at the first error
    with pytest.raises(html5lib.html5parser.ParseError):
        html5lib.HTMLParser(strict=True).parse(file.read_text().replace("</main>", ""))


def test_every_kind_of_page_opened(browser: Browser, site: Path, axe: str, tmp_path: Path) -> None:
    pages = kinds(site)
    assert {"index", "everything", "history", "unshown", "target agreed", "target differs", "signer", "base"} <= set(pages)
    for name, page in pages.items():
        for width, dark in ((1100, False), (390, True)):
            browser.open(page, width=width, dark=dark)
            assert (browser.logged, browser.requests) == ([], [page.resolve().as_uri()]), name
            browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert browser.evaluate("innerWidth") == width
            assert browser.evaluate("document.documentElement.scrollWidth") <= width, name
            beyond = "e => !e.closest('.wide, pre, .skip') && e.getBoundingClientRect().right > innerWidth + 1"
            assert browser.evaluate(f"[...document.body.querySelectorAll('*')].filter({beyond}).map(e => e.outerHTML)") == [], name
            shown = browser.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
            assert (sum(shown) < 150) == dark
            assert violations(browser, axe) == [], (name, width)
            shot = browser.screenshot(tmp_path / "page.png")
            if keep := os.environ.get("XBOOT_SCREENSHOTS"):
                (Path(keep) / f"site-{name.replace(' ', '-')}-{width}.png").write_bytes(shot)


def test_the_checker_finds_what_is_wrong(browser: Browser, site: Path, axe: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text((site / "index.html").read_text().replace('<html lang="en">', "<html>").replace('<main id="content">', "<div>"))
    browser.open(broken)
    assert "html-has-lang" in [found[0] for found in violations(browser, axe)]  # type: ignore[index]


def test_tables_have_headers_and_all_can_be_reached_by_keyboard(browser: Browser, site: Path) -> None:
    for name, page in kinds(site).items():
        browser.open(page, width=390)
        rows = "[...document.querySelectorAll('tbody tr')].filter(r => !r.querySelector('th[scope=row]')).length"
        heads = "[...document.querySelectorAll('thead th')].filter(h => h.scope != 'col' || !h.textContent.trim()).length"
        assert (browser.evaluate(rows), browser.evaluate(heads)) == (0, 0), name
        scrolled = "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth && e.tabIndex != 0).length"
        assert browser.evaluate(scrolled) == 0, name
        browser.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        assert browser.evaluate("document.activeElement.textContent") == "To the content"


def test_search(browser: Browser, site: Path) -> None:
    page = site / "everything.html"
    browser.open(page)
    rows = "[...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).map(r => r.innerText)"
    every = browser.evaluate(rows)
    assert len(every) >= 3
    browser.evaluate("document.getElementById('wanted').focus()")
    browser.send("Input.insertText", text="HELLO agreed")
    found = browser.evaluate(rows)
    assert 0 < len(found) < len(every)
    assert all("hello" in row and "agreed" in row for row in found)
    assert browser.evaluate("document.getElementById('found').textContent") == f"{len(found)} of {len(every)}"


def test_all_is_read_without_scripts(browser: Browser, site: Path) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(site / "everything.html")
        assert browser.evaluate("document.getElementById('search').hidden") is True
        assert browser.evaluate("document.querySelectorAll('tbody tr:not([hidden])').length") >= 3
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_a_script_that_somebody_else_wrote_does_not_run(browser: Browser, site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    hole = "<script>window.pwned=1</script><img src=x onerror='window.pwned=2'>"
    broken.write_text((site / "everything.html").read_text().replace("</h1>", f"</h1>{hole}", 1))
    browser.open(broken)
    assert browser.evaluate("window.pwned") is None
    assert browser.evaluate("document.getElementById('search').hidden") is False
