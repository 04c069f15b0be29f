"""`keygen`, `attest` and `verify-attestation` as their users meet them, and reports that somebody changed before they were signed."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.attest import read_reports
from xboot.errors import InputError
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Script
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.recipe import default_store_folder

pytestmark = pytest.mark.boot

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"


def xboot(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xboot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def report() -> dict:
    done = xboot("run", "--json", "--accel", "tcg", "--seal", "run", HELLO)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sealed() -> dict:
    done = xboot("run", "--json", "--accel", "tcg", "--seal", "steps", HELLO)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def script() -> Script:
    pipeline = Pipeline(Plugins.load())
    read = ReadOptions(stores=[default_store_folder()])
    return pipeline.linearize(pipeline.read([str(HELLO)], read), LinearizeOptions())


def test_two_people_agree(tmp_path: Path, sealed: dict) -> None:
    """Both by sealed steps: what `attest` does unless it is told otherwise, and a report of such a run."""
    report = sealed
    for name in ("alice", "bob"):
        assert xboot("keygen", name, "--into", tmp_path / "keys").returncode == 0
    sigs, saved = tmp_path / "sigs", tmp_path / "report.json"
    done = xboot("attest", "--key", tmp_path / "keys" / "alice.key", "--backends", "linux,tccboot", "--into", sigs, HELLO)
    assert done.returncode == 0, done.stderr
    saved.write_text(json.dumps(report))
    done = xboot("attest", "--key", tmp_path / "keys" / "bob.key", "--report", saved, "--into", sigs, HELLO)
    assert done.returncode == 0, done.stderr
    (folder,) = sigs.iterdir()
    assert folder.name == f"hello-{report['scriptSha256'][:16]}"
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.jsonl"))]
    assert names == ["alice/linux.intoto.jsonl", "alice/tccboot.intoto.jsonl", "bob/linux.intoto.jsonl"]

    alice, bob = (("--key", tmp_path / "keys" / f"{name}.pub") for name in ("alice", "bob"))
    done = xboot("verify-attestation", *alice, *bob, "--kernels", 2, "--target", HELLO, "--json", sigs)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["verdict"], said["signers"], said["backends"]) == ("agreed", ["alice", "bob"], ["linux", "tccboot"])
    assert [a["seal"] for a in said["attestations"]] == ["steps"] * 3
    assert said["outputs"] == {report["outputs"][0]["path"]: report["outputs"][0]["narSha256"]}
    assert "agreed: 1 output, by 2 of 2 signers (alice, bob), on 2 backends (linux, tccboot)" in done.stderr

    # bob's linux and alice's linux differ in the signature only: what they say is the same, to the byte.
    payloads = [
        [json.loads(line)["payload"] for line in (folder / name / "linux.intoto.jsonl").read_text().splitlines()]
        for name in ("alice", "bob")
    ]
    assert payloads[0] == payloads[1]

    assert xboot("verify-attestation", *alice, *bob, "--kernels", 3, sigs).returncode == 6
    assert xboot("verify-attestation", *alice, "--quorum", 2, sigs).returncode == 2
    done = xboot("verify-attestation", *alice, sigs)
    assert done.returncode == 3
    assert "bob/linux.intoto.jsonl, line 1: signed by the key" in done.stderr
    assert xboot("verify-attestation", *alice, "--skip-unknown", sigs).returncode == 0

    file = folder / "bob" / "linux.intoto.jsonl"
    file.write_text(file.read_text().replace("A", "B", 1))
    done = xboot("verify-attestation", *alice, *bob, sigs)
    assert done.returncode == 3
    assert "refused" in done.stderr
    assert "bob/linux.intoto.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


def test_mistakes_get_one_sentence(tmp_path: Path) -> None:
    assert xboot("keygen", "zoe", "--into", tmp_path).returncode == 0
    for arguments, status, words in (
        (("keygen", "zoe", "--into", tmp_path), 2, "exists already"),
        (("attest", "--key", tmp_path / "zoe.pub", HELLO), 3, "not a private key"),
        (
            ("attest", "--key", tmp_path / "zoe.key", "--report", tmp_path / "none.json", HELLO),
            3,
            "none.json: cannot be read: No such file",
        ),
        (("attest", HELLO), 2, "--key"),
        (("verify-attestation", "--key", tmp_path / "zoe.key", tmp_path), 3, "not a public key"),
        (("verify-attestation", "--key", tmp_path / "zoe.pub", tmp_path), 3, "no file below this folder"),
        (("verify-attestation", "--key", tmp_path / "zoe.pub", tmp_path / "none"), 3, "none: cannot be read: No such file"),
    ):
        done = xboot(*arguments)
        assert done.returncode == status, done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_a_report_of_another_image_is_not_signed(tmp_path: Path, report: dict) -> None:
    assert xboot("keygen", "zoe", "--into", tmp_path).returncode == 0
    saved = tmp_path / "report.json"
    saved.write_text(json.dumps(report | {"imageSha256": "0" * 64}))
    done = xboot("attest", "--key", tmp_path / "zoe.key", "--report", saved, "--into", tmp_path / "sigs", HELLO)
    assert done.returncode == 3
    assert "of the image '0000000000000000'…, but this xboot makes" in done.stderr
    assert not (tmp_path / "sigs").exists()


def _changed(report: dict, **values: object) -> dict:
    changed = copy.deepcopy(report)
    changed["outputs"][0].update(values)
    return changed


def test_changed_reports_are_refused(tmp_path: Path, report: dict, script: Script) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    (run,) = read_reports(path, script)
    assert run.voter.backend == "linux"
    first = report["outputs"][0]
    told = {key: first[key] for key in ("step", "drv", "name", "path")} | {"agreed": True, "narSha256": {"linux": first["narSha256"]}}
    agreed = {
        "xbootComparison": 2, "verdict": "agreed", "quorum": 1, "complete": ["linux"], "outputs": [told], "runs": {"linux": report},
    }  # fmt: skip
    path.write_text(json.dumps(agreed))
    assert len(read_reports(path, script)) == 1
    hashed = report["outputs"][0]["narHash"]
    for value, reason in (
        (report | {"scriptSha256": "0" * 64}, "another script"),
        (report | {"verdict": "differs"}, "its outputs say 'built'"),
        (report | {"verdict": "could not run", "failure": "it broke"}, "its verdict is 'could not run'"),
        (report | {"failure": "it broke"}, "its outputs say 'could not run'"),
        (report | {"sources": []}, "its sources are not those of the script"),
        (report | {"seal": "run", "segments": []}, "segments"),
        (report | {"verdict": "match"}, "its outputs say 'built'"),
        (report | {"outputs": []}, "not those of the script"),
        (report | {"outputs": report["outputs"] * 2}, "not those of the script"),
        (report | {"xbootReport": 2}, "xbootReport"),
        (report | {"accelerator": "\x1b[31m"}, "accelerator"),
        (_changed(report, narSha256="0" * 64), "two different hashes"),
        (_changed(report, narSha256="0"), "narSha256"),
        (_changed(report, narSha256=None), "two different hashes, or none"),
        (_changed(report, status="differs"), "which its hashes contradict"),
        (_changed(report, status="not run"), "was not built, and has a hash"),
        (_changed(report, status="not run", narSha256=None, narHash=None, narSize=0, references=[]), "not every output was built"),
        (_changed(report, status="match"), "which its hashes contradict"),
        (_changed(report, expected={"store": "sha256-" + "A" * 43 + "="}), "which its hashes contradict"),
        (_changed(report, path="/nix/store/x"), "not those of the script"),
        (_changed(report, narSize=-1), "narSize"),
        (_changed(report, extra=1), "extra"),
        (_changed(report, status="match", expected={"store": hashed}), "says 'built'"),
        (agreed | {"verdict": "differs"}, "only `agreed`"),
        (agreed | {"runs": {}}, "without runs"),
        (agreed | {"runs": {"linux": 1}}, "not reports"),
        (agreed | {"complete": ["linux", "mirage"]}, "the voters that ran every step"),
        (agreed | {"quorum": 2}, "which its runs contradict"),
        (agreed | {"outputs": []}, "not those of the script"),
        (agreed | {"outputs": [told | {"narSha256": {}}]}, "not those of its runs"),
        (agreed | {"complete": ["mirage"], "runs": {"mirage": report}}, "of another voter"),
        ([], "not a report"),
        ({}, "xbootReport"),
    ):
        path.write_text(json.dumps(value))
        with pytest.raises(InputError) as caught:
            read_reports(path, script)
        assert reason in caught.value.message, caught.value.message
        assert str(path) in caught.value.message
    for text in ("", "{", '{"xbootReport": ', "[" * 100_000):
        path.write_text(text)
        with pytest.raises(InputError, match="not JSON, or truncated"):
            read_reports(path, script)
