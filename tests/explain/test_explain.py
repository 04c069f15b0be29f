"""`explain`, `why-depends`, `seeds` and `diff`: what they say of plans whose truth is known."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from xboot import nar
from xboot.errors import InputError, UsageError
from xboot.explain import Content, Graph, Kind, changes, seeds
from xboot.explain.seeds import content_of
from xboot.model import Script, Source, SourceKind
from xboot.testing.boot import STORE, Plan, output_path

A, B, C = (f"{STORE}/{letter * 32}-{letter}" for letter in "abc")
ELF = b"\x7fELF" + bytes(60)


def source(path: str, location: Path = Path("/none"), references: tuple[str, ...] = (), kind: SourceKind = SourceKind.NAR) -> Source:
    return Source(path, kind, location, "1" * 64, 100, references)


def plan(edges: dict[int, list[int]], count: int, sources: list[Source] | None = None, results: list[int] | None = None) -> Script:
    """Step n sees the source A and the outputs of the steps `edges[n]`."""
    made = Plan(sources=sources or [source(A, references=(B,)), source(B)])
    for number in range(1, count + 1):
        made.step(f"{A}/sh", name=f"s{number}", inputs=[A, *(output_path(f"s{n}") for n in edges.get(number, []))])
    return replace(made.script(), results=[output_path(f"s{n}") for n in results or [count]])


# ---------------------------------------------------------------- graph


def test_neighbours_near_and_far() -> None:
    graph = Graph(plan({2: [1], 3: [1], 4: [2, 3]}, 5))
    assert graph.needs(4) == (A, 2, 3)
    assert graph.behind(4) == {1, 2, 3, A, B}
    assert graph.upon(1) == {2, 3, 4}
    assert graph.upon(B) == {A, 1, 2, 3, 4, 5}
    assert graph.users(B) == [A]
    assert graph.roots() == [5]


def test_the_shortest_chain() -> None:
    graph = Graph(plan({2: [1], 3: [2], 4: [3, 1]}, 4))
    assert graph.chain(4, 1) == [4, 1]
    assert graph.chain(4, B) == [4, A, B]
    assert graph.chain(4, 4) == [4]
    assert graph.chain(1, 4) == []


def test_steps_upon_are_those_of_the_walk() -> None:
    rng = random.Random(1)
    for _ in range(20):
        edges = {n: sorted(rng.sample(range(1, n), min(n - 1, rng.randrange(3)))) for n in range(1, 30)}
        sources = [source(A, references=(B, C)), source(B, references=(C,)), source(C, references=(C,))]
        graph = Graph(plan(edges, 29, sources))
        for node in [A, B, C, *range(1, 30)]:
            assert graph.steps_upon(node) == sorted(one for one in graph.upon(node) if isinstance(one, int))


def test_what_people_call_a_node() -> None:
    graph = Graph(plan({2: [1]}, 2))
    step = graph.step(2)
    for what in ("2", step.drv, step.outputs[0].path, "s2"):
        assert graph.find(what) == 2
    assert graph.find(A) == A
    assert graph.find("a") == A


@pytest.mark.parametrize(
    ("what", "message"),
    [("0", "steps 1 to 2"), ("3", "steps 1 to 2"), ("9" * 5000, "steps 1 to 2"), ("x\x1b[2J", r"x\\x1b\[2J: neither"), ("", "neither")],
)
def test_what_is_not_in_the_plan(what: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Graph(plan({2: [1]}, 2)).find(what)


def test_a_name_that_two_have() -> None:
    twin = f"{STORE}/{'d' * 32}-a"
    graph = Graph(plan({}, 1, [source(A), source(twin)]))
    with pytest.raises(UsageError, match=f"2 in the plan are called so: {A}"):
        graph.find("a")


# ---------------------------------------------------------------- seeds


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"", Content.TEXT),
        (b"#!/bin/sh\necho \xc3\xa4\n", Content.TEXT),
        (b"MZ is how this text begins\n", Content.TEXT),
        (b"BC\xc0\xde", Content.TEXT),  # nothing tells these four bytes from Latin letters
        (b"BC\xc0\xde" + bytes(4), Content.PROGRAM),
        (ELF, Content.PROGRAM),
        (b"MZ\x90\0", Content.PROGRAM),
        (b"!<arch>\nfoo.o/  ", Content.PROGRAM),
        (b"!<arch>\ndebian-binary   ", Content.ARCHIVE),
        (b"\x1f\x8b\x08\0", Content.ARCHIVE),
        (bytes(257) + b"ustar\0" + bytes(249), Content.ARCHIVE),
        (b"plain\0", Content.DATA),
        (b"x" * 5000 + ELF, Content.DATA),  # hidden behind a text
    ],
)
def test_what_a_file_holds(data: bytes, content: Content) -> None:
    assert content_of([data]) is content
    assert content_of(data[i : i + 1] for i in range(len(data))) is content


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "sh").write_bytes(ELF)
    (folder / "bin" / "big").write_bytes(ELF * 3)
    (folder / "text").write_text("a text")
    (folder / "x.txt").write_bytes(b"BZh91AY")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def test_seeds_of_a_tree_and_of_its_nar_are_the_same(tree: Path, tmp_path: Path) -> None:
    packed = tmp_path / f"{'b' * 32}-b.nar"
    packed.write_bytes(b"".join(nar.dump(tree)))
    graph = Graph(plan({2: [1]}, 2, [source(A, tree, (B, C)), source(B, packed)]))
    first, second, third = seeds(graph)
    assert (first.path, second.path, third.path) == (A, B, C)
    assert first.holds == second.holds
    assert first.programs == second.programs == [("bin/big", 192), ("bin/sh", 64)]
    assert (first.count(Content.PROGRAM).size, first.count(Content.ARCHIVE).files, first.count(Content.TEXT).size) == (256, 1, 6)
    assert first.upon == second.upon == third.upon == [1, 2]
    assert third.source is None


def test_a_source_that_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(ELF)
    (seed,) = seeds(Graph(plan({}, 1, [source(A, tmp_path / "program")])))
    assert seed.programs == [("", 64)]


def test_a_source_that_went_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}/gone: cannot be read"):
        seeds(Graph(plan({}, 1, [source(A, tmp_path / "gone")])))


# ---------------------------------------------------------------- diff


def variant(script: Script, number: int, **fields: object) -> Script:
    """The same plan with other paths from step `number` on, whose fields are changed."""
    moved: dict[str, str] = {}
    steps = []
    for step in script.steps:
        inputs = [moved.get(path, path) for path in step.inputs]
        changed = replace(step, inputs=inputs, **fields) if step.number == number else replace(step, inputs=inputs)
        if step.number == number or inputs != list(step.inputs):
            flip = {
                path: f"{STORE}/{'z' * 31}{step.number}{path[len(STORE) + 33 :]}" for path in [step.drv, *(o.path for o in step.outputs)]
            }
            moved |= flip
            env = [(name, _replaced(value, moved)) for name, value in changed.env]
            changed = replace(changed, drv=flip[step.drv], env=env, outputs=[replace(o, path=flip[o.path]) for o in step.outputs])
        steps.append(changed)
    return replace(script, steps=steps, results=[moved.get(path, path) for path in script.results])


def _replaced(value: bytes, moved: dict[str, str]) -> bytes:
    for old, new in moved.items():
        value = value.replace(old.encode(), new.encode())
    return value


CHAIN = {2: [1], 3: [2], 4: [3]}


def test_the_same_plan_has_no_changes() -> None:
    graph = Graph(plan(CHAIN, 4))
    assert {change.kind for change in changes(graph, Graph(plan(CHAIN, 4)))} == {Kind.SAME}


def test_one_step_changed_and_others_follow() -> None:
    before = plan(CHAIN, 4)
    after = variant(before, 2, env=[*before.steps[1].env, (b"CFLAGS", b"-O2")])
    found = {change.name: change for change in changes(Graph(before), Graph(after)) if isinstance(change.after, int)}
    assert {name: change.kind for name, change in found.items()} == {
        "s1": Kind.SAME, "s2": Kind.CHANGED, "s3": Kind.FOLLOWS, "s4": Kind.FOLLOWS,
    }  # fmt: skip
    (difference,) = found["s2"].differences
    assert (difference.what, difference.before, difference.after, difference.new) == ("environment CFLAGS", None, b"-O2", [b"-O2"])


def test_a_source_that_changed_is_one_change() -> None:
    other = f"{STORE}/{'f' * 32}-a"
    before, after = plan(CHAIN, 4), plan(CHAIN, 4, [source(other), source(B)])
    steps = [
        replace(
            step, drv=f"{STORE}/{'g' * 32}-s{step.number}.drv", builder=f"{other}/sh".encode(),
            inputs=sorted(other if path == A else path for path in step.inputs),
        )
        for step in after.steps
    ]  # fmt: skip
    found = changes(Graph(before), Graph(replace(after, steps=steps)))
    assert [(change.name, change.kind) for change in found if change.kind not in (Kind.SAME, Kind.FOLLOWS)] == [("a", Kind.CHANGED)]
    assert sum(change.kind is Kind.FOLLOWS for change in found) == 4


def test_added_and_removed() -> None:
    found = changes(Graph(plan({2: [1]}, 2)), Graph(plan({2: [1], 3: [2]}, 3)))
    assert [(change.name, change.kind) for change in found if change.kind is not Kind.SAME] == [("s3", Kind.ADDED)]
    found = changes(Graph(plan({2: [1], 3: [2]}, 3)), Graph(plan({2: [1]}, 2)))
    assert [(change.name, change.kind) for change in found if change.kind is not Kind.SAME] == [("s3", Kind.REMOVED)]


# ---------------------------------------------------------------- the verbs


def xboot(*words: str, status: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "xboot", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


HELLO = "examples/hello/recipe.toml"


@pytest.mark.apt
def test_the_verbs_on_hello() -> None:
    headline = [line for line in xboot("seeds", HELLO).splitlines() if "must be believed" in line]
    value = json.loads(xboot("seeds", "--json", HELLO))
    size = sum(one["bytes"] for seed in value["seeds"] for one in seed["programs"])
    assert headline == [f"{size:,} bytes of programs in 1 file that must be believed as they are"]
    text = xboot("explain", HELLO)
    assert "step        1 of 1: hello\n" in text
    told = json.loads(xboot("explain", HELLO, "busybox-static", "--json"))
    assert told["stepsUpon"] == [1]
    assert xboot("why-depends", HELLO, "busybox-static").splitlines()[1].lstrip().startswith("needs /nix/store/")
    assert "0 changed" in xboot("diff", HELLO, HELLO)
    xboot("explain", HELLO, "nothing-of-it", status=2)
