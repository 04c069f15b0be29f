"""Where a part may be had: what the user names, what this machine's apt or npm is configured with, a snapshot archive that the user names.

No place is written down in xboot. Since a part is known by its SHA-256, it does not matter whose place it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from xboot._records import dataclass
from xboot.errors import UsageError
from xboot.parts.lock import NPM, Part, Suite

__all__ = ["Archive", "also_in", "apt_archives", "apt_proxy", "ask_first", "locations", "named_mirrors", "snapshot_base", "suite_named"]

MIRRORS, SNAPSHOT = "XBOOT_MIRROR", "XBOOT_SNAPSHOT"
_ETC = Path("/etc/apt")
_also: dict[Path, None] = {}


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that apt is configured with: the base of its pool, a suite of it, and the keyring that signs it (empty: Debian's)."""

    base: str
    suite: str
    keyring: str = ""


def named_mirrors() -> list[str]:
    """What `--mirror` and XBOOT_MIRROR name: folders and URLs, one a line, or divided by spaces. Raises UsageError for what is neither."""
    found = _listed(os.environ.get(MIRRORS, ""))
    for place in found:
        if not re.match(r"(https?|file):", place) and not Path(place).is_dir():
            raise UsageError(
                f"{place}: neither a folder nor an http, https or file URL", hint=f"--mirror and {MIRRORS} name places of parts"
            )
    return found


def ask_first(places: Sequence[str]) -> None:
    """Have these places asked before those that XBOOT_MIRROR names, here and in programs that are started from here."""
    os.environ[MIRRORS] = "".join(f"{place}\n" for place in (*places, *_listed(os.environ.get(MIRRORS, ""))))


def _listed(text: str) -> list[str]:
    found = text.split("\n") if "\n" in text or Path(text).is_dir() else text.split()
    return [place for place in found if place]


def also_in(folder: Path) -> None:
    """From now on, `folder` may have parts too (it came with a bundle)."""
    _also[folder] = None


def snapshot_base() -> str:
    """The base URL of an archive in Debian's snapshot layout, from XBOOT_SNAPSHOT; empty when none is configured."""
    return os.environ.get(SNAPSHOT, "").rstrip("/")


def locations(part: Part, suite: Suite) -> Iterator[str]:
    """Each URL or path that may have `part`, best first; `npm:NAME@VERSION` is for npm to bring."""
    escaped = quote(part.path)
    for place in (*named_mirrors(), *map(str, _also)):
        base = place.rstrip("/")
        hashes = (f"by-hash/SHA256/{part.sha256}", f"sha256/{part.sha256}")
        if "://" in place and not place.startswith("file:"):
            yield from (f"{base}/{name}" for name in (escaped, *hashes))
        else:
            folder = Path(unquote(urlsplit(base).path)) if place.startswith("file:") else Path(place)
            names = (part.path, f"{suite.archive}/{part.path}", *hashes, part.file_name, part.sha256)
            yield from (str(folder / name) for name in names if (folder / name).is_file())
    yield from dict.fromkeys(f"{archive.base}/{escaped}" for archive in apt_archives() if archive.base.rsplit("/", 1)[-1] == suite.archive)
    if suite.archive == NPM:
        yield f"{NPM}:{part.name}@{part.version}"
    elif snapshot_base() and suite.date:
        yield f"{snapshot_base()}/archive/{suite.archive}/{suite.date}/{escaped}"


def apt_archives(etc: Path = _ETC) -> Sequence[Archive]:
    """The archives of Debian that apt is configured with, each suite once. Empty on a machine without apt."""
    found: list[Archive] = []
    for file in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        found += _one_line(_text(file))
    for file in sorted((etc / "sources.list.d").glob("*.sources")):
        found += _deb822(_text(file))
    return list(dict.fromkeys(found))


def suite_named(name: str) -> Suite:
    """A suite that is not in the lock, with the archive that apt has it from (`debian` if apt does not have it)."""
    bases = [archive.base for archive in apt_archives() if archive.suite == name]
    return Suite(name, bases[0].rsplit("/", 1)[-1]) if bases else Suite(name)


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def _archives(uri: str, suites: Sequence[str], keyring: str) -> Iterator[Archive]:
    # Archives of Debian alone: their bases end in these names on every mirror.
    if re.match(r"(https?|file|copy):", uri) and uri.rstrip("/").rsplit("/", 1)[-1].startswith("debian"):
        base = uri.rstrip("/").replace("copy:", "file:", 1)
        yield from (Archive(base, suite, keyring) for suite in suites)


def _one_line(text: str) -> Iterator[Archive]:
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line.strip())
        if match:
            options = dict(word.partition("=")[::2] for word in (match[1] or "").lower().split())
            yield from _archives(match[2], [match[3]], options.get("signed-by", ""))


def _deb822(text: str) -> Iterator[Archive]:
    for stanza in re.split(r"\n\s*\n", text):
        body = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        fields = {k.lower(): " ".join(v.split()) for k, v in re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", body, re.MULTILINE)}
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
            signer = fields.get("signed-by", "")
            for uri in fields.get("uris", "").split():
                yield from _archives(uri, fields.get("suites", "").split(), signer if signer.startswith("/") else "")


@cache
def apt_proxy(scheme: str) -> str:
    """The proxy that apt is told to use for `http` or `https`; empty when there is none (or no apt)."""
    if shutil.which("apt-config") is None:
        return ""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, errors="replace", check=False)
    found = dict(re.findall(r'^Acquire::(https?)::Proxy "([^"]*)";$', done.stdout, re.MULTILINE))
    proxy = str(found.get(scheme, found.get("http", "")))
    return "" if proxy == "DIRECT" else proxy
