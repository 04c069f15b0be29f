"""A part is had from the first place that has exactly its bytes; what a place does wrong is said in one sentence, and leaves nothing."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest
from a_mirror import CONTENT, PART, Mirror

from xboot.cache import Cache
from xboot.errors import MissingToolError, UsageError
from xboot.parts import Lock, Suite, at_hand, obtain_part, places
from xboot.parts.places import Archive, apt_archives

LOCK = Lock({"bookworm": Suite("bookworm", date="20260101T000000Z")}, {}, [PART])
pytestmark = pytest.mark.usefixtures("alone")


def name(monkeypatch: pytest.MonkeyPatch, *mirrors: object) -> None:
    monkeypatch.setenv("XBOOT_MIRROR", " ".join(map(str, mirrors)))


@pytest.mark.parametrize("place", [PART.path, f"by-hash/SHA256/{PART.sha256}", f"sha256/{PART.sha256}"])
def test_from_a_mirror_and_then_from_the_cache(mirror: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    name(monkeypatch, mirror.url)
    mirror.files[f"/debian/{place}"] = CONTENT
    assert not at_hand(PART, cache)
    path = obtain_part(PART, cache, LOCK)
    assert path.read_bytes() == CONTENT and path.name == PART.file_name and at_hand(PART, cache)
    mirror.files.clear()
    assert obtain_part(PART, cache, LOCK) == path
    path.write_bytes(b"edited")
    with pytest.raises(MissingToolError, match="404"):
        obtain_part(PART, cache, LOCK)


@pytest.mark.parametrize("place", [PART.path, f"debian/{PART.path}", PART.file_name, PART.sha256, f"by-hash/SHA256/{PART.sha256}"])
def test_from_a_folder(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    folder = tmp_path / "mirror"
    (folder / place).parent.mkdir(parents=True)
    (folder / place).write_bytes(CONTENT)
    spaced = tmp_path / "a mirror"
    spaced.symlink_to(folder)
    for mirror in (folder, folder.as_uri(), spaced, f"{spaced}\n", f"{tmp_path}\n{spaced}\n"):
        shutil.rmtree(cache.root, ignore_errors=True)
        name(monkeypatch, mirror)
        assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT


def test_apts_mirrors_by_archive_whatever_their_suite(mirror: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    archives = [Archive("http://127.0.0.1:1/debian-security", "trixie-security"), Archive(mirror.url, "trixie")]
    monkeypatch.setattr(places, "apt_archives", lambda: archives)
    mirror.files["/debian/" + PART.path] = CONTENT
    assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT
    assert len(mirror.asked) == 1


def test_snapshot(mirror: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XBOOT_SNAPSHOT", mirror.url)
    mirror.files["/debian/archive/debian/20260101T000000Z/" + PART.path] = CONTENT
    assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x" * len(CONTENT), "other content: SHA-256 is "),
        (CONTENT[:-1], "the file ends early: 13999 of 14000 bytes"),
        (CONTENT + b"!", "14001 bytes are more than the limit of 14000"),
        (b"<!DOCTYPE html><title>Log in</title>", "the answer is a web page"),
        (b"\n<html>no</html>", "the answer is a web page"),
    ],
)
def test_a_wrong_answer(mirror: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str) -> None:
    name(monkeypatch, mirror.url)
    path = "/debian/" + PART.path
    mirror.files[path] = content
    with pytest.raises(MissingToolError) as caught:
        obtain_part(PART, cache, LOCK)
    assert said in caught.value.message and str(PART) in caught.value.message
    assert not at_hand(PART, cache) and not list(cache.root.rglob("*.part"))
    mirror.files[path] = CONTENT  # and the next time all is well
    assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT


def test_a_wrong_answer_and_then_a_right_one(mirror: Mirror, tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / PART.file_name).write_bytes(b"other")
    name(monkeypatch, tmp_path / "pool", mirror.url)
    mirror.files["/debian/" + PART.path] = CONTENT
    assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT


def test_a_download_that_ends_early_goes_on_the_next_time(mirror: Mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xboot.fetch.http.time.sleep", lambda seconds: None)
    name(monkeypatch, mirror.url)
    mirror.files["/debian/" + PART.path] = CONTENT
    mirror.cut = 100
    with pytest.raises(MissingToolError):
        obtain_part(PART, cache, LOCK)
    assert not at_hand(PART, cache)
    mirror.cut = 0
    assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT


def test_no_network_and_a_cold_cache(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xboot.fetch.http.time.sleep", lambda seconds: None)
    with pytest.raises(MissingToolError, match="no place is known that may have it"):
        obtain_part(PART, cache, LOCK)
    name(monkeypatch, "http://127.0.0.1:1/debian")
    with pytest.raises(MissingToolError, match="refused") as caught:
        obtain_part(PART, cache, LOCK)
    assert PART.sha256 in caught.value.message and "\n" not in caught.value.message and caught.value.hint


def test_a_full_disk(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PART.file_name).write_bytes(CONTENT)
    name(monkeypatch, tmp_path)

    def full(source: Path, target: Path) -> None:
        Path(target).write_bytes(CONTENT[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("xboot.parts.obtaining.shutil.copyfile", full)
        with pytest.raises(MissingToolError, match=r"\(14000 bytes\) does not fit on the disk"):
            obtain_part(PART, cache, LOCK)
    assert not list(cache.root.rglob("*.part")) and not at_hand(PART, cache)
    assert obtain_part(PART, cache, LOCK).read_bytes() == CONTENT


def test_what_the_command_line_names_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name(monkeypatch, "http://a.invalid", tmp_path)
    (tmp_path / "a b").mkdir()
    places.ask_first([str(tmp_path / "a b"), "https://c.invalid"])
    assert places.named_mirrors() == [str(tmp_path / "a b"), "https://c.invalid", "http://a.invalid", str(tmp_path)]


def test_a_mirror_that_is_none(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    name(monkeypatch, "/nowhere/at/all")
    with pytest.raises(UsageError, match="/nowhere/at/all: neither a folder nor"):
        obtain_part(PART, cache, LOCK)


def test_apts_configuration(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://no.invalid/debian x main\n"
        "deb [signed-by=/k.gpg arch=amd64] http://a.invalid/debian/ bookworm main contrib # home\n"
        "deb http://b.invalid/ubuntu noble main\ndeb cdrom:[x]/debian bookworm main\ndeb-src http://c.invalid/debian bookworm main\n"
    )
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb deb-src\nURIs: https://d.invalid/debian\n https://e.invalid/debian\nSuites: trixie trixie-updates\nComponents: main\n"
        "Signed-By: /r.gpg\n\nTypes: deb\nEnabled: no\nURIs: https://f.invalid/debian\nSuites: sid\n\nTypes: deb\n# a remark\n"
        "URIs: copy:/srv/debian-security\nSuites: s\n"
    )
    assert [tuple(vars_(archive)) for archive in apt_archives(tmp_path)] == [
        ("http://a.invalid/debian", "bookworm", "/k.gpg"),
        *((f"https://{host}.invalid/debian", suite, "/r.gpg") for host in "de" for suite in ("trixie", "trixie-updates")),
        ("file:/srv/debian-security", "s", ""),
    ]
    assert apt_archives(tmp_path / "none") == []


def vars_(archive: Archive) -> tuple[str, str, str]:
    return archive.base, archive.suite, archive.keyring
