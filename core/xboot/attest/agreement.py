"""Several people's attestations side by side: which are believed, who agrees with whom, on which backends.

A signer counts once, however many files they signed; a backend counts once, however many signers ran it. Who is independent of whom is said
by what each signed for (`xboot.attest.components`). One output on which two
believed attestations differ makes the verdict `differs`, however many agree; so do two lists of outputs of one script, which fixes them.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from xboot._records import dataclass
from xboot.attest.components import Said, makeups
from xboot.attest.envelope import FILE_SUFFIX, UnknownKeyError, read_envelopes
from xboot.attest.folders import walk
from xboot.attest.keys import TrustedKey
from xboot.attest.statement import Claim, read_claim
from xboot.boot.verdict import broken_conditions
from xboot.compare.independent import MOST_KINDS, Independence, independence
from xboot.errors import InputError, UsageError
from xboot.foreign import printable
from xboot.model import Script
from xboot.segments.replay import replay_boots
from xboot.words import counted

_MAX_FILES = 10_000
_MAX_ENTRIES = 100_000  # of a folder


@dataclass(frozen=True, slots=True)
class Attestation:
    """A file whose signature was verified, and what it claims."""

    file: Path
    signer: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not believed. `unknown`: nothing is wrong with it except that nobody named its key."""

    file: Path
    reason: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Divergence:
    """An output on which attestations differ: NAR hash → who says so (`signer on voter`)."""

    step: int
    drv: str
    path: str
    hashes: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Attested:
    """What came of a set of files. `trusted`: how many signers there could be (n); `signers` (k) are those who attested.

    `steps`: store path → step and derivation, of every output that anybody lists. `lists_differ`: those who list the same outputs, in
    groups; empty when all do.
    """

    trusted: int
    attestations: Sequence[Attestation]
    refused: Sequence[Refusal]
    repeated: Sequence[Path]
    divergences: Sequence[Divergence]
    steps: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    lists_differ: Sequence[Sequence[Attestation]] = ()

    @property
    def differs(self) -> bool:
        """Whether two who are believed contradict each other: in an output's hash, or in which outputs the script has."""
        return bool(self.divergences or self.lists_differ)

    @property
    def script_sha256(self) -> str:
        return self.attestations[0].claim.script_sha256 if self.attestations else ""

    @property
    def signers(self) -> Sequence[str]:
        return sorted({a.signer for a in self.attestations})

    @property
    def backends(self) -> Sequence[str]:
        return sorted({a.claim.backend for a in self.attestations})

    @property
    def independence(self) -> Independence:
        """Who of `signer on voter` is independent of whom, by what was signed."""
        return self.independence_of(self.attestations)

    def independence_of(self, counting: Sequence[Attestation]) -> Independence:
        """The same of some of the attestations alone, and still by what all signed: a lie is found out by whoever tells the truth.

        Of more voters than can be searched, those that a signer signed for first come first, as many of each signer: nobody keeps the
        others' from being found. What is found is independent then, too, and may not be the most.
        """
        said = _said([*counting, *self.attestations])  # in this order: those that count come first
        fair = _fairly(counting)
        made = makeups(list(said.values()))[: len(fair)]
        try:
            return independence(made)
        except UsageError:
            of = dict(zip(said, made, strict=False))
            return replace(independence([of[key] for key in fair[:MOST_KINDS]]), left_out=len(fair) - MOST_KINDS)

    @property
    def voters(self) -> Sequence[str]:
        return sorted({str(a.claim.voter) for a in self.attestations})


def _voter_key(claim: Claim) -> object:
    """The same for claims by which their voters are made of the same: all that `makeups` looks at."""
    return claim.voter, claim.image_sha256, frozenset((c.name, c.below, c.role, c.sha256, tuple(c.sources)) for c in claim.components)


