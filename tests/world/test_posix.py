"""A few of Debian's posixtestsuite on every kernel; `make test-world` runs the whole (docs/conformance.md has the counts)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import posixtests
import pytest
import suites
import worldtable

CASES = "interfaces.sigwaitinfo.*"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("posix")
    assert posixtests.compiled(work, CASES) == []
    return work / "cases"


@pytest.mark.boot
@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.parametrize("backend", ["linux", "mirage", "tccboot", "hurd"])
def test_cases_of_the_suite_pass(cases: Path, backend: str) -> None:
    found = posixtests.SUITE.results(backend, cases.parent, [path.name for path in cases.iterdir()], 600)
    assert len(found) == 8
    assert [name for name, status in found.items() if status] == []


def test_what_passes_on_one_kernel_alone_is_named() -> None:
    first = {"a": 0, "b": 0, "c": 1, "d": 0}
    assert suites.differing(first, {"a": 0, "b": 2, "c": 0}) == ["b", "d"]
    assert suites.differing(first, {"a": 0, "b": 2, "c": 0}, ["d*"]) == ["b"]
    assert posixtests.SUITE.counts({"a": 0, "b": 1, "c": 0, "d": 137}) == "2 pass, 1 fail, 1 ended by a signal, or its time was over"


def test_an_exception_holds_for_the_kernels_that_it_names() -> None:
    assert "interfaces.sigwait.7-1" in posixtests.SUITE.allowed("mirage")
    assert "interfaces.sigwait.7-1" not in posixtests.SUITE.allowed("linux")
    for voter in ("linux", "mirage", "tccboot", "hurd"):
        assert "*" not in posixtests.SUITE.allowed(voter)


def test_the_page_has_the_counts_that_were_recorded() -> None:
    record = (posixtests.HERE / "counts.json").read_text()
    page = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text()
    assert worldtable.put(page, "posixtestsuite", posixtests.SUITE.table(record)) == page
    first, *others = json.loads(record).values()
    assert {sum(ends.values()) for ends in others} <= {first["pass"]}  # every kernel was given all that passes on the first


def test_counts_are_of_the_first_kernels_passes() -> None:
    record = posixtests.SUITE.counted({"one": {"a": 0, "b": 0, "c": 2}, "two": {"a": 0, "b": 1}})
    assert posixtests.SUITE.table(record).splitlines()[2:] == [
        "| one | 2 | 0 | 1 | 0 | 0 | 0 |",
        "| two, of these 2 | 1 | 1 | 0 | 0 | 0 | 0 |",
    ]


def test_cases_of_a_boot_that_ends_early_run_in_two(capsys: pytest.CaptureFixture[str]) -> None:
    names, boots = [f"case{n}" for n in range(5)], []

    def run(cases: Sequence[str]) -> Mapping[str, int]:
        boots.append(list(cases))
        if "case3" in cases:
            raise suites.UnfinishedError("the machine ended")
        return dict.fromkeys(cases, 0)

    ended = {name: status for of in posixtests.SUITE.by_boots(run, names) for name, status in of.items()}
    assert ended == {**dict.fromkeys(names, 0), "case3": 256}
    assert boots == [names, names[:2], names[2:], ["case2"], ["case3", "case4"], ["case3"], ["case4"]]
    assert posixtests.SUITE.ends(ended)["ended by a signal, or its time was over"] == 1
    assert "the machine ended" in capsys.readouterr().out


def test_what_cases_ended_with_is_kept_while_the_kernel_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "keep" / "linux.json"
    suites.Kept(file, "one").add({"a": 0})
    suites.Kept(file, "one").add({"b": 137})
    assert suites.Kept(file, "one").cases == {"a": 0, "b": 137}
    assert suites.Kept(file, "another").cases == {}


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = [], []

    class Made(suites.Suite):
        def results(self, voter: str, work: Path, names: Sequence[str], seconds: int) -> Mapping[str, int]:
            asked.append((voter, list(names)))
            if voter == "two" and len(asked) == 2:
                raise KeyboardInterrupt
            return {name: int(name == "c" or (voter, name, len(asked)) == ("two", "b", 3)) for name in names}

    def prepare(work: Path) -> str:
        made.append(work)
        return "made"

    (tmp_path / "exceptions.txt").write_text("")
    suite = Made("s", tmp_path, {0: "pass"}, 240, prepare, lambda work: ["a", "b", "c"], lambda work, folder, names: None)
    monkeypatch.setattr(suites, "digest", lambda voter: voter)

    def run() -> int:
        return suites.main(suite, "", ["--voters", "one,two", "--keep", str(tmp_path / "keep")])

    with pytest.raises(KeyboardInterrupt):
        run()
    assert run() == 0
    assert asked == [("one", ["a", "b", "c"]), ("two", ["a", "b"]), ("two", ["a", "b"]), ("two", ["b"])]  # b did not pass at once
    assert run() == 0
    assert len(asked) == 4
    assert len(made) == 1
