"""The tutorial, as a stranger does it: its files are written, its commands run, and what they print is compared with the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from transcripts import REPOSITORY, blocks, follow, matches, stranger

PAGE = REPOSITORY / "docs" / "tutorial.md"


def test_matching_can_fail() -> None:
    assert matches(["a…c", "…", "d"], "a b c\nx\ny\nd")
    assert not matches(["a…c"], "b c")
    assert not matches(["a", "b"], "b\na")


def test_the_page_has_what_is_run() -> None:
    assert sum(block.kind == "console" for block in blocks(PAGE)) >= 9
    assert {"xboot-first/pyproject.toml", "xboot-first/xboot_first.py", "hello.toml", "xboot-first/test_first.py"} == {
        block.title for block in blocks(PAGE) if block.title
    }
    assert all(block.title or block.kind == "console" for block in blocks(PAGE))


@pytest.mark.slow
@pytest.mark.boot
def test_the_tutorial(tmp_path: Path) -> None:
    (tmp_path / "xboot").symlink_to(REPOSITORY)
    follow(PAGE, tmp_path, stranger())
