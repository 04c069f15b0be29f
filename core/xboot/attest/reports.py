"""Reports of earlier runs (`xboot run --json`, `xboot compare --json`): checked, to be signed later or on another machine.

A report is a file that anybody may have written. All that can be computed again is: the script from the target, the chain of its
segments, the words from the numbers; whoever signs one recomputes the image too. Only the hashes of the outputs are taken from it, as
somebody's word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xboot._records import dataclass
from xboot.attest.comparisons import SaidRun, check_comparison, given_outputs
from xboot.boot.transcript import Made, transcript_sha256
from xboot.boot.verdict import broken_conditions
from xboot.errors import InputError, UsageError
from xboot.files import load_json, read_regular
from xboot.foreign import printable
from xboot.model import OutputVerdict, Script, Source, Status
from xboot.segments.check import Checked, check_segments
from xboot.segments.divergence import Content, evidence_of
from xboot.show.report import sri
from xboot.voter import Voter

_MAX_REPORT = 64 << 20
_HEX = r"^[0-9a-f]{64}$"
_BUILT = (Status.MATCH, Status.UNKNOWN)


class _Known(BaseModel):
    model_config = ConfigDict(strict=True)


class _Source(_Known):
    path: str
    kind: str
    narHash: str | None
    narSha256: str | None = Field(pattern=_HEX)
    narSize: int = Field(ge=0)
    status: Literal["match", "differs"] | None = None
    expected: dict[str, str] = {}


class _Output(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    step: int = Field(ge=1)  # 0 stands for a source
    drv: str
    name: str
    path: str
    status: Literal["match", "differs", "unknown", "not run"]
    narHash: str | None
    narSha256: str | None = Field(pattern=_HEX)
    narSize: int = Field(ge=0)
    expected: dict[str, str]
    references: list[str]
    seconds: float


class _Report(_Known):
    xbootReport: Literal[1]
    xboot: str = ""
    verdict: Literal["match", "built", "differs", "interrupted", "could not run"]
    failure: str | None
    backend: str
    executor: str = ""  # reports of before there were voters
    machine: str = ""
    settings: dict[str, str] = {}
    accelerator: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    scriptSha256: str
    imageSha256: str
    seal: Literal["steps", "run"] | None = None  # None: of before there were runs of several boots
    segments: Any = None
    sources: list[_Source]
    results: list[str]
    outputs: list[_Output]


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """What a report says of a run, after it was checked. `segments`: the chain of its boots, None for a run of one."""

    where: str
    voter: Voter
    settings: Mapping[str, str]
    accelerator: str
    image_sha256: str
    outputs: list[OutputVerdict]
    verdict: str
    failure: str
    segments: Checked | None = None


def read_reports(path: Path, script: Script) -> list[ReportedRun]:
    """The runs in a report, all of `script`. Raises InputError for a report that is damaged, contradicts itself, is of another
    script, or tells of a run that failed or differed: nobody should sign that.
    """
    value = _load(path)
    if "xbootComparison" in value and value.get("verdict") != "agreed":
        raise InputError(f"{path}: a comparison with the verdict {str(value.get('verdict'))[:40]!r} is not attested, only `agreed`")
    runs = [run for run in _runs(value, script, path) if "xbootComparison" not in value or not run.failure]
    for run in runs:
        _attestable(run)
    return runs


def check_reports(path: Path, script: Script) -> list[ReportedRun]:
    """The runs in a report, all of `script`, whatever came of them. Raises InputError for a report that is damaged, contradicts itself, is
    of another script, or whose chain of segments does not close.
    """
    return _runs(_load(path), script, path)


class Recorded(NamedTuple):
    """What a report says of a run: SHA-256 of its script and of its transcript (empty for a run that did not come to its end), why it did
    not, and whether something was not what was expected.
    """

    script: str
    transcript: str
    failure: str
    differs: bool


def recorded_runs(path: Path) -> dict[str, Recorded]:
    """The runs in a report: by the names that a comparison gives them, or by voter. Taken from it as somebody's word: nothing is held
    against a derivation. Raises InputError for a report that is damaged or contradicts itself.
    """
    value = _load(path)
    if "xbootComparison" not in value:
        report = _parsed(value, str(path))
        return {str(_voter(report, str(path))): _recorded(report, str(path))}
    found = {}
    for name, run in _reports(value, path).items():
        where = _run_of(path, name)
        report = _parsed(run, where)
        _check_name(name, _voter(report, where), where)
        found[name] = _recorded(report, where)
    return found


def _recorded(report: _Report, where: str) -> Recorded:
    outputs = [_output(output, where) for output in report.outputs]
    differs = [_differs(source, where) for source in report.sources]
    differs += [output.status is Status.DIFFERS for output in outputs]
    _check_word(report, outputs, any(differs), where)
    if report.failure:
        return Recorded(report.scriptSha256, "", report.failure, any(differs))
    made = [Made(0, s.path, s.narSha256 or "", s.narSize) for s in report.sources]
    made += [Made(o.step, o.name, o.nar_sha256, o.nar_size, tuple(o.references)) for o in outputs]
    return Recorded(report.scriptSha256, transcript_sha256(report.scriptSha256, made), "", any(differs))


def _load(path: Path) -> dict[str, Any]:
    data = read_regular(path, _MAX_REPORT, "a report")
    try:
        value = load_json(data)
    except ValueError as error:
        raise InputError(f"{path}: not JSON, or truncated: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: not a report of `xboot run --json` or `xboot compare --json`")
    return value


def _runs(value: Mapping[str, Any], script: Script, path: Path) -> list[ReportedRun]:
    if "xbootComparison" not in value:
        return [_run(_parsed(value, str(path)), script, str(path), None, {})]
    runs = _reports(value, path)
    if not runs:
        raise InputError(f"{path}: a comparison without runs")
    parsed = {name: _parsed(run, _run_of(path, name)) for name, run in runs.items()}
    made = {name: _made(report) for name, report in parsed.items()}
    given = given_outputs(value, script, made, str(path))
    found = {name: _run(report, script, _run_of(path, name), name, given[name]) for name, report in parsed.items()}
    if value.get("keepGoing") and any(run.segments is None for run in found.values()):
        raise InputError(f"{path}: says that all went on after a difference, and has a run of one boot; it was changed")
    check_comparison(value, {name: _said(run, made[name], script) for name, run in found.items()}, script, str(path))
    return list(found.values())


def _reports(value: Mapping[str, Any], path: Path) -> dict[str, Mapping[str, Any]]:
    """The reports in a comparison, by the names that it gives the runs."""
    runs = value.get("runs", {})
    if not isinstance(runs, dict) or not all(isinstance(run, dict) for run in runs.values()):
        raise InputError(f"{path}: a comparison whose runs are not reports")
    return runs


def _run_of(path: Path, name: str) -> str:
    return f"{path}, run of {printable(name, 100)}"


def _made(report: _Report) -> dict[str, Content]:
    """All that a run says that it built."""
    return {o.path: Content(o.narSha256, o.narSize, o.references) for o in report.outputs if o.narSha256}


def _said(run: ReportedRun, made: Mapping[str, Content], script: Script) -> SaidRun:
    whole = [([step.number for step in script.steps], {s.path: Content(s.nar_sha256, s.nar_size, s.references) for s in script.sources})]
    boots = whole if run.segments is None else run.segments.seen
    wrong = [o.path for o in run.outputs if o.status is Status.DIFFERS]
    return SaidRun(evidence_of(script, boots, made), run.failure, run.segments is not None and run.segments.sealed, wrong)


def _parsed(value: Mapping[str, Any], where: str) -> _Report:
    try:
        return _Report.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: not a report of `xboot run --json`: {printable(place, 200)}: {first['msg']}") from None


def _run(report: _Report, script: Script, where: str, name: str | None, given: Mapping[str, Content]) -> ReportedRun:
    if report.scriptSha256 != script.sha256:
        raise InputError(f"{where}: a report of another script ({report.scriptSha256[:16]!r}…, the target's is {script.sha256[:16]}…)")
    voter = _voter(report, where)
    if name is not None:
        _check_name(name, voter, where)
    outputs = [_output(output, where) for output in report.outputs]
    expected = [(step.number, step.drv, o.name, o.path) for step in script.steps for o in step.outputs]
    if [(o.step, o.drv, o.name, o.path) for o in outputs] != expected or report.results != list(script.results):
        _changed(where, "its outputs are not those of the script")
    differs = _check_sources(report.sources, script.sources, where) or any(o.status is Status.DIFFERS for o in outputs)
    _check_word(report, outputs, differs, where)
    if not report.failure:
        broken = next(broken_conditions(script, {o.path: o.references for o in outputs}), "")
        if broken:
            _changed(where, f"says that all went well, but {broken}")
    segments = _segments(report, script, outputs, voter, given, where)
    return ReportedRun(
        where, voter, report.settings, report.accelerator, report.imageSha256, outputs, report.verdict, report.failure or "", segments
    )


def _check_word(report: _Report, outputs: Sequence[OutputVerdict], differs: bool, where: str) -> None:
    """The verdict is what the outputs say."""
    if not report.failure and any(o.status is Status.NOT_RUN for o in outputs):
        _changed(where, "says that the guest got to its end, but not every output was built")
    if differs:
        words = ["differs"]
    elif report.failure:
        words = ["interrupted", "could not run"]
    else:
        words = ["match" if all(o.status is Status.MATCH for o in outputs) else "built"]
    if report.verdict not in words:
        _changed(where, f"says {report.verdict!r}, but its outputs say {words[-1]!r}")


def _check_sources(said: Sequence[_Source], sources: Sequence[Source], where: str) -> bool:
    """Its sources are the script's; whether one of them is not what somebody expected."""
    found = [(s.path, s.kind, s.narSha256, s.narHash, s.narSize) for s in said]
    if found != [(s.path, s.kind.value, s.nar_sha256, sri(s.nar_sha256), s.nar_size) for s in sources]:
        _changed(where, "its sources are not those of the script")
    return any([_differs(s, where) for s in said])


