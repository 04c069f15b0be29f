"""A suite's signed index: which packages it offers. Read by httpx and checked by gpgv (or sqv); no apt is needed.

An archive signs one file for each suite (`InRelease`), which names the SHA-256 of the lists of packages; a list is taken only when it
has that hash. An index that is older than what the lock was made from is refused: who plays back an old one would bring back old faults.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from xboot.cache import file_sha256
from xboot.errors import InputError, MissingToolError
from xboot.parts.lock import Suite
from xboot.parts.places import Archive, apt_archives, apt_proxy, named_mirrors, snapshot_base

__all__ = ["Index", "Stanza", "read_index"]

Stanza = Mapping[str, str]
"""One package of a list: field, in lower case → value."""

KEYRING = "XBOOT_KEYRING"
"""The variable of the environment that names the keyring which archives are checked with."""

_KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
# What gpgv may say beside a good signature: of that one, and that the key of another is unknown or has expired since.
_HARMLESS = {
    "NEWSIG",
    "GOODSIG",
    "VALIDSIG",
    "SIG_ID",
    "KEY_CONSIDERED",
    "PLAINTEXT",
    "PLAINTEXT_LENGTH",
    "ERRSIG",
    "NO_PUBKEY",
    "EXPKEYSIG",
    "KEYEXPIRED",
}
_MAX_RELEASE, _MAX_LIST = 4 << 20, 128 << 20
_MAX_TEXT = 512 << 20  # of a list, unpacked
_STAMP = "%Y%m%dT%H%M%SZ"


class Index:
    """A suite whose signature was good: `date` of its signing, `base` of its archive, and the SHA-256 of its lists by name (`sums`)."""

    def __init__(self, suite: Suite, date: str, base: str, sums: Mapping[str, str]) -> None:
        self.suite, self.date, self.base, self.sums = suite, date, base, sums

    def digest(self, architecture: str) -> str:
        """SHA-256 of the list of packages for `architecture` (of sources with `source`). Raises InputError when there is none."""
        digest = self.sums.get(_list(architecture))
        if digest is None:
            raise InputError(f"the suite {self.suite.name} has no list {_list(architecture)}")
        return digest

    def stanzas(self, architecture: str) -> Iterator[Stanza]:
        """All packages for `architecture` (those for every architecture among them), or with `source` all sources. Raises InputError."""
        from xboot.fetch.http import DownloadError  # noqa: PLC0415 - httpx takes 40 ms to import

        name, digest = _list(architecture), self.digest(architecture)
        folder = f"dists/{self.suite.name}/{name.rpartition('/')[0]}"
        data = b""
        problem = ""
        for place in (f"{folder}/by-hash/SHA256/{digest}", f"dists/{self.suite.name}/{name}"):
            try:
                data = _get(f"{self.base}/{place}", _MAX_LIST, digest)
                break
            except DownloadError as error:
                problem = str(error)
        else:
            raise InputError(f"{self.base}/dists/{self.suite.name}/{name}: {problem}", hint="try another mirror, or later")
        yield from _stanzas(_unpacked(data, name).decode(errors="replace"))


def _list(architecture: str) -> str:
    return "main/source/Sources.xz" if architecture == "source" else f"main/binary-{architecture}/Packages.xz"


def read_index(suite: Suite) -> Index:
    """The index of a suite, from the first place that has one with a good signature, not older than `suite.date`.

    Raises MissingToolError when no place has one, InputError when those that there are cannot be trusted.
    """
    from xboot.fetch.http import DownloadError  # noqa: PLC0415 - httpx takes 40 ms to import

    reasons = []
    refused = False
    for archive in _places(suite):
        url = f"{archive.base}/dists/{suite.name}/InRelease"
        try:
            text = _verified(_get(url, _MAX_RELEASE), archive.keyring, url)
            return _checked(suite, archive.base, text, url)
        except DownloadError as error:
            reasons.append(f"{url}: {error}")
        except InputError as error:
            reasons.append(error.message)
            refused = True
    said = f"the index of {suite.name} cannot be had: " + ("; ".join(reasons) or "no archive is known")
    raise (InputError if refused else MissingToolError)(said, hint="name a mirror of Debian with --mirror or XBOOT_MIRROR (docs/parts.md)")


def _places(suite: Suite) -> Iterator[Archive]:
    for place in named_mirrors():
        yield Archive(place.rstrip("/") if "://" in place else Path(place).absolute().as_uri(), suite.name)
    known = {archive.base: archive for archive in apt_archives() if archive.base.rsplit("/", 1)[-1] == suite.archive}
    yield from (Archive(base, suite.name, archive.keyring) for base, archive in known.items())
    if snapshot_base() and suite.date:
        yield Archive(f"{snapshot_base()}/archive/{suite.archive}/{suite.date}", suite.name)


def _get(url: str, limit: int, digest: str = "") -> bytes:
    """What is at `url`. Raises DownloadError, also when it has not the SHA-256 `digest`."""
    from xboot.fetch.http import DownloadError, Limits, download, http_client  # noqa: PLC0415 - httpx takes 40 ms to import

    with tempfile.TemporaryDirectory(prefix="xboot-index-") as scratch:
        file = Path(scratch) / "file"
        if url.startswith("file:"):
            source = Path(unquote(urlsplit(url).path))
            if not source.is_file() or source.stat().st_size > limit:
                raise DownloadError("no such file")
            shutil.copyfile(source, file)
        else:
            with http_client(Limits(), apt_proxy(urlsplit(url).scheme)) as client:
                download(client, url, file, Limits(size=limit, tries=2, silence=20.0), lambda done, total: None)
        if digest and file_sha256(file) != digest:
            raise DownloadError(f"the list's SHA-256 is {file_sha256(file)}, the signed index says {digest}")
        return file.read_bytes()


def _verified(data: bytes, keyring: str, url: str) -> str:
    """The signed text. Raises InputError for a bad signature, MissingToolError when there is nothing to check it with."""
    if not data.startswith(b"-----BEGIN PGP SIGNED MESSAGE-----"):
        raise InputError(f"{url}: not a signed index" + (" but a web page" if data.lstrip()[:1] == b"<" else ""))
    ring = os.environ.get(KEYRING) or keyring or next((path for path in _KEYRINGS if Path(path).is_file()), "")
    program = next((name for name in ("gpgv", "sqv") if shutil.which(name)), "")
    if not ring or not program:
        lacking = "Debian's archive keyring" if not ring else "gpgv"
        raise MissingToolError(
            f"{lacking} is not here, so the signature of {url} cannot be checked", hint="install debian-archive-keyring and gpgv"
        )
    with tempfile.TemporaryDirectory(prefix="xboot-index-") as scratch:
        file, text = Path(scratch) / "InRelease", Path(scratch) / "text"
        file.write_bytes(data)
        flags = ["--status-fd=1", f"--output={text}"] if program == "gpgv" else ["--cleartext", f"--output={text}"]
        done = subprocess.run(
            [program, f"--keyring={ring}", *flags, str(file)], capture_output=True, text=True, errors="replace", check=False
        )
        # gpgv also complains when one of several keys is not in the keyring, as that of a newer release may not be.
        words = set(re.findall(r"^\[GNUPG:\] ([A-Z_]+)", done.stdout, re.MULTILINE))
        good = done.returncode == 0 or (program == "gpgv" and "GOODSIG" in words and words <= _HARMLESS)
        if not good or not text.is_file():
            raise InputError(
                f"{url}: the signature is not good by the keyring {ring}", hint="somebody changed the index, or the keyring is too old"
            )
        return text.read_text(errors="replace")


def _checked(suite: Suite, base: str, text: str, url: str) -> Index:
    fields = next(_stanzas(text), {})
    if suite.name not in (fields.get("codename"), fields.get("suite")):
        raise InputError(f"{url}: is the index of {fields.get('codename') or 'nothing'}, not of {suite.name}")
    date = _date(fields.get("date", ""), url)
    if date > datetime.now(UTC) + timedelta(days=1):
        raise InputError(f"{url}: was signed in the future ({date:%Y-%m-%d}): is this machine's clock right?")
    if suite.date and date.strftime(_STAMP) < suite.date:
        raise InputError(f"{url}: is of {date:%Y-%m-%d}, older than the one that the lock was made from ({suite.date})")
    if "valid-until" in fields and _date(fields["valid-until"], url) < datetime.now(UTC):
        raise InputError(f"{url}: is valid until {fields['valid-until']} only: an old index")
    sums = {name: digest for digest, name in re.findall(r"^\s*([0-9a-f]{64})\s+\d+\s+(\S+)$", fields.get("sha256", ""), re.MULTILINE)}
    return Index(suite, date.strftime(_STAMP), base, sums)


def _date(text: str, url: str) -> datetime:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{url}: {text[:60]!r} is no date") from None


def _unpacked(data: bytes, name: str) -> bytes:
    reader = lzma.LZMADecompressor()
    try:
        text = reader.decompress(data, _MAX_TEXT)
    except lzma.LZMAError as error:
        raise InputError(f"{name}: damaged: {error}") from None
    if not reader.eof:
        raise InputError(f"{name}: ends early, or has more than {_MAX_TEXT} bytes")
    return text


def _stanzas(text: str) -> Iterator[Stanza]:
    for stanza in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t"):
                fields[name] = fields.get(name, "") + "\n" + line
            else:
                name, _, value = line.partition(":")
                name = name.lower()
                fields[name] = value.strip()
        if fields:
            yield fields
