"""The same derivations built by nix and by xboot, on every backend, agree hash for hash, output by output."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from xboot.boot import RunOptions
from xboot.hooks import ReadOptions
from xboot.model import Script, Verdict
from xboot.nar import nar_hash
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.voter import Voter

CORPUS = Path(__file__).parent / "corpus.nix"


PLUGINS = Plugins.load()
SYSTEMS = ("x86_64-linux", "i686-linux")
BOOTS = [(name, system) for name, backend in PLUGINS.backends.items() for system in SYSTEMS if system in backend.info.systems]


@dataclass(frozen=True)
class Corpus:
    """The corpus for one system: attribute → drv, and nix's hash of each output of its graph."""

    drvs: dict[str, str]
    by_nix: dict[str, str]
    script: Script


@pytest.fixture(scope="module")
def corpora(nix, busybox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Corpus]:
    return {system: build_by_nix(nix, busybox[system], system, tmp_path_factory.mktemp("corpus")) for system in SYSTEMS}


def build_by_nix(nix, busybox: Path, system: str, folder: Path) -> Corpus:
    (folder / "payload").write_text("fetched\n")
    (folder / "fixed").mkdir()
    (folder / "fixed" / "file").write_text("content\n")
    drvs = nix.instantiate(
        CORPUS,
        busybox=str(busybox),
        system=system,
        url=f"file://{folder}/payload",
        urlHash=hashlib.sha256(b"fetched\n").hexdigest(),
        recursiveHash=nar_hash(folder / "fixed").sha256,
    )
    nix.realise([drvs["fetch"]], visible=folder)  # the sandbox would hide the file that the URL names
    nix.realise(list(drvs.values()))
    pipeline = Pipeline(PLUGINS)
    script = pipeline.linearize(pipeline.read(list(drvs.values()), ReadOptions(stores=[nix.store])), Request().linearize)
    return Corpus(drvs, {o.path: nix.hash(o.path) for step in script.steps for o in step.outputs}, script)


@dataclass(frozen=True)
class Built:
    """One boot: the corpus, and what xboot made of it."""

    corpus: Corpus
    verdict: Verdict


@pytest.fixture(scope="module", params=BOOTS, ids="-".join)
def built(request: pytest.FixtureRequest, corpora: dict[str, Corpus]) -> Built:
    backend, system = request.param
    corpus = corpora[system]
    run = Request(voters=[Voter(backend)], run=RunOptions(step_timeout=120, accelerator="tcg"))
    result = Pipeline(PLUGINS, backend).run(run, corpus.script)
    assert not result.verdict.failure, result.verdict.failure + "\n" + result.verdict.console_tail
    return Built(corpus, result.verdict)


def attributes() -> list[str]:
    """Names in the corpus, read from its text so that each is a test of its own."""
    body = CORPUS.read_text().split("\nin {\n", 1)[1]
    return [
        line.split(" = ", 1)[0].strip()
        for line in body.splitlines()
        if line.startswith("  ") and not line.startswith("   ") and " = " in line
    ]


@pytest.mark.boot
@pytest.mark.nix
@pytest.mark.parametrize("name", attributes())
def test_agrees_with_nix(built: Built, name: str) -> None:
    outputs = [o for o in built.verdict.outputs if o.drv == built.corpus.drvs[name]]
    assert outputs, "no step built it"
    assert {o.path: o.nar_sha256 for o in outputs} == {o.path: built.corpus.by_nix[o.path] for o in outputs}


@pytest.mark.boot
@pytest.mark.nix
def test_references_agree_with_nix(built: Built, nix) -> None:
    for output in built.verdict.outputs:
        assert sorted(nix.run("nix-store", "--query", "--references", output.path).stdout.split()) == sorted(output.references), output.path


def test_the_corpus_is_large_enough() -> None:
    assert len(attributes()) >= 30
