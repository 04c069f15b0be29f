"""The HTML reports, opened in Chromium: nothing is loaded, nothing runs, nothing scrolls sideways, and what a guest printed stays text."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Browser
from rich.console import Console

from xboot.api import request
from xboot.cli.compare import run_comparison
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Component, Role, Script, Step, StepOutput
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.recipe import default_store_folder
from xboot.show.html import render, tcb_chart, tcb_page
from xboot.show.html.chart import COLOURS
from xboot.show.html.plan import MOST_STEPS, draw_plan
from xboot.show.html.render import visible
from xboot.tcb import LAYERS, Measured
from xboot.testing import FakeBackend, FakeMachine, Say, good_run
from xboot.voter import Voter

pytestmark = [pytest.mark.apt, pytest.mark.browser, pytest.mark.compiler, pytest.mark.boot]

CHAIN = Path(__file__).parents[2] / "examples" / "chain" / "recipe.toml"
READ = ReadOptions(stores=[default_store_folder()])

# What a builder could print to get out of the page, to run, to load, to hide, or to draw over the verdict.
HOSTILE = (
    "</pre></details><script>window.pwned=1</script><img src=x onerror='window.pwned=2'><svg onload=window.pwned=3>\n"
    "<style>*{display:none}</style><iframe src='https://example.org/'></iframe><meta http-equiv=refresh content='0;url=https://example.org/'>\n"
    "{{ 7*7 }} {% raw %} &lt;b&gt; \x1b[2J\x1b[31mred\x07 \u202egnorw\u202c \x00 ]]>--><!-- \r\nend " + "x" * 3000 + "\n"
)


def acts(change: Callable[[Script, list[Say]], list[Say]] | None = None) -> Callable[[Script], list[Say]]:
    def play(script: Script) -> list[Say]:
        said = good_run(script)
        said.insert(len(script.sources) + 2, Say(console=HOSTILE))
        return change(script, said) if change else said

    return play


def flip(script: Script, said: list[Say]) -> list[Say]:
    """One bit of one output of step 5, the chain's third compiler."""
    place = next(i for i, act in enumerate(said) if act.line.startswith('(output "NONCE" 5 '))
    found = re.search(r'"sha256" "([0-9a-f])', said[place].line)
    assert found
    line = said[place].line
    said[place] = Say(line[: found.start(1)] + f"{int(found[1], 16) ^ 1:x}" + line[found.end(1) :])
    return said


def crash(script: Script, said: list[Say]) -> list[Say]:
    place = next(i for i, act in enumerate(said) if act.line.startswith('(begin "NONCE" 7'))
    return [*said[: place + 1], Say('(fail "NONCE" 7 exit "<script>window.pwned=4</script>")'), Say(exit=0x21)]


def report(file: Path, *backends: FakeBackend) -> str:
    plugins = Plugins.load()
    for backend in backends:
        plugins.add(backend, f"test:{backend.info.name}")
    console = Console(file=io.StringIO(), width=200)
    plugins.add(FakeMachine(abilities=("exit-status",)), "test:machine")
    wished = request(str(CHAIN), [b.info.name for b in backends], stores=READ.stores, html=file, measure=True, machine="fake")
    run_comparison(wished, file.parent / "difference", console, plugins)
    assert f"report: {file}" in console.file.getvalue()  # type: ignore[attr-defined]
    return file.read_text()


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("html") / "agreed.html"
    report(file, FakeBackend("alpha", acts()), FakeBackend("beta", acts()))
    return file


