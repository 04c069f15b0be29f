"""`xboot offer` and `collect`: only what enough agree on leaves, in formats that others verify; what comes in goes to its place."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.formats import encode_canonical
from test_attest_boots import PLAN, S1, S2, boots, outputs, run
from test_attest_independent import LINUX, QEMU

from xboot.attest import FILE_SUFFIX, generate_key, load_private, load_public, sign, verify_files, write_statements
from xboot.attest.agreement import index_keys
from xboot.attest.policy import make_policy
from xboot.attest.statement import Run
from xboot.errors import InputError, UsageError
from xboot.model import Component, Role, Script
from xboot.offer.agreed import AgreedOutput, agreed_outputs
from xboot.offer.collect import collect
from xboot.offer.files import copy_nars, write_files
from xboot.offer.nix import fingerprint, load_signing_key, narinfo
from xboot.voter import Voter

EXAMPLE = Path(__file__).parents[2] / "examples" / "attestations"
KEY = EXAMPLE / "keys" / "demo-alice.key"
HELLO = "ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8"
NAR = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"


def xboot(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def offer(format: str, into: Path, name: str, *more: object) -> subprocess.CompletedProcess[str]:
    (folder,) = EXAMPLE.glob(f"{name}-*")
    return xboot("offer", format, folder, "--policy", EXAMPLE / "policy.toml", "--sign", KEY, "--into", into, *more)


def test_a_binary_cache(tmp_path: Path) -> None:
    done = offer("nix", tmp_path / "cache", "hello")
    assert done.returncode == 0, done.stderr
    assert "trusted-public-keys = demo-alice:" in done.stderr
    text = (tmp_path / "cache" / f"{HELLO}.narinfo").read_text()
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    assert fields["StorePath"] == f"/nix/store/{HELLO}-hello"
    assert (fields["NarSize"], fields["References"]) == ("160", "")
    signed = f"1;/nix/store/{HELLO}-hello;{fields['NarHash']};160;".encode()
    name, _, signature = fields["Sig"].partition(":")
    public = load_private(KEY).crypto.public_key
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.keyval["public"]))
    key.verify(base64.b64decode(signature), signed)
    assert name == "demo-alice"
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "cache").iterdir()}
    assert offer("nix", tmp_path / "cache", "hello").returncode == 0  # the same again changes nothing
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "cache").iterdir()} == before


@pytest.mark.parametrize(("format", "name", "status"), [("nix", "named", 1), ("sums", "greeting", 6), ("link", "named", 1)])
def test_nothing_leaves_that_differs_or_is_alone(tmp_path: Path, name: str, status: int, format: str) -> None:
    done = offer(format, tmp_path / "into", name)
    assert (done.returncode, "nothing was written" in done.stderr) == (status, True)
    assert not (tmp_path / "into").exists()


def test_nars_are_checked(tmp_path: Path) -> None:
    nars = tmp_path / "nars"
    nars.mkdir()
    done = offer("nix", tmp_path / "cache", "hello", "--nars", nars)
    assert done.returncode == 3
    assert f"{HELLO}-hello.nar: cannot be read" in done.stderr
    (nars / f"{HELLO}-hello.nar").write_bytes(b"another")
    done = offer("nix", tmp_path / "cache", "hello", "--nars", nars)
    assert done.returncode == 3
    assert f"attested was {NAR}" in done.stderr
    assert not list((tmp_path / "cache" / "nar").iterdir())
    assert not list((tmp_path / "cache").glob("*.narinfo"))


def test_sums_are_those_of_guix_sigs(tmp_path: Path) -> None:
    assert offer("sums", tmp_path, "hello").returncode == 0
    (sums,) = tmp_path.glob("hello-*/demo-alice/all.SHA256SUMS")
    assert sums.read_text() == f"{NAR}  {HELLO}-hello.nar\n"
    public = load_public(KEY.with_suffix(".pub")).key
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.keyval["public"]))
    key.verify(sums.with_name("all.SHA256SUMS.sig").read_bytes(), sums.read_bytes())


def test_links_are_signed_as_in_toto_signs(tmp_path: Path) -> None:
    assert offer("link", tmp_path, "hello").returncode == 0
    link = json.loads((tmp_path / f"{HELLO}-hello.nar.link").read_text())
    (signature,) = link["signatures"]
    trusted = load_public(KEY.with_suffix(".pub"))
    assert signature["keyid"] == trusted.keyid
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(trusted.key.keyval["public"]))
    key.verify(bytes.fromhex(signature["sig"]), str(encode_canonical(link["signed"])).encode())
    assert link["signed"]["_type"] == "link"
    assert link["signed"]["products"] == {f"{HELLO}-hello.nar": {"sha256": NAR}}


def test_mistakes_get_one_sentence(tmp_path: Path) -> None:
    trusted = ("--policy", EXAMPLE / "policy.toml", "--into", tmp_path, "--sign")
    for arguments, status, words in (
        (("offer", "deb", EXAMPLE, *trusted, KEY), 2, "expected nix, sums, link"),
        (("offer", "nix", EXAMPLE, "--sign", KEY, "--into", tmp_path), 2, "nobody is trusted"),
        (("offer", "nix", EXAMPLE, *trusted, KEY.with_suffix(".pub")), 3, "not a private key"),
        (("collect", EXAMPLE), 2, "nobody is trusted"),
    ):  # fmt: skip
        done = xboot(*arguments)
        assert done.returncode == status, done.stderr
        assert words in done.stderr
    with pytest.raises(UsageError, match="with another content"):
        (tmp_path / "a").write_text("mine")
        write_files(tmp_path, [("a", b"theirs")])
    (tmp_path / "b").symlink_to(tmp_path / "c")
    with pytest.raises(UsageError, match="with another content"):
        write_files(tmp_path, [("b", b"theirs")])
    assert (tmp_path / "a").read_text() == "mine"
    assert not (tmp_path / "c").exists()


def test_what_a_stranger_put_into_a_repository_is_not_written_through(tmp_path: Path) -> None:
    """A clone may hold links: under every name that can be known before, and in the place of folders."""
    victim, outside, clone = tmp_path / "victim", tmp_path / "outside", tmp_path / "clone"
    victim.write_text("precious")
    outside.mkdir()
    folder = clone / "hello-5" / "alice"
    folder.mkdir(parents=True)
    for name in (".linux.intoto.jsonl.new", f".linux.intoto.jsonl.{os.getpid()}"):
        (folder / name).symlink_to(victim)
    assert write_files(clone, [("hello-5/alice/linux.intoto.jsonl", b"said")]) == [folder / "linux.intoto.jsonl"]
    assert (folder / "linux.intoto.jsonl").read_bytes() == b"said"
    assert victim.read_text() == "precious"
    (clone / "hello-6").symlink_to(outside)
    (clone / "hello-5" / "bob").symlink_to(outside)
    (clone / "nar").symlink_to(outside)
    for place in ("hello-6/alice/linux.intoto.jsonl", "hello-5/bob/linux.intoto.jsonl"):
        with pytest.raises(UsageError, match="is a link"):
            write_files(clone, [(place, b"said")])
    with pytest.raises(UsageError, match="is a link"):
        copy_nars(clone, [], tmp_path)
    assert list(outside.iterdir()) == []


# ---------------------------------------------------------------- what outputs refer to


@pytest.fixture
def attested(tmp_path: Path) -> Callable[..., list[AgreedOutput]]:
    """Attestations of alice on linux and bob on mirage, as they are, or changed; what can be offered of them."""
    keys = {name: generate_key(name, tmp_path / "keys") for name in ("alice", "bob")}

    def offered(alice: Run, bob: Run, script: Script | None = PLAN) -> list[AgreedOutput]:
        files = []
        for name, what in (("alice", alice), ("bob", replace(bob, voter=Voter("mirage", "ocaml", "qemu")))):
            files.append(tmp_path / f"{name}{FILE_SUFFIX}")
            files[-1].write_bytes(sign(write_statements(what), load_private(keys[name][0])))
        policy = make_policy([load_public(public) for _, public in keys.values()], kernels=2)
        found = verify_files(files, policy.keys, script=script)
        assert not found.refused and not found.divergences
        return agreed_outputs(found, policy)

    return offered


def test_the_fingerprint_lists_references_in_order(attested) -> None:
    two = attested(run(), run())[1]
    assert two.path == S2
    assert fingerprint(two).startswith(f"1;{S2};sha256:")
    assert fingerprint(two).endswith(f";120;{','.join(sorted(two.references))}")
    assert len(two.references) == 2 and S1 in two.references


def test_references_need_as_many_as_hashes_do(attested) -> None:
    """bob ran all in one boot, of which nobody says what refers to what: then one signer's word is not enough."""
    alone = replace(run("none"), boots=[], seal="run")
    with pytest.raises(InputError, match="said by too few: 1 of 2 signers, 1 of 2 kernels"):
        attested(run(), alone)
    with pytest.raises(InputError, match="said by too few"):
        attested(alone, alone)


