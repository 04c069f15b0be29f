"""What a user sees who names a recipe as a target."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from xboot.errors import UsageError
from xboot.frontends.recipe import plugin, split_target
from xboot.hooks import ReadOptions


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("recipe.toml", (Path("recipe.toml"), [])),
        ("a/recipe.toml:one", (Path("a/recipe.toml"), ["one"])),
        ("recipe.toml:one,two", (Path("recipe.toml"), ["one", "two"])),
        ("x:y/recipe.toml", (Path("x:y/recipe.toml"), [])),
        ("/nix/store/x.drv", None),
        ("recipe.tml:one", None),
    ],
)
def test_targets(target: str, expected: object) -> None:
    assert split_target(target) == expected


def test_a_note_reaches_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("XBOOT_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "[source.m]\ntype = 'made'\nbuilder = '/bin/sh'\nargs = ['-c', 'echo made > $out']\n[derivation.one]\nbuilder = '{m}'\n"
    )
    assert plugin.xboot_read_closure(str(recipe), ReadOptions()) is not None
    lock = tmp_path / "recipe.lock"
    content = json.loads(lock.read_text())
    content["sources"]["m"]["version"] = "what it was made from last year"
    lock.write_text(json.dumps(content))
    with caplog.at_level(logging.WARNING):
        plugin.xboot_read_closure(str(recipe), ReadOptions())
    assert "source m: was made from other inputs than those of the lock file" in caplog.text
    with pytest.raises(UsageError, match="has no derivation 'two'"):
        plugin.xboot_read_closure(f"{recipe}:two", ReadOptions())
