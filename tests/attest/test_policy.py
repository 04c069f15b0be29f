"""Policies: what a file may say, whom it counts, and that it is the same for `verify-attestation` and a site."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_attestations import run

from xboot.attest import FILE_SUFFIX, generate_key, load_private, sign, verify_files, write_statements
from xboot.attest.policy import judge, load_policy
from xboot.errors import XbootError
from xboot.voter import Voter

WHOLE = """policy = 1

[signers]
keys = ["keys/alice.pub", "keys/bob.pub"]
quorum = 2

[kernels]
quorum = 2
among = ["linux", "mirage", "hurd"]

[machines]
among = ["qemu"]
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("alice", "bob"):
        generate_key(name, tmp_path / "keys")
    (tmp_path / "policy.toml").write_text(WHOLE)
    return tmp_path


def attest(
    place: Path, signer: str, backend: str, machine: str = "qemu", hashes: tuple[str, str, str] = ("a" * 64, "b" * 64, "c" * 64)
) -> Path:
    path = place / "sigs" / signer / f"{backend}-{machine}{FILE_SUFFIX}"
    path.parent.mkdir(parents=True, exist_ok=True)
    what = replace(run(backend, hashes), voter=Voter(backend, "c", machine))
    path.write_bytes(sign(write_statements(what), load_private(place / "keys" / f"{signer}.key")))
    return path


def verify(place: Path, *more: object) -> tuple[int, dict, str]:
    command = [sys.executable, "-m", "xboot", "verify-attestation", "--json", *map(str, more), str(place / "sigs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_a_whole_policy(place: Path) -> None:
    policy = load_policy(place / "policy.toml")
    assert [key.signer for key in policy.keys] == ["alice", "bob"]
    assert (policy.signers, policy.kernels, policy.machines) == (2, 2, 1)
    assert (policy.only_kernels, policy.only_machines) == (["hurd", "linux", "mirage"], ["qemu"])


def test_who_counts(place: Path) -> None:
    policy = load_policy(place / "policy.toml")
    files = [attest(place, "alice", "linux"), attest(place, "bob", "tccboot"), attest(place, "bob", "mirage", "bochs")]
    found = verify_files(files, policy.keys)
    judgement = judge(found, policy)
    assert (judgement.signers, judgement.kernels, judgement.machines) == (["alice"], ["linux"], ["qemu"])
    assert judgement.missing == ["1 of 2 signers", "1 of 2 kernels"]
    status, said, words = verify(place, "--policy", place / "policy.toml")
    assert (status, said["verdict"]) == (6, "too few")
    assert "of those that count: 1 of 2 signers, 1 of 2 kernels" in words
    attest(place, "bob", "hurd")
    status, said, _ = verify(place, "--policy", place / "policy.toml")
    assert (status, said["verdict"]) == (0, "agreed")
    assert said["counted"] == {"signers": ["alice", "bob"], "kernels": ["hurd", "linux"], "machines": ["qemu"]}


def test_who_does_not_count_still_differs(place: Path) -> None:
    for signer, backend in (("alice", "linux"), ("bob", "mirage")):
        attest(place, signer, backend)
    assert verify(place, "--policy", place / "policy.toml")[0] == 0
    attest(place, "bob", "tccboot", "bochs", ("a" * 64, "b" * 64, "f" * 64))
    assert verify(place, "--policy", place / "policy.toml")[0] == 1


def test_independent_voters_are_asked_for(place: Path) -> None:
    """These attestations name no components, so nobody is independent of anybody."""
    (place / "policy.toml").write_text(WHOLE + "\n[independent]\nquorum = 2\n")
    policy = load_policy(place / "policy.toml")
    assert (policy.independent, policy.independent_machines) == (2, False)
    found = verify_files([attest(place, "alice", "linux"), attest(place, "bob", "mirage")], policy.keys)
    assert judge(found, policy).missing == ["1 of 2 voters that share no guest code"]
    assert judge(found, replace(policy, independent=1)).enough


def test_options_say_the_same(place: Path) -> None:
    for signer, machine in (("alice", "qemu"), ("bob", "bochs")):
        attest(place, signer, "linux", machine)
    keys = ("--key", place / "keys" / "alice.pub", "--key", place / "keys" / "bob.pub")
    assert verify(place, *keys, "--machines", 2)[0] == 0
    assert verify(place, *keys, "--machines", 3)[0] == 6
    assert verify(place)[0] == 2
    status, _, words = verify(place, *keys, "--policy", place / "policy.toml")
    assert (status, "says already whose keys count" in words) == (2, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("policy = 1", "policy = 2"), "policy: "),
        (("policy = 1\n", ""), "policy: Field required"),
        (("quorum = 2\n\n[kernels]", "quorum = 3\n\n[kernels]"), "3 signers must agree, and only 2 keys given"),
        (("quorum = 2\namong", "quorum = 4\namong"), "4 kernels must agree, and only 3 may count"),
        (("quorum = 2\namong", "quorum = 0\namong"), "kernels.quorum"),
        (("quorum = 2\namong", "quorum = true\namong"), "kernels.quorum"),
        (("[machines]", "[machine]"), "machine: Extra inputs"),
        (("[machines]", "[independent]\nmachines = true\n[machines]"), "independent.quorum: Field required"),
        (("keys = [", 'keys = ["keys/nobody.pub", '), "nobody.pub: cannot be read"),
        (("keys = [", 'keys = ["keys/alice.pub", '), "hold the same key"),
        (("keys = [", 'keys = ["keys/alice.key", '), "not a public key"),
        (('keys = ["keys/alice.pub", "keys/bob.pub"]', "keys = []"), "signers.keys"),
        (("[signers]", "[signers"), "policy.toml: "),
        (("[signers]", "\x00"), "policy.toml: "),
    ],
)
def test_policies_that_are_none(place: Path, change: tuple[str, str], reason: str) -> None:
    assert change[0] in WHOLE
    (place / "policy.toml").write_text(WHOLE.replace(*change, 1))
    with pytest.raises(XbootError) as caught:
        load_policy(place / "policy.toml")
    assert reason in caught.value.message


def test_large_policies_are_refused(place: Path) -> None:
    (place / "policy.toml").write_text(WHOLE + "#" * 65536)
    with pytest.raises(XbootError, match="65536 bytes"):
        load_policy(place / "policy.toml")
