"""The verbs `keygen`, `attest` and `verify-attestation`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from xboot._records import dataclass
from xboot.attest.agreement import Attested, collect_files, verify_files
from xboot.attest.envelope import sign
from xboot.attest.keys import PrivateKey, generate_key, load_private, load_public
from xboot.attest.places import attestation_place
from xboot.attest.policy import Judgement, Policy, judge, load_policy, make_policy
from xboot.attest.reports import ReportedRun, read_reports
from xboot.attest.statement import Run, write_statements
from xboot.cli.compare import read_script, run_comparison
from xboot.errors import InputError, UsageError, XbootError
from xboot.files import folder_inside, replacing
from xboot.foreign import printable
from xboot.model import EMPTY_SCRIPT, Component, Role, Script
from xboot.pipeline import Pipeline, each_voter, measured, short
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result
from xboot.show import report
from xboot.show.independence import independence_report, sentences
from xboot.show.safe import marked
from xboot.voter import Voter
from xboot.words import counted, of_all

EXIT_REFUSED = 3


def keygen(name: str, folder: Path, console: Console) -> None:
    """Make a key and say what each file is for."""
    private, public = generate_key(name, folder)
    _say(console, f"{private}  signs; keep it to yourself")
    _say(console, f"{public}  for everybody; key id {load_public(public).keyid}")


def attest(request: Request, key_file: Path, reports: Sequence[Path], into: Path, console: Console, plugins: Plugins | None = None) -> int:
    """Run (or take reports of earlier runs), and write one signed file for each voter. Nothing is signed unless all agree.

    `request.measure` must be set: what is signed was measured from the image that was booted. `plugins`: those that are installed unless
    given.
    """
    key = load_private(key_file)
    plugins = Plugins.load() if plugins is None else plugins
    if reports:
        script = read_script(request, console, plugins)
        runs = _reported(reports, script)
        parts = each_voter(replace(request, voters=[run.voter for run in runs]), plugins)
        claims = [_claimed(run, script, parts[run.voter], plugins) for run in runs]
    else:
        comparison, status = run_comparison(_alone_is_enough(request), Path("xboot-difference"), console, plugins)
        if status:
            _say(console, "nothing was signed")
            return status
        claims = [_run(comparison.results[name]) for name in comparison.complete]
    for claim in claims:
        _say(console, _write(claim, str(short(claim.voter, plugins)), key, into))
    return 0


def _alone_is_enough(request: Request) -> Request:
    """One voter named by itself is attested by itself: then agreement is for those who compare attestations."""
    return replace(request, quorum=1) if len(request.voters) == 1 and request.quorum is None else request


def _run(result: Result) -> Run:
    """What is attested of a run: its image and trusted base were measured from the files that were booted."""
    verdict, found = result.verdict, measured(result)
    if found is None:
        raise XbootError(f"{result.voter}: the image that was booted was not measured; nothing was signed", hint=result.unmeasured or None)
    return Run(
        result.script, result.voter, result.settings, verdict.accelerator, verdict.image_sha256, found.digest, result.image.artifacts,
        verdict.outputs, verdict.seal, result.segments.materials if result.segments is not None else (),
        found.components, found.below, found.base,
    )  # fmt: skip


def _reported(files: Sequence[Path], script: Script) -> list[ReportedRun]:
    runs = [run for file in files for run in read_reports(file, script)]
    by_voter: dict[Voter, ReportedRun] = {}
    for run in runs:
        other = by_voter.setdefault(run.voter, run)
        if other is not run:
            raise InputError(f"{other.where} and {run.where} are both of {run.voter}; give one report a voter")
        for mine, theirs in zip(run.outputs, runs[0].outputs, strict=True):
            if mine.nar_sha256 != theirs.nar_sha256:
                raise InputError(
                    f"{runs[0].where} and {run.where} differ at step {mine.step}: {mine.path}; differing runs are not attested"
                )
    return runs


def _claimed(run: ReportedRun, script: Script, request: Request, plugins: Plugins) -> Run:
    """Make the image again: nobody here saw the report's image, so the attestation's are image and trusted base of this machine."""
    its = replace(request, settings={**run.settings, **request.settings})
    pipeline = Pipeline(plugins, str(run.voter))
    voter, options = pipeline.options(its)
    options = replace(options, systems=script.systems)
    chain = run.segments
    artifacts = pipeline.prepare(voter.backend, script if chain is None else None, options)
    made = pipeline.measure(its, script if chain is None else EMPTY_SCRIPT, script.systems)  # several boots have that in common
    if made.image_sha256 != run.image_sha256:
        raise InputError(
            f"{run.where}: of the image {run.image_sha256[:16]!r}…, but this xboot makes {made.image_sha256[:16]}… for {run.voter}",
            hint="it was changed, or made by another version, or with --set or --memory that are not given here",
        )
    return Run(
        script, voter, options.settings, run.accelerator, made.image_sha256, made.digest, artifacts, run.outputs,
        "steps" if chain is not None and chain.sealed else "run", chain.materials if chain is not None else (),
        made.components, _reported_below(run), made.base,
    )  # fmt: skip


def _reported_below(run: ReportedRun) -> list[Component]:
    """What stood below the report's image, as it says; nothing when it does not: what is below this host's was not there."""
    if run.segments is None:
        return []
    return [Component(name, Role.SUBSTRATE, 0, sha256, version=version) for name, version, sha256 in run.segments.base_fields["below"]]


def _write(run: Run, voter: str, key: PrivateKey, into: Path) -> str:
    """Sign and write INTO/RESULT-SCRIPT/SIGNER/VOTER.intoto.jsonl; what became of the file, in words."""
    folder, _, name = attestation_place(run.script.results, run.script.sha256, key.signer, voter).rpartition("/")
    path = folder_inside(into, folder) / name
    content = sign(write_statements(run), key)
    if path.is_file() and path.read_bytes() == content:
        return f"{path}  as it was"
    known = path.exists()
    with replacing(path) as scratch:
        scratch.write_bytes(content)
    return f"{path}  {'replaced' if known else 'written'}"


# ---------------------------------------------------------------- verify


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks of a set of attestations. `about`: the targets that they must be of."""

    files: Sequence[Path]
    policy: Policy
    about: Request
    skip_unknown: bool


