"""Every way in which a recipe can be wrong ends in one sentence that names file, line and field, and leaves nothing in the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot.cache import Cache
from xboot.errors import InputError, MissingToolError, UsageError, XbootError
from xboot.recipe import derive
from xboot.recipe.read import parse_recipe

SMALL = """
[source.script]
type = "file"
path = "build.sh"

[derivation.one]
builder = "{script}"
"""

VARIANT = SMALL + "[variant.wide]\nsystem = 'x86_64-linux'\narchitecture = 'amd64'\n"


def write(folder: Path, text: str) -> Path:
    (folder / "build.sh").write_text("exit 0\n")
    (folder / "tree").mkdir(exist_ok=True)
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[source.script]\ntype = 'file'\npath = 'a'\ncolour = 'red'\n", "line 4: source.script.colour: there is no such field"),
        ("[source.script]\ntype = 'file'\n", "line 1: source.script.path: is missing"),
        ("[source.script]\npath = 'a'\n", "line 1: source.script: a source needs a `type`"),
        ("[source.script]\ntype = 'files'\n", "the type 'files' is not one of"),
        ("[derivation.one]\nbuilder = 5\n", "line 2: derivation.one.builder: input should be a valid string"),
        ("[derivation.one]\nbuilder = '/bin/sh'\nargs = ['a', 7]\n", "line 3: derivation.one.args.1"),
        ("[derivation.one]\nbuilder = '/bin/sh'\n[derivation.one]\nbuilder = '/bin/sh'\n", "Cannot declare ('derivation', 'one') twice"),
        (SMALL + "[derivation.script]\nbuilder = '/bin/sh'\n", "'script' is the name of a source and of a derivation"),
        ("[derivation.'a b']\nbuilder = '/bin/sh'\n", "'a b' cannot be referred to"),
        ("[derivation.one]\nbuilder = '/bin/sh'\nname = 'a/b'\n", "'a/b' cannot be the name of a store path"),
        ("[derivation.one]\nbuilder = '/bin/sh'\nenv = { out = 'x' }\n", "the variable 'out' is set by xboot"),
        ("[derivation.one]\nbuilder = '/bin/sh'\nenv = { 'a=b' = 'x' }\n", "'a=b' cannot be the name of an environment variable"),
        ("[derivation.one]\nbuilder = '/bin/sh'\noutputs = ['out', 'out']\n", "an output is named twice"),
        ("[recipe]\ndefault = ['two']\n" + SMALL, "recipe.default names 'two'"),
        ("[recipe]\nstore = 'nix/store'\n" + SMALL, "must be an absolute path"),
        ("[source.a]\ntype = 'tree'\npath = 'x'\nselect = ['../y']\n", "'../y' must be a relative path without `..`"),
        (VARIANT + "[derivation.one-wide]\nbuilder = '/bin/sh'\n", "variant.wide: the recipe has the name 'one-wide' already"),
        (VARIANT + "through = 'one'\n", "variant.wide.through: 'one' is no source"),
        (VARIANT + "packages = { make = 'make64' }\n", "variant.wide.packages: no source for one architecture is of the package 'make'"),
        (VARIANT + "sources = { seed = 'script' }\n", "variant.wide.sources: 'seed' is no source of this recipe"),
        (VARIANT + "sources = { script = 'seed' }\n", "variant.wide.sources: 'seed' is no source of this recipe"),
        (VARIANT.replace("amd64", "all"), "variant.wide.architecture: input should be 'amd64' or 'i386'"),
        (
            "".join(VARIANT.replace("wide", f"v{n}").replace(SMALL, "") for n in range(9)) + SMALL,
            "variant: dictionary should have at most 8",
        ),
        ("x = [\n", "Invalid value"),
        ("", "has no [source.NAME] and no [derivation.NAME]"),
    ],
)
def test_what_the_schema_refuses(text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_recipe(text.encode(), "recipe.toml")
    assert expected in caught.value.message
    assert caught.value.message.startswith("recipe.toml: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[derivation.one]\nbuilder = '{script}/bin/sh'\n", "{script} is neither a source nor a derivation"),
        (SMALL.replace('"{script}"', '"{Script}"'), "{Script} is neither a source nor a derivation"),
        (SMALL.replace('"{script}"', '"{script.dev}"'), "a source has no outputs"),
        (SMALL + "[derivation.two]\nbuilder = '{one.dev}/x'\n", "one has no output 'dev', only out"),
        (SMALL + "[derivation.two]\nbuilder = '/bin/sh'\ninputs = ['three']\n", "{three} is neither"),
        (SMALL.replace('"{script}"', '"{script"'), "does not belong to a reference"),
        (SMALL.replace('"{script}"', '"{ script }"'), "does not belong to a reference"),
        (
            "[derivation.a]\nbuilder = '{b}'\n[derivation.b]\nbuilder = '{c}'\n[derivation.c]\nbuilder = '{a}'\n",
            "in a circle: a -> b -> c -> a",
        ),
        ("[derivation.a]\nbuilder = '{a}'\n", "in a circle: a -> a"),
        ("[source.t]\ntype = 'text'\ntext = ''\n", "has sources, but no [derivation.NAME]"),
        (SMALL.replace("build.sh", "nothing.sh"), "does not exist"),
        (SMALL.replace("build.sh", "tree"), "is a folder"),
        ("[source.t]\ntype = 'tree'\npath = 'tree'\nselect = ['x*']\n[derivation.a]\nbuilder = '{t}'\n", "nothing in it is called 'x*'"),
        (
            "[source.u]\ntype = 'url'\nurl = 'http://x/y'\nhash = 'sha256-x'\n[derivation.a]\nbuilder = '{u}'\n",
            "'sha256-x' is no sha256 hash",
        ),
        (
            "[source.u]\ntype = 'url'\nurl = 'http://x/y z'\nhash = 'md5:" + "0" * 32 + "'\n[derivation.a]\nbuilder = '{u}'\n",
            "cannot be the name of a store",
        ),
        (
            "[source.d]\ntype = 'debian'\npackage = 'No Such'\n[derivation.a]\nbuilder = '{d}'\n",
            "'No Such' is not the name of a Debian package",
        ),
        ("[source.m]\ntype = 'made'\nbuilder = '{m}'\n[derivation.a]\nbuilder = '{m}'\n", "is made from itself: m -> m"),
        ("[source.m]\ntype = 'made'\nbuilder = '{a}'\n[derivation.a]\nbuilder = '{m}'\n", "a made source can use sources only"),
        (
            "[source.m]\ntype = 'made'\nbuilder = '/bin/sh'\nargs = ['-c', 'echo broken; exit 3']\n[derivation.a]\nbuilder = '{m}'\n",
            "status 3",
        ),
        ("[source.m]\ntype = 'made'\nbuilder = '/bin/sh'\nargs = ['-c', 'exit 0']\n[derivation.a]\nbuilder = '{m}'\n", "made no $out"),
        (
            "[source.m]\ntype = 'made'\nbuilder = '/bin/sh'\nargs = ['-c', 'pwd > $out']\n[derivation.a]\nbuilder = '{m}'\n",
            "mentions a folder of this machine",
        ),
    ],
)
def test_nothing_is_left_in_the_store(tmp_path: Path, text: str, expected: str) -> None:
    recipe = write(tmp_path, text)
    with pytest.raises(XbootError) as caught:
        derive(recipe, tmp_path / "store", cache=Cache(tmp_path / "cache"))
    assert expected in caught.value.message
    assert not (tmp_path / "store").exists() or not list((tmp_path / "store").iterdir())
    assert not recipe.with_suffix(".lock").exists()


def test_an_unknown_name_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no derivation 'two'") as caught:
        derive(write(tmp_path, SMALL), tmp_path / "store", ["two"], cache=Cache(tmp_path / "cache"))
    assert "one" in (caught.value.hint or "")


def test_a_program_that_cannot_be_run_is_a_missing_tool(tmp_path: Path) -> None:
    text = "[source.m]\ntype = 'made'\nbuilder = '/nonexistent/cc'\n[derivation.a]\nbuilder = '{m}'\n"
    with pytest.raises(MissingToolError, match="/nonexistent/cc cannot be run"):
        derive(write(tmp_path, text), tmp_path / "store", cache=Cache(tmp_path / "cache"))


@given(st.text(max_size=200))
def test_any_text_is_a_recipe_or_an_input_error(text: str) -> None:
    try:
        parse_recipe(text.encode("utf-8", "surrogatepass"), "recipe.toml")
    except InputError as error:
        assert error.message.startswith("recipe.toml: ")


def test_a_damaged_object_in_the_store_is_replaced(tmp_path: Path) -> None:
    recipe = write(tmp_path, SMALL)
    store = tmp_path / "store"
    derived = derive(recipe, store, cache=Cache(tmp_path / "cache"))
    script = store / derived.sources["script"].rpartition("/")[2]
    script.chmod(0o644)
    script.write_text("exit 1 # damaged\n")
    derive(recipe, store, cache=Cache(tmp_path / "cache"))
    assert script.read_text() == "exit 0\n"
    assert script.stat().st_mode & 0o777 == 0o444
    assert not [path for path in store.iterdir() if path.name.startswith(".")]
