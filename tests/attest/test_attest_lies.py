"""What a signer whom one trusts may sign to hide what others say: the contradiction is still there, on every way to a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from test_attest_independent import BOCHS, LINUX, MIRAGE, TCCBOOT, made, sha
from test_attestations import drv, out, people, run, verified, written  # noqa: F401 - fixtures

from xboot.attest.policy import Policy, judge, make_policy
from xboot.attest.statement import Run
from xboot.cli import attest as verbs
from xboot.cli.offer import offer_outputs
from xboot.cli.site import make_site
from xboot.errors import InputError
from xboot.model import OutputVerdict, Status
from xboot.offer.agreed import agreed_outputs
from xboot.request import Request
from xboot.segments.format import Material

CONSOLE = Console(stderr=True, width=300)


def believing(people, *names: str, **more) -> Policy:  # noqa: F811
    return make_policy([people[name][1] for name in names], **more)


def wanted(files: list[Path], policy: Policy) -> verbs.Wanted:
    return verbs.Wanted(files, policy, Request(), False)


# ---------------------------------------------------------------- lists of outputs


def longer(backend: str) -> Run:
    """Another hash of the last output, beside an output that the script has not: the list sorts last."""
    lie = run(backend, ("a" * 64, "b" * 64, "e" * 64))
    return replace(lie, outputs=[*lie.outputs, OutputVerdict(3, drv(3), "zz", out(4), Status.UNKNOWN, "f" * 64, 1)])


@pytest.mark.parametrize("honest", [["alice"], ["alice", "carol"]])
def test_a_list_of_other_outputs_hides_no_difference(
    written: Callable[..., Path],  # noqa: F811
    people,  # noqa: F811
    verified,  # noqa: F811
    tmp_path: Path,
    honest: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two who lie list an output more than one, or two, who do not: as many, or a majority, and their list sorts last."""
    files = [written(name, run(backend)) for name, backend in zip(honest, ("linux", "hurd"), strict=False)]
    files += [written("bob", longer("mirage")), written("mallory", longer("tccboot"))]
    found = verified(*files, keys=("alice", "bob", "carol", "mallory"))
    assert found.differs and [d.path for d in found.divergences] == [out(3)]
    assert found.signers == sorted([*honest, "bob", "mallory"])
    policy = believing(people, "alice", "bob", "carol", "mallory", signers=2, kernels=2)
    assert verbs.verify(wanted(files, policy), CONSOLE, as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["outputs"]) == ("differs", {})
    assert [len(one["outputs"]) for one in told["listsDiffer"]] == [3, 4]
    key = people["alice"][1].path.with_suffix(".key")
    assert offer_outputs("nix", wanted(files, policy), key, tmp_path / "cache", None, CONSOLE) == 1
    assert not (tmp_path / "cache").exists()
    make_site(tmp_path / "sigs", tmp_path / "site", policy, CONSOLE)
    said = json.loads((tmp_path / f"site/target/{'5' * 64}.json").read_bytes())
    assert (said["state"], said["divergences"]) == ("differs", [out(3)])
    assert not any(one["agreed"] for one in said["outputs"]) and len(said["outputs"]) == 4
    everything = json.loads((tmp_path / "site/everything.json").read_bytes())
    assert {one["state"] for one in everything["outputs"]} == {"differs"}
    assert [target["state"] for target in json.loads((tmp_path / "site/index.json").read_bytes())["targets"]] == ["differs"]


def test_lists_alone_are_a_difference(written, people, verified, tmp_path: Path, capsys) -> None:  # noqa: F811
    """The same hashes, and another derivation of a step: nothing but the lists tells."""
    other = run("mirage")
    other = replace(other, outputs=[*other.outputs[:2], replace(other.outputs[2], path=out(4))])
    files = [written("alice", run()), written("bob", other)]
    found = verified(*files)
    assert found.differs and not found.divergences
    policy = believing(people, "alice", "bob")
    assert verbs.verify(wanted(files, policy), CONSOLE, as_json=False) == 1
    assert "which outputs the script has" in capsys.readouterr().err
    make_site(tmp_path / "sigs", tmp_path / "site", policy, CONSOLE)
    text = (tmp_path / f"site/target/{'5' * 64}.html").read_text()
    assert "do not list the same outputs" in text and "a list of 3 outputs: bob on mirage/c@qemu" in text
    assert "in which outputs there are" in (tmp_path / "site/index.html").read_text()


# ---------------------------------------------------------------- what voters are made of


def renamed(truth: Run) -> Run:
    """The same image under another kernel's name, said to be made of sources that nobody else has."""
    parts = [replace(c, source_hashes={name: sha(f"forged {name}") for name in c.source_hashes}) for c in truth.components]
    return replace(truth, voter=replace(truth.voter, backend="mirage"), components=parts)


