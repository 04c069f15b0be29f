"""What made an image: trees down to what came as a binary, sums over what is different, and formats that others can check."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from rich.console import Console
from typer.testing import CliRunner

from xboot.cache import Cache, file_sha256
from xboot.cli.app import app
from xboot.debian import DebianPackages
from xboot.guest.own_tcc import obtain_own_tcc
from xboot.model import Artifact, BootImage, BuildTool, Component, Region, Role, Script
from xboot.parts import locked
from xboot.show.build_time import tree, values
from xboot.show.html import tcb_page
from xboot.show.measures import measures_report, show_measures
from xboot.tcb import Measured, build_time, image_components, to_cyclonedx
from xboot.toolroot import ALL, DEBIAN_BUILDS, HostTools, LockedTools

SCRIPT = Script(b"", "0" * 64, "/nix/store", [], [], [])
LIBC = BuildTool("Debian libc6", "2.36", "a" * 64, 1000, "pool/libc6.deb")
GCC = BuildTool("Debian gcc-12", "12.2", "b" * 64, 20_000, "pool/gcc-12.deb")
OTHERS = BuildTool("what else is in the toolroot", "", "c" * 64, prebuilt=False, made_by=(LIBC,))


def compiler(folder: Path) -> BuildTool:
    """A compiler that was compiled here, by gcc."""
    source = folder / "compiler.c"
    source.write_text("int main(void)\n{\n    return 0;\n}\n")
    return BuildTool("<our> compiler", "1", "d" * 64, 300, "compiled here", False, (source,), (GCC, OTHERS))


def image(folder: Path, *, tool: BuildTool | None = None) -> Measured:
    tool = tool or compiler(folder)
    components = [
        Component("loader", Role.LOADER, 10, "1" * 64, made_by=(tool,)),
        Component("kernel", Role.KERNEL, 10, "2" * 64, made_by=(GCC, OTHERS)),
        Component("executor", Role.EXECUTOR, 10, "3" * 64, made_by=(tool,)),
        Component("script", Role.SCRIPT, 10, "4" * 64),
        Component("source:busybox", Role.SEED, 10, "5" * 64, origin="/nix/store/x (nar)", prebuilt=True),
    ]
    return Measured("ours", "0" * 64, components, [])


def test_each_tool_counts_once_and_what_is_in_the_image_does_not(tmp_path: Path) -> None:
    time = image(tmp_path).build_time()
    assert [[c.name for c in made.components] for made in time.made] == [["loader", "executor"], ["kernel"], ["script"]]
    names = [tool.name for tool in time.tools()]
    assert names == ["<our> compiler", "Debian gcc-12", "what else is in the toolroot", "Debian libc6", "xboot", "Python"]
    python = time.tools()[-1]
    assert python.prebuilt and python.bytes and time.opaque == 21_000 + python.bytes
    assert time.lines == 2
    assert time.unknown == []


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    strangers = [
        Component("kernel", Role.KERNEL, 10, "2" * 64, made_by=(DEBIAN_BUILDS,), prebuilt=True),
        Component("firmware", Role.FIRMWARE, 10, "3" * 64, prebuilt=True),
    ]
    time = build_time(strangers)
    assert time.unknown == ["what Debian's builds had", "what made firmware"]
    assert list(tree(time))[-1] == "not known: what Debian's builds had, what made firmware"


def test_an_artifact_hands_on_what_made_it(tmp_path: Path) -> None:
    file = tmp_path / "a.c"
    file.write_text("int x;\n")
    artifact = Artifact("kernel", file, "5" * 64, 7, Role.KERNEL, source_files=(file,), lines_method="manifest", made_by=(GCC,))
    (found,) = image_components(BootImage("test", SCRIPT, {}, [Region("f", 0, 7, "kernel")], {"kernel": artifact}, ""))
    assert found.made_by == (GCC,)


def test_the_tree_goes_down_to_binaries_and_says_nothing_twice(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    show_measures(console, [image(tmp_path)], how_made=True)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    gcc = f"Debian gcc-12 12.2, 20,000 bytes, prebuilt, pool/gcc-12.deb, sha256 {'b' * 64}"
    assert f"loader, executor: made by\n  └─ <our> compiler 1, 300 bytes, compiled here, sha256 {'d' * 64}\n     ├─ {gcc}\n" in said
    assert f"        └─ Debian libc6 2.36, 1,000 bytes, prebuilt, pool/libc6.deb, sha256 {'a' * 64}\n" in said
    assert f"kernel: made by\n  ├─ {gcc}\n  └─ what else is in the toolroot, sha256 {'c' * 64} (as above)\n" in said
    assert "tools that made it" in said and "lines in these" in said
    console = Console(file=io.StringIO(), width=200)
    show_measures(console, [image(tmp_path)])
    assert "tools that made it" not in console.file.getvalue()  # type: ignore[attr-defined]


def test_many_packages_are_summed_in_the_tree_and_named_in_json(tmp_path: Path) -> None:
    packages = tuple(BuildTool(f"Debian lib{number}", "1", hashlib.sha256(str(number).encode()).hexdigest(), 100) for number in range(9))
    many = BuildTool("what else is in the toolroot", "", "c" * 64, prebuilt=False, made_by=packages)
    time = image(tmp_path, tool=many).build_time()
    text = "\n".join(tree(time))
    assert f"  └─ what else is in the toolroot, sha256 {'c' * 64}: 900 bytes, prebuilt" in text and "lib3" not in text
    assert [tool["name"] for tool in values(time)["made"][0]["madeBy"][0]["madeBy"]] == [tool.name for tool in packages]


def test_json_has_the_tree_only_when_it_is_asked_for(tmp_path: Path) -> None:
    measured = image(tmp_path)
    found = json.loads(json.dumps(measures_report([measured], how_made=True)))["backends"]["ours"]
    assert "buildTime" not in measures_report([measured])["backends"]["ours"]
    assert found["buildTime"]["made"][0] == {
        "components": ["loader", "executor"],
        "madeBy": [
            {
                "name": "<our> compiler", "version": "1", "sha256": "d" * 64, "bytes": 300, "origin": "compiled here", "prebuilt": False,
                "madeBy": found["buildTime"]["made"][1]["madeBy"],
            }
        ],
    }  # fmt: skip
    assert found["digest"] == Measured("ours", "0" * 64, [c for c in measured.components], []).digest


def test_the_formulation_is_valid_and_its_references_lead_somewhere(tmp_path: Path) -> None:
    measured = image(tmp_path)
    text = to_cyclonedx("ours", "6" * 64, measured.components, measured.build_time())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    (formula,) = bom["formulation"]
    tools = {component["bom-ref"]: component for component in formula["components"]}
    parts = {component["bom-ref"] for component in bom["components"]}
    (workflow,) = formula["workflows"]
    for task in workflow["tasks"]:
        assert {given["resource"]["ref"] for given in task["inputs"]} <= tools.keys()
        assert {made["resource"]["ref"] for made in task["outputs"]} <= parts | tools.keys()
    made = {ref for task in workflow["tasks"] for ref in (output["resource"]["ref"] for output in task["outputs"])}
    for ref, tool in tools.items():
        compiled = {entry["name"]: entry["value"] for entry in tool["properties"]}["xboot:compiled"]
        assert (ref in made) == (compiled == "here")
    assert "formulation" not in json.loads(to_cyclonedx("ours", "6" * 64, measured.components))


def test_the_page_has_the_tree_and_no_foreign_markup(tmp_path: Path) -> None:
    page = tcb_page([image(tmp_path)], how_made=True)
    assert "What made them" in page and "&lt;our&gt; compiler 1, 300 bytes, compiled here" in page and "<our>" not in page
    assert "Debian libc6 2.36" in page
    assert "What made them" not in tcb_page([image(tmp_path)])


# ---------------------------------------------------------------- what the tools say of themselves


def test_locked_tools_are_all_their_packages_as_the_lock_has_them() -> None:
    found = LockedTools(Cache(), ALL).made_by("gcc", "binutils")
    parts = {part.name: part for part in locked().group("toolroot")}
    gcc = parts["gcc-12"]
    assert (found[0].name, found[0].version, found[0].sha256, found[0].bytes) == ("Debian gcc-12", gcc.version, gcc.sha256, gcc.size)
    everything = [found[0], found[1], *found[2].made_by]
    assert {tool.sha256 for tool in everything} == {part.sha256 for part in parts.values()}
    assert len(everything) == len(parts) and all(tool.prebuilt for tool in everything)


@pytest.mark.compiler
def test_tools_of_this_machine_are_its_programs() -> None:
    (gcc,) = HostTools({"gcc": "gcc"}).made_by("gcc")
    assert gcc.prebuilt and gcc.sha256 == file_sha256(Path(gcc.origin.removesuffix(" of this machine")))


@pytest.mark.compiler
@pytest.mark.apt
def test_the_chain_of_tcc_ends_at_the_locked_packages() -> None:
    own = obtain_own_tcc(DebianPackages(Cache()))
    (tcc,) = own.tools.made_by("tcc")
    assert (tcc.prebuilt, tcc.sha256) == (False, own.sha256)
    (first,) = tcc.made_by
    assert not first.prebuilt and first.sha256
    debian, rest = first.made_by
    packages = {part.name: part.sha256 for part in locked().group("toolroot")}
    assert debian.prebuilt and debian.sha256 == packages["tcc"]
    assert [(tool.sha256, tool.prebuilt) for tool in rest.made_by] == [(packages["libc6"], True)]


@pytest.mark.apt
@pytest.mark.compiler
def test_tccboot_says_it_on_the_command_line() -> None:
    done = CliRunner().invoke(app, ["tcb", "--backend", "tccboot", "--build-time", "--json"])
    assert done.exit_code == 0, done.output
    time = json.loads(done.stdout)["backends"]["tccboot"]["buildTime"]
    made = {name: group["madeBy"] for group in time["made"] for name in group["components"]}
    assert [tool["name"] for tool in made["loader"]] == ["TCC"]
    assert made["kernel"][0]["name"] == "the loader, at every boot" and made["kernel"][0]["madeBy"] == made["loader"]
    assert time["unknown"] == []
