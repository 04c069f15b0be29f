"""Whom to believe, and when their word is enough: a policy, as a file (`policy.toml`) that verifiers and sites share.

A policy counts signers, kernels and machines that agree. It decides who counts; it never hides a difference: what a signer who is
believed says against the others is a difference, on whatever kernel it was seen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xboot._records import dataclass
from xboot.attest.agreement import Attestation, Attested, index_keys
from xboot.attest.keys import TrustedKey, load_public
from xboot.compare.independent import Independence
from xboot.errors import InputError
from xboot.files import read_regular
from xboot.foreign import printable
from xboot.words import counted, of_all

__all__ = ["Judgement", "Policy", "judge", "load_policy", "make_policy"]

_MAX_POLICY = 65536  # bytes
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Policy:
    """`keys`: who is believed. `signers`, `kernels`, `machines`: how many different ones must agree. `only_kernels`, `only_machines`:
    names of those that count; empty: all do. `independent`: how many voters must agree of which no two share guest code (None: any number),
    nor, with `independent_machines`, a machine.
    """

    keys: Sequence[TrustedKey]
    signers: int
    kernels: int = 1
    machines: int = 1
    only_kernels: Sequence[str] = ()
    only_machines: Sequence[str] = ()
    independent: int | None = None
    independent_machines: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Who counts under a policy. `apart`: who of them is independent of whom. `missing`: what there is too little of, in
    words; empty when it is enough.
    """

    signers: Sequence[str]
    kernels: Sequence[str]
    machines: Sequence[str]
    missing: Sequence[str]
    apart: Independence = field(default_factory=Independence)

    @property
    def enough(self) -> bool:
        return not self.missing


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Signers(_Table):
    keys: list[str] = Field(min_length=1, max_length=_MOST)
    quorum: int | None = Field(None, ge=1)


class _Counted(_Table):
    quorum: int = Field(1, ge=1, le=_MOST)
    among: list[str] = Field(default_factory=list, max_length=_MOST)


class _Apart(_Table):
    quorum: int = Field(ge=1, le=_MOST)
    machines: bool = False


class _File(_Table):
    policy: int = Field(ge=1, le=1)
    signers: _Signers
    kernels: _Counted = _Counted(quorum=1)
    machines: _Counted = _Counted(quorum=1)
    independent: _Apart | None = None


def make_policy(
    keys: Sequence[TrustedKey], signers: int | None = None, kernels: int = 1, machines: int = 1,
    only_kernels: Sequence[str] = (), only_machines: Sequence[str] = (), independent: int | None = None,
    independent_machines: bool = False, where: str = "--quorum",
) -> Policy:  # fmt: skip
    """A policy that can be met. `signers`: all whose key is given when it is None. Raises UsageError for a key given twice or under two
    names, InputError, which names `where`, for more signers, kernels or machines than there can be.
    """
    known = len(index_keys(keys))
    signers = known if signers is None else signers
    if signers > known:
        raise InputError(f"{where}: {counted(signers, 'signer')} must agree, and only {counted(known, 'key')} given")
    for what, wanted, names in (("kernels", kernels, only_kernels), ("machines", machines, only_machines)):
        if names and wanted > len(set(names)):
            raise InputError(f"{where}: {wanted} {what} must agree, and only {len(set(names))} may count")
    return Policy(
        list(keys), signers, kernels, machines, sorted(set(only_kernels)), sorted(set(only_machines)), independent, independent_machines
    )  # fmt: skip


def load_policy(path: Path) -> Policy:
    """Read a policy; keys are files, seen from the policy's folder. Raises InputError that names the file and what is wrong with it."""
    try:
        table = tomllib.loads(read_regular(path, _MAX_POLICY, "a policy").decode())
    except (ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{path}: {printable(str(error) or 'nested too deeply', 300)}", hint="a policy is TOML 1.0") from None
    try:
        said = _File.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: {printable(place, 200)}: {first['msg']}", hint="docs/attestation.md shows a whole policy") from None
    keys = [load_public(path.parent / name) for name in said.signers.keys]
    apart = said.independent
    return make_policy(
        keys, said.signers.quorum, said.kernels.quorum, said.machines.quorum, said.kernels.among, said.machines.among,
        apart.quorum if apart else None, apart.machines if apart else False, where=str(path),
    )  # fmt: skip


def judge(found: Attested, policy: Policy, among: Sequence[Attestation] | None = None) -> Judgement:
    """Who of those that were found counts, and what there is too little of. `among`: those of `found` that may count; None: all.

    Who does not count is heard all the same, where others are lied about (`Attested.independence_of`).
    """
    counting = [
        a
        for a in (found.attestations if among is None else among)
        if (not policy.only_kernels or a.claim.backend in policy.only_kernels)
        and (not policy.only_machines or a.claim.machine in policy.only_machines)
    ]
    signers = sorted({a.signer for a in counting})
    kernels = sorted({a.claim.backend for a in counting})
    machines = sorted({a.claim.machine for a in counting})
    needed = (("signer", signers, policy.signers), ("kernel", kernels, policy.kernels), ("machine", machines, policy.machines))
    missing = [of_all(len(have), wanted, what) for what, have, wanted in needed if len(have) < wanted]
    apart = found.independence_of(counting)
    if not apart.enough(policy.independent, machines=policy.independent_machines):
        names, what = (apart.both, "neither guest code nor a machine") if policy.independent_machines else (apart.guest, "no guest code")
        missing.append(f"{of_all(len(names), policy.independent or 0, 'voter')} that share {what}")
    return Judgement(signers, kernels, machines, missing, apart)
