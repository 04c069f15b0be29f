"""Recipe-made store paths and derivations against Nix's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.recipe import derive
from xboot.storepath import store_name

pytestmark = [
    pytest.mark.apt,
    pytest.mark.nix,
    pytest.mark.skipif(shutil.which("nix-instantiate") is None, reason="nix-bin is not installed (make test installs it)"),
]

HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"

RECIPE = f"""
[recipe]
system = "i686-linux"

[source.script]
type = "file"
path = "build.sh"

[source.tool]
type = "file"
path = "tool"

[source.folder]
type = "tree"
path = "folder"
name = "some-tree"

[source.note]
type = "text"
text = "a text\\nwith \\"quotes\\"\\n"
name = "note.txt"

[source.download]
type = "url"
url = "http://example.org/hello.txt"
hash = "sha256:{HELLO_SHA256}"

[source.program]
type = "url"
url = "http://example.org/program"
hash = "sha256:{HELLO_SHA256}"
executable = true
name = "prog"

[derivation.first]
builder = "{{folder}}/bin/sh"
args = ["-e", "{{script}}", "{{note}}", "brace {{{{}}}} ${{out}}"]
env = {{ tool = "{{tool}}", fetched = "{{download}}", program = "{{program}}", text = "tab\\t\\"quote\\" \\\\ \\n ü" }}

[derivation.multi]
builder = "{{first}}/bin/x"
outputs = ["out", "dev", "a-doc"]
env = {{ src = "{{first}}" }}

[derivation.last]
builder = "{{multi.dev}}/bin/y"
args = ["{{multi}}", "{{multi.a-doc}}"]
name = "last-1.0"
system = "x86_64-linux"

[derivation.fixed]
builder = "{{folder}}/bin/sh"
fixed = {{ hash = "sha256:{HELLO_SHA256}", mode = "recursive" }}

[derivation.fixed-flat]
builder = "{{folder}}/bin/sh"
fixed = {{ hash = "sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d" }}

[derivation.user]
builder = "{{fixed}}/bin/sh"
args = ["{{fixed-flat}}", "{{last}}", "{{download}}"]
"""

NIX = f"""
rec {{
  script = "${{./build.sh}}"; tool = "${{./tool}}";
  folder = "${{builtins.path {{ path = ./folder; name = "some-tree"; }}}}";
  note = builtins.toFile "note.txt" "a text\\nwith \\"quotes\\"\\n";
  download = import <nix/fetchurl.nix> {{ url = "http://example.org/hello.txt"; sha256 = "{HELLO_SHA256}"; }};
  program = import <nix/fetchurl.nix> {{ url = "http://example.org/program"; sha256 = "{HELLO_SHA256}";
    executable = true; name = "prog"; }};
  first = derivation {{
    name = "first"; system = "i686-linux"; builder = folder + "/bin/sh"; args = [ "-e" script note "brace {{}} \\${{out}}" ];
    inherit tool program; fetched = download; text = "tab\\t\\"quote\\" \\\\ \\n ü";
  }};
  multi = derivation {{ name = "multi"; system = "i686-linux"; builder = first + "/bin/x"; outputs = [ "out" "dev" "a-doc" ];
    src = first; }};
  last = derivation {{ name = "last-1.0"; system = "x86_64-linux"; builder = multi.dev + "/bin/y"; args = [ multi multi.a-doc ]; }};
  fixed = derivation {{
    name = "fixed"; system = "i686-linux"; builder = folder + "/bin/sh";
    outputHash = "{HELLO_SHA256}"; outputHashAlgo = "sha256"; outputHashMode = "recursive";
  }};
  fixed-flat = derivation {{
    name = "fixed-flat"; system = "i686-linux"; builder = folder + "/bin/sh";
    outputHash = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"; outputHashAlgo = "sha1"; outputHashMode = "flat";
  }};
  user = derivation {{ name = "user"; system = "i686-linux"; builder = fixed + "/bin/sh"; args = [ fixed-flat last download ]; }};
}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "recipe"
    (folder / "folder" / "bin").mkdir(parents=True)
    (folder / "build.sh").write_text("echo built > $out\n")
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    (folder / "folder" / "bin" / "sh").symlink_to("../data")
    (folder / "folder" / "data").write_bytes(bytes(range(256)))
    (folder / "folder" / "empty").mkdir()
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "default.nix").write_text(NIX)
    return folder / "recipe.toml"


def test_every_derivation_is_the_one_that_nix_makes(recipe: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    derived = derive(recipe, store, cache=Cache(tmp_path / "cache"))
    root = tmp_path / "nix"
    config = tmp_path / "etc"
    config.mkdir()
    (config / "nix.conf").write_text("build-users-group =\nsubstitute = false\n")
    command = [
        "nix-instantiate",
        "--store",
        str(root),
        str(recipe.parent / "default.nix"),
        *(word for name in derived.derivations for word in ("-A", name)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NIX_CONF_DIR": str(config)}, check=False)
    assert done.returncode == 0, done.stderr
    instantiated = [line.partition("!")[0] for line in done.stdout.split()]
    assert list(derived.derivations.values()) == instantiated
    # Not only the results: every file that nix put into its store is in ours, to the byte.
    for path in sorted((root / "nix" / "store").iterdir()):
        if path.name.startswith("."):
            continue
        ours = store / path.name
        assert os.path.lexists(ours), path.name
        if path.is_file():
            assert ours.read_bytes() == path.read_bytes()
        assert (ours.stat().st_mode & 0o777) == (path.stat().st_mode & 0o777)
    assert {p.name for p in store.iterdir()} == {p.name for p in (root / "nix" / "store").iterdir() if not p.name.startswith(".")}
    assert set(derived.sources) == {"script", "tool", "folder", "note", "download", "program"}


def test_sources_get_the_paths_of_nix_store_add(recipe: Path, tmp_path: Path) -> None:
    derived = derive(recipe, tmp_path / "store", cache=Cache(tmp_path / "cache"))
    for name, source in (("script", "build.sh"), ("tool", "tool")):
        done = subprocess.run(
            ["nix-store", "--store", str(tmp_path / "nix"), "--add", str(recipe.parent / source)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert derived.sources[name] == done.stdout.strip()


def test_nix_reads_what_was_derived(recipe: Path, tmp_path: Path) -> None:
    """`nix show-derivation` parses our text; its idea of it is ours."""
    store = tmp_path / "store"
    derived = derive(recipe, store, names=["user"], cache=Cache(tmp_path / "cache"))
    root = tmp_path / "nix"
    (root / "nix" / "store").mkdir(parents=True)
    for path in store.iterdir():
        if path.name.endswith(".drv"):
            shutil.copy(path, root / "nix" / "store" / path.name)
    registration = "".join(
        f"{derived.derivations['user'].rpartition('/')[0]}/{p.name}\n{'0' * 64}\n{p.stat().st_size}\n\n0\n" for p in store.glob("*.drv")
    )
    subprocess.run(["nix-store", "--store", str(root), "--load-db"], input=registration, text=True, check=True, capture_output=True)
    shown = subprocess.run(
        ["nix", "--extra-experimental-features", "nix-command", "--store", str(root), "show-derivation", derived.derivations["user"]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (drv,) = json.loads(shown.stdout).values()
    assert drv["args"] == [derived.outputs["fixed-flat"]["out"], derived.outputs["last"]["out"], derived.sources["download"]]
    assert drv["outputs"]["out"]["path"] == derived.outputs["user"]["out"]
    assert {store_name(path)[33:] for path in drv["inputDrvs"]} == {"fixed.drv", "fixed-flat.drv", "hello.txt.drv", "last-1.0.drv"}