@pytest.fixture(scope="module")
def differing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("html") / "differs.html"
    bad = (FakeBackend("flipped", acts(flip)), FakeBackend("crashing", acts(crash)), FakeBackend("big", acts(), systems=["x86_64-linux"]))
    report(file, FakeBackend("alpha", acts()), *bad)
    return file


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 320, 768, 1280])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["agreed", "differing"])
def test_opened_in_chromium(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path, name: str, width: int, dark: bool) -> None:
    page: Path = request.getfixturevalue(name)
    browser.open(page, width=width, dark=dark)
    assert browser.logged == []
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)") is None
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    beyond = "e => !e.closest('.wide, pre, svg') && e.getBoundingClientRect().right > innerWidth + 1"
    assert browser.evaluate(f"[...document.body.querySelectorAll('*')].filter({beyond}).map(e => e.outerHTML.slice(0, 200))") == []
    # The style sheet is in force (the policy's hash fits it), and follows the user's wish for dark.
    light = browser.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"
    )
    assert (light < 150) == dark
    shot = browser.screenshot(tmp_path / "page.png")
    assert shot.startswith(b"\x89PNG")
    assert len(shot) > 10_000
    if keep := os.environ.get("XBOOT_SCREENSHOTS"):
        (Path(keep) / f"{name}-{width}{'-dark' if dark else ''}.png").write_bytes(shot)


def test_the_policy_forbids_scripts(browser: Browser, agreed: Path, tmp_path: Path) -> None:
    """The last wall alone: a page into which somebody wrote a script still does not run it."""
    text = agreed.read_text()
    assert text.count("<script") == 0
    broken = tmp_path / "broken.html"
    hole = "<script>window.pwned=1</script><img src=x onerror='window.pwned=2'><b style='color:red' onclick=''>"
    broken.write_text(text.replace("</h1>", f"</h1>{hole}", 1))
    browser.open(broken)
    assert browser.evaluate("window.pwned") is None
    assert any("Content Security Policy" in entry for entry in browser.logged)


def test_hostile_consoles_stay_text(browser: Browser, differing: Path) -> None:
    browser.open(differing)
    assert browser.evaluate("window.pwned") is None
    assert browser.evaluate("document.scripts.length") == 0
    assert browser.evaluate("document.querySelectorAll('img, iframe, object, embed, link, form, input, a').length") == 0
    assert browser.evaluate("document.querySelectorAll('style').length") == 1
    shown = browser.evaluate("document.querySelector('pre').textContent")
    assert "</pre></details><script>window.pwned=1</script><img src=x onerror='window.pwned=2'>" in shown
    assert "{{ 7*7 }} {% raw %} &lt;b&gt; ␛[2J␛[31mred␇ \\u202egnorw\\u202c ␀" in shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", differing.read_text())


def test_what_the_page_says(browser: Browser, differing: Path, agreed: Path) -> None:
    browser.open(agreed)
    text = browser.evaluate("document.body.innerText")
    assert "the same to the bit on alpha, beta" in text
    steps = browser.evaluate("document.querySelectorAll('.plan .rows li').length")
    assert steps == browser.evaluate("document.querySelectorAll('.plan circle').length") == 9
    assert browser.evaluate("document.querySelectorAll('.plan .arcs path').length") >= steps - 1
    assert browser.evaluate("document.querySelectorAll('.plan .bar svg').length") == 2 * steps
    browser.open(differing)
    text = browser.evaluate("document.body.innerText")
    assert "The first diverging output is out of step 5" in text
    assert "<script>window.pwned=4</script>" in text  # the reason that the guest gave
    assert "not counted" in text
    assert "does not run i686-linux builders" in text
    assert text.index("step 5") < text.index("Outputs")


def test_where_the_difference_begins_is_coloured(browser: Browser, differing: Path, agreed: Path) -> None:
    """The graph's circles and the words beside them say the same, and one glance tells the step that differs by itself."""
    browser.open(agreed)
    assert browser.evaluate("document.querySelectorAll('.plan .arcs circle.s-good').length") == 9
    for dark in (False, True):
        browser.open(differing, dark=dark)
        words = browser.evaluate("[...document.querySelectorAll('.plan .rows .state')].map(e => e.textContent)")
        assert words == ["agrees"] * 4 + ["differs by itself", "not comparable"] + ["agrees"] * 3
        circles = "[...document.querySelectorAll('.plan .arcs circle')].map(e => getComputedStyle(e).fill)"
        tags = "[...document.querySelectorAll('.plan .rows .state')].map(e => getComputedStyle(e).color)"
        assert browser.evaluate(circles) == browser.evaluate(tags)
        assert len(set(browser.evaluate(circles))) == len(set(words))
    assert "1 differs by itself" in browser.evaluate("document.querySelector('header').innerText")


