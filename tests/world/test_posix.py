"""A few of Debian's posixtestsuite on every kernel; `make test-world` runs the whole (docs/conformance.md has the counts)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

CASES = "interfaces.sigwaitinfo.*"


def _posixtests() -> ModuleType:
    spec = importlib.util.spec_from_file_location("posixtests", Path(__file__).parent / "posixtests.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


POSIX = _posixtests()


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("posix")
    assert POSIX.compiled(work, CASES) == []
    return work


@pytest.mark.boot
@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.parametrize("backend", ["linux", "mirage", "tccboot", "hurd"])
def test_cases_of_the_suite_pass(cases: Path, backend: str) -> None:
    found = POSIX.results(backend, cases, 600)
    assert len(found) == 8
    assert [name for name, status in found.items() if status] == []


def test_what_passes_on_one_kernel_alone_is_named() -> None:
    first = {"a": 0, "b": 0, "c": 1, "d": 0}
    assert POSIX.differing(first, {"a": 0, "b": 2, "c": 0}) == ["b", "d"]
    assert POSIX.counts({"a": 0, "b": 1, "c": 0, "d": 137}) == "2 pass, 1 fail, 1 ended by a signal, or its time was over"
