"""Comparisons of several boots: where the difference begins, where all stop, and with whose outputs they go on."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from segments_bench import Bench, Counting, Guest, out

from xboot.attest.reports import check_reports
from xboot.compare import Agreement, Comparison, compare, export_difference
from xboot.errors import InputError, UsageError
from xboot.model import Script
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.segments.divergence import inputs_to_go_on_with
from xboot.show.comparison import comparison_report, show_comparison
from xboot.testing import FakeMachine
from xboot.voter import Voter

# s1 → s2 → s3 → s5; s4 of s1 alone
PLAN = {2: [1], 3: [2], 4: [1], 5: [3]}
ODD = {out(2): b"odd"}


class Field:
    """Voters, each with a guest of its own."""

    def __init__(self, **guests: Guest) -> None:
        self.backends = {name: Counting(guest, name) for name, guest in guests.items()}
        self.plugins = Plugins()
        for name, backend in self.backends.items():
            self.plugins.add(backend, f"test:{name}")
        self.plugins.add(FakeMachine("qemu"), "test:machine")

    def compare(self, script: Script, **wishes: Any) -> Comparison:
        """Sealed unless told otherwise."""
        return compare(script, self.request(**wishes), self.plugins)

    def request(self, **wishes: Any) -> Request:
        voters = [Voter(name) for name in self.backends]
        return Request(voters=voters, **{"segments": "steps", "export_size": 1 << 20, "jobs": 2, **wishes})

    def booted(self) -> dict[str, list[str]]:
        return {name: backend.booted for name, backend in self.backends.items()}


def states(comparison: Comparison) -> list[str]:
    return [step.state.value for step in comparison.steps]


def said(comparison: Comparison) -> str:
    console = Console(file=io.StringIO(), width=300)
    show_comparison(console, comparison)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def checked(tmp_path: Path, script: Script, value: Mapping[str, Any]) -> list[Any]:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(value))
    return check_reports(file, script)


def told(comparison: Comparison) -> dict[str, Any]:
    return json.loads(json.dumps(comparison_report(comparison)))  # type: ignore[no-any-return]


def test_who_agrees_everywhere(bench: Bench, tmp_path: Path) -> None:
    script = bench.plan(PLAN, 5)
    comparison = Field(a=Guest(), b=Guest(), c=Guest()).compare(script)
    assert comparison.agreement is Agreement.AGREED and comparison.seal == "steps"
    assert states(comparison) == ["agrees"] * 5
    assert len(checked(tmp_path, script, told(comparison))) == 3
    assert "step 1" not in said(comparison)  # nothing to look for
    assert "\nsealed: each step had a boot of its own" in said(comparison)


def test_what_was_not_booted_now_is_said(bench: Bench) -> None:
    script = bench.plan(PLAN, 5)
    Field(a=Guest()).compare(script, quorum=1)
    text = said(Field(a=Guest(), b=Guest()).compare(script))
    (a,) = re.findall("^ +a: .*", text, re.MULTILINE)
    (b,) = re.findall("^ +b: .*", text, re.MULTILINE)
    assert re.search(r"; steps 1-5 were taken from earlier runs, the oldest of \d{4}-", a)
    assert "taken" not in b


def test_in_one_boot_it_is_said_that_nothing_is_sealed(bench: Bench) -> None:
    assert "\nnot sealed: " in said(Field(a=Guest(), b=Guest()).compare(bench.plan(PLAN, 5), segments="none"))


def test_all_stop_after_the_step_where_two_differ(bench: Bench, tmp_path: Path) -> None:
    script = bench.plan(PLAN, 5)
    field = Field(a=Guest(), b=Guest(ODD), c=Guest())
    comparison = field.compare(script, jobs=3)
    assert comparison.agreement is Agreement.DIFFERS
    assert comparison.first_divergence is not None and comparison.first_divergence.step == 2
    assert states(comparison)[:2] == ["agrees", "differs"]
    assert all(ran[:2] == ["s1", "s2"] for ran in field.booted().values())  # everybody gets as far as that
    assert comparison.stopped and not comparison.interrupted  # whoever of two that differ was the later one, if nobody else
    text = said(comparison)
    assert "step 2  differs by itself  s2: a " in text
    assert re.search("stopped [abc]: before step [345]: the voters differ at step 2", text)
    checked(tmp_path, script, told(comparison))


def test_one_after_the_other_stops_where_the_second_differs(bench: Bench) -> None:
    """Who is furthest behind comes first: with one place nobody is a step ahead of the others."""
    field = Field(a=Guest(), b=Guest(ODD), c=Guest())
    comparison = field.compare(bench.plan(PLAN, 5), jobs=1)
    assert field.booted() == {"a": ["s1", "s2"], "b": ["s1", "s2"], "c": ["s1", "s2"]}
    assert states(comparison) == ["agrees", "differs", "not run", "not run", "not run"]
    assert "steps 3 to 5  not run" in said(comparison)


def test_going_on_without_a_quorum_each_with_its_own(bench: Bench, tmp_path: Path) -> None:
    script = bench.plan(PLAN, 5)
    field = Field(a=Guest(), b=Guest(ODD))
    comparison = field.compare(script, keep_going=True)
    assert states(comparison) == ["agrees", "differs", "not comparable", "agrees", "not comparable"]
    assert all(len(ran) == 5 for ran in field.booted().values())
    assert comparison.complete == ["a", "b"] and not any(step.given for step in comparison.steps)
    text = said(comparison)
    assert "step 4  agrees  s4" in text and "step 3  not comparable  s3: a; b had other inputs" in text
    checked(tmp_path, script, told(comparison))


def test_going_on_with_what_the_quorum_made(bench: Bench, tmp_path: Path) -> None:
    """Step 2 of b is odd, and so is step 5 of c, which nothing before hides: b made step 3 of what a and c have."""
    script = bench.plan(PLAN, 5)
    field = Field(a=Guest(), b=Guest(ODD), c=Guest({out(5): b"odd too"}))
    comparison = field.compare(script, keep_going=True, quorum=2)
    assert states(comparison) == ["agrees", "differs", "agrees", "agrees", "differs"]
    (third,) = [step for step in comparison.steps if step.step == 3]
    assert third.given == {"b": [out(2)]} and third.groups == [["a", "b", "c"]]
    assert "step 3  agrees  s3; b with others' 1" in said(comparison)
    value = told(comparison)
    assert len(checked(tmp_path, script, value)) == 3
    # taken out of its comparison, the run of b does not close: it says that step 3 had what its own step 2 did not make
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps(value["runs"]["b"]))
    with pytest.raises(InputError, match=r"segment 3: the source .* is not what the segment that built it says it is"):
        check_reports(alone, script)


def test_going_on_with_what_one_voter_made(bench: Bench, tmp_path: Path) -> None:
    script = bench.plan(PLAN, 5)
    comparison = Field(a=Guest(), b=Guest(ODD), c=Guest()).compare(script, keep_going=True, inputs_of="b")
    assert states(comparison) == ["agrees", "differs", "agrees", "agrees", "agrees"]
    (third,) = [step for step in comparison.steps if step.step == 3]
    assert third.given == {"a": [out(2)], "c": [out(2)]}
    checked(tmp_path, script, told(comparison))


def test_a_voter_that_fails_is_waited_for_no_longer(bench: Bench, tmp_path: Path) -> None:
    script = bench.plan(PLAN, 5)
    field = Field(a=Guest(), b=Guest(ODD), c=Guest(fails={out(2)}))
    comparison = field.compare(script, keep_going=True, inputs_of="c", jobs=1)
    assert states(comparison) == ["agrees", "differs", "not comparable", "agrees", "not comparable"]
    assert comparison.complete == ["a", "b"] and "builder ended with 1" in comparison.failures["c"]
    checked(tmp_path, script, told(comparison))


def test_what_differs_is_brought_out_without_another_boot(bench: Bench, tmp_path: Path) -> None:
    field = Field(a=Guest(), b=Guest(ODD))
    comparison = field.compare(bench.plan(PLAN, 5), jobs=1)
    files = export_difference(comparison, field.request(), field.plugins, tmp_path / "difference")
    assert b"odd" in files["b"].read_bytes() and b"odd" not in files["a"].read_bytes()
    assert field.booted() == {"a": ["s1", "s2"], "b": ["s1", "s2"]}


def test_where_one_boot_has_it_all(bench: Bench, tmp_path: Path) -> None:
    """Each voter goes on with its own, as in a comparison that was told to."""
    script = bench.plan(PLAN, 5)
    from xboot.boot import RunOptions

    everything = [output.path for step in script.steps for output in step.outputs]
    run = RunOptions(export=tmp_path / "once", export_paths=everything)  # these guests bring everything out, asked or not
    comparison = Field(a=Guest(), b=Guest(ODD)).compare(script, segments="none", run=run)
    assert states(comparison) == ["agrees", "differs", "not comparable", "agrees", "not comparable"]
    assert comparison.seal == "run"
    checked(tmp_path, script, told(comparison))


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"keep_going": True, "segments": "none"}, "in one boot every voter goes on"),
        ({"inputs_of": "a"}, "how to go on after a difference"),
        ({"inputs_of": "z", "keep_going": True}, "not one of the voters"),
    ],
)
def test_wishes_that_make_no_sense(bench: Bench, wishes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Field(a=Guest(), b=Guest()).compare(bench.plan(PLAN, 5), **wishes)


@pytest.mark.parametrize(
    ("made", "own", "quorum", "of", "outstanding", "whose"),
    [
        ("a=1 b=1 c=2", "c", 2, None, "", "a"),
        ("a=1 b=1 c=2", "b", 2, None, "", "b"),
        ("a=1 b=1 c=2", "c", 3, None, "", "c"),
        ("a=1 b=2", "b", 2, None, "", "b"),
        ("a=1 b=2", "b", 2, None, "c", None),
        ("a=1 b=2", "b", 3, None, "c", "b"),  # whatever c makes, three are not of one mind
        ("a=1 b=1 c=2", "c", 2, None, "d", None),  # d may be of c's
        ("a=1 b=1 c=2 d=2", "c", 2, None, "", "c"),  # two quorums are none
        ("a=1 b=1 c=1", "c", 2, None, "d", "c"),
        ("a=1", "a", 1, None, "b", None),  # b alone may make a quorum too
        ("a=1 b=2", "a", 2, "b", "", "b"),
        ("a=1", "a", 2, "b", "b", None),
        ("a=1", "a", 2, "b", "", "a"),
    ],
)
def test_with_whose_version_one_goes_on(made: str, own: str, quorum: int, of: str | None, outstanding: str, whose: str | None) -> None:
    hashes = dict(pair.split("=") for pair in made.split())
    assert inputs_to_go_on_with(hashes, own, quorum=quorum, of=of, outstanding=list(outstanding)) == whose


# ---------------------------------------------------------------- forged comparisons


def _step(number: int, /, **fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["steps"][number - 1].update(fields)


FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a difference that is none": (_step(3, state="differs"), "step 3 is said to be 'differs'.*by its runs it is 'agrees'"),
    "a difference moved to a later step": (_step(2, state="not comparable"), "step 2 is said to be 'not comparable'"),
    "a step that nobody ran": (_step(1, state="not run"), "step 1 is said to be 'not run'"),
    "a voter left out of a step": (_step(1, voters=[["a", "c"]]), "step 1 is said to be"),
    "inputs that were given, unsaid": (_step(3, given={}), "step 3 is said to be 'agrees', by other voters or inputs"),
    "inputs said to be given": (_step(4, given={"b": [out(1)]}), "step 4 is said to be"),
    "another derivation": (_step(1, drv="/nix/store/x.drv"), "step 1 is said to be"),
    "a step less": (lambda v: v["steps"].pop(), "does not say of each of the script's 5 steps"),
    "no steps": (lambda v: v.pop("steps"), "does not say of each of the script's 5 steps"),
    "steps that are none": (lambda v: v.update(steps={"1": "agrees"}), "does not say of each"),
    "a step that is text": (lambda v: v["steps"].__setitem__(0, "agrees"), "step 1 is said to be"),
    "nobody went on": (lambda v: v.update(keepGoing=False), "not what the segment that built it says it is"),
    "going on that is text": (lambda v: v.update(keepGoing="yes"), "keepGoing or inputsOf"),
    "with the inputs of another": (lambda v: v.update(inputsOf="b"), "is not what the"),
    "with the inputs of nobody": (lambda v: v.update(inputsOf="\x1b[31mz"), "none of its voters"),
    "another quorum": (lambda v: v.update(quorum=3), "is not what the segment that built it"),
    "a quorum of nobody": (lambda v: v.update(quorum=0), "its quorum is '0'"),
    "a quorum that is a truth": (lambda v: v.update(quorum=True), "its quorum is 'True'"),
    "sealed otherwise": (lambda v: v.update(seal="run"), "says that it is sealed by 'run'"),
    "agreed": (lambda v: v.update(verdict="agreed"), "says that all agree"),
    "could not run": (lambda v: v.update(verdict="could not run"), "its runs differ, and it says 'could not run'"),
    "another word": (lambda v: v.update(verdict="fine"), "its runs differ, and it says 'fine'"),
    "a failure that was none": (lambda v: v["failures"].update(a="it broke"), "a voter that ran every step is said to have failed"),
    "an output less": (lambda v: v["outputs"].pop(), "outputs are not those of the script"),
    "an output of another step": (lambda v: v["outputs"][0].update(step=2), "not those of the script's steps"),
    "an output that agrees": (lambda v: v["outputs"][1].update(agreed=True), "hashes are not those of its runs"),
    "an expectation that was missed": (lambda v: v.update(wrong=[out(1)]), "not what was expected"),
    "a voter less": (lambda v: v["runs"].pop("c"), "is not what the"),
    "a run of one boot among them": (lambda v: v["runs"]["a"].update(segments=None, seal="run"), "has a run of one boot"),
    "an output of a run": (lambda v: v["runs"]["b"]["segments"]["segments"][1]["outputs"][0].update(narSize=1), "segments"),
    "a given input of a run": (lambda v: v["runs"]["b"]["segments"]["segments"][2]["sources"][0].update(narSize=1), "is not what"),
}  # fmt: skip


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Script, dict[str, Any]]:
    """A comparison in which b was given an input, and its script."""
    folder = tmp_path_factory.mktemp("honest")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XBOOT_RESULTS", str(folder / "results"))
        patched.setenv("XBOOT_RESULTS_KEY", str(folder / "key"))
        script = Bench(folder).plan(PLAN, 5)
        return script, told(Field(a=Guest(), b=Guest(ODD), c=Guest()).compare(script, keep_going=True, quorum=2))


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_comparison_is_refused(honest: tuple[Script, dict[str, Any]], tmp_path: Path, kind: str) -> None:
    script, value = honest
    checked(tmp_path, script, value)
    forged = copy.deepcopy(value)
    change, reason = FORGED[kind]
    change(forged)
    with pytest.raises(InputError, match=reason) as caught:
        checked(tmp_path, script, forged)
    assert "\x1b" not in caught.value.message


def test_a_forged_stop_is_refused(bench: Bench, tmp_path: Path) -> None:
    script = bench.plan(PLAN, 5)
    value = told(Field(a=Guest(), b=Guest(ODD)).compare(script, jobs=1))
    checked(tmp_path, script, value)
    for words in ("stopped before step 3: the voters differ at step 1", "stopped before step 4: the voters differ at step 2"):
        forged = copy.deepcopy(value)
        forged["failures"]["b"] = forged["runs"]["b"]["failure"] = words
        with pytest.raises(InputError, match="which its runs contradict"):
            checked(tmp_path, script, forged)
    unsaid = copy.deepcopy(value)
    unsaid["failures"] = {}
    with pytest.raises(InputError, match="why voters did not run every step"):
        checked(tmp_path, script, unsaid)
