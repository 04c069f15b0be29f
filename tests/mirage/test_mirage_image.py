"""The image's build: the same bytes each time, every byte owned."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xboot.cache import Cache
from xboot.errors import BackendError
from xboot.toolroot import LockedTools
from xboot_mirage import build, libraries, tcb, toolchain

pytestmark = [pytest.mark.apt, pytest.mark.compiler]


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    images = []
    for name in ("one", "two"):
        folder = tmp_path / name / "deeper" / name
        folder.mkdir(parents=True)
        by, compiled = toolchain.toolchain(Cache()), tmp_path / name / "libraries"
        compiled.mkdir()
        libraries.build_libraries(by, libraries.ocaml_source(Cache()), compiled)
        build.build_image(by, compiled, folder)
        images.append((folder / "image").read_bytes())
    assert images[0] == images[1]


def _compiled() -> Path:
    by = toolchain.toolchain(Cache())
    return libraries.libraries(Cache(), by, libraries.ocaml_source(Cache()))


class _More(LockedTools):
    """The locked tools, but whoever links takes one file more."""

    def __init__(self, more: str) -> None:
        super().__init__(Cache())
        self._more = more

    def start(self, command: Sequence[str], *rest: Any, **named: Any) -> subprocess.Popen[bytes]:
        return super().start([*command, self._more] if command[0] == "ld" else command, *rest, **named)


@pytest.mark.parametrize(
    "foreign", ["/usr/lib/ocaml/std_exit.o", "/usr/lib/ocaml/libasmrun.a"]
)  # an object, and an archive of which nothing is taken
def test_an_object_that_was_not_compiled_here_is_found_by_its_name(foreign: str, tmp_path: Path) -> None:
    folder = tmp_path / "image"
    folder.mkdir()
    with pytest.raises(BackendError) as caught:
        build.build_image(_More(foreign), _compiled(), folder)
    assert foreign in str(caught.value)
    assert not (folder / toolchain.REGIONS_FILE).exists()


def test_a_header_from_elsewhere_is_found_by_its_name(tmp_path: Path) -> None:
    work = tmp_path / "build"
    work.mkdir()
    (work / "a.d").write_text("a.o: a.c \\\n h.h /usr/include/stdio.h\n")
    with pytest.raises(BackendError, match=r"/usr/include/stdio\.h"):
        libraries.headers_in(work / "a.d", work, work)


def test_what_is_compiled_is_linked() -> None:
    """No file is compiled in vain; but of three modules of the library only types and inlined code are used."""
    kernel = build.built_image(Cache(), lambda event: None)["kernel"]
    sizes = json.loads((kernel.path.parent / toolchain.LINKED_FILE).read_text())
    assert {name for name, size in sizes.items() if not size} <= {
        f"libraries/stdlib/stdlib__{name}.o" for name in ("Either", "Int32", "Lazy")
    }


def test_compiler_and_source_must_be_of_one_version(tmp_path: Path) -> None:
    source = libraries.ocaml_source(Cache())
    with tarfile.open(source.path) as archive, tarfile.open(tmp_path / "other.tar.gz", "w:gz") as other:
        for entry in archive:
            if entry.isfile() and entry.name.count("/") == 1:
                stream = archive.extractfile(entry)
                assert stream is not None
                data = stream.read().replace(b"4.13.1", b"4.14.1", 1) if entry.name.endswith("/VERSION") else stream.read()
                entry.size = len(data)
                other.addfile(entry, io.BytesIO(data))
    folder = tmp_path / "libraries"
    folder.mkdir()
    with pytest.raises(BackendError, match=r"version 4\.13\.1, and the runtime's source .* version 4\.14\.1"):
        libraries.build_libraries(toolchain.toolchain(Cache()), replace(source, path=tmp_path / "other.tar.gz"), folder)


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
        (b"index out of bounds", "ocaml-runtime"),
        (b"List.nth", "ocaml-stdlib"),
    ):
        at = data.index(text)
        (found,) = [r.component for r in tcb.image_regions(kernel) if r.offset <= at < r.offset + r.size]
        assert found == owner, text


def test_what_is_compiled_is_counted_with_its_headers() -> None:
    kernel = build.built_image(Cache(), lambda event: None)["kernel"]
    found = json.loads((kernel.path.parent / toolchain.SOURCES_FILE).read_text())
    assert {f"ocaml/runtime/{name}" for name in libraries.RUNTIME} <= set(found["ocaml-runtime"])
    assert any(name.endswith("caml/mlvalues.h") for name in found["ocaml-runtime"])
    assert len(found["ocaml-stdlib"]) == len(libraries.STDLIB)
    assert all((kernel.path.parent / "sources" / name).is_file() for names in found.values() for name in names)


def test_nothing_of_the_image_came_compiled() -> None:
    artifacts = build.built_image(Cache(), lambda event: None)
    assert not [name for name, artifact in artifacts.items() if artifact.prebuilt]
    assert all(artifact.source_files for name, artifact in artifacts.items() if name not in ("kernel", "image framing"))
