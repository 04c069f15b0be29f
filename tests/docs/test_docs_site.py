"""The site builds without a warning, shows without a network, and its reference is whole."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from xboot.hooks import CONTRACT_VERSION
from xboot.plugins import Plugins

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("xboot_docs_generate", REPOSITORY / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_hook_and_argument_is_documented(generate: ModuleType) -> None:
    said = generate.texts()["hooks"]
    assert {hook: list(arguments) for hook, arguments in said.items()} == generate.hook_arguments()
    assert all(text.strip() for arguments in said.values() for text in arguments.values())


def test_every_noun_and_field_is_documented(generate: ModuleType) -> None:
    said = generate.texts()["nouns"]
    assert {noun: list(fields) for noun, fields in said.items()} == generate.noun_fields()
    assert all(text.strip() for fields in said.values() for text in fields.values())


def test_every_hook_has_a_docstring_of_its_own(generate: ModuleType) -> None:
    from xboot import hooks

    assert len(generate.hook_arguments()) >= 9
    for hook in generate.hook_arguments():
        assert getattr(hooks, hook).__doc__, hook


def test_the_reference_is_generated(site: Path) -> None:
    hooks = (site / "reference" / "hooks.html").read_text()
    assert "xboot_read_closure" in hooks and f"contract version <strong>{CONTRACT_VERSION}</strong>" in hooks
    assert "done_alone" in (site / "reference" / "nouns.html").read_text()
    assert not list(site.rglob("generate.py")) and not list(site.rglob("reference.toml"))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "img", "iframe", "source") and "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "shortcut icon"):
            self.loaded.append(given["href"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])


def test_it_shows_without_a_network(site: Path) -> None:
    """Whatever a page loads is a file of the site; whatever it links to within the site is there."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        if page.name == "404.html":  # its links are from the server's root
            continue
        found = _Links()
        found.feed(page.read_text())
        assert "```" not in page.read_text(), f"{page.name}: a block of code that was not read as one"
        inside = [link for link in found.links if not re.match(r"[a-z]+:|#|$", link)]
        for name in (*found.loaded, *inside):
            assert not re.match(r"(https?:)?//", name), f"{page.name} loads {name}"
            target = page.parent / name.partition("#")[0].partition("?")[0]
            assert target.exists() or name == ".", f"{page.name} refers to {name}, which is not there"


def test_each_backend_has_a_page(site: Path) -> None:
    from importlib.metadata import entry_points

    backends = Plugins.load().backends
    for entry in entry_points(group="xboot"):
        if entry.dist is not None and entry.dist.name == "xboot" and entry.name in backends:
            assert (site / "backends" / f"{entry.name}.html").exists(), entry.name
