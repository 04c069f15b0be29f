"""From a recipe with a URL to a script whose sources are all at hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from xboot.errors import InputError
from xboot.fetch import fetch_closure
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins


def test_what_was_fetched_is_a_source_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XBOOT_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "program").write_bytes(b"a program")
    digest = hashlib.sha256(b"a program").hexdigest()
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'[source.program]\ntype = "url"\nurl = "file://{tmp_path}/program"\nhash = "{digest}"\n[derivation.one]\nbuilder = "{{program}}"\n'
    )
    pipeline = Pipeline(Plugins.load())
    before = pipeline.read([str(recipe)], ReadOptions())
    with pytest.raises(InputError, match="program"):
        pipeline.linearize(before, LinearizeOptions())
    report = fetch_closure(before)
    report.check()
    after = pipeline.read([str(recipe)], ReadOptions())
    script = pipeline.linearize(after, LinearizeOptions())
    assert [source.path for source in script.sources] == list(report.fetched)
    assert len(script.steps) == 1
