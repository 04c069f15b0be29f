"""What an attestation says, as two in-toto statements (v1) about the same subjects, the outputs by their NAR's SHA-256:

1. SLSA provenance (v1): from which script and sources, with which artifacts, by which backend;
2. a test result (v0.1): the script ran to its end on that image, whose trusted base has that digest, and nothing differed.

No time and no host is named: who runs the same again writes the same statements, to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from xboot import __version__
from xboot._records import dataclass
from xboot.attest.components import Claimed, check_claimed, named_components, read_component
from xboot.attest.envelope import canonical
from xboot.errors import InputError, XbootError
from xboot.files import load_json
from xboot.foreign import printable
from xboot.model import Artifact, Component, OutputVerdict, Script
from xboot.segments.divergence import Content
from xboot.segments.format import Material
from xboot.segments.replay import check_boots
from xboot.voter import Voter

PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
BUILD_TYPE = "urn:xboot:run:2"  # 2: the machine is named
_BEFORE = {"urn:xboot:run:1": "qemu"}  # what the machine was when it was not
BUILDER = "urn:xboot:backend:"
NAR = "narSha256"  # not `sha256`, which in-toto's digest sets keep for the bytes of a file

_HEX = re.compile(r"[0-9a-f]{64}")
_BACKEND = re.compile(r"[a-z][a-z0-9-]{0,30}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,30}")
_SEAL = re.compile("run|steps")
_BOOT = re.compile(r"boot of steps ([1-9][0-9]{0,8}) to ([1-9][0-9]{0,8})")
_SIZE = re.compile(r"[0-9]{1,18}")
_STEP = re.compile(r"[1-9][0-9]{0,8}")
_STORE_PATH = re.compile(r"(?=.{2,4097}\Z)(?:/(?!\.{1,2}(?:/|\Z))[!-.0-~]+)+")  # written in one way: no //, no /./, no / at the end


@dataclass(frozen=True, slots=True)
class AttestedSource:
    """A store path that was in the image instead of being built: hash and size of its NAR, how the host verified it (`seed`: not)."""

    path: str
    nar_sha256: str
    nar_size: int
    kind: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signer says of one run. Hashes are SHA-256 in hex; `outputs` maps store path to NAR hash, in the script's
    order; `steps` maps store path to the step's number and derivation. `seal`: `steps` when each step had a boot of its own. `boots`: each
    of several; then `contents` has what is said of each output, with what it refers to. `results`: the store paths that were asked for;
    `sources`: what the builders started from. `components`: what the voter is made of; none in statements of before they were named.
    `base`: what of the image was not as xboot.lock has it.
    """

    script_sha256: str
    backend: str
    image_sha256: str
    tcb_sha256: str
    accelerator: str
    executor: str
    machine: str
    outputs: Mapping[str, str]
    steps: Mapping[str, tuple[int, str]]
    seal: str = "run"
    boots: Sequence[Material] = ()
    contents: Mapping[str, Content] = field(default_factory=dict)
    results: Sequence[str] = ()
    sources: Sequence[AttestedSource] = ()
    base: str = ""
    components: Sequence[Claimed] = ()

    @property
    def voter(self) -> Voter:
        return Voter(self.backend, self.executor, self.machine)


@dataclass(frozen=True, slots=True)
class Run:
    """What is attested of a run that met no difference and got to its end. `voter` is whole. `seal`: as in the verdict. `boots`: each of
    several; then image and trusted base are those without script and sources. `components` and `below`: what was measured of the voter, and
    `base` whether it is of the locked base.
    """

    script: Script
    voter: Voter
    settings: Mapping[str, str]
    accelerator: str
    image_sha256: str
    tcb_sha256: str
    artifacts: Mapping[str, Artifact]
    outputs: Sequence[OutputVerdict]
    seal: str = "run"
    boots: Sequence[Material] = ()
    components: Sequence[Component] = ()
    below: Sequence[Component] = ()
    base: str = ""


