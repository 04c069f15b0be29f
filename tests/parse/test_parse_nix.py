"""Derivations and graphs as nix-bin makes them, and what it makes of ours."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from bench.graph import make_graph

from xboot.errors import InputError, RefusedError
from xboot.hooks import ReadOptions
from xboot.model import Closure
from xboot.parse import derivation_from_json, derivation_to_json, parse_derivation, read_closure, write_derivation
from xboot.parse.modulo import text_references
from xboot.storepath import store_name, text_path

from .conftest import Nix

pytestmark = pytest.mark.nix

MANY_KINDS = r"""
let
  make = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // more);
  text = builtins.toFile "text" "refers to ${builtins.toFile "inner" "x"}";
  fetch = url: make "fetched" { inherit url; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; };
  twin = url: make "twin" { src = fetch url; };
  several = make "several" { outputs = [ "out" "dev" "a" ]; };
  first = make "first" { outputs = [ "lib" "bin" ]; inherit several; };
  structured = make "structured" { __structuredAttrs = true; list = [ 1 2.5 "x" null ]; nested = { a = true; "b c" = several.dev; }; };
  odd = make "odd+-._?=" {
    args = [ "" "\n\t\r\"\\" "${several.a}" "ünï" ];
    "strange key" = "a\\nb"; "ä" = "("; passAsFile = [ "big" ]; big = ''],[")],["'';
  };
  deep = make "deep" { text = builtins.readFile several.drvPath; refs = several.drvPath; exportReferencesGraph = [ "graph" several ]; };
in
  make "top" { inherit text first structured odd deep; one = twin "a"; other = twin "b"; both = [ several.out several.dev several.a ]; }
