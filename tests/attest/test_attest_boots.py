"""Attestations of several boots: the chain from the plan's sources is followed through all of them, and what does not close is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.attest import FILE_SUFFIX, Attested, generate_key, load_private, load_public, sign, verify_files, write_statements
from xboot.attest.statement import Run
from xboot.model import Artifact, FixedHash, OutputVerdict, ReferenceCheck, Role, Script, Source, SourceKind, Status
from xboot.segments.cut import cut_plan, segment_script
from xboot.segments.format import Material
from xboot.testing.boot import STORE, Plan, output_path
from xboot.voter import Voter

A = f"{STORE}/{'a' * 32}-a"
S1, S2, S3 = (output_path(name) for name in ("s1", "s2", "s3"))
REFERENCES = {S1: [A], S2: sorted([A, S1]), S3: []}


def plan() -> Script:
    """s1 → s2 → s3, which sees what s2 refers to."""
    made = Plan(sources=[Source(A, SourceKind.NAR, Path("/a"), "1" * 64, 100)])
    for name, inputs in (("s1", []), ("s2", [S1]), ("s3", [S2])):
        made.step(f"{A}/sh", name=name, inputs=[A, *inputs])
    return made.script()


PLAN = plan()


def boots(how: str, outputs: Sequence[OutputVerdict], script: Script = PLAN) -> list[Material]:
    """What an honest run of these outputs lists."""
    built = {o.path: Source(o.path, SourceKind.BUILT, Path(), o.nar_sha256, o.nar_size, o.references) for o in outputs}
    return [
        Material(s.first, s.last, segment_script(script, s, built).sha256, hashlib.sha256(str(s.number).encode()).hexdigest())
        for s in cut_plan(script, how)
    ]


def outputs(**changes: object) -> list[OutputVerdict]:
    """Of all steps; `s1={…}` changes one."""
    found = []
    for step in PLAN.steps:
        path = step.outputs[0].path
        value = OutputVerdict(
            step.number, step.drv, "out", path, Status.UNKNOWN, hashlib.sha256(path.encode()).hexdigest(), 120, REFERENCES[path]
        )
        found.append(replace(value, **changes.get(f"s{step.number}", {})))  # type: ignore[arg-type]
    return found


def run(how: str = "steps", script: Script = PLAN) -> Run:
    kernel = Artifact("kernel", Path("/k"), "6" * 64, 10, Role.KERNEL, "a test", "1.0")
    seal = "steps" if how == "steps" else "run"
    chain = boots(how, outputs(), script)
    return Run(script, Voter("linux", "c", "qemu"), {}, "tcg", "7" * 64, "8" * 64, {"kernel": kernel}, outputs(), seal, chain)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return generate_key("alice", tmp_path_factory.mktemp("keys"))


@pytest.fixture
def verified(tmp_path: Path, key: tuple[Path, Path]) -> Callable[..., Attested]:
    def verify(what: Run, script: Script | None = PLAN) -> Attested:
        file = tmp_path / f"linux{FILE_SUFFIX}"
        file.write_bytes(sign(write_statements(what), load_private(key[0])))
        return verify_files([file], [load_public(key[1])], script=script)

    return verify


@pytest.mark.parametrize("how", ["steps", "2", "none"])
def test_a_chain_that_closes(verified: Callable[..., Attested], how: str) -> None:
    what = run(how)
    found = verified(what)
    assert not found.refused
    (one,) = found.attestations
    assert list(one.claim.boots) == list(what.boots) and one.claim.seal == what.seal
    assert [list(content.references) for content in one.claim.contents.values()] == list(REFERENCES.values())


def _boot(number: int, **fields: object) -> Callable[[Run], Run]:
    return lambda what: replace(what, boots=[replace(b, **fields) if n == number else b for n, b in enumerate(what.boots, 1)])  # type: ignore[arg-type]


def _output(number: int, **fields: object) -> Callable[[Run], Run]:
    return lambda what: replace(what, outputs=outputs(**{f"s{number}": fields}))


WITHOUT_THE_PLAN: dict[str, tuple[Callable[[Run], Run], str]] = {
    "no boots, and sealed": (lambda what: replace(what, boots=[]), "which its boots contradict"),
    "sealed, and not said": (lambda what: replace(what, seal="run"), "which its boots contradict"),
    "a boot of two steps": (lambda what: replace(what, boots=boots("2", what.outputs)), "which its boots contradict"),
    "a boot left out": (lambda what: replace(what, boots=what.boots[1:]), "each once and in order"),
    "the last one left out": (lambda what: replace(what, boots=what.boots[:-1]), "each once and in order"),
    "two swapped": (lambda what: replace(what, boots=[what.boots[1], what.boots[0], what.boots[2]]), "each once and in order"),
    "one twice": (lambda what: replace(what, boots=[*what.boots, what.boots[2]]), "each once and in order"),
    "one image for two": (_boot(2, image_sha256=hashlib.sha256(b"1").hexdigest()), "two boots are of one image"),
    "an image that is none": (_boot(2, image_sha256="latest"), "is not the image of the boot of steps 2 to 2"),
    "a script that is none": (_boot(2, script_sha256="latest"), "is not the sha256 of boot of steps 2 to 2"),
}
WITH_THE_PLAN: dict[str, tuple[Callable[[Run], Run], str]] = {
    "another script": (_boot(3, script_sha256="0" * 64), "the boot of steps 3 to 3 ran the script 0000000000000000…"),
    "another output before": (_output(1, nar_sha256="9" * 64), "the boot of steps 2 to 2 ran the script"),
    "a reference less": (_output(2, references=[S1]), "the boot of steps 3 to 3 ran the script"),
    "a reference to what it could not see": (_output(1, references=[S3]), "refers to what its step could not see"),
    "references in disorder": (_output(2, references=sorted([A, S1], reverse=True)), "twice or in disorder"),
    "no references": (_output(2, references=[]), "the boot of steps 3 to 3 ran the script"),
}


@pytest.mark.parametrize("kind", [*WITHOUT_THE_PLAN, *WITH_THE_PLAN])
def test_a_chain_that_does_not_close_is_refused(verified: Callable[..., Attested], kind: str) -> None:
    change, reason = (WITHOUT_THE_PLAN | WITH_THE_PLAN)[kind]
    found = verified(change(run()))
    assert not found.attestations
    (refusal,) = found.refused
    assert reason in refusal.reason and not refusal.unknown
    assert bool(verified(change(run()), None).refused) == (kind in WITHOUT_THE_PLAN)  # who names no target believes the signer this far


def test_what_the_plan_forbids_is_not_attested(verified: Callable[..., Attested]) -> None:
    forbidden = replace(PLAN, checks=[ReferenceCheck(2, "", "disallowedReferences", [S1])])
    assert "disallowedReferences does not permit" in verified(run(script=forbidden), forbidden).refused[0].reason
    step = PLAN.steps[0]
    fixed = replace(step, outputs=[replace(step.outputs[0], fixed=FixedHash("recursive", "9" * 64))])
    other = replace(PLAN, steps=[fixed, *PLAN.steps[1:]])
    what = replace(run(script=other), boots=boots("steps", outputs(), other))
    assert "has not the hash that its derivation fixes" in verified(what, other).refused[0].reason