def test_sizes_that_differ_are_refused(attested) -> None:
    other = outputs(s3={"nar_size": 121})
    with pytest.raises(InputError, match="differ in the size or the references"):
        attested(run(), replace(run(), outputs=other, boots=boots("steps", other)))


@pytest.mark.parametrize("path", ["/etc/passwd", f"{S1}/inside", "/nix/store/short-name"])
def test_paths_that_no_store_has_make_no_files(attested, path: str) -> None:
    """Signers may sign any text as a path; a name of a file is made only of what is a store path."""
    other = outputs(s3={"path": path})
    what = replace(run(), outputs=other, boots=boots("steps", outputs()))
    with pytest.raises(InputError, match="is not a store path"):
        attested(what, what, None)


def test_keys_of_nix(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    path = tmp_path / "secret"
    path.write_text(f"cache.example-1:{base64.b64encode(raw).decode()}\n")
    key = load_signing_key(path)
    assert key.signer == "cache.example-1"
    output = AgreedOutput(f"/nix/store/{HELLO}-hello", f"/nix/store/{HELLO}-hello.drv", NAR, 160, [])
    signature = narinfo(output, key).splitlines()[-1].partition(" ")[2].partition(":")[2]
    private.public_key().verify(base64.b64decode(signature), fingerprint(output).encode())
    path.write_text(f"cache.example-1:{base64.b64encode(raw[:32] + bytes(32)).decode()}\n")
    with pytest.raises(InputError, match="halves are of different keys"):
        load_signing_key(path)
    path.write_text("cache.example-1:short\n")
    with pytest.raises(InputError, match="not a private key"):
        load_signing_key(path)


# ---------------------------------------------------------------- collecting


def test_attestations_go_to_their_places(tmp_path: Path) -> None:
    loose = tmp_path / "mail"
    loose.mkdir()
    kept = {}
    for number, file in enumerate(sorted(EXAMPLE.rglob(f"*{FILE_SUFFIX}"))):
        (loose / f"attachment-{number}{FILE_SUFFIX}").write_bytes(file.read_bytes())
        kept[str(file.relative_to(EXAMPLE))] = hashlib.sha256(file.read_bytes()).hexdigest()
    done = xboot("collect", loose, "--policy", EXAMPLE / "policy.toml", "--into", tmp_path / "repository")
    assert done.returncode == 0, done.stderr
    found = {
        str(file.relative_to(tmp_path / "repository")): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (tmp_path / "repository").rglob("*.*") if file.is_file()
    }  # fmt: skip
    assert found == kept


def test_what_is_not_valid_is_not_collected(tmp_path: Path) -> None:
    loose = tmp_path / "mail"
    loose.mkdir()
    (file, *_) = sorted(EXAMPLE.rglob(f"*{FILE_SUFFIX}"))
    (loose / f"changed{FILE_SUFFIX}").write_bytes(file.read_bytes().replace(b"A", b"B", 1))
    (loose / f"good{FILE_SUFFIX}").write_bytes(file.read_bytes())
    done = xboot("collect", loose, "--policy", EXAMPLE / "policy.toml", "--into", tmp_path / "repository")
    assert done.returncode == 3
    assert "refused" in done.stderr and "changed.intoto.jsonl" in done.stderr
    assert len(list((tmp_path / "repository").rglob(f"*{FILE_SUFFIX}"))) == 1
    key = EXAMPLE / "keys" / "demo-bob.pub"
    done = xboot("collect", loose, "--key", key, "--skip-unknown", "--into", tmp_path / "other")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "other").exists()


