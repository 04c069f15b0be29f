"""`xboot check-report`: a chain of boots that closes is let through, and each kind of broken one is refused by name."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xboot.attest.reports import check_reports
from xboot.errors import InputError
from xboot.model import ReferenceCheck, Script, Source, SourceKind
from xboot.segments.check import check_segments
from xboot.segments.cut import cut_plan, segment_script
from xboot.segments.format import Base, BuiltOutput, Earlier, SegmentedRun, SegmentRun, SegmentSource, segments_json
from xboot.show.report import sri
from xboot.testing.boot import STORE, Plan, output_path

A, B, C = (f"{STORE}/{letter * 32}-{letter}" for letter in "abc")
BASE = Base("0.1.0", "linux/c@qemu", {"x": "y"}, "tcg", "e" * 64, "linux", 64, "x86-64-v2", [("firmware", "1", "f" * 64)])


def plan() -> Script:
    """s1 → s2 → s4; s3 alone. All see source A, which refers to B; C is seen by s3 alone."""
    sources = [
        Source(A, SourceKind.NAR, Path("/a"), "1" * 64, 100, [B]),
        Source(B, SourceKind.NAR, Path("/b"), "2" * 64, 1000),
        Source(C, SourceKind.SEED, Path("/c"), "3" * 64, 1),
    ]
    made = Plan(sources=sources)
    for name, inputs in (("s1", []), ("s2", [output_path("s1")]), ("s3", [C]), ("s4", [output_path("s2"), output_path("s1")])):
        made.step(f"{A}/sh", name=name, inputs=[A, *inputs])
    return replace(made.script(), seeds=[C])


PLAN = plan()
REFERENCES = {output_path("s1"): [A], output_path("s2"): sorted([output_path("s1"), output_path("s2")])}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def chain(how: str = "steps", only: int = 9) -> dict[str, Any]:
    """What an honest run of `PLAN` writes, of its first `only` segments."""
    segments = cut_plan(PLAN, how)
    built: dict[str, Source] = {}
    runs = []
    for segment in segments[:only]:
        script = segment_script(PLAN, segment, built)
        sources = [SegmentSource(s.path, s.kind.value, s.nar_sha256, s.nar_size, s.references) for s in script.sources]
        outputs = [
            BuiltOutput(n, o.name, o.path, digest(o.path), 200 + n, REFERENCES.get(o.path, []))
            for n in segment.steps
            for o in PLAN.steps[n - 1].outputs
        ]
        image = digest(f"image {segment.number}")
        earlier = Earlier("9" * 64, "2026-01-02T03:04:05Z") if segment.number == 2 else None
        runs.append(SegmentRun(segment.number, segment.steps, script.sha256, image, BASE.sha256, sources, outputs, 1.0, earlier))
        built |= {o.path: Source(o.path, SourceKind.BUILT, Path(), o.nar_sha256, o.nar_size, o.references) for o in outputs}
    value = segments_json(SegmentedRun(PLAN.sha256, BASE.voter, how, [(s.first, s.last) for s in segments], BASE, runs))
    return json.loads(json.dumps(value))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("how", "boots", "sealed"), [("steps", 4, True), ("2", 2, False), ("3", 3, False)])
def test_an_honest_chain_closes(how: str, boots: int, sealed: bool) -> None:
    found = check_segments(chain(how), PLAN, "x")
    assert (found.boots, found.sealed, found.whole, list(found.earlier), found.base) == (boots, sealed, True, [2], BASE.sha256)
    assert found.outputs[output_path("s2")] == (digest(output_path("s2")), 202, tuple(REFERENCES[output_path("s2")]))
    assert list(found.outputs) == [output_path(name) for name in ("s1", "s2", "s3", "s4")]


def test_one_that_stopped_closes_and_is_not_whole() -> None:
    found = check_segments(chain(only=2), PLAN, "x")
    assert (found.boots, found.whole, len(found.outputs)) == (2, False, 2)


def _segment(number: int, /, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["segments"][number - 1].update(fields)


def _source(number: int, path: str, /, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: next(s for s in value["segments"][number - 1]["sources"] if s["path"] == path).update(fields)


def _output(number: int, /, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["segments"][number - 1]["outputs"][0].update(fields)


def _hashed(sha256: str) -> dict[str, str]:
    return {"narSha256": sha256, "narHash": sri(sha256)}


def _rebased(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Another base, with its right digest, in the segments too."""

    def change(value: dict[str, Any]) -> None:
        value["base"] |= fields
        text = json.dumps({k: v for k, v in value["base"].items() if k != "sha256"}, sort_keys=True, separators=(",", ":"))
        value["base"]["sha256"] = digest(text)
        for segment in value["segments"]:
            segment["baseSha256"] = value["base"]["sha256"]

    return change