def write_statements(run: Run) -> list[bytes]:
    """The two statements, in the one form of JSON that is signed."""
    subjects = [
        _resource(
            o.path, {NAR: o.nar_sha256}, step=str(o.step), drv=o.drv, output=o.name, narSize=str(o.nar_size), status=o.status.value,
            references=" ".join(o.references) if run.boots else "",  # with which the script of every later boot can be computed
        )
        for o in run.outputs
    ]  # fmt: skip
    about = {"backend": run.voter.backend, "executor": run.voter.executor, "machine": run.voter.machine, "accelerator": run.accelerator}
    about["seal"] = run.seal
    script = _resource("script", {"sha256": run.script.sha256})
    image = _resource("image", {"sha256": run.image_sha256}, **about)
    tcb = _resource("tcb", {"sha256": run.tcb_sha256}, base=run.base if run.base.startswith("drifted") else "")
    sources = [_resource(s.path, {NAR: s.nar_sha256}, kind=s.kind.value, narSize=str(s.nar_size)) for s in run.script.sources]
    artifacts = [_resource(name, {"sha256": a.sha256}, origin=a.origin, version=a.version) for name, a in sorted(run.artifacts.items())]
    boots = [
        _resource(f"boot of steps {b.first} to {b.last}", {"sha256": b.script_sha256}, image=b.image_sha256) for b in run.boots
    ]  # fmt: skip
    made_of = [_resource(name, digests, **notes) for name, digests, notes in named_components(run.components, run.below)]
    provenance = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"results": list(run.script.results), "executor": run.voter.executor, "settings": dict(run.settings)},
            "internalParameters": {"accelerator": run.accelerator, "machine": run.voter.machine},
            "resolvedDependencies": [_plain(r) for r in (script, *sources, *artifacts, *boots, *made_of)],
        },
        "runDetails": {
            "builder": {"id": BUILDER + run.voter.backend, "version": {"xboot": __version__}},
            "byproducts": [_plain(image), _plain(tcb)],
        },
    }
    result = {
        "result": "PASSED",
        "configuration": [_plain(r) for r in (script, image, tcb)],
        "passedTests": [f"step {step.number}: {step.drv}" for step in run.script.steps],
    }
    json_format.ParseDict(provenance, Provenance())  # raises on anything that the predicates' definitions do not have
    json_format.ParseDict(result, TestResult())
    return [_statement(subjects, PROVENANCE, provenance), _statement(subjects, TEST_RESULT, result)]


def _resource(name: str, digest: Mapping[str, str], **annotations: str) -> ResourceDescriptor:
    # Annotations are strings, numbers too: protobuf's JSON knows only floating point.
    return ResourceDescriptor(name=name, digest=dict(digest), annotations={k: v for k, v in annotations.items() if v} or None)


def _plain(resource: ResourceDescriptor) -> dict[str, Any]:
    value: dict[str, Any] = json_format.MessageToDict(resource.pb)
    return value


def _statement(subjects: Iterable[ResourceDescriptor], kind: str, predicate: dict[str, Any]) -> bytes:
    statement = Statement([s.pb for s in subjects], kind, predicate)
    try:
        statement.validate()
    except ValueError as error:
        raise XbootError(f"nothing to attest: {error}") from None
    return canonical(json_format.MessageToDict(statement.pb))


# ---------------------------------------------------------------- reading


def read_claim(payloads: Sequence[bytes], where: str) -> Claim:
    """The claim that two verified payloads make together. Raises InputError, which names `where`, unless they are what
    `write_statements` writes: of these types, complete, and about one and the same run.
    """
    statements = [_parse(payload, where) for payload in payloads]
    kinds = [statement.pb.predicate_type for statement in statements]
    if kinds != [PROVENANCE, TEST_RESULT]:
        raise InputError(f"{where}: holds {printable(', '.join(kinds), 300)}; expected {PROVENANCE}, then {TEST_RESULT}")
    provenance = _predicate(statements[0], Provenance, where)
    result = _predicate(statements[1], TestResult, where)
    if result.result != "PASSED" or result.failed_tests or result.warned_tests:
        raise InputError(f"{where}: attests a run with the result {result.result[:20]!r}; only a run that passed is evidence")
    kind = provenance.build_definition.build_type
    claims = [
        _claim(statements[0], kind, provenance.build_definition.resolved_dependencies[:1], provenance.run_details.byproducts, where),
        _claim(statements[1], kind, result.configuration[:1], result.configuration[1:], where),
    ]
    if claims[0] != claims[1]:
        raise InputError(f"{where}: its provenance and its test result are not about the same run")
    if kind not in (BUILD_TYPE, *_BEFORE) or provenance.run_details.builder.id != BUILDER + claims[0].backend:
        raise InputError(f"{where}: its provenance is of another kind of build, or names another backend than the image")
    steps = {f"step {number}: {drv}" for number, drv in claims[0].steps.values()}
    if set(result.passed_tests) != steps or len(result.passed_tests) != len(steps):
        raise InputError(f"{where}: the steps that passed are not those of the outputs")
    boots = _boots(provenance.build_definition.resolved_dependencies[1:], where)
    check_boots(boots, max((number for number, _ in claims[0].steps.values()), default=0), claims[0].seal, where)
    made_of = [found for one in provenance.build_definition.resolved_dependencies[1:] if (found := read_component(one, where)) is not None]
    check_claimed(made_of, claims[0].base, claims[0].tcb_sha256, where)
    return replace(
        claims[0], boots=boots, contents=_contents(statements[0], where) if boots else {},
        results=_results(provenance, where), sources=_sources(provenance.build_definition.resolved_dependencies[1:], where),
        components=made_of,
    )  # fmt: skip