def _said(attestations: Sequence[Attestation]) -> dict[object, Said]:
    """What attestations say of their voters; of those that say the same, the first. Each has a name of its own."""
    found: dict[object, Said] = {}
    names: set[str] = set()
    for one in attestations:
        claim = one.claim
        key = _voter_key(claim)
        if key not in found:
            name = f"{one.signer} on {claim.voter}"
            name = name if name not in names else f"{name} ({one.file})"
            names.add(name)
            found[key] = Said(name, claim.voter, claim.image_sha256, claim.components)
    return found


def _fairly(attestations: Sequence[Attestation]) -> list[object]:
    """The different voters, as `_said` has them: first what each signer signed for first, then what each signed for second, and so on."""
    places: dict[object, int] = {}
    mine: dict[str, dict[object, int]] = {}
    for one in attestations:
        own = mine.setdefault(one.signer, {})
        key = _voter_key(one.claim)
        place = own.setdefault(key, len(own))
        places[key] = min(place, places.get(key, place))
    return sorted(places, key=places.__getitem__)


def collect_files(arguments: Sequence[Path]) -> list[Path]:
    """The files meant by files and folders; a folder stands for all `*.intoto.jsonl` below it. No link in a folder is followed.

    What cannot be looked at in there is among the files, to be refused by name.
    """
    found: list[Path] = []
    for argument in arguments:
        if argument.is_dir():
            inside = sorted(
                path
                for path, status in walk(argument, _MAX_ENTRIES)
                if isinstance(status, str) or (path.name.endswith(FILE_SUFFIX) and stat.S_ISREG(status.st_mode))
            )
            if not inside:
                raise InputError(f"{argument}: no file below this folder ends with {FILE_SUFFIX}")
            found += inside
        else:
            found.append(argument)
    files = list(dict.fromkeys(found))
    if len(files) > _MAX_FILES:
        raise UsageError(f"{counted(len(files), 'file')}; at most {_MAX_FILES} are verified at once", hint="name the folder of one result")
    return files


def index_keys(keys: Sequence[TrustedKey]) -> dict[str, TrustedKey]:
    """By keyid. Raises UsageError when one key has two names or one name two keys: somebody would count twice, or stand for two."""
    found: dict[str, TrustedKey] = {}
    names: dict[str, TrustedKey] = {}
    for key in keys:
        if key.keyid in found:
            raise UsageError(f"{found[key.keyid].path} and {key.path} hold the same key; a signer counts once")
        if key.signer in names:
            raise UsageError(f"{names[key.signer].path} and {key.path} give two keys the name {key.signer!r}")
        found[key.keyid] = names[key.signer] = key
    return found


def verify_files(files: Sequence[Path], keys: Sequence[TrustedKey], *, script: Script | None = None) -> Attested:
    """Check every file, then put together what the believed ones say.

    All must be about one script: `script` if given, else the one that most signers attest; those of another script are refused by
    name. Those that list other outputs than `script` has are refused, too; without it nobody can say who is right, and the lists
    differ. Nothing is raised for a bad file: it is in `refused`.
    """
    known = index_keys(keys)
    believed, refused = believe_files(files, known)
    wanted = script.sha256 if script else _most_attested(believed)
    strangers = [a for a in believed if a.claim.script_sha256 != wanted]
    refused += [
        Refusal(a.file, f"{a.file}: attests another script ({a.claim.script_sha256[:16]}…, the others are of {wanted[:16]}…)")
        for a in strangers
    ]
    found = put_together([a for a in believed if a.claim.script_sha256 == wanted], len(known), script)
    return replace(found, refused=[*refused, *found.refused])


def believe_files(files: Iterable[Path], known: Mapping[str, TrustedKey]) -> tuple[list[Attestation], list[Refusal]]:
    """Check every file by itself: those that one of `known` (by keyid) signed, and that say what an attestation says; and the others."""
    believed: list[Attestation] = []
    refused: list[Refusal] = []
    for file in files:
        try:
            payloads, key = read_envelopes(file, known)
            if len(payloads) != 2:
                raise InputError(f"{file}: {len(payloads)} statements, expected two (provenance and test result)")
            believed.append(Attestation(file, key.signer, read_claim(payloads, str(file))))
        except UnknownKeyError as error:
            refused.append(Refusal(file, error.message, unknown=True))
        except InputError as error:
            refused.append(Refusal(file, error.message))
        except Exception as error:  # one file, whatever is in it, must not hide what the others say
            refused.append(Refusal(file, f"{file}: cannot be understood: {type(error).__name__}: {printable(str(error), 300)}"))
    return believed, refused


