"""The outputs of attestations that agree, with size and references: only what enough signers say counts, of these as of the hash."""

from __future__ import annotations

from collections.abc import Sequence

from xboot._records import dataclass
from xboot.attest.agreement import Attested
from xboot.attest.policy import Policy, judge
from xboot.errors import InputError
from xboot.foreign import printable
from xboot.storepath import check_store_path, hash_part, store_name

__all__ = ["AgreedOutput", "agreed_outputs"]


@dataclass(frozen=True, slots=True)
class AgreedOutput:
    """An output as all say that it is. `nar_sha256` in hex, `nar_size` in bytes, `references` store paths in order, each once."""

    path: str
    drv: str
    nar_sha256: str
    nar_size: int
    references: Sequence[str]

    @property
    def file(self) -> str:
        """The name of its NAR, as `xboot run --export` writes it."""
        return f"{store_name(self.path)}.nar"


def agreed_outputs(found: Attested, policy: Policy) -> list[AgreedOutput]:
    """The outputs in the order of the script. `found` must differ in nothing.

    What an output refers to is said only by attestations of several boots, so these alone must be enough for the policy. Raises InputError
    when they are not, when two of them differ, and for a path that no store has.
    """
    assert not found.differs
    saying = [a for a in found.attestations if a.claim.contents]
    judgement = judge(found, policy, saying)
    if not saying or not judgement.enough:
        raise InputError(
            f"what the outputs refer to is said by too few: {', '.join(judgement.missing) or 'no attestation'}",
            hint="attestations of sealed steps say it: xboot attest without --seal run",
        )
    first = saying[0]
    outputs = []
    for path, (_, drv) in first.claim.steps.items():
        content = first.claim.contents[path]
        for other in saying:
            theirs = other.claim.contents[path]
            if (theirs.size, sorted(set(theirs.references))) != (content.size, sorted(set(content.references))):
                raise InputError(f"{first.file} and {other.file} differ in the size or the references of {printable(path, 300)}")
        references = sorted(set(content.references))
        store = path.rpartition("/")[0]
        for one in (path, drv, *references):
            check_store_path(one, store)
        outputs.append(AgreedOutput(path, drv, content.sha256, content.size, references))
    seen: dict[str, str] = {}
    for output in outputs:
        if seen.setdefault(hash_part(output.path), output.path) != output.path:
            raise InputError(f"{output.path} and {seen[hash_part(output.path)]} have one hash part, which no two outputs have")
    return outputs
