"""One of a thing is not two: numbers with their nouns, and no message that puts one before a plural."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from xboot.words import counted, of_all

CODE = Path(__file__).parents[2] / "core" / "xboot"
NOUNS = "steps|outputs|sources|derivations|voters|signers|backends|entries|parts|machines|workers|keys|kernels|files|seeds|lines"


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(0, "step", "0 steps"), (1, "step", "1 step"), (2, "step", "2 steps"), (1, "entry", "1 entry"), (2, "entry", "2 entries"),
     (1234, "byte", "1,234 bytes"), (1, "complete run", "1 complete run")],
)  # fmt: skip
def test_counted(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said


def test_the_noun_goes_by_how_many_there_are() -> None:
    assert of_all(1, 1, "step") == "1 of 1 step"
    assert of_all(1, 2, "step") == "1 of 2 steps"


def unguarded(text: str) -> list[str]:
    """F-strings in which a computed number stands right before a plural noun."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            for before, after in zip(node.values, node.values[1:], strict=False):
                plural = isinstance(after, ast.Constant) and re.match(rf" ({NOUNS})\b", after.value)
                if plural and isinstance(before, ast.FormattedValue) and not ast.unparse(before.value).isupper():  # not a constant
                    found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def test_no_message_puts_a_number_before_a_plural_by_hand() -> None:
    assert unguarded('f"{n} steps"') and not unguarded("f\"{counted(n, 'step')} of {name}\"")
    by_hand = {str(file.relative_to(CODE)): lines for file in CODE.rglob("*.py") if (lines := unguarded(file.read_text()))}
    assert not {name: lines for name, lines in by_hand.items() if not name.startswith("testing/")}