def wanted_policy(
    file: Path | None, keys: Sequence[Path], quorum: int | None, kernels: int | None, machines: int | None,
    independent: int | None = None, *, independent_machines: bool = False,
) -> Policy:  # fmt: skip
    """The policy of a file, or of options; never of both. Raises UsageError, and InputError for a file or key that is none."""
    if independent is None and independent_machines:
        raise UsageError("--independent-machines says what independent voters may not share", hint="add --independent K")
    given = bool(keys) or any(number is not None for number in (quorum, kernels, machines, independent))
    if file is not None:
        if given:
            raise UsageError("--policy: says already whose keys count and how many must agree", hint="leave out --key and the numbers")
        return load_policy(file)
    if not keys:
        raise UsageError("nobody is trusted: no --key and no --policy", hint="name the keys of those whom you trust, or a policy.toml")
    if quorum is not None and quorum > len(keys):
        raise UsageError(f"--quorum {quorum}: only {counted(len(keys), 'key')} given")
    return make_policy(
        [load_public(path) for path in keys], quorum, kernels or 1, machines or 1, independent=independent,
        independent_machines=independent_machines,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a set of attestations: who counts, exit status and verdict."""

    found: Attested
    judgement: Judgement
    status: int
    word: str


def verify(wanted: Wanted, console: Console, *, as_json: bool) -> int:
    """Check and say; the exit status."""
    checked = check(wanted, console)
    if as_json:
        print(report.to_json(_report(checked, wanted.policy)))
    return checked.status


def check(wanted: Wanted, console: Console) -> Checked:
    """Check and say. A difference outweighs a refused file, and a refused file outweighs a missed quorum."""
    found = verify_files(collect_files(wanted.files), wanted.policy.keys, script=_script_of(wanted.about, console))
    refused = [r for r in found.refused if not (r.unknown and wanted.skip_unknown)]
    judgement = judge(found, wanted.policy)
    status, word = 0, "agreed"
    if found.differs:
        status, word = report.EXIT_DIFFERS, "differs"
    elif refused:
        status, word = EXIT_REFUSED, "refused"
    elif not judgement.enough:
        status, word = report.EXIT_COULD_NOT_RUN, "too few"
    _show(console, found, wanted, judgement, status)
    return Checked(found, judgement, status, word)


def _script_of(about: Request, console: Console) -> Script | None:
    return read_script(about, console, Plugins.load()) if about.targets else None


def _show(console: Console, found: Attested, wanted: Wanted, judgement: Judgement, status: int) -> None:
    apart = judgement.apart
    for a in found.attestations:
        _say(
            console,
            f"[green]valid  [/] {marked(str(a.file))}: {a.signer} on {a.claim.voter}, tcb {a.claim.tcb_sha256[:16]}…",
            markup=True,
        )
    for path in found.repeated:
        _say(console, f"[yellow]again  [/] {marked(str(path))}: says what another file of this signer says; counted once", markup=True)
    for refusal in found.refused:
        passed = refusal.unknown and wanted.skip_unknown
        _say(console, f"{'[dim]skipped[/]' if passed else '[bold red]refused[/]'} {marked(refusal.reason)}", markup=True)
    for divergence in found.divergences:
        _say(console, f"[bold red]differ [/] step {divergence.step}: {divergence.path}", markup=True)
        for value, who in sorted(divergence.hashes.items()):
            _say(console, f"        {report.sri(value)}  {', '.join(who)}")
    for of in found.lists_differ:
        who = ", ".join(f"{a.signer} on {a.claim.voter}" for a in of)
        _say(console, f"[bold red]differ [/] a list of {counted(len(of[0].claim.steps), 'output')} of the script: {who}", markup=True)
    by = f"{of_all(len(found.signers), found.trusted, 'signer')} ({', '.join(found.signers) or 'none'})"
    on = f"{counted(len(found.backends), 'backend')} ({', '.join(found.backends) or 'none'})"
    for line in sentences(apart):
        _say(console, line)
    if found.divergences:
        first = found.divergences[0]
        _say(console, f"[bold red]differs[/]: the first diverging output is {first.path} of step {first.step} ({first.drv})", markup=True)
    elif found.lists_differ:
        _say(
            console,
            "[bold red]differs[/]: which outputs the script has, of which it leaves no choice; with --target they are known",
            markup=True,
        )
    elif status == EXIT_REFUSED:
        _say(console, f"[bold red]refused[/]: not every file can be believed; those that can: {by} agree, on {on}", markup=True)
    elif status:
        _say(console, f"[bold red]too few[/]: {by} on {on} agree; of those that count: {', '.join(judgement.missing)}", markup=True)
    else:
        count = len(found.steps)
        on = f"{on}, {len(apart.guest)} independent" if len(apart.voters) > 1 else on
        what = counted(count, "output")
        _say(console, f"[bold green]agreed[/]: {what}, by {by}, on {on}; script sha256 {found.script_sha256}", markup=True)


def _report(checked: Checked, policy: Policy) -> dict[str, Any]:
    found, judgement = checked.found, checked.judgement
    return {
        "xbootAgreement": 1,
        "verdict": checked.word,
        "scriptSha256": found.script_sha256 or None,
        "quorum": policy.signers,
        "kernels": policy.kernels,
        "machines": policy.machines,
        "counted": {"signers": list(judgement.signers), "kernels": list(judgement.kernels), "machines": list(judgement.machines)},
        "independent": independence_report(judgement.apart, policy.independent, machines=policy.independent_machines),
        "trusted": found.trusted,
        "signers": list(found.signers),
        "backends": list(found.backends),
        "voters": list(found.voters),
        "attestations": [
            {"file": str(a.file), "signer": a.signer, "voter": str(a.claim.voter), "backend": a.claim.backend,
             "imageSha256": a.claim.image_sha256,
             "tcbSha256": a.claim.tcb_sha256, "accelerator": a.claim.accelerator, "executor": a.claim.executor,
             "machine": a.claim.machine, "seal": a.claim.seal}
            for a in found.attestations
        ],
        "refused": [{"file": str(r.file), "reason": r.reason, "unknownKey": r.unknown} for r in found.refused],
        "repeated": [str(path) for path in found.repeated],
        "outputs": dict(found.attestations[0].claim.outputs) if found.attestations and not found.differs else {},
        "divergences": [
            {"step": d.step, "drv": d.drv, "path": d.path, "narSha256": {value: list(who) for value, who in d.hashes.items()}}
            for d in found.divergences
        ],
        "listsDiffer": [
            {"outputs": list(of[0].claim.steps), "by": [f"{a.signer} on {a.claim.voter}" for a in of]} for of in found.lists_differ
        ],
    }  # fmt: skip


def _say(console: Console, text: str, *, markup: bool = False) -> None:
    console.print(text if markup else printable(text), soft_wrap=True, highlight=False, emoji=False, markup=markup)
