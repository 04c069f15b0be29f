"""Whole graphs by both executors on linux: every output and its references are the same, and what nix made of the corpus."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from xboot.boot import RunOptions
from xboot.hooks import ReadOptions
from xboot.model import Script, Verdict
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.voter import Voter

ROOT = Path(__file__).parents[2]
CHAIN = ROOT / "examples" / "chain" / "recipe.toml"
sys.path.append(str(ROOT / "tests" / "nix"))

from test_corpus import build_by_nix  # noqa: E402  # found by the line above

PLUGINS = Plugins.load()
pytestmark = [pytest.mark.boot, pytest.mark.nix]
Outputs = Mapping[str, tuple[str, list[str]]]


def run(script: Script, executor: str) -> Outputs:
    """Path → NAR hash and references, as the guest reported them."""
    request = Request(voters=[Voter("linux", executor)], run=RunOptions(step_timeout=300, accelerator="tcg"))
    verdict: Verdict = Pipeline(PLUGINS, "linux").run(request, script).verdict
    assert not verdict.failure, f"{executor}: {verdict.failure}\n{verdict.console_tail}"
    return {o.path: (o.nar_sha256, list(o.references)) for o in verdict.outputs}


def linearized(*targets: str, store: Path | None = None) -> Script:
    pipeline = Pipeline(PLUGINS, "linux")
    return pipeline.linearize(pipeline.read(list(targets), ReadOptions(stores=[store] if store else [])), Request().linearize)


@pytest.mark.parametrize("system", ["x86_64-linux", "i686-linux"])
def test_the_corpus(nix, busybox, tmp_path: Path, system: str) -> None:
    """Several outputs, fixed ones, graphs of references, structured attributes, passAsFile, placeholders, odd names and modes."""
    corpus = build_by_nix(nix, busybox[system], system, tmp_path)
    by_scheme = run(corpus.script, "scheme")
    assert {path: digest for path, (digest, _) in by_scheme.items()} == corpus.by_nix
    assert by_scheme == run(corpus.script, "c")


def published(name: str) -> str:
    match = re.search(rf"^{name} := sha256-(\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert match is not None
    return base64.b64decode(match[1]).hex()


@pytest.mark.slow
def test_the_tcc_fixpoint() -> None:
    """Against the published hash, which the C executor is held against too. Of the whole chain's nine outputs the same
    was seen by hand: `xboot run -b linux/scheme examples/chain/recipe.toml`, docs/benchmarks.md has its time.
    """
    outputs = run(linearized(f"{CHAIN}:fixpoint"), "scheme")
    assert len(outputs) == 4
    (digest,) = {digest for path, (digest, _) in outputs.items() if path.endswith("-fixpoint")}
    assert digest == published("FIXPOINT")