def _differs(source: _Source, where: str) -> bool:
    """Whether a source is not what somebody expected; its hashes and the word on it are one."""
    if source.narSha256 is None or source.narHash != sri(source.narSha256):
        _changed(where, f"{source.path} has two different hashes, or none")
    word = None if not source.expected else "match" if all(value == source.narHash for value in source.expected.values()) else "differs"
    if source.status != word:
        _changed(where, f"{source.path} is said to be {source.status!r}, which its hashes contradict")
    return source.status == "differs"


def _segments(
    report: _Report, script: Script, outputs: Sequence[OutputVerdict], voter: Voter, given: Mapping[str, Content], where: str
) -> Checked | None:
    """The chain of a run of several boots, which says of every output what the report says."""
    if report.segments is None:
        if report.seal == "steps" and len(script.steps) > 1:
            _changed(where, "says that each step had a boot of its own, and lists no boots")
        return None
    chain = check_segments(report.segments, script, where, given)
    told = {o.path: (o.nar_sha256, o.nar_size, tuple(o.references)) for o in outputs if o.nar_sha256}
    if told != {path: (sha256, size, tuple(references)) for path, (sha256, size, references) in chain.outputs.items()}:
        _changed(where, "its outputs are not those of its segments")
    if (report.seal == "steps") != chain.sealed:
        _changed(where, f"says that it is sealed by {report.seal!r}, which its cuts contradict")
    if not chain.whole and not report.failure:
        _changed(where, "says that the guest got to its end, but not every segment ran")
    base = chain.base_fields
    named = {"xboot": report.xboot, "voter": str(voter), "settings": report.settings, "accelerator": report.accelerator}
    named["imageSha256"] = report.imageSha256
    wrong = [key for key, value in named.items() if base[key] != value]
    if wrong:
        _changed(where, f"its segments' base has another {wrong[0]} than the report")
    return chain