@pytest.mark.parametrize("among", [{}, {"only_kernels": ["linux", "mirage"]}, {"only_machines": ["qemu", "bochs"]}])
def test_who_does_not_count_still_finds_a_lie_out(written, people, verified, among: dict[str, list[str]]) -> None:  # noqa: F811
    """bob tells the truth about the image that mallory renamed; the policy lets bob's kernel, or bob's machine, not count."""
    truth = made("tccboot", ["tccboot.c"], ["executor.c"], BOCHS, "v86")
    lie = renamed(truth)
    files = [written("alice", LINUX), written("mallory", replace(lie, voter=replace(lie.voter, machine="bochs"))), written("bob", truth)]
    found = verified(*files, keys=("alice", "bob", "mallory"))
    policy = believing(people, "alice", "bob", "mallory", signers=2, kernels=2, independent=2, **among)
    judgement = judge(found, policy)
    assert judgement.missing == ["1 of 2 voters that share no guest code"]
    assert [name for name in judgement.apart.voters if name.startswith("bob")] == ([] if among else ["bob on tccboot/c@v86"])


def sealed(what: Run) -> Run:
    return replace(what, seal="steps", boots=[Material(n, n, str(n) * 64, str(n + 3) * 64) for n in (1, 2, 3)])


def test_who_says_nothing_of_references_still_finds_a_lie_out(written, people, verified) -> None:  # noqa: F811
    """What is offered rests on attestations of several boots; one of one boot tells the truth about an image all the same."""
    truth = made("tccboot", ["tccboot.c"], ["executor.c"])
    files = [written("alice", sealed(LINUX)), written("mallory", sealed(renamed(truth)))]
    policy = believing(people, "alice", "bob", "mallory", signers=2, kernels=2, independent=2)
    assert len(agreed_outputs(verified(*files, keys=("alice", "bob", "mallory")), policy)) == 3
    found = verified(*files, written("bob", truth), keys=("alice", "bob", "mallory"))
    with pytest.raises(InputError, match="share no guest code"):
        agreed_outputs(found, policy)


@pytest.mark.parametrize("change", ["nothing", "references", "sources", "results", "boots"])
def test_a_repetition_says_the_same_in_everything(written, people, verified, change: str) -> None:  # noqa: F811
    """One signer, one voter, the same hashes, and something else that is signed: two attestations, and the second is heard."""
    one = two = sealed(LINUX)
    if change == "references":
        two = replace(one, outputs=[replace(o, nar_size=999) for o in one.outputs])
    elif change == "sources":
        two = replace(one, script=replace(one.script, sources=[replace(one.script.sources[0], nar_size=999)]))
    elif change == "results":
        two = replace(one, script=replace(one.script, results=[out(1)]))
    elif change == "boots":
        two = replace(one, boots=[replace(boot, script_sha256="e" * 64) for boot in one.boots])
    found = verified(written("alice", one, "one"), written("alice", two, "two"))
    assert (len(found.attestations), len(found.repeated)) == ((1, 1) if change == "nothing" else (2, 0))
    if change == "references":
        with pytest.raises(InputError, match="differ in the size or the references"):
            agreed_outputs(found, believing(people, "alice"))


def odd_versions(_: int) -> list[Run]:
    return [replace(TCCBOOT, components=[replace(c, version=str(n)) for c in TCCBOOT.components]) for n in range(40)]


def odd_images(number: int) -> list[Run]:
    return [replace(TCCBOOT, image_sha256=sha(f"image {n}")) for n in range(number)]


def odd_kernels(number: int) -> list[Run]:
    """Each shares something with some of the others, in a way of its own."""
    shares = [[f"k{n}", f"s{n % 7}", f"s{n % 5 + 10}", f"s{n // 2 + 30}"] for n in range(number)]
    return [made(f"b{n}", kernel, [f"e{n}", f"t{n * 3 % 11}"]) for n, kernel in enumerate(shares)]


@pytest.mark.parametrize(("what", "number"), [(odd_versions, 40), (odd_images, 257), (odd_kernels, 34)])
def test_no_number_of_voters_keeps_others_from_counting(written, people, verified, what: Callable[[int], list[Run]], number: int) -> None:  # noqa: F811
    """mallory signs for more than can be searched among, and for what alice signs for, before anybody else is looked at."""
    flood = [written("mallory", one, f"flood-{n}") for n, one in enumerate(what(number))]
    files = [*flood, written("mallory", LINUX), written("alice", LINUX), written("carol", MIRAGE)]
    found = verified(*files, keys=("alice", "carol", "mallory"))
    judgement = judge(found, believing(people, "alice", "carol", "mallory", kernels=2, independent=2))
    assert judgement.enough, judgement.missing
    assert judgement.apart.left_out == {odd_versions: 0, odd_images: 259 - 32, odd_kernels: 36 - 32}[what]
    if what is odd_versions:
        assert len(judgement.apart.voters) == 3, "a version is no voter"
