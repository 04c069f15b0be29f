"""The manual pages say what the command line says: every verb, option, argument and status."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from xboot.cli.app import app
from xboot.cli.values import command

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import man

PAGES = man.pages()


def leaves(group: Any, before: str = "xboot") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, inner in group.commands.items():
        found |= leaves(inner, f"{before}-{name}") if hasattr(inner, "commands") else {f"{before}-{name}": inner}
    return found


VERBS = leaves(command(app))


def test_every_verb_has_a_page_and_is_on_the_first() -> None:
    assert len(VERBS) > 20
    assert {f"{verb}.1" for verb in VERBS} | {"xboot.1"} == set(PAGES)
    assert {name.replace("\\-", "-") for name in re.findall(r"^\.BR (\S+) \(1\)$", PAGES["xboot.1"], re.MULTILINE)} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_there_with_the_name_of_its_value(verb: str) -> None:
    page = PAGES[f"{verb}.1"].replace("\\-", "-")
    for parameter in VERBS[verb].params:
        if parameter.param_type_name == "option":
            assert f".B {', '.join([*parameter.opts, *parameter.secondary_opts])}" in page
            assert parameter.metavar or parameter.is_flag, parameter.name
        else:
            assert f".I {parameter.metavar}" in page or f".I [{parameter.metavar}" in page, parameter.name
        assert "<" not in (parameter.metavar or "")
        assert parameter.help, f"{verb}: {parameter.name} has no help"


def test_statuses_are_those_of_the_page() -> None:
    assert [status for status, _ in man.statuses()] == ["0", "1", "2", "3", "4", "5", "6", "70", "130", "141"]
    assert all(f".B {status}\n" in page for page in PAGES.values() for status, _ in man.statuses())


def test_every_variable_that_is_read_is_there() -> None:
    code = "".join(file.read_text() for file in (Path(man.ROOT) / "core" / "xboot").rglob("*.py"))
    read = set(re.findall(r"environ(?:\.get\(|\[)\"(XBOOT_[A-Z_]+)\"", code))
    assert len(read) >= 4
    assert read <= set(man.ENVIRONMENT)


def test_roff_obeys_nothing_of_a_text() -> None:
    assert man._roff(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert man._roff("a\\b-c") == "a\\eb\\-c"