def _attestable(run: ReportedRun) -> None:
    if run.failure or run.verdict not in ("match", "built"):
        raise InputError(f"{run.where}: its verdict is {run.verdict!r}; only a run that met no difference and got to its end is attested")
    for output in run.outputs:
        if output.status not in _BUILT:
            raise InputError(
                f"{run.where}: {output.path} is {output.status.value!r}; only outputs that were built and do not differ are attested"
            )


def _changed(where: str, why: str) -> NoReturn:
    raise InputError(f"{where}: {printable(why)}; it was changed")


def _voter(report: _Report, where: str) -> Voter:
    try:
        voter = Voter(report.backend, report.executor, report.machine)
        if Voter.parse(str(voter)) == voter:
            return voter
    except UsageError:
        pass
    raise InputError(f"{where}: {report.backend[:40]!r}, {report.executor[:40]!r} and {report.machine[:40]!r} name no voter")


def _check_name(name: str, voter: Voter, where: str) -> None:
    """A user who named `name` got `voter`."""
    try:
        named = Voter.parse(name)
    except UsageError:
        named = None
    if named is None or (named.backend, named.executor or voter.executor, named.machine or voter.machine) != (
        voter.backend, voter.executor, voter.machine,
    ):  # fmt: skip
        raise InputError(f"{where}: the run is of another voter, {voter}")


def _output(output: _Output, where: str) -> OutputVerdict:
    status = Status(output.status)
    if status is Status.NOT_RUN:
        if (output.narSha256, output.narHash, output.narSize, output.references) != (None, None, 0, []):
            _changed(where, f"{output.path} was not built, and has a hash")
        return OutputVerdict(output.step, output.drv, output.name, output.path, status)
    if output.narSha256 is None or output.narHash != sri(output.narSha256):
        _changed(where, f"{output.path} has two different hashes, or none")
    same = all(value == output.narHash for value in output.expected.values())
    if status is not (Status.UNKNOWN if not output.expected else Status.MATCH if same else Status.DIFFERS):
        _changed(where, f"{output.path} is said to be {output.status!r}, which its hashes contradict")
    return OutputVerdict(output.step, output.drv, output.name, output.path, status, output.narSha256, output.narSize, output.references)