S1, S2, S4 = (output_path(name) for name in ("s1", "s2", "s4"))
BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (lambda v: v.update(format=2), "segments of format 2"),
    "a field more": (lambda v: v.update(note="trust me"), "note"),
    "a field less": (lambda v: v["segments"][0].pop("earlier"), "earlier"),
    "a number that is text": (_segment(1, number="1"), "number"),
    "another plan": (lambda v: v.update(planSha256="0" * 64), "of another plan"),
    "a base whose digest is another's": (lambda v: v["base"].update(xboot="9.9"), "the digest of the base"),
    "a base of another voter": (_rebased(voter="mirage/ocaml@qemu"), "the base is of mirage"),
    "a base in disorder": (_rebased(below=[["b", "1", "f" * 64], ["a", "1", "f" * 64]]), "not a sorted list"),
    "one segment on another base": (_segment(3, baseSha256="0" * 64), "segment 3: ran on another base"),
    "a step in no segment": (lambda v: v["cuts"].pop(1), "each once and in order"),
    "a step in two segments": (lambda v: v["cuts"].__setitem__(1, [1, 2]), "each once and in order"),
    "a cut after the last step": (lambda v: v["cuts"].append([5, 5]), "each once and in order"),
    "an empty segment": (lambda v: v["cuts"].insert(1, [2, 1]), "each once and in order"),
    "a cut of another kind": (lambda v: v.update(cut="2"), "has other segments"),
    "a cut that is none": (lambda v: v.update(cut="\x1b[31m"), "it was cut as"),
    "two segments swapped": (lambda v: v["segments"].reverse(), "not in the plan's order"),
    "a segment twice": (lambda v: v["segments"].append(copy.deepcopy(v["segments"][3])), "there twice"),
    "a segment of beyond": (_segment(4, number=5), "segment 5 is not one of the 4"),
    "one that was needed left out": (lambda v: v["segments"].pop(0), "segment 2: needs"),
    "steps of another segment": (_segment(3, steps=[2]), "segment 3: its steps are not 3 to 3"),
    "another script": (_segment(3, scriptSha256="0" * 64), "segment 3: ran the script"),
    "an image twice": (lambda v: v["segments"][3].update(imageSha256=v["segments"][0]["imageSha256"]), "of one image"),
    "a source of the plan with another hash": (_source(1, A, **_hashed("7" * 64)), "is not what the plan says"),
    "a source of the plan of another kind": (_source(3, C, kind="nar"), "is not what the plan says"),
    "a built source with another hash": (_source(2, S1, **_hashed("7" * 64)), "is not what the segment that built it says"),
    "a built source with another size": (_source(4, S2, narSize=1), "is not what the segment that built it says"),
    "a built source with fewer references": (_source(4, S2, references=[]), "is not what the segment that built it says"),
    "a built source called the plan's": (_source(2, S1, kind="nar"), "is not what the segment that built it says"),
    "a source with two hashes": (_source(2, S1, narHash=sri("7" * 64)), "two different hashes"),
    "a source that no step sees": (lambda v: v["segments"][0]["sources"].append(v["segments"][2]["sources"][2]), "cannot see"),
    "a source left out": (lambda v: v["segments"][3]["sources"].pop(), "not all that its steps can see"),
    "a source twice": (lambda v: v["segments"][3]["sources"].append(v["segments"][3]["sources"][-1]), "each once and in order"),
    "an output that changed after it was used": (_output(1, **_hashed("7" * 64)), "is not what the segment that built it says"),
    "an output left out": (lambda v: v["segments"][1].update(outputs=[]), "lists 0 outputs"),
    "an output of another step": (_output(3, step=4), "where step 3 makes"),
    "an output elsewhere": (_output(3, path=S4), "where step 3 makes"),
    "an output with two hashes": (_output(4, narSha256="7" * 64), "two different hashes"),
    "a reference to what was not seen": (_output(4, references=[C]), "refers to what its step could not see"),
    "references in disorder": (_output(2, references=REFERENCES[S2][::-1]), "refers to what its step could not see"),
    "an earlier run that is yet to come": (_segment(2, earlier={"planSha256": "9" * 64, "when": "2999-01-01T00:00:00Z"}), "no time"),
    "an earlier run of no time": (_segment(2, earlier={"planSha256": "9" * 64, "when": "2026-02-30T00:00:00Z"}), "no time"),
    "a time that is no number": (_segment(2, seconds=float("nan")), "seconds"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_does_not_close_is_refused(kind: str) -> None:
    value = chain()
    change, reason = BROKEN[kind]
    change(value)
    with pytest.raises(InputError, match=r"^x: ") as caught:
        check_segments(value, PLAN, "x")
    assert reason in caught.value.message, caught.value.message
    assert caught.value.message.isprintable()


def test_a_fixed_output_has_the_hash_that_is_fixed() -> None:
    from xboot.model import FixedHash

    step = PLAN.steps[2]
    (output,) = step.outputs
    for wanted, fits in ((digest(output.path), True), ("7" * 64, False)):
        fixed = replace(
            PLAN,
            steps=[replace(s, outputs=[replace(output, fixed=FixedHash("recursive", wanted))]) if s is step else s for s in PLAN.steps],
        )
        value = chain()
        value["segments"][2]["scriptSha256"] = segment_script(fixed, cut_plan(fixed, "steps")[2], {}).sha256
        if fits:
            check_segments(value, fixed, "x")
        else:
            with pytest.raises(InputError, match="has not the hash that its derivation fixes"):
                check_segments(value, fixed, "x")


# ---------------------------------------------------------------- the report around it


def report(segments: dict[str, Any] | None = None) -> dict[str, Any]:
    part = chain() if segments is None else segments
    made = {o["path"]: o for segment in part["segments"] for o in segment["outputs"]}
    outputs = []
    for step in PLAN.steps:
        for output in step.outputs:
            its = made.get(output.path)
            outputs.append({
                "step": step.number, "drv": step.drv, "name": output.name, "path": output.path, "status": "unknown" if its else "not run",
                "narHash": its and its["narHash"], "narSha256": its and its["narSha256"], "narSize": its["narSize"] if its else 0,
                "expected": {}, "references": its["references"] if its else [], "seconds": 0.1,
            })  # fmt: skip
    sources = [
        {"path": s.path, "kind": s.kind.value, "narHash": sri(s.nar_sha256), "narSha256": s.nar_sha256, "narSize": s.nar_size}
        for s in PLAN.sources
    ]
    return {
        "xbootReport": 1, "xboot": BASE.xboot, "verdict": "built", "failure": None, "backend": "linux", "executor": "c",
        "machine": "qemu", "settings": dict(BASE.settings), "accelerator": BASE.accelerator, "scriptSha256": PLAN.sha256,
        "imageSha256": BASE.image_sha256, "seal": "steps", "segments": part, "sources": sources, "results": list(PLAN.results),
        "outputs": outputs,
    }  # fmt: skip


def checked(tmp_path: Path, value: object, script: Script = PLAN) -> Any:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(value))
    (run,) = check_reports(path, script)
    return run


