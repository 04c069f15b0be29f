"""What of a guest without a host can be seen without booting one; and screens that are held against reports."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xboot.attest.screen import hold, read_shown
from xboot.boot.transcript import NO_NONCE, Made, transcript_sha256
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import InputError, UsageError
from xboot.guest.build import STANDALONE, build_executor
from xboot.guest.own_tcc import obtain_own_tcc
from xboot.show.report import sri
from xboot_hurd.server import sources as server_sources
from xboot_mirage.build import built_image
from xboot_tccboot.kernel import own_tree

HASH, OTHER = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
BUSYBOX, HELLO = (f"/nix/store/{character * 32}-{name}" for character, name in (("a", "busybox"), ("b", "hello")))


@pytest.mark.compiler
@pytest.mark.apt
def test_an_attended_image_has_nothing_of_it() -> None:
    """Neither its programs nor the sources of its kernels; and one without a host is another program."""
    files = {path.name for path in STANDALONE.rglob("*.[ch]")}
    attended, alone = (build_executor("i386", "i386-tcc", Cache(), standalone=way) for way in (False, True))
    assert {path.name for path in attended.source_files} & files == set()
    assert {path.name for path in alone.source_files} - {path.name for path in attended.source_files} == files - {"panic.c"}
    assert b"XBOOT1:" in alone.path.read_bytes() and b"XBOOT1:" not in attended.path.read_bytes()
    assert b"/dev/ttyS1" in attended.path.read_bytes()
    tcc = obtain_own_tcc(DebianPackages(Cache()))
    for way in (False, True):
        tree = own_tree(tcc, standalone=way)
        assert ("SCREEN_CELLS" in tree.manifest) == ("standalone/panic.c" in tree.files) == way
        assert ("standalone/panic.c" in server_sources(standalone=way)) == way
        image = built_image(Cache(), lambda event: None, standalone=way)
        assert ("standalone" in image) == (b"XBOOT1:" in image["kernel"].path.read_bytes()) == way


def output(name: str, step: int, sha256: str = HASH, size: int = 152, references: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "step": step, "drv": "/nix/store/x.drv", "name": name, "path": HELLO, "status": "unknown", "narHash": sri(sha256),
        "narSha256": sha256, "narSize": size, "expected": {}, "references": list(references), "seconds": 1.0,
    }  # fmt: skip


def report(**changes: Any) -> dict[str, Any]:
    source = {"path": BUSYBOX, "kind": "seed", "narHash": sri(OTHER), "narSha256": OTHER, "narSize": 1960}
    usual = {
        "xbootReport": 1, "xboot": "1", "verdict": "built", "failure": None, "backend": "linux", "executor": "c", "machine": "qemu",
        "accelerator": "tcg", "scriptSha256": OTHER, "imageSha256": OTHER, "sources": [source], "results": [HELLO],
        "outputs": [output("out", 1), output("dev", 1, references=(BUSYBOX, HELLO)), output("out", 2, OTHER)],
    }  # fmt: skip
    return usual | changes


TRANSCRIPT = f"""(xboot 1)
(hello "{NO_NONCE}" "{OTHER}")
(source "{NO_NONCE}" "{BUSYBOX}" "sha256" "{OTHER}" 1960)
(begin "{NO_NONCE}" 1)
(output "{NO_NONCE}" 1 "out" "sha256" "{HASH}" 152 ())
(output "{NO_NONCE}" 1 "dev" "sha256" "{HASH}" 152 ("{BUSYBOX}" "{HELLO}"))
(begin "{NO_NONCE}" 2)
(output "{NO_NONCE}" 2 "out" "sha256" "{OTHER}" 152 ())
(done "{NO_NONCE}")
"""
SHA256 = hashlib.sha256(TRANSCRIPT.encode()).hexdigest()
CODE = f"XBOOT1:{OTHER}:{SHA256}".upper()


def written(folder: Path, value: object) -> Path:
    path = folder / "report.json"
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("text", [CODE, CODE.lower(), SHA256, f" {SHA256[:32]}\n{SHA256[32:]}\n", f"{CODE[:40]} {CODE[40:]}"])
def test_what_the_run_of_a_report_said(text: str, tmp_path: Path) -> None:
    assert hold(read_shown(text), written(tmp_path, report())) == ({"linux/c@qemu": ""}, {})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scriptSha256": HASH}, "another script"),
        ({"outputs": [output("out", 1), output("dev", 1), output("out", 2, OTHER)]}, "its transcript has"),
        ({"outputs": [output("out", 1, size=160), *report()["outputs"][1:]]}, "its transcript has"),
    ],
    ids=["script", "references", "size"],
)
def test_another_run_differs(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert said in hold(read_shown(CODE), written(tmp_path, report(**changes))).differences["linux/c@qemu"]


def test_each_run_of_a_comparison_that_came_to_its_end(tmp_path: Path) -> None:
    failed = report(backend="hurd", verdict="could not run", failure="it hung")
    other = report(backend="mirage", executor="ocaml", outputs=[output("out", 1)])
    runs = {"linux": report(), "mirage": other, "hurd": failed}
    found = hold(read_shown(CODE), written(tmp_path, {"xbootComparison": 1, "runs": runs}))
    assert list(found.differences) == ["linux", "mirage"] and not found.differences["linux"] and found.differences["mirage"]
    assert found.failures == {"hurd": "it hung"}


@pytest.mark.parametrize("names", [("linux", "linux@qemu:ovmf"), ("linux@qemu:ovmf", "linux")])
def test_forms_of_a_machine_are_runs_of_their_own(names: tuple[str, str], tmp_path: Path) -> None:
    """A report of a run does not say at which address its machine is; the comparison does."""
    runs = dict(zip(names, (report(outputs=[output("out", 1)]), report()), strict=True))
    found = hold(read_shown(CODE), written(tmp_path, {"xbootComparison": 1, "runs": runs}))
    assert [bool(found.differences[name]) for name in names] == [True, False]


def test_what_was_not_expected_does_not_agree(tmp_path: Path) -> None:
    """The transcript is the screen's, and somebody knew another hash."""
    wrong = report()["sources"][0] | {"status": "differs", "expected": {"lock": sri(HASH)}}
    found = hold(read_shown(CODE), written(tmp_path, report(verdict="differs", sources=[wrong])))
    assert "not what was expected" in found.differences["linux/c@qemu"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (report(verdict="could not run", failure="it hung"), "no run in it came to its end"),
        ({"xbootComparison": 1, "runs": {}}, "no run in it came to its end"),
        ({"xbootComparison": 1, "runs": ["x"]}, "a comparison whose runs are not reports"),
        ({"xbootComparison": 1, "runs": {"x": 1}}, "a comparison whose runs are not reports"),
        ({}, "not a report"),
        ([], "not a report"),
        (report(outputs=[output("out", 1) | {"narHash": sri(OTHER)}]), "two different hashes"),
        (report(backend="no/name"), "name no voter"),
        ({"xbootComparison": 1, "runs": {"mirage": report()}}, "of another voter"),
        ({"xbootComparison": 1, "runs": {"": report()}}, "of another voter"),
        (report(verdict="differs"), "says 'differs'"),
        (report(verdict="could not run"), "says 'could not run'"),
        (report(verdict="interrupted"), "says 'interrupted'"),
        (report(verdict="match"), "says 'match'"),
        (report(sources=[report()["sources"][0] | {"narHash": sri(HASH)}]), "two different hashes"),
        (report(sources=[report()["sources"][0] | {"narHash": None, "narSha256": None}]), "two different hashes"),
        (report(sources=[report()["sources"][0] | {"expected": {"lock": sri(HASH)}}]), "is said to be None"),
        (report(sources=[], outputs=[output(BUSYBOX, 0, OTHER, 1960), *report()["outputs"]]), "outputs.0.step"),
    ],
)
def test_reports_that_no_screen_is_held_against(value: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        hold(read_shown(CODE), written(tmp_path, value))


@pytest.mark.parametrize(
    "text", ["", "XBOOT1:", CODE[:-1], CODE + "0", CODE.replace("1:", "2:", 1), SHA256[:-1] + "g", f"{OTHER}:{SHA256}"]
)
def test_what_no_screen_shows(text: str) -> None:
    with pytest.raises(UsageError, match="not what such a screen shows"):
        read_shown(text)


def test_a_name_that_no_guest_can_say_is_hashed_and_differs() -> None:
    """A report may hold half a character."""
    assert transcript_sha256(OTHER, [Made(1, "\udc80", HASH, 1)]) != transcript_sha256(OTHER, [Made(1, "out", HASH, 1)])


@pytest.mark.parametrize(("text", "status", "said"), [(CODE, 0, "agrees"), (f"XBOOT1:{OTHER}:{HASH}", 1, "differs"), ("x", 2, "hint")])
def test_the_verb(text: str, status: int, said: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xboot", "check-screen", text, str(written(tmp_path, report())), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status and said in done.stderr
    if status < 2:
        assert "unattended: believed as far as you believe the screen" in done.stderr
        assert json.loads(done.stdout)["agrees"] == {"linux/c@qemu": not status}


def test_the_verb_names_the_runs_that_failed(tmp_path: Path) -> None:
    runs = {"linux": report(), "hurd": report(backend="hurd", verdict="could not run", failure="it hung")}
    file = written(tmp_path, {"xbootComparison": 1, "runs": runs})
    done = subprocess.run(
        [sys.executable, "-m", "xboot", "check-screen", CODE, str(file), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "hurd: it did not come to its end: it hung" in done.stderr
    assert json.loads(done.stdout)["failed"] == ["hurd"]
