"""A few of stress-ng's stressors on every kernel; `make test-world` runs the whole (docs/conformance.md has the counts)."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path

import pytest
import stressors
import worldtable

FEW = ["eventfd", "futex", "mmapfork", "sem-sysv", "sockpair", "switch"]


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("stress")
    assert stressors.SUITE.prepare(work) == f"{len(stressors.ops())} stressors"
    return work


@pytest.mark.boot
@pytest.mark.apt
@pytest.mark.parametrize("backend", ["linux", "mirage", "tccboot", "hurd"])
def test_stressors_pass(laid: Path, backend: str) -> None:
    assert stressors.SUITE.results(backend, laid, FEW, 300) == dict.fromkeys(FEW, 0)


def test_what_is_left_out_has_its_reason() -> None:
    """Names and reason stand apart by three spaces; nothing is both run and left out."""
    lines = [line for line in (stressors.HERE / "leftout.txt").read_text().splitlines() if line and not line.startswith("#")]
    parted = [line.split("   ", 1) for line in lines]
    assert all(len(of) == 2 and of[1].strip() for of in parted)
    left = [name for names, _ in parted for name in names.split()]
    assert len(left) == len(set(left))
    assert set(left) & set(stressors.ops()) == set()


def test_the_page_has_the_counts_that_were_recorded() -> None:
    record = stressors.SUITE.record.read_text()
    page = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text()
    assert worldtable.put(page, "stress-ng", stressors.SUITE.table(record)) == page
    first, *others = json.loads(record).values()
    assert sum(first.values()) == len(stressors.ops())
    assert {sum(ends.values()) for ends in others} <= {first["pass"]}


def test_an_exception_names_a_stressor() -> None:
    for voter in ("linux", "mirage", "tccboot", "hurd"):
        for pattern in stressors.SUITE.allowed(voter):
            assert fnmatch.filter(stressors.ops(), pattern)
            assert pattern != "*"
