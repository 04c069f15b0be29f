"""What a signer whom one trusts may sign to hide what others say: the contradiction is still there, on every way to a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from test_attestations import drv, out, people, run, verified, written  # noqa: F401 - fixtures

from xboot.attest.policy import Policy, make_policy
from xboot.attest.statement import Run
from xboot.cli import attest as verbs
from xboot.cli.offer import offer_outputs
from xboot.cli.site import make_site
from xboot.model import OutputVerdict, Status
from xboot.request import Request

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