"""


def read(nix: Nix, drv: str) -> Closure:
    return read_closure(drv, ReadOptions(stores=[nix.root]))


def test_all_kinds_of_derivations(nix: Nix) -> None:
    """Every path that Nix made verifies; JSON is what Nix prints; the text comes back to the byte from both."""
    drv = nix.instantiate(MANY_KINDS)[0]
    closure = read(nix, drv)
    assert closure.missing == {}
    shown = nix.show(drv)
    assert sorted(closure.derivations) == sorted(shown)
    for path, derivation in closure.derivations.items():
        text = nix.file(path).read_bytes()
        assert write_derivation(derivation) == text
        assert derivation_to_json(derivation) == shown[path]
        assert derivation_from_json(shown[path], path) == derivation
    names = {store_name(path)[33:]: d for path, d in closure.derivations.items()}
    assert len([path for path in closure.derivations if path.endswith("-twin.drv")]) == 2
    assert names["deep.drv"].input_srcs  # the text of a derivation is a source of it too
    assert set(names["deep.drv"].input_srcs) & set(closure.derivations)


def test_the_twins_have_one_output(nix: Nix) -> None:
    """Two derivations that differ in the way they fetch have the same modulo hash, and are merged as inputs."""
    closure = read(nix, nix.instantiate(MANY_KINDS)[0])
    outputs = {d.outputs["out"].path for d in closure.derivations.values() if d.path.endswith("-twin.drv")}
    assert len(outputs) == 1


def test_floating_and_deferred_outputs(nix: Nix) -> None:
    """Their paths are empty, also in what depends on them; the rest of the graph verifies."""
    expression = """
      let
        make = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // more);
        plain = make "plain" { };
        floating = make "floating" { inherit plain; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
        fetch = make "fetch" { inherit floating; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; };
      in make "top" { inherit floating fetch; }
    """
    drv = nix.instantiate(expression)[0]
    closure = read(nix, drv)
    by_name = {store_name(path)[33:-4]: d for path, d in closure.derivations.items()}
    assert {name: d.outputs["out"].path == "" for name, d in by_name.items()} == {
        "top": True,
        "floating": True,
        "plain": False,
        "fetch": False,
    }
    assert by_name["floating"].outputs["out"].hash_algo == "r:sha256"
    shown = nix.show(drv)
    for path, derivation in closure.derivations.items():
        assert derivation_to_json(derivation) == shown[path]
    # The file itself tells no store: the folder that it is in does.
    assert read_closure(str(nix.file(drv)), ReadOptions()).roots == (drv,)


def test_an_impure_derivation_is_refused_by_name(nix: Nix) -> None:
    drv = nix.instantiate('derivation { name = "i"; system = "x86_64-linux"; builder = "/bin/sh"; __impure = true; }')[0]
    with pytest.raises(RefusedError, match="impure"):
        read(nix, drv)


def test_a_path_that_nix_would_compute_otherwise(nix: Nix) -> None:
    """An output path where Nix would defer it."""
    expression = """
      let
        addressed = { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
        f = derivation ({ name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; } // addressed);
      in derivation { name = "top"; system = "x86_64-linux"; builder = "/bin/sh"; inherit f; }
    """
    path = nix.instantiate(expression)[0]
    text = nix.file(path).read_bytes()
    lie = b"/nix/store/" + b"0" * 32 + b"-top"
    text = text.replace(b'("out","","","")', b'("out","' + lie + b'","","")').replace(b'("out","")', b'("out","' + lie + b'")')
    lying = text_path("top.drv", text, text_references(parse_derivation(text, path)), "/nix/store")
    nix.file(lying).write_bytes(text)
    with pytest.raises(InputError, match="known only after a build"):
        read(nix, lying)


def test_nix_accepts_our_graph(nix: Nix) -> None:
    """`nix-store --load-db` recomputes the output paths of each derivation that it registers."""
    graph = make_graph(nix.root, count=200, edges=8)
    nix.run("nix-store", "--load-db", stdin=graph.registration())
    shown = nix.show(graph.root)
    closure = read(nix, graph.root)
    assert len(closure.derivations) == graph.derivations == 200
    assert set(closure.sources) == {path for drv in closure.derivations.values() for path in drv.input_srcs}
    assert {path: derivation_to_json(drv) for path, drv in closure.derivations.items()} == shown


# ---------------------------------------------------------------- JSON


@pytest.fixture
def example(graphs: Path) -> tuple[str, dict[str, Any]]:
    """A real derivation, as JSON of version 1."""
    file = next(graphs.glob("guix-hello/*-hello-2.12.2.drv"))
    path = f"/gnu/store/{file.name}"
    value = derivation_to_json(parse_derivation(file.read_bytes(), path))
    return path, json.loads(json.dumps(value))


def test_newer_versions_of_the_format(graphs: Path) -> None:
    for file in sorted(graphs.glob("guix-mes*/*.drv")):
        path = f"/gnu/store/{file.name}"
        drv = parse_derivation(file.read_bytes(), path)
        for version in (2, 3, 4):
            assert derivation_from_json(as_version(derivation_to_json(drv), version), path) == drv


def as_version(value: dict[str, Any], version: int) -> dict[str, Any]:
    """The same derivation as newer versions of Nix print it."""

    def short(path: str) -> str:
        return store_name(path) if version >= 3 else path

    value = copy.deepcopy(value)
    value |= {"name": "x", "version": version}
    drvs = {short(path): {"outputs": names, "dynamicOutputs": {}} for path, names in value.pop("inputDrvs").items()}
    sources = [short(path) for path in value.pop("inputSrcs")]
    value |= {"inputs": {"drvs": drvs, "srcs": sources}} if version == 4 else {"inputDrvs": drvs, "inputSrcs": sources}
    for output in value["outputs"].values():
        if "hash" in output:
            algo = output["hashAlgo"]
            output |= {"method": "nar" if algo.startswith("r:") else "flat", "hashAlgo": algo.removeprefix("r:")}
            if version == 4:
                output["hash"] = f"{output.pop('hashAlgo')}-{base64.b64encode(bytes.fromhex(output['hash'])).decode()}"
                del output["path"]
        if "path" in output:
            output["path"] = short(output["path"])
    return value


def test_structured_attributes_apart(nix: Nix) -> None:
    attributes = '__structuredAttrs = true; list = [ 1 "ü" null ]; a = { b = true; };'
    expression = f'derivation {{ name = "s"; system = "x86_64-linux"; builder = "/bin/sh"; {attributes} }}'
    path = nix.instantiate(expression)[0]
    value = nix.show(path)[path]
    value["structuredAttrs"] = json.loads(value["env"].pop("__json"))
    assert write_derivation(derivation_from_json(value, path)) == nix.file(path).read_bytes()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"env": None}, "env is of type NoneType"),
        ({"env": {"a": 1}}, "env.a is of type int"),
        ({"args": "a"}, "args is of type str"),
        ({"args": ["\ud800"]}, "lone surrogate"),
        ({"env": {"\udcff": ""}}, "lone surrogate"),
        ({"inputSrcs": ["/nix/store/\ud800"]}, "lone surrogate"),
        ({"outputs": {"\ud800": {"path": "/nix/store/x"}}}, "lone surrogate"),
        ({"system": "\ud800"}, "lone surrogate"),
        ({"outputs": {"out": {"path": "/nix/store/x", "hash": "sha256-ü"}}}, "not an SRI hash"),
        ({"outputs": {}}, "at byte"),
        ({"outputs": {"out": {"path": "/gnu/store/x"}}}, "not a store path"),
        ({"outputs": {"out": {"hash": "sha256-!!", "path": "x"}}}, "not an SRI hash"),
        ({"inputSrcs": ["../../etc"]}, "not a store path"),
        ({"inputDrvs": {"a.drv": 1}}, "inputDrvs.a.drv is of type int"),
    ],
)
def test_refuses_json(example: tuple[str, dict[str, Any]], change: dict[str, Any], reason: str) -> None:
    path, value = example
    with pytest.raises(InputError, match=reason):
        derivation_from_json(value | change, path)


def test_refuses_json_without_a_member(example: tuple[str, dict[str, Any]]) -> None:
    path, value = example
    for member in ("outputs", "system", "builder", "args", "env", "inputSrcs", "inputDrvs"):
        with pytest.raises(InputError, match="is missing"):
            derivation_from_json({key: part for key, part in value.items() if key != member}, path)
    with pytest.raises(InputError, match="of type list"):
        derivation_from_json([], path)


def test_refuses_dynamic_json(example: tuple[str, dict[str, Any]]) -> None:
    path, value = example
    used = next(iter(value["inputDrvs"]))
    value["inputDrvs"] = {used: {"outputs": ["out"], "dynamicOutputs": {"out": {"outputs": ["out"]}}}}
    with pytest.raises(RefusedError, match="dynamic"):
        derivation_from_json(value, path)


def test_bytes_that_json_cannot_hold(graphs: Path) -> None:
    file = next(graphs.glob("guix-hello/*-hello-2.12.2.drv"))
    text = file.read_bytes().replace(b'("LC_CTYPE","C.UTF-8")', b'("LC_CTYPE","\xff")')
    drv = parse_derivation(text, f"/gnu/store/{file.name}")
    assert drv.env[b"LC_CTYPE"] == b"\xff"
    with pytest.raises(InputError, match="not UTF-8"):
        derivation_to_json(drv)
