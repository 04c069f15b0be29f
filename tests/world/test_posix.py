"""A few of Debian's posixtestsuite on every kernel; `make test-world` runs the whole (docs/conformance.md has the counts)."""

from __future__ import annotations

import json
from pathlib import Path

import posixtests
import pytest
import worldtable

CASES = "interfaces.sigwaitinfo.*"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("posix")
    assert posixtests.compiled(work, CASES) == []
    return work


@pytest.mark.boot
@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.parametrize("backend", ["linux", "mirage", "tccboot", "hurd"])
def test_cases_of_the_suite_pass(cases: Path, backend: str) -> None:
    found = posixtests.results(backend, cases, 600)
    assert len(found) == 8
    assert [name for name, status in found.items() if status] == []


def test_what_passes_on_one_kernel_alone_is_named() -> None:
    first = {"a": 0, "b": 0, "c": 1, "d": 0}
    assert posixtests.differing(first, {"a": 0, "b": 2, "c": 0}) == ["b", "d"]
    assert posixtests.differing(first, {"a": 0, "b": 2, "c": 0}, ["d*"]) == ["b"]
    assert posixtests.counts({"a": 0, "b": 1, "c": 0, "d": 137}) == "2 pass, 1 fail, 1 ended by a signal, or its time was over"


def test_an_exception_holds_for_the_kernels_that_it_names() -> None:
    assert "interfaces.sigwait.7-1" in posixtests.allowed("mirage")
    assert "interfaces.sigwait.7-1" not in posixtests.allowed("linux")
    for voter in ("linux", "mirage", "tccboot", "hurd"):
        assert "*" not in posixtests.allowed(voter)


def test_the_page_has_the_counts_that_were_recorded() -> None:
    record = (posixtests.HERE / "counts.json").read_text()
    page = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text()
    assert worldtable.put(page, "posixtestsuite", posixtests.table(record)) == page
    first, *others = json.loads(record).values()
    assert {sum(ends.values()) for ends in others} <= {first["pass"]}  # every kernel was given all that passes on the first


def test_counts_are_of_the_first_kernels_passes() -> None:
    record = posixtests.counted({"one": {"a": 0, "b": 0, "c": 2}, "two": {"a": 0, "b": 1}})
    assert posixtests.table(record).splitlines()[2:] == ["| one | 2 | 0 | 1 | 0 | 0 | 0 |", "| two, of these 2 | 1 | 1 | 0 | 0 | 0 | 0 |"]
