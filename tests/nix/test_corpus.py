"""The same derivations built by nix and by xboot agree hash for hash, output by output."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from xboot.boot import RunOptions
from xboot.hooks import ReadOptions
from xboot.model import Verdict
from xboot.nar import nar_hash
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins

CORPUS = Path(__file__).parent / "corpus.nix"


@dataclass(frozen=True)
class Built:
    """The corpus for one system: attribute → drv, nix's hashes, xboot's verdict."""

    drvs: dict[str, str]
    by_nix: dict[str, str]
    verdict: Verdict


@pytest.fixture(scope="module", params=["x86_64-linux", "i686-linux"])
def built(request: pytest.FixtureRequest, nix, busybox, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "payload").write_text("fetched\n")
    (folder / "fixed").mkdir()
    (folder / "fixed" / "file").write_text("content\n")
    drvs = nix.instantiate(
        CORPUS,
        busybox=str(busybox[request.param]),
        system=request.param,
        url=f"file://{folder}/payload",
        urlHash=hashlib.sha256(b"fetched\n").hexdigest(),
        recursiveHash=nar_hash(folder / "fixed").sha256,
    )
    nix.realise([drvs["fetch"]], visible=folder)  # the sandbox would hide the file that the URL names
    nix.realise(list(drvs.values()))
    pipeline = Pipeline(Plugins.load())
    read = ReadOptions(stores=[nix.store])
    script = pipeline.linearize(pipeline.read(list(drvs.values()), read), Request([]).linearize)
    result = pipeline.run(Request([], run=RunOptions(step_timeout=120, accelerator="tcg")), script)
    assert not result.verdict.failure, result.verdict.failure + "\n" + result.verdict.console_tail
    by_nix = {o.path: nix.hash(o.path) for o in result.verdict.outputs}
    return Built(drvs, by_nix, result.verdict)


def attributes() -> list[str]:
    """Names in the corpus, read from its text so that each is a test of its own."""
    body = CORPUS.read_text().split("\nin {\n", 1)[1]
    return [
        line.split(" = ", 1)[0].strip()
        for line in body.splitlines()
        if line.startswith("  ") and not line.startswith("   ") and " = " in line
    ]


@pytest.mark.boot
@pytest.mark.parametrize("name", attributes())
def test_agrees_with_nix(built: Built, name: str) -> None:
    outputs = [o for o in built.verdict.outputs if o.drv == built.drvs[name]]
    assert outputs, "no step built it"
    assert {o.path: o.nar_sha256 for o in outputs} == {o.path: built.by_nix[o.path] for o in outputs}


@pytest.mark.boot
def test_references_agree_with_nix(built: Built, nix) -> None:
    for output in built.verdict.outputs:
        assert sorted(nix.run("nix-store", "--query", "--references", output.path).stdout.split()) == sorted(output.references), output.path


def test_the_corpus_is_large_enough() -> None:
    assert len(attributes()) >= 30
