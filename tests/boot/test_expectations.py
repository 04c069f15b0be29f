"""What users may say of hashes, and what a verdict makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xboot.boot import gather_expectations, parse_hash
from xboot.boot.channel import Message
from xboot.boot.verdict import Timing, judge
from xboot.errors import InputError, UsageError
from xboot.model import BootImage, FixedHash, Phase, ReferenceCheck, Script, Source, SourceKind, Status, Step, StepOutput
from xboot.show.report import exit_code

STORE = "/test/store"
HEX = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"
SRI = "sha256-ZP0ooGdeMFvZsCtJBonatXVcjqWiM7N05V46LXzF1xQ="
NIX32 = "056qslyibfgfwnrv6ci5mf8crxpmv64h6cgbq7dcnc2zczg2j7r4"
X, Y, Z = (f"{STORE}/{digit * 32}-{name}" for digit, name in (("0", "src"), ("1", "one"), ("2", "two")))


def script(*checks: ReferenceCheck, fixed: FixedHash | None = None) -> Script:
    steps = [
        Step(1, f"{STORE}/1.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [X], [StepOutput("out", Y, fixed)]),
        Step(2, f"{STORE}/2.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [Y], [StepOutput("out", Z)]),
    ]
    return Script(b"", "0" * 64, STORE, [Source(X, SourceKind.NAR, Path("/x"), HEX, 1)], steps, [Z], checks=checks)


@pytest.mark.parametrize("text", [HEX, HEX.upper(), SRI, "sha256:" + HEX])
def test_the_ways_to_write_a_hash(text: str) -> None:
    assert parse_hash(text) == HEX


def test_nix32() -> None:
    from xboot.storepath import nix32

    assert parse_hash(nix32(bytes.fromhex(HEX))) == HEX
    assert parse_hash("sha256:" + nix32(bytes.fromhex(HEX))) == HEX


@pytest.mark.parametrize("text", ["", "sha256-", "sha256-AAAA", HEX[:-1], HEX + "0", "g" * 64, "e" * 52, "md5:" + HEX, "sha1-" + SRI[7:]])
def test_what_is_no_hash(text: str) -> None:
    with pytest.raises(UsageError, match="not a SHA-256"):
        parse_hash(text)


def test_expect_by_name_path_or_alone() -> None:
    assert gather_expectations(script(), [SRI], None, [])[Z] == {"--expect": HEX}
    assert gather_expectations(script(), [f"one={SRI}"], None, [])[Y] == {"--expect": HEX}
    assert gather_expectations(script(), [f"{Y}={HEX}"], None, [])[Y] == {"--expect": HEX}
    with pytest.raises(UsageError, match="'three'"):
        gather_expectations(script(), [f"three={HEX}"], None, [])


def test_expect_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "expected.json"
    file.write_text(json.dumps({Y: SRI}))
    assert gather_expectations(script(), [], file, [])[Y] == {"expected.json": HEX}
    file.write_text(json.dumps({STORE + "/other": SRI}))
    with pytest.raises(UsageError, match="no output or source of this script"):
        gather_expectations(script(), [], file, [])
    for bad in ("[]", "{", '{"a": 1}'):
        file.write_text(bad)
        with pytest.raises(InputError):
            gather_expectations(script(), [], file, [])
    with pytest.raises(InputError):
        gather_expectations(script(), [], tmp_path / "absent", [])


def test_expect_from_fixed_outputs_and_stores(tmp_path: Path) -> None:
    assert gather_expectations(script(fixed=FixedHash("recursive", HEX)), [], None, [])[Y] == {"fixed-output": HEX}
    assert Y not in gather_expectations(script(fixed=FixedHash("flat", HEX)), [], None, [])
    (tmp_path / Z.rsplit("/", 1)[1]).write_text("built before")
    found = gather_expectations(script(), [], None, [tmp_path])
    assert list(found) == [Z]
    assert list(found[Z]) == ["store"]


def verdict(outputs: dict[str, tuple[str, list[str]]], expected: dict[str, dict[str, str]], *checks: ReferenceCheck):
    steps = {Y: 1, Z: 2}
    messages = [Message(Phase.OUTPUT, steps[p], "out", p, sha256=h, references=refs) for p, (h, refs) in outputs.items()]
    image = BootImage("test", script(*checks), {}, [], {}, "")
    return judge(image, messages, Timing(), expected, "", None, "tcg", 1.0, "", {})


def test_statuses() -> None:
    judged = verdict({Y: ("a" * 64, [])}, {Y: {"--expect": "a" * 64}, Z: {"--expect": "b" * 64}})
    assert [o.status for o in judged.outputs] == [Status.MATCH, Status.NOT_RUN]
    assert not judged.ok
    judged = verdict({Y: ("a" * 64, []), Z: ("b" * 64, [])}, {Y: {"one": "a" * 64, "other": "c" * 64}})
    assert [o.status for o in judged.outputs] == [Status.DIFFERS, Status.UNKNOWN]
    assert not judged.ok


@pytest.mark.parametrize(
    ("kind", "listed", "violated"),
    [
        ("allowedReferences", [Y], None),
        ("allowedReferences", [], Y),
        ("disallowedReferences", [Y], Y),
        ("disallowedReferences", [X], None),
        ("allowedRequisites", [X, Y], None),
        ("allowedRequisites", [Y], X),
        ("disallowedRequisites", [X], X),
        ("disallowedRequisites", [Z], None),
    ],
)
def test_reference_checks(kind: str, listed: list[str], violated: str | None) -> None:
    built = {Y: ("a" * 64, [X]), Z: ("b" * 64, [Y])}
    judged = verdict(built, {}, ReferenceCheck(2, "", kind, listed))
    if violated is None:
        assert not judged.failure
    else:
        assert f"{Z} refers to {violated}, which {kind} does not permit" in judged.failure
        assert "step 2" in judged.failure
        assert not judged.ok


def test_sources_are_checked_as_such(tmp_path: Path) -> None:
    """A list of hashes may name paths that the script has as sources: they match or differ like outputs."""
    other = "0" * 64
    file = tmp_path / "expected.json"
    for value, status in ((HEX, Status.MATCH), (other, Status.DIFFERS)):
        file.write_text(json.dumps({X: value, Y: HEX}))
        expected = gather_expectations(script(), [], file, [])
        assert expected[X] == {"expected.json": value}
        assert gather_expectations(script(), [f"src={value}"], None, [])[X] == {"--expect": value}
        image = BootImage("fake", script(), {}, (), {}, "")
        said = [Message(Phase.OUTPUT, s, "out", p, HEX, 1) for s, p in ((1, Y), (2, Z))]
        verdict = judge(image, said, Timing(), expected, "", None, "tcg", 1.0, "", {})
        assert [(s.path, s.status) for s in verdict.sources] == [(X, status)]
        assert [o.path for o in verdict.outputs] == [Y, Z]
        assert verdict.ok == (status is Status.MATCH)
        assert exit_code(verdict) == (0 if status is Status.MATCH else 1)


def test_two_expectations_of_one_output_do_not_hide_each_other() -> None:
    other = "0" * 64
    for given in ([f"one={other}", f"one={SRI}"], [f"one={SRI}", f"{Y}={other}"], [SRI, f"two={other}"]):
        with pytest.raises(UsageError, match="another hash"):
            gather_expectations(script(), given, None, [])
    assert gather_expectations(script(), [f"one={SRI}", f"{Y}={HEX}"], None, [])[Y] == {"--expect": HEX}


def test_a_path_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "expected.json"
    for first, second in (("0" * 64, SRI), (SRI, SRI)):
        file.write_text(f'{{"{Y}": "{first}", "{Y}": "{second}"}}')
        with pytest.raises(InputError, match="is there twice"):
            gather_expectations(script(), [], file, [])


@pytest.mark.parametrize("name", ["--expect", "store", "fixed-output"])
def test_a_file_cannot_take_the_place_of_another_origin(tmp_path: Path, name: str) -> None:
    """The wrong hash is in the file; what else is known of the output has the right one."""
    file = tmp_path / name
    file.write_text(json.dumps({Y: "0" * 64}))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / Y.rsplit("/", 1)[1]).write_text("x")
    expected = gather_expectations(script(fixed=FixedHash("recursive", HEX)), [f"one={HEX}"], file, [tmp_path / "folder"])[Y]
    assert len(expected) == 4
    assert expected[f"./{name}"] == "0" * 64
    assert expected["--expect"] == expected["fixed-output"] == HEX
