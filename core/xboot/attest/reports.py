"""An earlier run's report (`xboot run --json`, `xboot compare --json`), to be signed later or on another machine.

A report is a file that anybody may have written. All that can be computed again is: the script from the target, the words from the
numbers; whoever calls this recomputes the image too. Only the hashes of the outputs are taken from it, as the signer's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xboot.errors import InputError, UsageError
from xboot.files import load_json, read_regular
from xboot.model import OutputVerdict, Script, Status
from xboot.show.report import sri
from xboot.voter import Voter

_MAX_REPORT = 64 << 20


class _Output(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    step: int
    drv: str
    name: str
    path: str
    status: Literal["match", "differs", "unknown", "not run"]
    narHash: str | None
    narSha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    narSize: int = Field(ge=0)
    expected: dict[str, str]
    references: list[str]
    seconds: float


class _Report(BaseModel):
    model_config = ConfigDict(strict=True)
    xbootReport: Literal[1]
    verdict: Literal["match", "built", "differs", "could not run"]
    failure: str | None
    backend: str
    executor: str = ""  # reports of before there were voters
    machine: str = ""
    settings: dict[str, str] = {}
    accelerator: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    scriptSha256: str
    imageSha256: str
    outputs: list[_Output]


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """What a report says of a run, after its inner checks."""

    where: str
    voter: Voter
    settings: Mapping[str, str]
    accelerator: str
    image_sha256: str
    outputs: list[OutputVerdict]


def read_reports(path: Path, script: Script) -> list[ReportedRun]:
    """The runs in a report, all of `script`. Raises InputError for a report that is damaged, contradicts itself, is of another
    script, or tells of a run that failed or differed: nobody should sign that.
    """
    value = _load(path)
    if "xbootComparison" in value:
        if value.get("verdict") != "agreed":
            raise InputError(f"{path}: a comparison with the verdict {str(value.get('verdict'))[:40]!r} is not attested, only `agreed`")
        runs = value.get("runs")
        if not isinstance(runs, dict) or not runs:
            raise InputError(f"{path}: a comparison without runs")
        complete = value.get("complete")
        names = [name for name in runs if isinstance(complete, list) and name in complete]
        return [_run(runs[name], script, f"{path}, run of {name}", name) for name in names]
    return [_run(value, script, str(path), None)]


def _load(path: Path) -> dict[str, Any]:
    data = read_regular(path, _MAX_REPORT, "a report")
    try:
        value = load_json(data)
    except ValueError as error:
        raise InputError(f"{path}: not JSON, or truncated: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: not a report of `xboot run --json` or `xboot compare --json`")
    return value


def _run(value: Mapping[str, Any], script: Script, where: str, name: str | None) -> ReportedRun:
    try:
        report = _Report.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: not a report of `xboot run --json`: {place}: {first['msg']}") from None
    if report.scriptSha256 != script.sha256:
        raise InputError(f"{where}: a report of another script ({report.scriptSha256[:16]!r}…, the target's is {script.sha256[:16]}…)")
    voter = _voter(report, where)
    if name is not None and not _names(name, voter):
        raise InputError(f"{where}: the run is of another voter, {voter}")
    if report.failure or report.verdict not in ("match", "built"):
        raise InputError(f"{where}: its verdict is {report.verdict!r}; only a run that met no difference and got to its end is attested")
    outputs = [_output(output, where) for output in report.outputs]
    expected = [(step.number, step.drv, o.name, o.path) for step in script.steps for o in step.outputs]
    if [(o.step, o.drv, o.name, o.path) for o in outputs] != expected:
        raise InputError(f"{where}: its outputs are not those of the script; it was changed")
    word = "match" if all(o.status is Status.MATCH for o in outputs) else "built"
    if word != report.verdict:
        raise InputError(f"{where}: says {report.verdict!r}, but its outputs say {word!r}; it was changed")
    return ReportedRun(where, voter, report.settings, report.accelerator, report.imageSha256, outputs)


def _voter(report: _Report, where: str) -> Voter:
    try:
        voter = Voter(report.backend, report.executor, report.machine)
        if Voter.parse(str(voter)) == voter:
            return voter
    except UsageError:
        pass
    raise InputError(f"{where}: {report.backend[:40]!r}, {report.executor[:40]!r} and {report.machine[:40]!r} name no voter")


def _names(name: str, voter: Voter) -> bool:
    """Whether a user who named `name` got `voter`."""
    try:
        named = Voter.parse(name)
    except UsageError:
        return False
    return named.backend == voter.backend and named.executor in ("", voter.executor) and named.machine in ("", voter.machine)


def _output(output: _Output, where: str) -> OutputVerdict:
    status = Status(output.status)
    if status not in (Status.MATCH, Status.UNKNOWN) or output.narSha256 is None:
        raise InputError(f"{where}: {output.path} is {output.status!r}; only outputs that were built and do not differ are attested")
    if output.narHash != sri(output.narSha256):
        raise InputError(f"{where}: {output.path} has two different hashes; it was changed")
    if any(value != output.narHash for value in output.expected.values()) or (status is Status.MATCH) != bool(output.expected):
        raise InputError(f"{where}: {output.path} is said to be {output.status!r}, which its hashes contradict; it was changed")
    return OutputVerdict(output.step, output.drv, output.name, output.path, status, output.narSha256, output.narSize, output.references)
