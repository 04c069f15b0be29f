"""The image's build: the same bytes each time, every byte owned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot_mirage import build, tcb, toolchain

pytestmark = [pytest.mark.apt, pytest.mark.compiler]


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    images = []
    for name in ("one", "two"):
        folder = tmp_path / name / "deeper" / name
        folder.mkdir(parents=True)
        build.build_image(toolchain.toolchain(Cache()), folder)
        images.append((folder / "image").read_bytes())
    assert images[0] == images[1]


def test_every_byte_has_an_owner() -> None:
    kernel = build.built_image(Cache(), lambda event: None)["kernel"]
    at = 0
    for region in tcb.image_regions(kernel):
        assert region.offset == at
        at += region.size
    assert at == kernel.size


def test_owners_are_what_they_say() -> None:
    """Strings that only one component can hold lie in its regions."""
    kernel = build.built_image(Cache(), lambda event: None)["kernel"]
    data = kernel.path.read_bytes()
    for text, owner in (
        (b"every process waits for an event", "personality"),
        (b"the builder did not make", "executor"),
        (b"kernel stack overflow", "base"),
        (b"Division_by_zero", "ocaml-stdlib"),
    ):
        at = data.index(text)
        (found,) = [r.component for r in tcb.image_regions(kernel) if r.offset <= at < r.offset + r.size]
        assert found in (owner, "ocaml-runtime") if owner == "ocaml-stdlib" else found == owner, text


def test_headers_are_counted_with_the_base() -> None:
    kernel = build.built_image(Cache(), lambda event: None)["kernel"]
    headers = json.loads((kernel.path.parent / toolchain.SOURCES_FILE).read_text())
    assert any(path.endswith("caml/mlvalues.h") for path in headers)
