"""A package of npm: brought by npm from the registry that it is configured with, taken for its bytes alone, and written by hand."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from a_mirror import CONTENT, Mirror

from xboot.cache import Cache
from xboot.errors import InputError, MissingToolError
from xboot.parts import Group, Lock, Part, Suite, npm_files, obtain_part
from xboot.parts.update import renewed

PART = Part("tool", "npm", "tool/-/tool-1.0.tgz", "1.0", "npm", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), ("page",))
LOCK = Lock({"npm": Suite("npm", "npm", "20260101T000000Z")}, {"page": Group("page", "", "npm", "npm", ("tool",))}, [PART])
pytestmark = pytest.mark.usefixtures("alone")


def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """A program in npm's place, which has the very bytes in $CONTENT."""
    (tmp_path / "content").write_bytes(CONTENT)
    monkeypatch.setenv("CONTENT", str(tmp_path / "content"))
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{lines}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_npm_is_asked_for_this_version_and_runs_nothing_of_it(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    npm(tmp_path, monkeypatch, '[ "$*" = "pack --ignore-scripts --loglevel=error tool@1.0" ] && cp "$CONTENT" tool-1.0.tgz')
    path = obtain_part(PART, cache, LOCK)
    assert path.read_bytes() == CONTENT and path.name == "tool-1.0.tgz"
    assert [file.suffix for file in (cache.root / "downloads").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("echo other > tool-1.0.tgz", "the file ends early"),
        ('tr t T < "$CONTENT" > tool-1.0.tgz', "other content: SHA-256 is"),
        ("echo 'npm error\n E404' >&2; exit 1", r"npm:tool@1.0: npm failed \(status 1\): npm error E404"),
        ("exit 0", r"npm failed \(status 0\)"),
        ('ln -s "$CONTENT" tool-1.0.tgz', r"npm failed \(status 0\)"),
    ],
)
def test_what_npm_does_wrong(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch, lines: str, said: str) -> None:
    npm(tmp_path, monkeypatch, lines)
    with pytest.raises(MissingToolError, match=said):
        obtain_part(PART, cache, LOCK)


def test_without_npm(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match=r"npm:tool@1\.0: npm is not installed"):
        obtain_part(PART, cache, LOCK)


def test_a_mirror_that_is_named_needs_no_npm(mirror: Mirror, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XBOOT_MIRROR", mirror.url)
    mirror.files[f"/debian/{PART.path}"] = CONTENT
    assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT


def test_an_update_leaves_what_was_written_by_hand() -> None:
    assert renewed(LOCK, print) == LOCK
    with pytest.raises(InputError, match="no part tool of group page"):
        renewed(replace(LOCK, parts=[replace(PART, groups=("other",))]), print)


@pytest.mark.parametrize("damage", ["", "no file", "no archive", "cut"])
def test_files_of_a_package(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    content = hashlib.shake_128(b"").digest(100_000)
    folder = tmp_path / "places"
    file = folder / "tool-1.0.tgz"
    folder.mkdir()
    with tarfile.open(file, "w:gz") as tar:
        info = tarfile.TarInfo("package/build/other" if damage == "no file" else "package/build/tool.wasm")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    if damage in ("no archive", "cut"):
        file.write_bytes(b"no archive" if damage == "no archive" else file.read_bytes()[:50_000])
    part = replace(PART, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), size=file.stat().st_size)
    monkeypatch.setenv("XBOOT_MIRROR", str(folder))
    if not damage:
        assert [path.read_bytes() for path in npm_files(part, ["build/tool.wasm"], cache)] == [content]
        return
    with pytest.raises(InputError, match=r"tool-1\.0\.tgz: damaged, or not the package with build/tool\.wasm"):
        npm_files(part, ["build/tool.wasm"], cache)
