"""Attestations that were changed, cut, mixed up, repeated, or signed by strangers: each refused, and by name."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope

from xboot.attest import (
    FILE_SUFFIX,
    MAX_SIZE,
    Attested,
    PrivateKey,
    TrustedKey,
    collect_files,
    generate_key,
    load_private,
    load_public,
    read_claim,
    sign,
    verify_files,
    write_statements,
)
from xboot.attest.envelope import PAYLOAD_TYPE, canonical
from xboot.attest.statement import PROVENANCE, TEST_RESULT, Run
from xboot.errors import InputError, UsageError
from xboot.model import Artifact, OutputVerdict, Role, Script, Source, SourceKind, Status, Step, StepOutput
from xboot.segments.format import Material
from xboot.voter import Voter

STORE = "/nix/store"
SRC = f"{STORE}/{'0' * 32}-src"


def out(number: int) -> str:
    return f"{STORE}/{number:032d}-out"


def drv(number: int) -> str:
    return f"{STORE}/{number:032d}-out.drv"


def script(sha256: str = "5" * 64) -> Script:
    steps = [Step(n, drv(n), "i686-linux", b"/b", [b"b"], [], "/build", [], [], [SRC], [StepOutput("out", out(n))]) for n in (1, 2, 3)]
    return Script(b"text", sha256, STORE, [Source(SRC, SourceKind.NAR, Path("/x"), "a" * 64, 120)], steps, [out(3)])


def run(backend: str = "linux", hashes: tuple[str, str, str] = ("a" * 64, "b" * 64, "c" * 64), sha256: str = "5" * 64) -> Run:
    outputs = [OutputVerdict(n, drv(n), "out", out(n), Status.UNKNOWN, value, 120) for n, value in enumerate(hashes, 1)]
    kernel = Artifact("kernel", Path("/k"), "6" * 64, 10, Role.KERNEL, "a test", "1.0")
    return Run(script(sha256), Voter(backend, "c", "qemu"), {}, "tcg", "7" * 64, "8" * 64, {"kernel": kernel}, outputs)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[PrivateKey, TrustedKey]]:
    folder = tmp_path_factory.mktemp("keys")
    found = {}
    for name in ("alice", "bob", "carol", "mallory"):
        private, public = generate_key(name, folder)
        found[name] = (load_private(private), load_public(public))
    return found


@pytest.fixture
def written(tmp_path: Path, people: dict[str, tuple[PrivateKey, TrustedKey]]) -> Callable[..., Path]:
    def write(signer: str, what: Run, name: str = "") -> Path:
        path = tmp_path / "sigs" / signer / f"{name or what.voter.backend}{FILE_SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sign(write_statements(what), people[signer][0]))
        return path

    return write


@pytest.fixture
def verified(people: dict[str, tuple[PrivateKey, TrustedKey]]) -> Callable[..., Attested]:
    def verify(*files: Path, keys: tuple[str, ...] = ("alice", "bob", "carol"), **options: Script) -> Attested:
        return verify_files(files, [people[name][1] for name in keys], **options)

    return verify


def reasons(found: Attested) -> str:
    return "\n".join(refusal.reason for refusal in found.refused)


def test_round_trip(written, verified) -> None:
    found = verified(written("alice", run()), written("alice", run("mirage")), written("bob", run("tccboot")))
    assert (found.signers, found.backends, found.trusted) == (["alice", "bob"], ["linux", "mirage", "tccboot"], 3)
    assert not found.refused
    assert not found.divergences
    claim = found.attestations[0].claim
    assert (claim.script_sha256, claim.image_sha256, claim.tcb_sha256) == ("5" * 64, "7" * 64, "8" * 64)
    assert dict(claim.outputs) == {out(1): "a" * 64, out(2): "b" * 64, out(3): "c" * 64}
    assert claim.steps[out(2)] == (2, drv(2))


def test_how_it_was_sealed_is_said(written, verified) -> None:
    boots = [Material(n, n, str(n) * 64, str(n + 3) * 64) for n in (1, 2, 3)]
    file = written("alice", replace(run(), seal="steps", boots=boots))
    found = verified(file, written("bob", run("mirage")))
    assert {a.signer: a.claim.seal for a in found.attestations} == {"alice": "steps", "bob": "run"}
    statement = json.loads(base64.b64decode(json.loads(file.read_text().splitlines()[0])["payload"]))
    named = statement["predicate"]["buildDefinition"]["resolvedDependencies"][-2:]
    assert [(one["name"], one["digest"]["sha256"][0], one["annotations"]["image"][0]) for one in named] == [
        ("boot of steps 2 to 2", "2", "5"),
        ("boot of steps 3 to 3", "3", "6"),
    ]
    odd = verified(written("carol", replace(run(), seal="both")))
    assert "is not how a run is sealed" in reasons(odd)


def test_the_same_run_gives_the_same_file(written) -> None:
    path = written("alice", run())
    assert path.read_bytes() == written("alice", run()).read_bytes()


def test_the_statements_are_what_the_specifications_say(written) -> None:
    lines = [json.loads(line) for line in written("alice", run()).read_text().splitlines()]
    assert [line["payloadType"] for line in lines] == [PAYLOAD_TYPE] * 2
    statements = [json.loads(base64.b64decode(line["payload"])) for line in lines]
    assert [s["_type"] for s in statements] == ["https://in-toto.io/Statement/v1"] * 2
    assert [s["predicateType"] for s in statements] == [PROVENANCE, TEST_RESULT]
    assert statements[0]["predicate"]["runDetails"]["builder"]["id"] == "urn:xboot:backend:linux"
    assert statements[1]["predicate"]["result"] == "PASSED"
    assert statements[0]["subject"] == statements[1]["subject"]


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_every_changed_byte_is_refused(written, verified, flip: int) -> None:
    path = written("alice", run())
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
        found = verified(path)
        assert not found.attestations, (place, good[place : place + 1])
        assert str(path) in reasons(found)
    path.write_bytes(good)
    assert verified(path).attestations


def test_every_truncation_is_refused(written, verified) -> None:
    path = written("alice", run())
    good = path.read_bytes()
    for size in range(len(good)):
        path.write_bytes(good[:size])
        assert not verified(path).attestations, size
    path.write_bytes(good[: len(good) // 2])
    assert "truncated" in reasons(verified(path))


def test_the_same_envelope_in_other_json_is_refused(written, verified) -> None:
    path = written("alice", run())
    path.write_text("".join(json.dumps(json.loads(line)) + "\n" for line in path.read_text().splitlines()))
    assert "not in the form that `xboot attest` writes" in reasons(verified(path))


def test_huge_files_are_refused_without_reading_them(tmp_path: Path, verified) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(MAX_SIZE + 1)
    assert f"({MAX_SIZE} bytes)" in reasons(verified(path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "and no more"),
        (b"1" * 100_000 + b"\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"null\n", "not a DSSE envelope"),
        (b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[]}\n', "0 signatures"),
        (b'{"payload":1,"payloadType":"application/vnd.in-toto+json","signatures":[{}]}\n', "malformed"),
        (b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":[],"sig":""}]}\n', "malformed"),
        (b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":7,"sig":""}]}\n', "none of the keys"),
        (b'{"payload":"","payloadType":"text/plain","signatures":[{"keyid":"","sig":""}]}\n', "payload type 'text/plain'"),
        (b'{"payload":"","payloadType":{"a":1},"signatures":[{"keyid":"","sig":""}]}\n', "payload type"),
    ],
)
def test_what_is_no_envelope_is_refused(tmp_path: Path, verified, content: bytes, reason: str) -> None:
    path = tmp_path / "odd"
    path.write_bytes(content)
    assert reason in reasons(verified(path))
    assert str(path) in reasons(verified(path))


def test_another_payload_type_is_refused_though_signed(tmp_path: Path, people, verified) -> None:
    lines = []
    for statement in write_statements(run()):
        envelope = Envelope(statement, "application/json", {})
        envelope.sign(people["alice"][0].crypto)
        lines.append(canonical(envelope.to_dict()) + b"\n")
    path = tmp_path / "odd"
    path.write_bytes(b"".join(lines))
    assert "payload type 'application/json', expected 'application/vnd.in-toto+json'" in reasons(verified(path))


def test_unknown_keys_are_named(written, verified) -> None:
    path = written("mallory", run())
    found = verified(path, written("alice", run()))
    (refusal,) = found.refused
    assert refusal.unknown
    assert "none of the keys" in refusal.reason
    assert found.signers == ["alice"]


def test_a_signature_under_anothers_name_is_refused(written, people, verified) -> None:
    path = written("mallory", run())
    path.write_text(path.read_text().replace(people["mallory"][0].keyid, people["alice"][0].keyid))
    found = verified(path)
    assert "the signature of alice does not fit" in reasons(found)
    assert not found.refused[0].unknown


def test_lines_of_two_signers_or_runs_are_refused(tmp_path: Path, written, verified) -> None:
    alice, bob, other = (
        p.read_text().splitlines(keepends=True)
        for p in (written("alice", run()), written("bob", run()), written("alice", run("linux", ("1" * 64, "b" * 64, "c" * 64)), "other"))
    )
    path = tmp_path / "mixed"
    for lines, reason in (
        ([alice[0], bob[1]], "signed by different keys (alice, bob)"),
        ([alice[0], other[1]], "not about the same run"),
        ([alice[1], alice[0]], "expected https://slsa.dev/provenance/v1, then"),
        ([alice[0]], "1 statements"),
        ([*alice, *alice], "4 statements"),
    ):
        path.write_text("".join(lines))
        assert reason in reasons(verified(path))


def test_another_script_is_refused_by_name(written, verified) -> None:
    stranger = written("carol", run("linux", sha256="9" * 64))
    found = verified(written("alice", run()), written("bob", run()), stranger)
    assert found.signers == ["alice", "bob"]
    assert str(stranger) in reasons(found)
    assert "attests another script (9999999999999999…, the others are of 5555555555555555…)" in reasons(found)
    found = verified(written("alice", run()), stranger, script=script("9" * 64))
    assert found.signers == ["carol"]


def test_duplicate_signers_count_once(written, verified) -> None:
    found = verified(written("alice", run()), copy := written("alice", run(), "copy"), written("alice", run("mirage")))
    assert found.signers == ["alice"]
    assert list(found.repeated) == [copy]


def test_a_key_with_two_names_is_refused(tmp_path: Path, people) -> None:
    path = people["alice"][1].path
    twin = tmp_path / "alice2.pub"
    twin.write_bytes(path.read_bytes())
    with pytest.raises(UsageError, match="hold the same key"):
        verify_files([], [load_public(path), load_public(twin)])
    namesake = tmp_path / "alice.pub"
    namesake.write_bytes(people["bob"][1].path.read_bytes())
    with pytest.raises(UsageError, match="give two keys the name 'alice'"):
        verify_files([], [load_public(path), load_public(namesake)])


def test_the_first_diverging_step_is_named(written, verified) -> None:
    other = run("mirage", ("a" * 64, "e" * 64, "f" * 64))
    found = verified(written("alice", run()), written("bob", other))
    assert [d.step for d in found.divergences] == [2, 3]
    assert found.divergences[0].hashes == {"b" * 64: ["alice on linux/c@qemu"], "e" * 64: ["bob on mirage/c@qemu"]}
    # Nor may one signer contradict themselves unnoticed.
    assert verified(written("alice", run()), written("alice", other)).divergences


def test_other_outputs_of_the_same_script_are_refused(written, verified) -> None:
    """With the target at hand even a majority cannot decide which outputs there are; without it nobody can."""
    whole = run()
    fewer = replace(whole, outputs=whole.outputs[:2], script=replace(whole.script, steps=whole.script.steps[:2]))
    found = verified(written("alice", whole), written("bob", whole), written("carol", fewer))
    assert (found.signers, found.differs, found.refused) == (["alice", "bob", "carol"], True, [])
    assert [[a.signer for a in group] for group in found.lists_differ] == [["alice", "bob"], ["carol"]]
    found = verified(written("alice", whole), written("bob", fewer), written("carol", fewer), script=script())
    assert found.signers == ["alice"]
    assert "than the target has" in reasons(found)
    assert not found.differs


def _resigned(people, tmp_path: Path, change: Callable[[list[dict]], None]) -> Path:
    """What a signer whom one trusts could have written by hand."""
    statements = [json.loads(text) for text in write_statements(run())]
    change(statements)
    path = tmp_path / "byhand"
    path.write_bytes(sign([canonical(statement) for statement in statements], people["alice"][0]))
    return path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s[1]["predicate"].update(result="FAILED"), "the result 'FAILED'"),
        (lambda s: s[1]["predicate"].update(failedTests=["step 2"]), "only a run that passed"),
        (lambda s: s[1]["predicate"].update(passedTests=[]), "the steps that passed are not those of the outputs"),
        (lambda s: s[1]["predicate"].update(colour="red"), "malformed"),
        (lambda s: s[0].update(predicateType="https://slsa.dev/provenance/v0.2"), "expected https://slsa.dev/provenance/v1"),
        (lambda s: s[0].update(_type="https://in-toto.io/Statement/v0.1"), "no in-toto statement"),
        (lambda s: s[0].update(subject=[]), "At least one subject"),
        (lambda s: s[0]["predicate"]["buildDefinition"].update(buildType="https://example.org/"), "another kind of build"),
        (lambda s: s[0]["predicate"]["runDetails"]["builder"].update(id="urn:xboot:backend:hurd"), "another backend"),
        (lambda s: [x["subject"][0]["digest"].update(narSha256="A" * 64) for x in s], "is not the narSha256"),
        (lambda s: [x["subject"][0].update(digest={"sha256": "a" * 64}) for x in s], "is not the narSha256"),
        (lambda s: [x["subject"][0].update(name="\x1b[31m") for x in s], "is not an output's store path"),
        (lambda s: [x["subject"][0].update(name=f"{STORE}//x") for x in s], "is not an output's store path"),
        (lambda s: [x["subject"][0].update(name=f"{STORE}/./x") for x in s], "is not an output's store path"),
        (lambda s: [x["subject"][0].update(name=f"{STORE}/..") for x in s], "is not an output's store path"),
        (lambda s: [x["subject"][0].update(name=f"{out(1)}/") for x in s], "is not an output's store path"),
        (lambda s: [x["subject"][0].update(name="/" + "x" * 4097) for x in s], "is not an output's store path"),
        (lambda s: [x["subject"][0]["annotations"].update(drv=f"{STORE}//x") for x in s], "is not a derivation's store path"),
        (lambda s: [x["subject"][0]["annotations"].update(step="0") for x in s], "is not a step's number"),
        (lambda s: [x["subject"].append(x["subject"][0]) for x in s], "twice"),
        (lambda s: s[1]["predicate"]["configuration"].pop(), "expected script, image and tcb"),
        (lambda s: s[1]["predicate"]["configuration"][1]["annotations"].update(backend="../x"), "is not a backend's name"),
        (lambda s: s.__setitem__(0, [1]), "no in-toto statement"),
    ],
)
def test_signed_nonsense_is_refused(tmp_path: Path, people, verified, change, reason: str) -> None:
    path = _resigned(people, tmp_path, change)
    found = verified(path)
    assert not found.attestations
    assert reason in reasons(found)
    assert str(path) in reasons(found)
    assert "\x1b" not in reasons(found)


def test_payloads_that_are_no_json_are_refused(tmp_path: Path, people, verified) -> None:
    path = tmp_path / "odd"
    for payload in (b"", b"\x00", b"[" * 10_000, b"{", b'{"_type":1}', b'{"subject":7}'):
        path.write_bytes(sign([payload, payload], people["alice"][0]))
        assert "no in-toto statement" in reasons(verified(path))
    with pytest.raises(InputError):
        read_claim([], "nothing")


def test_folders_stand_for_what_is_in_them(tmp_path: Path, written) -> None:
    paths = [written("alice", run()), written("bob", run())]
    (tmp_path / "sigs" / "README").write_text("not an attestation")
    (tmp_path / "sigs" / f"link{FILE_SUFFIX}").symlink_to(paths[0])
    assert collect_files([tmp_path / "sigs"]) == sorted(paths)
    assert collect_files([paths[0], tmp_path / "sigs"]) == sorted(paths)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no file below this folder"):
        collect_files([tmp_path / "none"])


@contextmanager
def nested(top: Path, depth: int) -> Iterator[None]:
    """Folders within each other, made one level at a time, since no path may be that long; gone afterwards: pytest could not clear them."""
    top.mkdir()
    descriptor = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=descriptor)
        inner = os.open("a", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", top], check=True)


def test_folders_within_each_other_hide_nothing(tmp_path: Path, written, verified) -> None:
    """As deep as a path can name, and deeper: what cannot be looked at is refused by name, and the rest counts."""
    good = written("alice", run())
    with nested(tmp_path / "sigs" / "deep", 1900):
        assert collect_files([tmp_path / "sigs"]) == [good]
    with nested(tmp_path / "sigs" / "deeper", 2500):
        found = verified(*collect_files([tmp_path / "sigs"]))
    assert found.signers == ["alice"]
    (refusal,) = found.refused
    assert str(refusal.file).startswith(str(tmp_path / "sigs" / "deeper" / "a")) and "File name too long" in refusal.reason


# ---------------------------------------------------------------- keys


def test_keys_are_private_and_never_overwritten(tmp_path: Path) -> None:
    private, _ = generate_key("dora", tmp_path)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        generate_key("dora", tmp_path)
    assert private.read_bytes() == before
    for name in ("", "../x", "a/b", ".hidden", "a b", "x" * 64, "\x1b"):
        with pytest.raises(UsageError):
            generate_key(name, tmp_path)


def test_what_is_no_key_is_refused_with_a_hint(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private, public = generate_key("emil", tmp_path)
    with pytest.raises(InputError, match="not a private key") as caught:
        load_private(public)
    assert caught.value.hint == "NAME.pub is the public key; NAME.key signs"
    with pytest.raises(InputError, match="not a public key") as caught:
        load_public(private)
    assert "name the .pub file" in str(caught.value.hint)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked = Ed25519PrivateKey.generate().private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"x"))
    other = X25519PrivateKey.generate().private_bytes(pem, pkcs8, serialization.NoEncryption())
    for content, reason in ((locked, "encrypted"), (other, "another kind"), (b"x" * 20000, "16384 bytes"), (b"", "not a private key")):
        (tmp_path / "odd.key").write_bytes(content)
        with pytest.raises(InputError, match=reason):
            load_private(tmp_path / "odd.key")
    with pytest.raises(InputError, match="cannot be read"):
        load_public(tmp_path / "nobody.pub")


HOSTILE = {
    "true": b"true",
    "null": b"null",
    "a number": b"1",
    "a list": b"[]",
    "half a character": b'{"_type": "\\ud800"}',
    "half a character in a name": b'{"\\udc00": 1}',
    "infinity": b'{"predicate": {"a": Infinity}}',
    "not a number": b'{"predicate": NaN}',
    "a large number": b'{"predicate": {"a": 1%s}}' % (b"0" * 400),
    "a number that no double holds": b'{"predicate": {"a": 1e999}}',
    "as many digits as a double has": b'{"predicate": {"a": %s}}' % (b"9" * 300),
    "a number of many digits": b'{"predicate": {"a": 1%s}}' % (b"0" * 5000),
    "nested": b'{"predicate": {"a": %s}}' % (b"[" * 5000 + b"]" * 5000),
    "a little nested": b'{"predicate": {"a": %s}}' % (b"[" * 300 + b"]" * 300),
    "a member twice": b'{"_type": "https://in-toto.io/Statement/v1", "_type": "x"}',
    "not UTF-8": b"\xff\xfe",
    "nothing": b"",
    "other types": b'{"_type": 1, "subject": {"a": []}, "predicate": "x", "predicateType": null}',
}


def test_infinity_in_a_statement_that_is_otherwise_good(written, verified, people, tmp_path: Path) -> None:
    statements = write_statements(run())
    statements[0] = statements[0].replace(b'"predicate":{', b'"predicate":{"x":Infinity,', 1)
    bad = tmp_path / "a-bad.intoto.jsonl"
    bad.write_bytes(sign(statements, people["carol"][0]))
    found = verified(bad, written("alice", run()))
    assert found.signers == ["alice"]
    assert "Infinity is no JSON" in reasons(found)


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("place", [0, 1])
def test_a_signed_malformed_file_hides_no_other(written, verified, people, tmp_path: Path, what: str, place: int) -> None:
    """Whoever has a key may sign anything; what the others signed counts all the same."""
    good = [written("alice", run()), written("bob", run())]
    statements = write_statements(run())
    statements[place] = HOSTILE[what]
    bad = tmp_path / "a-bad.intoto.jsonl"
    bad.write_bytes(sign(statements, people["carol"][0]))
    found = verified(bad, *good)
    assert found.signers == ["alice", "bob"]
    assert [refusal.file for refusal in found.refused] == [bad]
    assert "cannot be understood" not in found.refused[0].reason
    assert "in-toto statement" in found.refused[0].reason or "not JSON" in found.refused[0].reason


def test_an_error_that_nobody_foresaw_is_a_refusal(written, verified, monkeypatch: pytest.MonkeyPatch) -> None:
    from xboot.attest import agreement

    good, bad = written("alice", run()), written("bob", run("mirage"))
    real = agreement.read_claim
    monkeypatch.setattr(agreement, "read_claim", lambda payloads, where: 1 // 0 if where == str(bad) else real(payloads, where))
    found = verified(good, bad)
    assert found.signers == ["alice"]
    assert "cannot be understood: ZeroDivisionError" in found.refused[0].reason


@pytest.mark.parametrize(
    "line", [b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", b"[" + b"1," * 1000 + b"1]", b"{" + b'"a":1,' * 50 + b'"b":1}']
)
def test_a_line_of_many_values_is_refused_before_it_is_read(tmp_path: Path, verified, monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    from xboot.attest import envelope

    monkeypatch.setattr(envelope, "load_json", lambda line: pytest.fail("it was read"))
    path = tmp_path / "many"
    path.write_bytes(line + b"\n")
    assert "and no more" in reasons(verified(path))