def test_a_report_of_several_boots(tmp_path: Path) -> None:
    run = checked(tmp_path, report())
    assert run.segments.sealed and run.segments.whole
    stopped = report(chain(only=2)) | {"verdict": "interrupted", "failure": "interrupted"}
    run = checked(tmp_path, stopped)
    assert not run.segments.whole


def test_what_a_report_says_beside_its_boots(tmp_path: Path) -> None:
    for change, reason in (
        ({"seal": "run"}, "which its cuts contradict"),
        ({"segments": None}, "lists no boots"),
        ({"imageSha256": "0" * 64}, "another imageSha256"),
        ({"xboot": "9"}, "another xboot"),
        ({"settings": {}}, "another settings"),
        ({"accelerator": "kvm"}, "another accelerator"),
        ({"backend": "mirage", "executor": "ocaml"}, "another voter"),
        ({"verdict": "match"}, "its outputs say 'built'"),
        ({"results": []}, "not those of the script"),
        ({"failure": "it broke"}, "its outputs say"),
    ):
        with pytest.raises(InputError) as caught:
            checked(tmp_path, report() | change)
        assert reason in caught.value.message, caught.value.message
    forged = report()
    forged["outputs"][3] |= _hashed("7" * 64)
    with pytest.raises(InputError, match="not those of its segments"):
        checked(tmp_path, forged)
    with pytest.raises(InputError, match="not every output was built"):
        checked(tmp_path, report(chain(only=3)))


def test_conditions_on_references_are_checked_over_the_whole_plan(tmp_path: Path) -> None:
    forbidden = replace(PLAN, checks=[ReferenceCheck(2, "", "disallowedRequisites", [B])])
    with pytest.raises(InputError, match="disallowedRequisites does not permit"):
        checked(tmp_path, report(), forbidden)
    checked(tmp_path, report(), replace(PLAN, checks=[ReferenceCheck(2, "", "disallowedReferences", [B])]))


def test_the_checker_imports_no_runner() -> None:
    """It would otherwise repeat the runner's mistakes."""
    import sys

    import xboot.segments.check as module

    text = Path(str(sys.modules[module.__name__].__file__)).read_text()
    assert [line for line in text.splitlines() if line.startswith(("from xboot", "import xboot"))] == [
        "from xboot.errors import InputError, UsageError",
        "from xboot.foreign import printable",
        "from xboot.model import Script, Source, SourceKind, Step",
        "from xboot.segments.cut import AUTO, Segment, cut_plan, segment_script",
        "from xboot.segments.divergence import Content",
        "from xboot.segments.format import Material",
        "from xboot.words import counted",
    ]
