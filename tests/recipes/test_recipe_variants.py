"""A variant of a recipe: all of it once more, for another system, as if it had been written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.parse import parse_derivation
from xboot.recipe import derive
from xboot.recipe.read import parse_recipe

SHARED = """
[source.code]
type = "debian-source"
package = "lua5.4"

[source.word]
type = "debian"
package = "wamerican"
architecture = "all"

[source.wrap]
type = "file"
path = "wrap.sh"

[source.tool]
type = "debian"
package = "tool-i686"
architecture = "i386"
select = ["bin/tool"]

[source.host]
type = "debian"
package = "host-tool"
architecture = "amd64"

[source.seed]
type = "made"
builder = "{host}/bin/make-seed"

[source.wide-seed]
type = "made"
builder = "{host}/bin/make-wide-seed"

[derivation.base]
builder = "{tool}/bin/sh"
outputs = ["out", "dev"]
env = { seed = "{seed}" }

[derivation.one]
builder = "{base}/bin/sh"
args = ["-c", "echo {{}} ${HOME} {base.dev}"]
env = { with = "{code} {word}" }
inputs = ["tool", "base"]

[derivation.other]
builder = "{one}/run"
system = "aarch64-linux"
"""
VARIANT = """
[variant.wide]
system = "x86_64-linux"
architecture = "amd64"
packages = { tool-i686 = "tool-x86-64" }
sources = { seed = "wide-seed" }
through = "wrap"
"""
WRITTEN_OUT = """
[source.tool-wide]
type = "debian"
package = "tool-x86-64"
architecture = "amd64"
select = ["bin/tool"]

[derivation.base-wide]
system = "x86_64-linux"
builder = "{tool-wide}/bin/sh"
args = ["{wrap}"]
outputs = ["out", "dev"]
env = { seed = "{wide-seed}" }

[derivation.one-wide]
system = "x86_64-linux"
builder = "{base-wide}/bin/sh"
args = ["{wrap}", "-c", "echo {{}} ${HOME} {base-wide.dev}"]
env = { with = "{code} {word}" }
inputs = ["tool-wide", "base-wide"]
"""


def test_a_variant_is_what_one_would_write_out() -> None:
    """What is for every architecture or for the variant's, no package, or for a system of its own, is there once."""
    assert parse_recipe((SHARED + VARIANT).encode(), "a") == parse_recipe((SHARED + WRITTEN_OUT).encode(), "a")


@pytest.mark.parametrize("through", ["", 'through = "wrap"\n'])
def test_what_is_derived_is_for_the_other_system(tmp_path: Path, through: str) -> None:
    (tmp_path / "wrap.sh").write_text("exit 0\n")
    text = (
        '[source.wrap]\ntype = "file"\npath = "wrap.sh"\n[derivation.one]\nbuilder = "/bin/sh"\nargs = ["-e"]\n'
        f'[variant.wide]\nsystem = "x86_64-linux"\narchitecture = "amd64"\n{through}'
    )
    (tmp_path / "recipe.toml").write_text(text)
    derived = derive(tmp_path / "recipe.toml", tmp_path / "store")
    drvs = {name: parse_derivation((tmp_path / "store" / Path(path).name).read_bytes(), path) for name, path in derived.derivations.items()}
    assert {name: drv.system for name, drv in drvs.items()} == {"one": "i686-linux", "one-wide": "x86_64-linux"}
    assert list(drvs["one"].args) == [b"-e"]
    assert list(drvs["one-wide"].args) == ([derived.sources["wrap"].encode()] if through else []) + [b"-e"]