def _results(provenance: Any, where: str) -> list[str]:
    """The store paths that were asked for."""
    said = json_format.MessageToDict(provenance.build_definition.external_parameters).get("results", [])
    if not isinstance(said, list):
        raise InputError(f"{where}: its results are no list")
    return [_match(_STORE_PATH, str(path), "a result's store path", where) for path in said]


def _sources(dependencies: Sequence[Any], where: str) -> list[AttestedSource]:
    """The sources among what a run depends on: what is known by its NAR."""
    found = []
    for one in dependencies:
        if NAR in dict(one.digest):
            notes = {key: str(value) for key, value in one.annotations.items()}
            size = int(_match(_SIZE, notes.get("narSize", "0"), "a size", where))
            kind = _match(_BACKEND, notes.get("kind", ""), "a kind of source", where)
            path = _match(_STORE_PATH, one.name, "a source's store path", where)
            found.append(AttestedSource(path, _digest(one, NAR, where), size, kind))
    return found


def _boots(dependencies: Sequence[Any], where: str) -> list[Material]:
    """The boots among what a run depends on, in their order."""
    found = []
    for one in dependencies:
        match = _BOOT.fullmatch(one.name)
        if match is not None:
            image = _match(_HEX, str(dict(one.annotations).get("image", "")), f"the image of the {one.name}", where)
            found.append(Material(int(match[1]), int(match[2]), _digest(one, "sha256", where), image))
    return found


def _contents(statement: Statement, where: str) -> dict[str, Content]:
    found = {}
    for subject in statement.pb.subject:
        notes = {key: str(value) for key, value in subject.annotations.items()}
        size = int(_match(_SIZE, notes.get("narSize", ""), "a size", where))
        references = [_match(_STORE_PATH, path, "a store path", where) for path in notes.get("references", "").split(" ") if path]
        found[subject.name] = Content(_digest(subject, NAR, where), size, references)
    return found


def _parse(payload: bytes, where: str) -> Statement:
    try:
        value = load_json(payload)
        if not isinstance(value, dict):
            raise InputError(f"{where}: the payload is no in-toto statement, which is a JSON object")
        statement = Statement.copy_from_pb(json_format.ParseDict(value, Statement([], "", {}).pb))
        statement.validate()
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, json_format.Error) as error:
        raise InputError(f"{where}: the payload is no in-toto statement: {printable(str(error), 300)}") from None
    return statement


def _predicate(statement: Statement, kind: Callable[[], Any], where: str) -> Any:
    try:
        return json_format.ParseDict(json_format.MessageToDict(statement.pb.predicate), kind())
    except json_format.Error as error:
        raise InputError(f"{where}: the predicate is malformed: {printable(str(error), 300)}") from None


def _claim(statement: Statement, kind: str, script: Sequence[Any], others: Sequence[Any], where: str) -> Claim:
    named = {resource.name: resource for resource in (*script, *others)}
    if [r.name for r in (*script, *others)] != ["script", "image", "tcb"]:
        raise InputError(f"{where}: names {printable(', '.join(named), 300)}, expected script, image and tcb")
    about = {key: str(value) for key, value in named["image"].annotations.items()}
    outputs: dict[str, str] = {}
    steps: dict[str, tuple[int, str]] = {}
    for subject in statement.pb.subject:
        notes = {key: str(value) for key, value in subject.annotations.items()}
        if subject.name in outputs:
            raise InputError(f"{where}: lists {printable(subject.name, 300)} twice")
        path = _match(_STORE_PATH, subject.name, "an output's store path", where)
        outputs[path] = _digest(subject, NAR, where)
        number = int(_match(_STEP, notes.get("step", ""), "a step's number", where))
        steps[path] = (number, _match(_STORE_PATH, notes.get("drv", ""), "a derivation's store path", where))
    return Claim(
        _digest(named["script"], "sha256", where), _match(_BACKEND, about.get("backend", ""), "a backend's name", where),
        _digest(named["image"], "sha256", where), _digest(named["tcb"], "sha256", where),
        about.get("accelerator", ""), _match(_NAME, about.get("executor", ""), "an executor's name", where),
        _match(_NAME, _BEFORE.get(kind) or about.get("machine", ""), "a machine's name", where), outputs, steps,
        _match(_SEAL, about.get("seal", "run"), "how a run is sealed", where), base=str(dict(named["tcb"].annotations).get("base", "")),
    )  # fmt: skip


def _digest(resource: Any, algorithm: str, where: str) -> str:
    return _match(_HEX, dict(resource.digest).get(algorithm, ""), f"the {algorithm} of {printable(resource.name, 300)}", where)


def _match(pattern: re.Pattern[str], text: str, what: str, where: str) -> str:
    if pattern.fullmatch(text) is None:
        raise InputError(f"{where}: {text[:100]!r} is not {what}")
    return text
