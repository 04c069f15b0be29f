"""Measuring: sums, overlaps, and formats that others can check."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from rich.console import Console

from xboot.errors import BackendError
from xboot.model import Artifact, Boot, BootImage, Component, Protocol, Region, Role, Script
from xboot.plugins import Plugins
from xboot.show.html import tcb_page
from xboot.show.measures import measures_report, show_measures
from xboot.tcb import Measured, count_lines, digest, image_components, overlap, to_cyclonedx

SCRIPT = Script(b"", "0" * 64, "/nix/store", [], [], [])


def component(name: str, files: dict[str, int], *, sha256: str = "", size: int = 10, role: Role = Role.KERNEL) -> Component:
    hashes = {file: hashlib.sha256(file.encode()).hexdigest() for file in files}
    lines = {hashes[file]: count for file, count in files.items()}
    return Component(name, role, size, sha256, lines=sum(files.values()), source_hashes=hashes, source_lines=lines)


def test_overlap_is_by_content() -> None:
    one = [component("kernel", {"a.c": 100, "b.c": 50}, sha256="1" * 64), component("executor", {"x.c": 7}, sha256="2" * 64, size=33)]
    two = [component("kernel", {"b.c": 50, "c.c": 1}, sha256="3" * 64), component("executor", {"x.c": 7}, sha256="2" * 64, size=33)]
    common = overlap(one, two)
    assert (common.lines, common.bytes, list(common.components)) == (57, 33, ["executor"])
    assert overlap(two, one).lines == 57
    assert overlap(one, []).lines == 0


def test_seeds_are_no_overlap_of_kernels() -> None:
    seed = Component("source:x", Role.SEED, 1000, "4" * 64)
    assert overlap([seed], [seed]).bytes == 0


def test_what_is_below_two_images_is_counted_beside_them() -> None:
    """Two machines with one firmware, and a loader of a medium that both use."""
    loader = component("medium loader", {"boot.s": 172}, sha256="7" * 64, size=2048, role=Role.LOADER)
    firmware = Component("BIOS", Role.FIRMWARE, 131072, "8" * 64, prebuilt=True)
    host = Component("host kernel", Role.SUBSTRATE, 0, "")
    measures = [
        Measured(
            f"{name}@{machine}", "0" * 64, [component("kernel", {f"{name}.c": 5})], [Component(machine, Role.SUBSTRATE, 9, sha), *more]
        )
        for name, machine, sha, more in (("a", "m", "1" * 64, [firmware, loader, host]), ("b", "n", "2" * 64, [firmware, loader, host]))
    ]
    (pair,) = measures_report(measures)["overlap"]
    assert (pair["lines"], pair["components"]) == (0, [])
    assert pair["belowBoth"] == {"lines": 172, "bytes": 133120, "components": ["BIOS", "medium loader"]}
    console = Console(file=io.StringIO(), width=200)
    show_measures(console, measures)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "below a@m and b@n: the same BIOS, medium loader (133,120 bytes), 172 lines" in said
    assert re.search(r"bytes below it +133,129 +133,129", said) and re.search(r"lines below it +172 and opaque +172 and opaque", said)
    assert "Below a@m and b@n: the same BIOS, medium loader, 133,120 bytes, 172 lines." in tcb_page(measures)


def test_lines_of_code_only(tmp_path: Path) -> None:
    file = tmp_path / "a.c"
    file.write_text("/* comment\n * more */\n\nint x;\n// no\nint y; /* yes */\n")
    counted = count_lines(file)
    assert (counted.language, counted.lines) == ("C", 2)
    assert counted.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_an_owner_that_is_nobody_is_refused(tmp_path: Path) -> None:
    image = BootImage("test", SCRIPT, {}, [Region("f", 0, 10, "stowaway")], {}, "")
    with pytest.raises(BackendError, match="'stowaway'"):
        image_components(image)


def test_artifacts_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.c"
    file.write_text("int x;\n")
    artifact = Artifact("kernel", file, "5" * 64, 7, Role.KERNEL, source_files=(file,), lines_method="manifest")
    image = BootImage("test", SCRIPT, {}, [Region("f", 0, 4, "kernel"), Region("f", 4, 3, "kernel")], {"kernel": artifact}, "")
    (found,) = image_components(image)
    assert (found.bytes, found.lines, found.lines_method) == (7, 1, "manifest")
    assert digest([found]) == digest(image_components(image))


def test_cyclonedx_is_valid() -> None:
    seed = Component("source:x", Role.SEED, 1000, "4" * 64, origin="/nix/store/x (nar)")
    text = to_cyclonedx("test", "6" * 64, [component("kernel", {"a.c": 1}, sha256="1" * 64), seed])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    properties = {p["name"]: p["value"] for c in json.loads(text)["components"] for p in c["properties"] if c["name"] == "source:x"}
    assert properties["nix:store_path"] == "/nix/store/x"


@pytest.mark.boot
def test_below_is_the_program_not_a_script() -> None:
    from xboot.tcb import host_kernel

    boot = Boot(Protocol.MULTIBOOT, Path("kernel"), 64, bits=32, processor="i686")
    found = {c.name: c for c in Plugins.load().machine("qemu").components(boot)}
    assert found["qemu-system-i386"].bytes > 1_000_000
    assert found["SeaBIOS for pc"].bytes == 262144
    assert host_kernel().role is Role.SUBSTRATE
