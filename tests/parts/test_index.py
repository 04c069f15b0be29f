"""A suite's index is believed when its signature is good, its date right, and each list what the index says."""

from __future__ import annotations

import hashlib
import lzma
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from a_mirror import Mirror

from xboot.errors import InputError, MissingToolError
from xboot.parts import Suite
from xboot.parts.index import read_index

pytestmark = pytest.mark.usefixtures("alone")
LIST = lzma.compress(b"Package: tool\nVersion: 1\nDescription: a tool\n with more to say\n\nPackage: other\nVersion: 2\n")
NAME = "main/binary-amd64/Packages.xz"
NOW = datetime.now(UTC)
BOOKWORM = Suite("bookworm", date="20260101T000000Z")


class Signer:
    """A key that signs indices."""

    def __init__(self, home: Path) -> None:
        self.home, self.ring = home, home / "ring.gpg"
        home.mkdir(mode=0o700)
        self.gpg("--quick-generate-key", "archive", "ed25519", "sign", "never")
        self.gpg("--output", str(self.ring), "--export", "archive")

    def gpg(self, *words: str, text: str = "") -> str:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--passphrase", "", *words]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    def index(self, date: datetime = NOW, codename: str = "bookworm", more: str = "", data: bytes = LIST) -> bytes:
        sums = f"SHA256:\n {hashlib.sha256(data).hexdigest()} {len(data)} {NAME}\n"
        text = f"Origin: Debian\nSuite: oldstable\nCodename: {codename}\nDate: {format_datetime(date)}\n{more}{sums}"
        return self.gpg("--clearsign", text=text).encode()


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not here to sign with (tools/setup.sh test installs it)")
    signer = Signer(tmp_path_factory.mktemp("gpg") / "home")
    yield signer
    subprocess.run(["gpgconf", "--homedir", str(signer.home), "--kill", "all"], check=False)


@pytest.fixture
def archive(mirror: Mirror, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    monkeypatch.setenv("XBOOT_MIRROR", mirror.url)
    monkeypatch.setenv("XBOOT_KEYRING", str(signer.ring))
    mirror.files["/debian/dists/bookworm/InRelease"] = signer.index()
    mirror.files[f"/debian/dists/bookworm/{NAME}"] = LIST
    return mirror


@pytest.mark.parametrize("by_hash", [False, True])
def test_a_good_one(archive: Mirror, by_hash: bool) -> None:
    if by_hash:
        del archive.files[f"/debian/dists/bookworm/{NAME}"]
        archive.files[f"/debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/{hashlib.sha256(LIST).hexdigest()}"] = LIST
    index = read_index(BOOKWORM)
    assert index.date == NOW.strftime("%Y%m%dT%H%M%SZ")
    assert [stanza["package"] for stanza in index.stanzas("amd64")] == ["tool", "other"]
    with pytest.raises(InputError, match="no list main/binary-i386"):
        list(index.stanzas("i386"))


def test_from_a_folder(archive: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, content in archive.files.items():
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    monkeypatch.setenv("XBOOT_MIRROR", str(tmp_path / "debian"))
    assert len(list(read_index(BOOKWORM).stanzas("amd64"))) == 2


def test_a_bad_signature(archive: Mirror, signer: Signer, tmp_path: Path) -> None:
    path = "/debian/dists/bookworm/InRelease"
    archive.files[path] = archive.files[path].replace(b"Origin: Debian", b"Origin: Evilan")
    with pytest.raises(InputError, match="the signature is not good") as caught:
        read_index(BOOKWORM)
    assert "\n" not in caught.value.message
    other = Signer(tmp_path / "other")  # a good signature, of somebody else
    archive.files[path] = other.index()
    subprocess.run(["gpgconf", "--homedir", str(other.home), "--kill", "all"], check=False)
    with pytest.raises(InputError, match="the signature is not good"):
        read_index(BOOKWORM)


def test_one_good_signature_of_two(archive: Mirror, signer: Signer, tmp_path: Path) -> None:
    signer.gpg("--quick-generate-key", "another", "ed25519", "sign", "never")  # not in the keyring that checks
    text = "Codename: bookworm\nDate: " + format_datetime(NOW) + "\n"
    signed = signer.gpg("--clearsign", "--local-user", "archive", "--local-user", "another", text=text).encode()
    archive.files["/debian/dists/bookworm/InRelease"] = signed
    assert read_index(BOOKWORM).sums == {}
    archive.files["/debian/dists/bookworm/InRelease"] = signed.replace(b"Codename: bookworm", b"Codename:  bookworm")
    with pytest.raises(InputError, match="the signature is not good"):
        read_index(BOOKWORM)
    archive.files["/debian/dists/bookworm/InRelease"] = signer.gpg("--clearsign", "--local-user", "another", text=text).encode()
    with pytest.raises(InputError, match="the signature is not good"):
        read_index(BOOKWORM)


def test_text_beside_what_is_signed_is_not_read(archive: Mirror, signer: Signer) -> None:
    archive.files["/debian/dists/bookworm/InRelease"] = signer.index() + b"\nSHA256:\n " + b"0" * 64 + b" 1 main/binary-i386/Packages.xz\n"
    try:
        index = read_index(BOOKWORM)
    except InputError:
        return  # refused as a whole: as good
    with pytest.raises(InputError, match="no list"):
        list(index.stanzas("i386"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"date": datetime(2025, 12, 31, tzinfo=UTC)}, "is of 2025-12-31, older than the one that the lock was made from"),
        ({"date": NOW + timedelta(days=3)}, "was signed in the future"),
        ({"codename": "trixie"}, "is the index of trixie, not of bookworm"),
        ({"more": f"Valid-Until: {format_datetime(NOW - timedelta(hours=1))}\n"}, "an old index"),
        ({"more": "Valid-Until: tomorrow\n"}, "'tomorrow' is no date"),
    ],
)
def test_a_signed_index_that_is_not_the_one(archive: Mirror, signer: Signer, wrong: dict[str, object], said: str) -> None:
    archive.files["/debian/dists/bookworm/InRelease"] = signer.index(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=said):
        read_index(BOOKWORM)


def test_a_web_page_instead(archive: Mirror) -> None:
    archive.files["/debian/dists/bookworm/InRelease"] = b"<html>log in</html>"
    with pytest.raises(InputError, match="not a signed index but a web page"):
        read_index(BOOKWORM)


def test_a_list_that_the_index_does_not_name(archive: Mirror) -> None:
    archive.files[f"/debian/dists/bookworm/{NAME}"] = lzma.compress(b"Package: evil\nVersion: 1\n")
    with pytest.raises(InputError, match="the signed index says"):
        list(read_index(BOOKWORM).stanzas("amd64"))


def test_a_list_that_is_damaged(archive: Mirror, signer: Signer) -> None:
    archive.files["/debian/dists/bookworm/InRelease"] = signer.index(data=LIST[:-20])
    archive.files[f"/debian/dists/bookworm/{NAME}"] = LIST[:-20]
    with pytest.raises(InputError, match="ends early"):
        list(read_index(BOOKWORM).stanzas("amd64"))


def test_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingToolError, match="no archive is known"):
        read_index(BOOKWORM)


def test_nothing_to_check_with(archive: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xboot.parts.index.shutil.which", lambda name: None)
    with pytest.raises(MissingToolError, match="gpgv is not here"):
        read_index(BOOKWORM)
