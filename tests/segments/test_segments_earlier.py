"""What earlier results say of a plan that is to be cut, and that what was begun goes on as it was cut."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from segments_bench import Bench, out

from xboot.result import Result
from xboot.segments.cut import ASSUMED_SIZE, cut_plan
from xboot.segments.earlier import limits_by_results, stored_cut
from xboot.segments.store import ResultsStore

CHAIN = {n: [n - 1] for n in range(2, 9)}
OTHER = "b" * 64


def put(store: ResultsStore, number: int, seconds: float, size: int, base: str = OTHER) -> Path:
    """A result of step `number`, as some boot left it."""
    script = f"{number:064x}"
    store.put_verdict(base, script, {"outputs": [[0, "out", out(number), "a" * 64, size, []]], "times": [seconds]})
    return store.root / "verdicts" / base / f"{script}.json"


def cuts(result: Result) -> list[tuple[int, int]]:
    assert result.segments is not None and result.verdict.ok
    return list(result.segments.cuts)


def test_sizes_and_times_are_those_that_were_found(bench: Bench) -> None:
    script = bench.plan(CHAIN, 3)
    with ResultsStore() as store:
        assert limits_by_results(store, script, None).sizes == {}
        files = [put(store, 1, 20.0, 500), put(store, 1, 30.0, 400, "c" * 64), put(store, 2, 7.0, 60), put(store, 8, 9.0, 70)]
        wrong = put(store, 3, 1.0, 1)
        wrong.write_text(wrong.read_text().replace("1.0", "9e9"))
        for file in (*files, wrong):
            os.utime(file, (5, 5))
        store.put_verdict(OTHER, "d" * 64, {"outputs": [[0, out(3)]], "times": []})
        store.put_verdict(OTHER, "e" * 64, {"outputs": [[0, "out", out(3), "a" * 64, 8, []]], "times": [float("inf")]})
        limits = limits_by_results(store, script, None)
        # the largest and longest, of whatever base; of this plan alone; nothing that somebody changed, or that is of another form
        assert limits.sizes == {out(1): 500, out(2): 60}
        assert limits.times == {1: 30.0, 2: 7.0}
        assert all(file.stat().st_mtime == 5 for file in (*files, wrong))
        assert limits_by_results(store, script, None) == limits
    assert limits_by_results(None, script, None).times == {}


def test_auto_is_cut_by_what_earlier_runs_found(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    with ResultsStore() as store:
        for number in range(1, 5):
            put(store, number, 1000.0 if number > 1 else 700.0, ASSUMED_SIZE)
        assert [(one.first, one.last) for one in stored_cut(store, script, "auto", None, keep=False)] == [(1, 2), (3, 3), (4, 4)]
        assert stored_cut(store, script, "2", None) == cut_plan(script, "2")
    assert cuts(bench.run(script, "auto")) == [(1, 2), (3, 3), (4, 4)]


def test_a_run_goes_on_as_it_was_cut_whatever_was_found_since(bench: Bench) -> None:
    script = bench.plan(CHAIN, 4)
    bench.guest.fails = {out(4)}
    with ResultsStore() as store:
        put(store, 4, 1795.0, 10)
    failed = bench.run(script, "auto")
    assert failed.segments is not None and list(failed.segments.cuts) == [(1, 3), (4, 4)] and bench.booted == ["s1", "s2", "s3", "s4"]
    with ResultsStore() as store:
        for number in range(1, 5):
            put(store, number, 1000.0, 10, "c" * 64)
        asked = [segment.last for segment in stored_cut(store, script, "auto", None, keep=False)]
        assert asked == [3, 4]
        assert len(stored_cut(store, script, "auto", 64, keep=False)) == 4  # other limits, another cut
    bench.guest.fails = set()
    assert cuts(bench.run(script, "auto")) == [(1, 3), (4, 4)] and bench.booted == ["s4"]
    assert cuts(bench.run(script, "auto", fresh=True)) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert cuts(bench.run(script, "auto")) == [(1, 1), (2, 2), (3, 3), (4, 4)] and not bench.booted


def test_a_cut_that_somebody_else_wrote_is_none(bench: Bench, results: Path) -> None:
    script = bench.plan(CHAIN, 4)
    with ResultsStore() as store:
        for number in range(1, 5):
            put(store, number, 1000.0, 10)
        right = stored_cut(store, script, "auto", None)
        (file,) = results.glob("cuts/*.json")
        for ends in ([4], [4, 2], [1, 1, 4], [1, 2], []):
            value = json.loads(file.read_text())
            value["body"]["ends"] = ends
            file.write_text(json.dumps(value))
            assert stored_cut(store, script, "auto", None, keep=False) == right
            store.put_cut(file.stem, ends)  # with the right code, by an xboot that is wrong
            if ends != [4]:
                assert stored_cut(store, script, "auto", None, keep=False) == right


def test_the_plan_shows_what_is_known(tmp_path: Path, results: Path) -> None:
    (tmp_path / "sh").write_text("x")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[recipe]\nsystem = "i686-linux"\n[source.sh]\ntype = "file"\npath = "sh"\n'
        '[derivation.a]\nbuilder = "{sh}"\n[derivation.b]\nbuilder = "{sh}"\nargs = ["{a}"]\n'
    )
    environment = os.environ | {"XBOOT_CACHE": str(tmp_path / "cache"), "XBOOT_STORE": str(tmp_path / "store")}

    def shown(*words: str) -> list[dict[str, str]]:
        command = [sys.executable, "-m", "xboot", "plan", *words, f"{recipe}:b"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        head, *rows = (line.split("\t") for line in done.stdout.splitlines())
        return [dict(zip(head, row, strict=True)) for row in rows]

    nothing = shown("--segments", "steps")
    assert [row["found by earlier runs"] for row in nothing] == ["0 of 1 sizes, 0 of 1 times", "0 of 2 sizes, 0 of 1 times"]
    assert not results.exists()  # who looks writes nothing
    table = subprocess.run(
        [sys.executable, "-m", "xboot", "plan", f"{recipe}:b"], capture_output=True, text=True, check=True, env=environment
    ).stdout
    (path,) = {word.strip('"()') for word in table.split() if word.strip('"()').startswith("/") and word.strip('"()').endswith("-a")}
    with ResultsStore() as store:
        store.put_verdict(OTHER, OTHER, {"outputs": [[0, "out", path, "a" * 64, 12345, []]], "times": [1799.0]})
    assert [row["steps"] for row in shown("--segments", "auto")] == ["1", "2"]
    first, second = shown("--segments", "steps")
    assert (first["found by earlier runs"], first["seconds"], first["bytes of outputs"]) == ("1 of 1 sizes, 1 of 1 times", "1799", "12345")
    assert (second["found by earlier runs"], second["seconds"]) == ("1 of 2 sizes, 0 of 1 times", "10")
    assert not list(results.glob("cuts/*"))
