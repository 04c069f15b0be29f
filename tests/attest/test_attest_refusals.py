"""What is signed after a run, and what is not: backends that agree, differ, crash. They are machines without a kernel."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from xboot.api import request
from xboot.attest import FILE_SUFFIX, generate_key, load_public, verify_files
from xboot.cli import attest as verbs
from xboot.model import Script
from xboot.plugins import Plugins
from xboot.recipe import default_store_folder
from xboot.testing import FakeBackend, FakeMachine, Say, good_run

CHAIN = Path(__file__).parents[2] / "examples" / "chain" / "recipe.toml"


def flipped(script: Script) -> list[Say]:
    return good_run(script, {script.steps[3].outputs[0].path: "f" * 64})


def crashing(script: Script) -> list[Say]:
    return [*good_run(script)[: len(script.sources) + 4], Say(exit=0x11)]


def attest(folder: Path, *backends: FakeBackend, quorum: int | None = None) -> tuple[int, str, list[Path]]:
    plugins = Plugins.load()
    for backend in backends:
        plugins.add(backend, f"test:{backend.info.name}")
    if not (folder / "me.key").exists():
        generate_key("me", folder)
    console = Console(file=io.StringIO(), width=200)
    names = [backend.info.name for backend in backends]
    plugins.add(FakeMachine(abilities=("exit-status",)), "test:machine")
    wished = request(str(CHAIN), names, stores=[default_store_folder()], quorum=quorum, measure=True, machine="fake")
    status = verbs.attest(wished, folder / "me.key", [], folder / "sigs", console, plugins)
    return status, console.file.getvalue(), sorted((folder / "sigs").rglob("*"))  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.apt
@pytest.mark.compiler
def test_backends_that_agree_are_attested_one_file_each(tmp_path: Path) -> None:
    status, said, _ = attest(tmp_path, FakeBackend("alpha"), FakeBackend("beta"))
    assert status == 0
    assert said.count("  written") == 2
    files = sorted((tmp_path / "sigs").rglob(f"*{FILE_SUFFIX}"))
    assert [f.name for f in files] == [f"alpha@fake{FILE_SUFFIX}", f"beta@fake{FILE_SUFFIX}"]
    found = verify_files(files, [load_public(tmp_path / "me.pub")])
    assert (found.signers, found.backends, found.refused) == (["me"], ["alpha", "beta"], [])
    assert len(found.attestations[0].claim.outputs) == 9
    status, said, _ = attest(tmp_path, FakeBackend("alpha"), FakeBackend("beta"))
    assert said.count("  as it was") == 2  # the same run is the same file


@pytest.mark.slow
@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.parametrize(("bad", "status"), [(flipped, 1), (crashing, 6)])
def test_nothing_is_signed_otherwise(tmp_path: Path, bad, status: int) -> None:
    found, said, files = attest(tmp_path, FakeBackend("alpha"), FakeBackend("bad", bad))
    assert found == status
    assert "nothing was signed" in said
    assert files == []


@pytest.mark.slow
@pytest.mark.apt
@pytest.mark.compiler
def test_a_crash_is_not_signed_but_the_quorum_is(tmp_path: Path) -> None:
    status, said, files = attest(tmp_path, FakeBackend("alpha"), FakeBackend("beta"), FakeBackend("bad", crashing), quorum=2)
    assert status == 0, said
    assert [f.name for f in files if f.is_file()] == [f"alpha@fake{FILE_SUFFIX}", f"beta@fake{FILE_SUFFIX}"]


@pytest.mark.slow
@pytest.mark.apt
@pytest.mark.compiler
def test_one_backend_by_itself(tmp_path: Path) -> None:
    assert attest(tmp_path, FakeBackend("alpha"))[0] == 0
    found, said, _ = attest(tmp_path, FakeBackend("lonely", crashing))
    assert found == 6
    assert "nothing was signed" in said