def put_together(believed: Sequence[Attestation], trusted: int, script: Script | None = None) -> Attested:
    """What attestations of one script say together. `trusted`: how many signers there could be."""
    counted, repeated = _without_repeats(believed)
    refused: list[Refusal] = []
    if script is not None:
        counted, odd = _outputs_of(counted, script)
        counted, broken = _closing(counted, script)
        refused = [*odd, *broken]
    lists = _by_list(counted)
    steps = {path: step for one in reversed(lists) for path, step in one}
    groups = list(lists.values()) if len(lists) > 1 else []
    return Attested(trusted, counted, refused, repeated, _divergences(counted, steps), steps, groups)


def _closing(found: Sequence[Attestation], script: Script) -> tuple[list[Attestation], list[Refusal]]:
    """Those whose chain of boots closes over the script, as far as they were of several boots; the others are refused."""
    kept, refused = [], []
    for one in found:
        try:
            replay_boots(script, one.claim.boots, one.claim.contents, str(one.file))
            references = {path: content.references for path, content in one.claim.contents.items()}
            for broken in broken_conditions(script, references) if references else ():
                raise InputError(f"{one.file}: {printable(broken)}")
            kept.append(one)
        except InputError as error:
            refused.append(Refusal(one.file, error.message))
    return kept, refused


def _most_attested(believed: Sequence[Attestation]) -> str:
    signers: dict[str, set[str]] = {}
    for attestation in believed:
        signers.setdefault(attestation.claim.script_sha256, set()).add(attestation.signer)
    return max(signers, key=lambda sha: (len(signers[sha]), sha), default="")


def _without_repeats(found: Sequence[Attestation]) -> tuple[list[Attestation], list[Path]]:
    """The same claim by the same signer again adds nothing."""
    kept: dict[tuple[str, bytes], Attestation] = {}
    repeated: list[Path] = []
    for attestation in found:
        if kept.setdefault((attestation.signer, _identity(attestation.claim)), attestation) is not attestation:
            repeated.append(attestation.file)
    return list(kept.values()), repeated


def _identity(claim: Claim) -> bytes:
    """What makes two claims the same, as something that can be looked up: all that they say."""
    return hashlib.sha256(repr(claim).encode()).digest()


_Steps = tuple[tuple[str, tuple[int, str]], ...]


def _outputs_of(found: Sequence[Attestation], script: Script) -> tuple[list[Attestation], list[Refusal]]:
    """A script decides which outputs there are: who lists others lies, or has a broken xboot."""
    lists = _by_list(found)
    kept = lists.pop(tuple((output.path, (step.number, step.drv)) for step in script.steps for output in step.outputs), [])
    return kept, [
        Refusal(a.file, f"{a.file}: lists other outputs of the same script than the target has")
        for others in lists.values() for a in others
    ]  # fmt: skip


def _by_list(found: Sequence[Attestation]) -> dict[_Steps, list[Attestation]]:
    """List of outputs, with their steps and derivations → who signed for it."""
    lists: dict[_Steps, list[Attestation]] = {}
    for attestation in found:
        lists.setdefault(tuple(attestation.claim.steps.items()), []).append(attestation)
    return lists


def _divergences(found: Sequence[Attestation], steps: Mapping[str, tuple[int, str]]) -> list[Divergence]:
    """The outputs to which those who list them give several hashes."""
    differing = []
    for path, (step, drv) in steps.items():
        hashes: dict[str, list[str]] = {}
        for attestation in found:
            if path in attestation.claim.outputs:
                hashes.setdefault(attestation.claim.outputs[path], []).append(f"{attestation.signer} on {attestation.claim.voter}")
        if len(hashes) > 1:
            differing.append(Divergence(step, drv, path, hashes))
    return sorted(differing, key=lambda d: d.step)
