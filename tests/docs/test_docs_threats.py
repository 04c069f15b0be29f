"""Each promise of docs/threat-model.md names the tests that hold it, and these exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
NAMED = re.compile(r"((?:tests|core)/[\w/]+\.py)::(test_\w+)")


def rows() -> list[tuple[str, str]]:
    """Promise and tests of each row of the tables."""
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 2 and cells[0] != "promise":
            found.append((cells[0], cells[1]))
    return found


def test_every_promise_is_held_by_tests_that_exist() -> None:
    promises = rows()
    assert len(promises) >= 25
    names: dict[str, set[str]] = {}
    for promise, held in promises:
        named = NAMED.findall(held)
        assert named, f"nothing holds: {promise}"
        assert ", ".join(f"{file}::{test}" for file, test in named) == held, f"what is this? {held}"
        for file, test in named:
            if file not in names:
                names[file] = {node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.FunctionDef)}
            assert test in names[file], f"{promise}: {file} has no {test}"


def test_each_attacker_has_a_section_with_what_is_not_promised() -> None:
    text = PAGE.read_text()
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    heads = [section.splitlines()[0].lower() for section in sections]
    for attacker in ("author of a derivation", "builder", "seed", "mirror", "signer", "worker", "plugin", "another process"):
        assert any(attacker in head for head in heads), attacker
    assert all("**Not promised**" in section for section in sections)
