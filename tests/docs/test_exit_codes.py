"""docs/exit-codes.md names every error with its status, and every status with what to do."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from xboot import errors

PAGE = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text()


def test_every_error_is_there_with_its_status() -> None:
    raised = {name: kind.exit_code for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.XbootError)}
    assert len(raised) >= 7
    assert {name: int(status) for name, status in re.findall(r"^\| `(\w+Error)` \| (\d+) \|", PAGE, re.MULTILINE)} == raised


def test_every_status_says_what_to_do() -> None:
    rows = [line.replace("\\|", "").strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) == 10
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)


def test_every_status_of_an_error_is_there() -> None:
    there = {int(status) for status in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert {kind.exit_code for kind in (errors.XbootError, *errors.XbootError.__subclasses__())} <= there
