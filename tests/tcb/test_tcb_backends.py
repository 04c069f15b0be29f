"""What is measured of the backends that are installed: sums, owners, formats. A second build is in tests/parts/test_kit.py."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from xboot.hooks import BackendOptions
from xboot.model import EMPTY_SCRIPT, Role
from xboot.parts import locked
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.tcb import LAYERS, overlap, to_cyclonedx
from xboot.toolroot import DEBIAN_BUILDS
from xboot.voter import Voter

pytestmark = pytest.mark.boot  # nothing boots, but QEMU is asked for its version

BACKENDS = sorted(Plugins.load().backends)


def tcb(*arguments: str) -> str:
    command = [sys.executable, "-m", "xboot", "tcb", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_sum_over_components_is_the_image(backend: str, tmp_path: Path) -> None:
    pipeline = Pipeline(Plugins.load())
    image = pipeline.package(backend, EMPTY_SCRIPT, pipeline.prepare(backend, EMPTY_SCRIPT, BackendOptions()), BackendOptions(), tmp_path)
    components = pipeline.components(backend, image)
    assert sum(c.bytes for c in components) == sum(path.stat().st_size for path in image.files.values())
    names = [c.name for c in components]
    assert len(set(names)) == len(names)
    for component in components:
        owned = sum(region.size for region in image.regions if region.component == component.name)
        assert component.bytes == owned, component.name
        assert component.role in LAYERS
        assert component.lines is None or component.lines_method not in ("", "opaque"), component.name
        assert sum(component.languages.values()) == (component.lines or 0), component.name
        assert component.lines is not None or not component.source_hashes, component.name


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_vector_is_whole(backend: str) -> None:
    measured = Pipeline(Plugins.load()).measure(Request(voters=[Voter(backend)]), EMPTY_SCRIPT)
    assert measured.lines > 1000
    assert measured.opaque == sum(c.bytes for c in measured.components if c.prebuilt) < measured.size
    assert (measured.opaque > 0) == (backend == "hurd")  # docs/tcb.md says why
    assert all(c.prebuilt or c.lines or c.role in (Role.SCRIPT, Role.PADDING) for c in measured.components)
    assert measured.built_with
    assert {"read", "write", "execve", "exit"} <= set(measured.syscalls)
    layers = [name for name, _ in measured.layers()]
    assert {"kernel", "executor", "substrate"} <= set(layers)
    assert layers == [name for name in LAYERS.values() if name in layers]
    assert any(c.role is Role.SUBSTRATE and c.bytes > 1_000_000 for c in measured.below)
    text = to_cyclonedx(backend, measured.image_sha256, measured.components)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = {c["name"]: c for c in json.loads(text)["components"]}
    assert set(listed) == {c.name for c in measured.components}


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_made_each_component_is_said_down_to_packages(backend: str) -> None:
    measured = Pipeline(Plugins.load()).measure(Request(voters=[Voter(backend)]), EMPTY_SCRIPT)
    time = measured.build_time()
    assert all(made.tools for made in time.made)
    locked_packages = {part.sha256 for part in locked().group("toolroot")}
    for tool in time.tools():
        if tool.name in ("Python", DEBIAN_BUILDS.name):
            continue
        assert tool.sha256 in locked_packages if tool.prebuilt else tool.made_by, tool.name
    came_compiled = any(c.prebuilt for c in measured.components)
    assert list(time.unknown) == [DEBIAN_BUILDS.name] * came_compiled
    text = to_cyclonedx(backend, measured.image_sha256, measured.components, time)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_linux_offers_what_its_configuration_says() -> None:
    """Calls that are configured out are not offered, though the table has an entry for them."""
    measured = Pipeline(Plugins.load()).measure(Request(), EMPTY_SCRIPT)
    calls = set(measured.syscalls)
    assert {"openat", "futex", "epoll_create1", "mmap2", "clone", "getdents64", "pread64", "socket", "seccomp", "semget"} <= calls
    assert not {"bpf", "io_submit", "add_key", "msgget", "init_module", "nfsservctl"} & calls
    assert 200 < len(calls) < 400
    assert not [name for name in calls if name.startswith("number ")]


def test_overlap_is_symmetric_and_less_than_either() -> None:
    pipeline = Pipeline(Plugins.load())
    measures = [pipeline.measure(Request(voters=[Voter(backend)]), EMPTY_SCRIPT) for backend in BACKENDS]
    for one in measures:
        for other in measures:
            there, back = overlap(one.components, other.components), overlap(other.components, one.components)
            assert there.bytes == back.bytes
            assert there.lines == back.lines
            if one is not other:
                assert there.lines < min(one.lines, other.lines)
    mirage = measures[BACKENDS.index("mirage")]
    assert all(overlap(mirage.components, other.components).lines == 0 for other in measures if other is not mirage)
    assert mirage.lines < 35_000
    matrix = tcb("--all", "--overlap")
    assert matrix.split()[:2] == ["in", "common"]
    assert all(name in matrix for name in BACKENDS)


def test_the_seeds_of_a_closure_are_all_listed() -> None:
    hello = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
    report = json.loads(tcb("--all", "--format", "json", str(hello)))
    sources = json.loads(
        subprocess.run(
            [sys.executable, "-m", "xboot", "run", "--json", str(hello)],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout
    )["sources"]
    for backend, measured in report["backends"].items():
        seeds = {c["origin"].split(" ")[0]: c["sha256"] for c in measured["components"] if c["role"] == "seed"}
        assert seeds == {source["path"]: source["narSha256"] for source in sources}, backend


def test_documented_fields_are_the_fields() -> None:
    report = json.loads(tcb("--format", "json", "--build-time"))
    text = (Path(__file__).parents[2] / "docs" / "tcb.md").read_text()
    section = text[text.index("## JSON") :]
    documented = {word for line in section.splitlines() if line.startswith("| `") for word in re.findall(r"`(\w+)`", line.split("|")[1])}
    backend = next(iter(report["backends"].values()))
    found = {*report, *backend, *backend["components"][0], *backend["buildTime"]["made"][0], *report["overlap"][0]} | {"made"}
    assert documented | {"madeBy"} == found
