"""What nix can make and xboot does not build is refused by name; what nix fails to build, xboot fails to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.errors import RefusedError
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.linearize import linearize
from xboot.parse import read_closure

pytestmark = pytest.mark.nix

FLOATING = """
{ busybox }:
let
  bb = builtins.path { path = busybox; name = "busybox"; };
  floating = derivation { name = "floating"; system = "x86_64-linux"; builder = "${bb}/bin/sh"; args = [ "-c" "echo f > $out" ];
    __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
in {
  inherit floating;
  user = derivation { name = "user"; system = "x86_64-linux"; builder = "${bb}/bin/sh"; args = [ "-c" "cat ${floating} > $out" ]; };
}
"""


@pytest.mark.parametrize("name", ["floating", "user"])
def test_floating_outputs_of_a_real_nix_are_refused(nix, busybox, tmp_path: Path, name: str) -> None:
    file = tmp_path / "floating.nix"
    file.write_text(FLOATING)
    expression = f'(import {file} {{ busybox = "{busybox["x86_64-linux"]}"; }}).{name}'
    made = nix.run("nix-instantiate", "--option", "experimental-features", "ca-derivations", "-E", expression)
    drv = made.stdout.strip()
    closure = read_closure(drv, ReadOptions(stores=[nix.store]))
    with pytest.raises(RefusedError, match="floating content-addressed") as caught:
        linearize(closure, LinearizeOptions())
    assert "-floating.drv" in caught.value.message or drv in caught.value.message


@pytest.mark.parametrize("name", ["fails", "no-output", "not-started", "fifo-at-out"])
def test_what_nix_cannot_build_either(nix, busybox, name: str) -> None:
    # tests/conformance holds that xboot fails on these, on every backend.
    drvs = nix.instantiate(Path(__file__).parent / "failing.nix", busybox=str(busybox["i686-linux"]), system="i686-linux")
    done = nix.run("nix-store", "--realise", "--option", "sandbox", "true", "--option", "build-users-group", "", drvs[name], check=False)
    assert done.returncode != 0
