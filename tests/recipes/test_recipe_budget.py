"""Recipes that would take gigabytes or minutes, or derive what nobody could read: refused, with one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.errors import InputError
from xboot.hooks import ReadOptions
from xboot.parse import read_closure
from xboot.recipe import derive
from xboot.recipe.read import _MANY_PARTS, load_recipe, parse_recipe


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = " + "1" * 5000, "4300"),
        ("x = [" + "1" * 5000 + "]", "4300"),
        ("x = 9999-99-99", "recipe.toml"),
        ("x = " + "[" * 5000, "nested too deeply|Invalid value"),
        ("x = " + "{a=" * 5000, "nested too deeply|Invalid"),
        (".".join(["a"] * 100) + " = 1", "more than 64 parts"),
        ("[" + ".".join(["a"] * 40_000) + "]", "more than 64 parts"),
        ("[" + " . ".join(['"a.b"', "'c'"] * 100) + "]", "more than 64 parts"),
        ("x = {" + ".".join(["a"] * 100) + " = 1}", "more than 64 parts"),
        ("[derivation.d]\nbuilder = '/b'\noutputs = [" + ",".join(f"'o{n}'" for n in range(300)) + "]", "at most 256"),
    ],
)  # fmt: skip
def test_what_no_parser_should_be_given(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        parse_recipe(text.encode(), "recipe.toml")
    assert caught.value.message.startswith("recipe.toml: ")


def test_a_recipe_is_small(tmp_path: Path) -> None:
    with (tmp_path / "recipe.toml").open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(InputError, match="more than a recipe may have"):
        load_recipe(tmp_path / "recipe.toml")


def test_looking_for_dots_is_linear() -> None:
    """A megabyte of what nearly is such a name; a search that tried anew at each character would not end today."""
    for text in ("a" * (1 << 20), "a." * (1 << 4) + "=" + "a" * (1 << 19), '"' * (1 << 19), "'a" * (1 << 19), ("a." * 60 + "\n") * 8000):
        assert _MANY_PARTS.search(text) is None


def test_blanks_in_a_header_are_linear() -> None:
    """The line of a mistake is looked for; a header of blanks took cubic time."""
    text = '[derivation.a]\nbuilder = """\n[' + " " * 200_000 + '\n"""\nnosuch = 1\n'
    with pytest.raises(InputError, match=r"line 5: derivation\.a\.nosuch"):
        parse_recipe(text.encode(), "recipe.toml")


@pytest.mark.parametrize(
    "text",
    [
        f"[source.{'n' * 208}]\ntype = 'text'\ntext = 'x'\n[derivation.d]\nbuilder = '{{{'n' * 208}}}'\n",
        f"[derivation.{'n' * 208}]\nbuilder = '/b'\n",
        f"[derivation.d]\nbuilder = '/b'\noutputs = ['{'o' * 210}']\n",
        f"[derivation.d]\nname = '{'n' * 207}'\nbuilder = '/b'\noutputs = ['out', 'devel']\n",
    ],
)
def test_what_is_derived_can_be_read(tmp_path: Path, text: str) -> None:
    """A name one character too long is refused when it is derived, not when somebody reads what was derived."""
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"cannot be the name of a store path|is longer than 211"):
        derive(path, tmp_path / "store", cache=Cache(tmp_path / "cache"))
    assert not list((tmp_path / "store").glob("[0-9a-z]*"))


def test_the_longest_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(f"[derivation.d]\nname = '{'n' * 207}'\nbuilder = '/b'\noutputs = ['out', 'dev']\n")
    derived = derive(path, tmp_path / "store", cache=Cache(tmp_path / "cache"))
    drv = derived.derivations["d"]
    assert read_closure(drv, ReadOptions(stores=[derived.store])).roots == (drv,)


@pytest.mark.parametrize("name", ["a\\nb", "\\377", "a\\205b", "\\342\\200\\250", '"q'])
def test_odd_names_in_made_sources_do_not_break_the_cache(tmp_path: Path, name: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(_odd(name))
    cache = Cache(tmp_path / "cache")
    first = derive(path, tmp_path / "store", cache=cache)
    entry = next(e for e in cache.entries() if e.kind == "made")
    assert entry.size == 2
    made = (entry.path / "result").stat().st_ino
    assert derive(path, tmp_path / "store", cache=cache) == first
    assert (entry.path / "result").stat().st_ino == made, "it was made again, so the entry was taken for damaged"
    assert cache.prune().removed == 1


def _odd(name: str) -> str:
    command = f"""mkdir $out; echo x > "$out/$(printf '{name}')\""""
    return f"[source.odd]\ntype = 'made'\nbuilder = '/bin/sh'\nargs = ['-c', {json.dumps(command)}]\n[derivation.d]\nbuilder = '{{odd}}'\n"


def test_a_damaged_list_of_a_cache_entry_is_pruned(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.folder("kind", {"a": "1"}, lambda work: (work / "f").write_bytes(b"x") and None)
    other = Cache(tmp_path)
    (sums,) = tmp_path.glob("kind/*.sums")
    for damage in ("a\n", "\n", "x  y  z\n", '0  1  "unfinished\n'):
        sums.write_text(damage)
        assert [e.size for e in other.entries()] == [0]
        other.folder("kind", {"a": "1"}, lambda work: (work / "f").write_bytes(b"x") and None)
        assert [e.size for e in other.entries()] == [1]
