"""What nix makes of a derivation's attributes, or refuses: numbers, graphs, impure variables, features, builders, fixed outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_unroll import closure, drv, path, source

from xboot.boot.channel import Message
from xboot.boot.verdict import Timing, judge
from xboot.errors import InputError, RefusedError
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.linearize import linearize, parse_script
from xboot.linearize.numbers import json_text, shell_number
from xboot.model import BootImage, Derivation, Output, Phase, Script, Source
from xboot.parse import read_closure, write_derivation
from xboot.parse.modulo import text_references
from xboot.storepath import text_path


def planned(top: Derivation, *others: Derivation, sources: tuple[Source, ...] = (), missing: bool = False) -> Script:
    script = linearize(closure(top, *others, root="top", sources=sources), LinearizeOptions(allow_missing=missing))
    if not missing:
        parse_script(script.text)
    return script


def with_env(made: Derivation, **env: str) -> Derivation:
    return replace(made, env={**made.env, **{name.encode(): value.encode() for name, value in env.items()}})


# ------------------------------------------------------------ numbers; tests/nix asks nix itself


@pytest.mark.parametrize(
    ("number", "text", "shell"),
    [
        (5000000000, "5000000000", "705032704"),
        (9223372036854775807, "9223372036854775807", "-1"),
        (-3000000000, "-3000000000", "1294967296"),
        (18446744073709551616, "1.8446744073709552e+19", "-2147483648"),
        (1e15, "1e+15", "-2147483648"),
        (1e14, "100000000000000.0", "-2147483648"),
        (1626983080611305.8, "1.6269830806113057e+15", "-2147483648"),  # 17 digits, though 16 would do
        (-356120.48494604393, "-356120.48494604393", None),
        (0.5, "0.5", None),
        (2.0, "2.0", "2"),
        (16777216.5, "16777216.5", "16777216"),
        (1e-50, "1e-50", "0"),
        (1e300, "1e+300", "-2147483648"),
        (-0.0, "-0.0", "0"),
        (5e-324, "5e-324", "0"),
    ],
)
def test_numbers(number: float, text: str, shell: str | None) -> None:
    assert json_text([number]) == f"[{text}]"
    assert shell_number(number) == shell


def test_numbers_in_a_step() -> None:
    script = planned(drv("top", __json='{"big":5000000000,"list":[4294967296,1],"a":1e15}'))
    files = {name.rpartition("/")[2]: content for name, content in script.steps[0].files}
    assert files[".attrs.json"].startswith(b'{"a":1e+15,"big":5000000000,"list":[4294967296,1],')
    assert b"declare a=-2147483648\ndeclare big=705032704\ndeclare -a list=(0 1 )\n" in files[".attrs.sh"]


# ------------------------------------------------------------ exportReferencesGraph


def graph(word: str, **more: object) -> Derivation:
    return with_env(drv("top", **more), exportReferencesGraph=f"g {word}")  # type: ignore[arg-type]


def test_a_path_below_a_store_path_stands_for_it() -> None:
    script = planned(graph(f"{path('base')}/share/x", srcs=(path("base"),)), sources=(source("base"),))
    assert script.steps[0].graphs == [("/build/g", [path("base")])]


def test_a_graph_of_what_is_no_input_is_refused() -> None:
    other = source("other")
    with pytest.raises(InputError, match="not in the closure of its inputs"):
        planned(graph(path("other"), srcs=(path("base"),)), sources=(source("base"), other))
    for word in ("/etc/passwd", "relative", "/nix/store", "/nix/storex/y"):
        with pytest.raises(InputError, match="no store path of /nix/store"):
            planned(graph(word, srcs=(path("base"),)), sources=(source("base"),))
    with pytest.raises(InputError, match="not a store path"):
        planned(graph("/nix/store/..", srcs=(path("base"),)), sources=(source("base"),))


def test_a_graph_of_what_an_input_refers_to() -> None:
    base = source("base", references=(path("other"),))
    script = planned(graph(path("other"), srcs=(path("base"),)), sources=(base, source("other")))
    assert script.steps[0].graphs == [("/build/g", [path("other")])]


def test_a_graph_of_what_an_output_may_refer_to() -> None:
    """What an output refers to is known after its build: the executor says then."""
    inner = drv("inner", srcs=(path("base"),))
    top = with_env(drv("top", {inner.path: ["out"]}), exportReferencesGraph=f"g {path('base')}")
    script = planned(top, inner, sources=(source("base"),))
    assert script.steps[1].graphs == [("/build/g", [path("base")])]


def test_a_graph_of_a_derivation_is_refused_by_name() -> None:
    for name, sources in (
        ("x.drv", (source("x.drv"),)),
        ("base", (source("base", references=(path("x.drv"),)), source("x.drv"))),
    ):
        with pytest.raises(RefusedError, match=r"x\.drv: the outputs of all derivations in it would have to be built"):
            planned(graph(path(name), srcs=(path(name),)), sources=sources)
    inner = drv("inner", srcs=(path("x.drv"),))
    top = with_env(drv("top", {inner.path: ["out"]}), exportReferencesGraph=f"g {path('inner')}")
    with pytest.raises(RefusedError, match="can have the derivation"):
        planned(top, inner, sources=(source("x.drv"),))


def test_below_a_missing_source_a_plan_lets_everything_pass() -> None:
    assert planned(graph(path("other"), srcs=(path("base"),)), missing=True).steps[0].graphs == [("/build/g", [path("other")])]


# ------------------------------------------------------------ impure variables, features, builders


def fixed(**env: str) -> Derivation:
    return with_env(replace(drv("top"), outputs={"out": Output("out", path("top"), "sha256", "0" * 64)}), **env)


@pytest.mark.parametrize("given", [{"impureEnvVars": "MY_VAR http_proxy\n"}, {"__json": '{"impureEnvVars":["MY_VAR","http_proxy"]}'}])
def test_impure_variables_that_the_daemon_lacks_are_empty(given: dict[str, str]) -> None:
    env = dict(planned(fixed(**given)).steps[0].env)
    assert env[b"MY_VAR"] == env[b"http_proxy"] == b""
    assert b"MY_VAR" not in dict(planned(with_env(drv("top"), **given)).steps[0].env)


def test_impure_variables_replace_the_derivations_own_and_not_the_daemons() -> None:
    env = dict(planned(fixed(impureEnvVars="A NIX_LOG_FD", A="x")).steps[0].env)
    assert (env[b"A"], env[b"NIX_LOG_FD"]) == (b"", b"2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"__noChroot":true}', "__noChroot"),
        ('{"__impure":true}', "__impure"),
        ('{"requiredSystemFeatures":["big-parallel","kvm"]}', "the system feature 'kvm'"),
    ],
)
def test_structured_attributes_are_refused_as_plain_ones(text: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        planned(drv("top", __json=text))


@pytest.mark.parametrize("text", ['{"requiredSystemFeatures":"kvm"}', '{"requiredSystemFeatures":[1]}', '{"__noChroot":"1"}'])
def test_structured_attributes_of_a_wrong_type_are_malformed(text: str) -> None:
    with pytest.raises(InputError, match="its attribute"):
        planned(drv("top", __json=text))


@pytest.mark.parametrize("builder", [b"/bin/sh", b"/usr/bin/env", b"/nix/store", b"/build/x"])
def test_a_builder_that_no_guest_has_is_refused_before_the_boot(builder: bytes) -> None:
    with pytest.raises(RefusedError, match=f"its builder '{builder.decode()}' is in no store path"):
        planned(replace(drv("top"), builder=builder))


def test_an_attribute_with_an_equals_sign_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be passed to a process"):
        planned(with_env(drv("top"), **{"a=b": "c"}))


# ------------------------------------------------------------ fixed outputs


@pytest.mark.parametrize("store", ["/nix/store", "/gnu/store"])
def test_a_fixed_output_names_no_store_path(store: str) -> None:
    """Nix since 2.10; Guix's daemon has no such rule."""
    made = fixed()
    moved = closure(made, root="top")
    if store != "/nix/store":
        text = {p: p.replace("/nix/store", store) for p in (made.path, path("top"))}
        there = replace(
            made, path=text[made.path], outputs={"out": replace(made.outputs["out"], path=text[path("top")])}, builder=b"/gnu/store/x/sh"
        )
        moved = replace(moved, store_dir=store, roots=(there.path,), derivations={there.path: there})
    script = linearize(moved, LinearizeOptions())
    output = script.steps[0].outputs[0].path
    for references in ((), (f"{store}/{'0' * 32}-base",)):
        said = [Message(Phase.OUTPUT, 1, "out", output, "0" * 64, 1, references)]
        verdict = judge(BootImage("fake", script, {}, (), {}, ""), said, Timing(), {}, "", None, "tcg", 1.0, "", {})
        if references and store == "/nix/store":
            assert f"refers to {references[0]}, which a fixed output does not permit" in verdict.failure
        else:
            assert not verdict.failure


# ------------------------------------------------------------ floating outputs in a plain folder


def test_a_floating_output_in_a_plain_folder_is_refused_as_such(tmp_path: Path) -> None:
    made = replace(drv("ca"), outputs={"out": Output("out", "", "r:sha256", "")})
    text = write_derivation(made)
    name = text_path("ca.drv", text, text_references(made), "/nix/store").rpartition("/")[2]
    (tmp_path / name).write_bytes(text)
    found = read_closure(str(tmp_path / name), ReadOptions())
    assert found.roots == (f"/nix/store/{name}",)
    with pytest.raises(RefusedError, match="floating content-addressed"):
        linearize(found, LinearizeOptions())


def test_plain_attributes_are_taken_apart_as_nix_does() -> None:
    """Words end at blanks, tabs, line feeds and carriage returns, and at nothing else."""
    made = with_env(drv("top"), passAsFile="a\x0bb c", c="1", **{"a\x0bb": "2"})
    env = dict(planned(made).steps[0].env)
    assert b"cPath" in env
    assert b"a\x0bbPath" in env
