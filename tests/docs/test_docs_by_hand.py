"""No figure stands by hand where a tool measures it: what images measure is in docs/tcb.md and README.md, by `make figures`,
and nowhere else; what a verb prints is on a page as that verb prints it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from transcripts import REPOSITORY, blocks, follow, stranger

sys.path.insert(0, str(REPOSITORY / "tools"))

import figures

_FIGURE = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])")


def measured() -> set[str]:
    """Every figure of at least four digits that the images measure."""
    return set(_FIGURE.findall(figures.PAGE.read_text().partition(figures.BEGIN)[2].partition(figures.END)[0]))


def by_hand(text: str, known: set[str]) -> list[str]:
    return sorted(known & set(_FIGURE.findall(text)))


def test_what_images_measure_is_written_in_two_places_by_a_tool_and_nowhere_by_hand() -> None:
    known = measured()
    assert len(known) > 10
    assert by_hand(f"it has {sorted(known)[0]} lines", known)
    pages = [file for folder in ("docs", "core", "plugins", "examples") for file in (REPOSITORY / folder).rglob("*.md")]
    found = {}
    for page in {*pages, *REPOSITORY.glob("*.md")} - {figures.README}:
        text = page.read_text()
        if page == figures.PAGE:
            text = text.partition(figures.BEGIN)[0] + text.partition(figures.END)[2]
        if lines := by_hand(text, known):
            found[str(page.relative_to(REPOSITORY))] = lines
    assert not found, "say it in words, and link to docs/tcb.md"


def test_figures_of_readme_are_those_of_the_page_that_a_tool_writes() -> None:
    text = figures.README.read_text()
    picture = [int(figure) for figure in re.findall(r"│ (\d+),000 lines", text)]
    lines = [int(figure.replace(",", "")) for figure in re.findall(r"(?m)^\| `\w+` \|[^|]*\| (\d[\d,]*)", text)]
    assert len(picture) == len(lines) == len(figures.BACKENDS)
    assert sorted(round(count, -3) // 1000 for count in lines) == sorted(picture)
    assert {f"{count:,}" for count in lines} <= measured()


@pytest.mark.apt
@pytest.mark.compiler
def test_what_the_verbs_print_is_on_the_page(tmp_path: Path) -> None:
    page = REPOSITORY / "docs" / "explain.md"
    assert sum(block.kind == "console" for block in blocks(page)) == 2
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    follow(page, tmp_path, stranger(PATH=f"{Path(sys.executable).parent}:{stranger()['PATH']}", XBOOT_STORE=str(tmp_path / "store")))