def test_every_run_of_one_voter_has_a_place(tmp_path: Path) -> None:
    """Firmware and port are no part of a voter in a statement; on another it is another run, and none takes another's place."""
    private, public = generate_key("alice", tmp_path / "keys")
    key, known = load_private(private), index_keys([load_public(public)])
    firmware = [Component("OVMF", Role.FIRMWARE, 0, "f" * 64, version="1")]
    runs = {"one": LINUX, "ovmf": replace(LINUX, below=[*QEMU, *firmware]), "kvm": replace(LINUX, accelerator="kvm")}
    runs["lie"] = replace(LINUX, outputs=[replace(o, nar_sha256="e" * 64) for o in LINUX.outputs])
    files = {}
    for name, what in runs.items():
        files[name] = tmp_path / f"{name}{FILE_SUFFIX}"
        files[name].write_bytes(sign(write_statements(what), key))

    def collected(*names: str) -> tuple[list[str], str]:
        placed, refused = collect([files[name] for name in names], known, str, tmp_path / "repository")
        write_files(tmp_path / "repository", placed)
        content = {file.read_bytes(): name for name, file in files.items()}
        return [content[text] for _, text in placed], " ".join(refusal.reason for refusal in refused)

    assert collected("one", "one", "ovmf") == (["one", "ovmf"], "")
    there = sorted((tmp_path / "repository").rglob(f"*{FILE_SUFFIX}"))
    assert len(there) == 2 and len({file.parent for file in there}) == 1
    assert collected("ovmf", "one") == (["ovmf", "one"], ""), "in another order, and at another time, to the same places"
    assert sorted((tmp_path / "repository").rglob(f"*{FILE_SUFFIX}")) == there
    assert collected("kvm") == (["kvm"], "") and len(list((tmp_path / "repository").rglob(f"*{FILE_SUFFIX}"))) == 3
    assert "is of the same signer, voter and image, and says something else" in collected("one", "lie")[1]
    with pytest.raises(UsageError, match="with another content"):
        collected("lie")
