"""From closures to scripts: order, pruning, refusals; and the text reads back as what it says."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from xboot.errors import InputError, RefusedError
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.linearize import linearize, parse_script, render, script_text
from xboot.model import Closure, Derivation, Output, Source, SourceKind
from xboot.parse import read_closure

GUIX = Path(__file__).parent.parent / "data" / "guix"
STORE = "/nix/store"
SCRIPTS = {  # the script is what a run is known by: it must not change with xboot's code
    "guix-hello.tar.xz": "6ce88da2c93f056d",
    "guix-mes-boot-i686-linux.tar.xz": "276bcb801199d633",
    "guix-stage0-posix-i686-linux.tar.xz": "bb5ec186a5bdaa14",
}


def path(name: str) -> str:
    return f"{STORE}/{hashlib.sha256(name.encode()).hexdigest().replace('e', 'z')[:32]}-{name}"


SHELL = f"{path('sh')}/bin/sh".encode()


def drv(
    name: str, inputs: dict[str, list[str]] | None = None, srcs: tuple[str, ...] = (), outputs: tuple[str, ...] = ("out",), **env: str
) -> Derivation:
    made = {o: Output(o, path(name if o == "out" else f"{name}-{o}")) for o in outputs}
    return Derivation(
        path(f"{name}.drv"), made, inputs or {}, list(srcs), "i686-linux", SHELL, [b"-c", b"true"],
        {k.encode(): v.encode() for k, v in {"name": name, **env}.items()},
    )  # fmt: skip


def closure(*drvs: Derivation, root: str, sources: tuple[Source, ...] = (), missing: tuple[str, ...] = ()) -> Closure:
    return Closure(STORE, [path(f"{root}.drv")], {d.path: d for d in drvs}, {s.path: s for s in sources}, dict.fromkeys(missing, "test"))


def source(name: str, kind: SourceKind = SourceKind.NAR, references: tuple[str, ...] = ()) -> Source:
    return Source(path(name), kind, Path("/dev/null"), hashlib.sha256(name.encode()).hexdigest(), 120, references)


@pytest.mark.parametrize("archive", sorted(GUIX.glob("*.tar.xz")), ids=lambda p: p.name)
def test_real_graphs_unroll(archive: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-C", tmp_path, "-xf", archive], check=True)
    (folder,) = tmp_path.iterdir()
    root = (folder / "ROOTS").read_text().split()[0]
    graph = read_closure(str(folder / root.rsplit("/", 1)[1]), ReadOptions())
    script = linearize(graph, LinearizeOptions(allow_missing=True))
    place = {step.drv: step.number for step in script.steps}
    assert [step.number for step in script.steps] == list(range(1, len(script.steps) + 1))
    for step in script.steps:
        for inner in graph.derivations[step.drv].input_drvs:
            assert place.get(inner, 0) < step.number
    # Guix's manners, not Nix's
    env = dict(script.steps[0].env)
    assert script.steps[0].cwd.startswith("/tmp/guix-build-")
    assert env[b"NIX_BUILD_CORES"] == b"0"
    assert b"TERM" not in env
    with pytest.raises(InputError, match="its content is not at hand"):
        linearize(graph, LinearizeOptions())
    with pytest.raises(InputError):  # a plan that lacks sources is no script
        parse_script(script.text)
    again = read_closure(str(folder / root.rsplit("/", 1)[1]), ReadOptions())
    assert linearize(again, LinearizeOptions(allow_missing=True)).sha256 == script.sha256
    assert script.sha256.startswith(SCRIPTS[archive.name])


def test_ties_are_broken_by_store_path() -> None:
    leaves = [drv(f"leaf{i}") for i in range(20)]
    top = drv("top", {d.path: ["out"] for d in leaves})
    script = linearize(closure(top, *leaves, root="top"), LinearizeOptions())
    order = [step.drv for step in script.steps]
    assert order == [*sorted(d.path for d in leaves), top.path]


def test_text_round_trip() -> None:
    top = drv("top", srcs=(path("src"),), outputs=("bin", "out"), quote='a"b\\c\nd\te\x7f', umlaut="ü")
    script = linearize(closure(top, root="top", sources=(source("src", references=()),)), LinearizeOptions())
    back = parse_script(script.text)
    assert back.sha256 == script.sha256
    assert list(back.steps) == list(script.steps)
    assert back.results == script.results
    assert script_text(back.store_dir, back.sources, back.steps, back.results) == script.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t[:-2],
        lambda t: t + b" ",
        lambda t: t.replace(b"step 1", b"step 2"),
        lambda t: t.replace(b"(files", b"(flies"),
        lambda t: t.replace(b" (result", b"  (result"),
    ],
)
def test_damaged_scripts_are_refused(damage) -> None:
    script = linearize(closure(drv("top"), root="top"), LinearizeOptions())
    with pytest.raises(InputError, match="malformed script"):
        parse_script(damage(script.text))


@pytest.mark.parametrize("damage", [(b'/bin/sh"', '/bin/ü"'.encode()), (b"/etc/hosts", b"/etc/\\xff"), (b"-top.drv", "-ü.drv".encode())])
def test_names_in_a_script_are_ascii(damage: tuple[bytes, bytes]) -> None:
    script = linearize(closure(drv("top"), root="top"), LinearizeOptions())
    assert damage[0] in script.text
    with pytest.raises(InputError, match="malformed script"):
        parse_script(script.text.replace(*damage))


def test_what_is_at_hand_prunes_the_graph() -> None:
    deep = drv("deep")
    middle = drv("middle", {deep.path: ["out"]}, outputs=("dev", "out"))
    top = drv("top", {middle.path: ["out"]})
    seed = source("middle", SourceKind.SEED)
    script = linearize(closure(top, middle, deep, root="top", sources=(seed,)), LinearizeOptions())
    assert [step.drv for step in script.steps] == [top.path]
    assert script.seeds == [path("middle")]


def test_an_output_is_never_both_source_and_built() -> None:
    middle = drv("middle", outputs=("dev", "out"))
    one = drv("one", {middle.path: ["out"]})
    two = drv("two", {middle.path: ["dev"]})
    top = drv("top", {one.path: ["out"], two.path: ["out"]})
    script = linearize(closure(top, one, two, middle, root="top", sources=(source("middle", SourceKind.SEED),)), LinearizeOptions())
    assert {step.drv for step in script.steps} == {d.path for d in (top, one, two, middle)}
    assert script.sources == []


def test_references_of_sources_come_along() -> None:
    first, second = source("first", references=(path("second"),)), source("second")
    top = drv("top", srcs=(path("first"),))
    script = linearize(closure(top, root="top", sources=(first, second, source("unused"))), LinearizeOptions())
    assert [s.path for s in script.sources] == sorted([first.path, second.path])


def test_a_cycle_is_named() -> None:
    a, b = drv("a", {path("b.drv"): ["out"]}), drv("b", {path("a.drv"): ["out"]})
    with pytest.raises(InputError, match="depends on itself"):
        linearize(closure(a, b, root="a"), LinearizeOptions())


REFUSED = {
    "floating": (replace(drv("x"), outputs={"out": Output("out", "", "r:sha256", "")}), "floating content-addressed"),
    "no chroot": (drv("x", __noChroot="1"), "__noChroot"),
    "impure": (drv("x", __impure="1"), "__impure"),
    "kvm": (drv("x", requiredSystemFeatures="big-parallel kvm"), "'kvm'"),
    "recursive": (drv("x", requiredSystemFeatures="recursive-nix"), "'recursive-nix'"),
    "buildenv": (replace(drv("x"), builder=b"builtin:buildenv"), "builtin:buildenv runs inside the daemon"),
    "relative": (replace(drv("x"), builder=b"bin/sh"), "no absolute path"),
    "sha1": (replace(drv("x"), outputs={"out": Output("out", path("x"), "sha1", "00" * 20)}), "given by sha1"),
    "graph": (drv("x", __json='{"exportReferencesGraph":{"a":["/x"]}}'), "exportReferencesGraph in structured"),
    "size": (drv("x", __json='{"outputChecks":{"out":{"maxSize":1}}}'), "maxSize"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_by_name(case: str) -> None:
    derivation, message = REFUSED[case]
    with pytest.raises(RefusedError, match=message) as caught:
        linearize(closure(derivation, root="x"), LinearizeOptions())
    assert derivation.path in caught.value.message


def test_bad_environment_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be passed"):
        linearize(closure(drv("x", bad="a\0b"), root="x"), LinearizeOptions())


def test_the_graph_is_valid_dot() -> None:
    leaf = drv("leaf")
    top = drv("top", {leaf.path: ["out"]}, srcs=(path("src"),))
    script = linearize(closure(top, leaf, root="top", sources=(source("src"),)), LinearizeOptions())
    dot = render(script, "dot")
    assert dot.startswith("digraph xboot {")
    assert "step1 -> step2;" in dot
    assert "source0 -> step2;" in dot
    assert render(script, "table").count("\n") == 3


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("[" * 100_000, "not JSON"),
        ('{"a":' + "[" * 50_000 + "]" * 50_000 + "}", "not JSON"),
        ('{"a":NaN}', "not JSON"),
        ('{"a":' + "1" * 6000 + "}", "not JSON"),
        ("[]", "no JSON object"),
        ('{"a":"\\ud800"}', "half a character"),
        ('{"outputChecks":[]}', "outputChecks is no JSON object"),
        ('{"outputChecks":{"out":1}}', "outputChecks.out is no JSON object"),
        ('{"outputChecks":{"out":{"allowedReferences":3}}}', "allowedReferences is no list"),
        ('{"outputChecks":{"out":{"allowedReferences":[[]]}}}', "neither a store path nor"),
    ],
    ids=range(10),
)
def test_hostile_structured_attributes(attributes: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        linearize(closure(drv("top", __json=attributes), root="top"), LinearizeOptions())


def test_numbers_that_are_not_whole_are_left_out_of_bash_as_nix_does() -> None:
    script = linearize(closure(drv("top", __json='{"half":0.5,"whole":2.0}'), root="top"), LinearizeOptions())
    (shell,) = (content for path, content in script.steps[0].files if path.endswith(".attrs.sh"))
    assert b"declare whole=2" in shell
    assert b"half" not in shell


def fixed(name: str, builder: bytes = SHELL, algo: str = "r:sha256", **env: str) -> Derivation:
    made = drv(name, srcs=(path("tool"),), **env)
    return replace(made, builder=builder, outputs={"out": Output("out", path(name), algo, "0" * 64)})


def test_fixed_outputs_at_hand_are_named_and_can_be_rebuilt() -> None:
    """A fixed output whose content lies in a store is no step; the plan says so, and a user can have it built."""
    inner = [fixed("hex0"), fixed("page", url="http://x/"), fixed("old", algo="sha1"), fixed("daemon", b"builtin:fetchurl")]
    top = drv("top", {d.path: ["out"] for d in inner})
    at_hand = tuple(source(name, SourceKind.FIXED) for name in ("hex0", "page", "old", "daemon"))
    graph = closure(top, *inner, root="top", sources=(*at_hand, source("tool")))
    script = linearize(graph, LinearizeOptions())
    assert [step.drv for step in script.steps] == [top.path]
    assert script.at_hand == {path("hex0"): path("hex0.drv")}
    table = render(script, "table")
    assert f"at hand\t\thex0\t\t{path('hex0')}\n" in table
    again = linearize(graph, LinearizeOptions(rebuild_fixed=True))
    assert [step.drv for step in again.steps] == [path("hex0.drv"), top.path]
    assert again.steps[0].outputs[0].fixed is not None
    assert path("hex0") not in {s.path for s in again.sources}
    assert path("tool") in {s.path for s in again.sources}
    assert not again.at_hand


def test_what_a_seed_holds_is_not_rebuilt() -> None:
    """No path is both a source and a step's output: not a seed that is fixed, and not what a seed refers to."""
    inner = fixed("hex0")
    made = drv("made", {inner.path: ["out"]})
    top = drv("top", {made.path: ["out"], inner.path: ["out"]})
    at_hand = source("hex0", SourceKind.FIXED)
    seed = source("made", SourceKind.SEED, references=(path("hex0"),))
    graph = closure(top, made, inner, root="top", sources=(at_hand, seed, source("tool")))
    script = linearize(graph, LinearizeOptions(seeds=[path("made")], rebuild_fixed=True))
    assert [step.drv for step in script.steps] == [top.path]
    graph = closure(top, made, inner, root="top", sources=(at_hand, source("tool")))
    script = linearize(graph, LinearizeOptions(seeds=[path("hex0")], rebuild_fixed=True))
    assert [step.drv for step in script.steps] == [made.path, top.path]
    assert not script.at_hand


@pytest.mark.parametrize("text", ['{"big":1e999}', '{"a":1,"a":2}', '{"a":NaN}', '{"a":"\\ud800"}', "[]", "{"])
def test_structured_attributes_with_no_one_meaning_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="structured attributes"):
        linearize(closure(drv("top", __json=text), root="top"), LinearizeOptions())