def test_text_that_moves_or_hides_is_made_visible() -> None:
    assert visible("a\tb\r\nc\x1b\x7f\u202e\u2066\ufeff\x85é") == "a\tb\nc␛\\u007f\\u202e\\u2066\\ufeff\\u0085é"


def test_a_large_plan_is_cut_and_says_so() -> None:
    def step(n: int) -> Step:
        path = f"/nix/store/{n:032d}-out"
        needs = [f"/nix/store/{m:032d}-out" for m in (1, n - 1) if 0 < m < n]
        return Step(n, f"{path}.drv", "i686-linux", b"", [], [], "/", [], [], needs, [StepOutput("out", path)])

    steps = [step(n) for n in range(1, MOST_STEPS + 51)]
    plan = draw_plan(Script(b"", "0" * 64, "/nix/store", [], steps, []), {"a": {1: 2.0, 2: 4.0}, "b": {}})
    assert (len(plan.rows), plan.hidden) == (MOST_STEPS, 50)
    assert [bar.share for row in plan.rows for bar in row.bars] == [500, 1000]
    assert plan.rows[2].needs == 2
    numbers = [int(n) for arc in plan.arcs for n in re.findall(r"\d+", arc)]
    assert max(numbers) <= plan.height
    assert all(0 <= int(re.findall(r"\d+", arc)[2]) < plan.width for arc in plan.arcs)


def _measured(name: str) -> Measured:
    kernel = Component(
        "kernel<script>", Role.KERNEL, 900, "1" * 64, "from \x1b[1m\"&'<b>", "1.0", {"C": 10}, 10, "manifest", syscalls=["read"]
    )
    return Measured(
        name, "2" * 64, [kernel, Component("seed", Role.SEED, 100, "3" * 64, prebuilt=True)], [Component("q", Role.SUBSTRATE, 5, "")]
    )


def test_trusted_bases_alone(browser: Browser, tmp_path: Path) -> None:
    measures = [_measured("one"), _measured("two")]
    page = tmp_path / "tcb.html"
    page.write_text(tcb_page(measures))
    browser.open(page, width=390)
    assert browser.logged == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    assert browser.evaluate("document.scripts.length") == 0
    assert browser.evaluate("document.querySelectorAll('.stack').length") == 8
    assert "kernel<script>" in browser.evaluate("document.body.textContent")


def test_the_chart_is_a_picture(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "tcb.svg"
    page.write_text(tcb_chart([_measured("o<n>e&"), _measured("two")]))
    browser.open(page)
    assert browser.logged == []
    assert browser.evaluate("document.documentElement.localName") == "svg"
    assert "o<n>e&" in browser.evaluate("[...document.querySelectorAll('text')].map(t => t.textContent)")
    assert browser.evaluate("document.querySelectorAll('rect').length") > 8
    # The same colours as on the pages, so that text and pictures can be read together; every layer has one.
    style = (Path(render.__file__).parent / "templates" / "style.css").read_text()
    assert {f"l-{role.value}" for role in LAYERS} == set(COLOURS)
    assert all(f"--{css.removeprefix('l-')}:{colour}" in style for css, colour in COLOURS.items())
    ends = browser.evaluate("[...document.querySelectorAll('text')].map(t => t.getBBox().x + t.getBBox().width)")
    assert max(ends) <= browser.evaluate("document.documentElement.viewBox.baseVal.width")


def test_the_real_bases_are_measured_with_the_chain() -> None:
    """Every seed of the closure is in the inventory, with its size and hash."""
    pipeline = Pipeline(Plugins.load())
    script = pipeline.linearize(pipeline.read([str(CHAIN)], READ), LinearizeOptions())

    measured = pipeline.measure(Request(voters=[Voter("tccboot")]), script)
    seeds = {c.origin.split(" ")[0]: c for c in measured.components if c.role is Role.SEED}
    assert set(seeds) == {source.path for source in script.sources}
    assert all(seeds[s.path].sha256 == s.nar_sha256 and seeds[s.path].bytes >= s.nar_size // 2 for s in script.sources)
