"""The cut of a plan into boots, and the scripts of the parts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.errors import UsageError
from xboot.linearize import parse_script, script_text
from xboot.model import Script, Source, SourceKind, Step
from xboot.segments.cut import Limits, Segment, cut_plan, expected_size, segment_script, waits_for
from xboot.testing.boot import STORE, Plan, output_path

A, B, C = (f"{STORE}/{letter * 32}-{letter}" for letter in "abc")


def plan(edges: dict[int, list[int]], count: int) -> Script:
    """Step n sees source A and the outputs of the steps `edges[n]`."""
    sources = [Source(A, SourceKind.NAR, Path("/a"), "1" * 64, 100, [B]), Source(B, SourceKind.NAR, Path("/b"), "2" * 64, 1000)]
    sources.append(Source(C, SourceKind.SEED, Path("/c"), "3" * 64, 1))
    made = Plan(sources=sources)
    for number in range(1, count + 1):
        made.step(f"{A}/sh", name=f"s{number}", inputs=[A, *(output_path(f"s{n}") for n in edges.get(number, []))])
    return replace(made.script(), seeds=[C])


def built(script: Script, size: int = 10, references: dict[str, list[str]] | None = None) -> dict[str, Source]:
    paths = [output.path for step in script.steps for output in step.outputs]
    digest = {path: hashlib.sha256(path.encode()).hexdigest() for path in paths}
    return {path: Source(path, SourceKind.BUILT, Path("/n"), digest[path], size, (references or {}).get(path, [])) for path in paths}


def ranges(script: Script, how: str, limits: Limits | None = None) -> list[tuple[int, int]]:
    return [(segment.first, segment.last) for segment in cut_plan(script, how, limits)]


CHAIN = {n: [n - 1] for n in range(2, 30)}


def test_each_way_to_cut() -> None:
    chain = plan(CHAIN, 7)
    assert ranges(chain, "none") == [(1, 7)]
    assert ranges(chain, "steps") == [(n, n) for n in range(1, 8)]
    assert ranges(chain, "3") == [(1, 2), (3, 4), (5, 7)]
    assert ranges(chain, "9") == ranges(chain, "steps")
    assert ranges(Script(b"", "0" * 64, STORE, [], [], []), "steps") == []


@pytest.mark.parametrize("how", ["", "0", "-1", "all", "1e3", "\u0663", "9" * 10])
def test_what_is_no_cut(how: str) -> None:
    with pytest.raises(UsageError, match="expected none, auto, steps, or a number"):
        cut_plan(plan(CHAIN, 3), how)


@pytest.mark.parametrize("how", ["none", "steps", "auto", "1", "2", "5"])
def test_every_step_is_in_one_segment(how: str) -> None:
    script = plan({5: [1], 9: [5, 2]}, 12)
    assert [n for segment in cut_plan(script, how) for n in segment.steps] == list(range(1, 13))


def test_auto_keeps_to_the_limits_with_as_few_boots_as_can_be() -> None:
    chain = plan(CHAIN, 8)
    size = {output_path(f"s{n}"): 500 for n in range(1, 9)}
    found = cut_plan(chain, "auto", Limits(size=100 + 4 * 500, sizes=size))
    # three outputs of a segment's own, and the one that goes over
    assert [(s.first, s.last) for s in found] == [(1, 2), (3, 5), (6, 8)]
    for segment in found:
        sources, outputs = expected_size(chain, segment, Limits(sizes=size))
        assert sources - 1000 + outputs <= 2100
    assert ranges(chain, "auto", Limits(seconds=20, times=dict.fromkeys(range(1, 9), 10.0))) == [(1, 2), (3, 4), (5, 6), (7, 8)]
    assert ranges(chain, "auto", Limits(size=1)) == ranges(chain, "steps")  # nothing smaller can be cut


def test_auto_cuts_where_few_bytes_go_over() -> None:
    wide = plan({2: [1], 3: [2], 4: [3], 5: [4], 6: [5]}, 6)
    size = {output_path(f"s{n}"): 900 for n in range(1, 7)} | {output_path("s2"): 10}
    assert ranges(wide, "auto", Limits(seconds=40, times=dict.fromkeys(range(1, 7), 10.0), sizes=size)) == [(1, 2), (3, 6)]


def test_the_cut_is_the_same_for_the_same_plan() -> None:
    script = plan({n: [n // 2, n - 1] for n in range(2, 30)}, 29)
    limits = Limits(seconds=70)
    assert cut_plan(script, "auto", limits) == cut_plan(plan({n: [n // 2, n - 1] for n in range(2, 30)}, 29), "auto", limits)


def test_a_segment_is_a_script_that_the_strict_reader_takes() -> None:
    script = plan(CHAIN, 4)
    known = built(script, references={output_path("s2"): [output_path("s1"), output_path("s2"), A]})
    part = segment_script(script, Segment(3, 3, 3), known)
    read = parse_script(part.text)
    assert [step.number for step in read.steps] == [1]
    # what the plan has and the step sees, by the references that were found; C is nobody's input
    assert [s.path for s in read.sources] == sorted([A, B, output_path("s1"), output_path("s2")])
    kinds = {source.path: source.kind for source in part.sources}
    assert kinds[output_path("s1")] is SourceKind.BUILT and kinds[A] is SourceKind.NAR
    assert {s.path: s.nar_sha256 for s in read.sources}[output_path("s2")] == known[output_path("s2")].nar_sha256
    assert part.results == [output_path("s3")] and part.sha256 == hashlib.sha256(part.text).hexdigest() and not part.seeds


def step_text(script: Script, step: Step) -> bytes:
    return script_text(STORE, [], [replace(step, number=1)], [])


def test_steps_stand_as_in_the_plan_but_for_their_number() -> None:
    script = plan(CHAIN, 5)
    for segment in cut_plan(script, "2"):
        part = segment_script(script, segment, built(script))
        assert [step_text(script, step) for step in part.steps] == [step_text(script, script.steps[n - 1]) for n in segment.steps]


def test_another_hash_or_reference_of_an_input_is_another_script() -> None:
    script = plan(CHAIN, 2)
    known = built(script)
    one = segment_script(script, Segment(2, 2, 2), known).sha256
    other = {path: replace(source, nar_sha256="f" * 64) for path, source in known.items()}
    linked = {path: replace(source, references=[A]) for path, source in known.items()}
    assert len({one, *(segment_script(script, Segment(2, 2, 2), of).sha256 for of in (other, linked))}) == 3


def test_an_input_that_was_not_built_is_no_segment() -> None:
    with pytest.raises(KeyError):
        segment_script(plan(CHAIN, 2), Segment(2, 2, 2), {})


def test_what_waits_for_what() -> None:
    script = plan({3: [1], 4: [3], 5: [2]}, 6)
    steps = cut_plan(script, "steps")
    assert waits_for(script, steps) == [set(), set(), {1}, {1, 3}, {2}, set()]
    assert waits_for(script, cut_plan(script, "3")) == [set(), {1}, {1}]
