"""Obtaining a part: from the cache, or from the first place that has exactly its bytes."""

from __future__ import annotations

import errno
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from xboot.cache import Cache, file_sha256
from xboot.cache import locked as held
from xboot.errors import MissingToolError
from xboot.parts.base import kept
from xboot.parts.lock import NPM, Lock, Part, Suite, locked
from xboot.parts.places import apt_proxy, locations, suite_named

__all__ = ["at_hand", "obtain", "obtain_part"]

_KIND = "parts"
_NPM_LIMIT = 300.0  # seconds
_TAIL = 300  # characters of what npm said
Progress = Callable[[int, int | None], None]


def obtain(name: str, architecture: str = "amd64", cache: Cache | None = None) -> Path:
    """The verified file of a locked package that has one: a `.deb`, or for architecture `source` its only tarball.

    Raises InputError when the lock does not have it, MissingToolError when no place gives these bytes.
    """
    return obtain_part(locked().find(name, architecture), cache)


def obtain_part(part: Part, cache: Cache | None = None, lock: Lock | None = None, progress: Progress | None = None) -> Path:
    """The verified file of `part`, in the cache. Raises MissingToolError that says of each place why it was not had there."""
    cache = cache or Cache()
    suite = (lock or locked()).suites.get(part.suite) or suite_named(part.suite)
    folder = cache.folder(_KIND, _key(part), lambda work: _bring(part, suite, cache, work / part.file_name, progress))
    if part in (lock or locked()).parts:
        kept()
    return folder / part.file_name


def at_hand(part: Part, cache: Cache | None = None) -> bool:
    """Whether the part is in the cache (which is not read for this)."""
    return (cache or Cache()).has(_KIND, _key(part))


def _key(part: Part) -> dict[str, str]:
    return {"sha256": part.sha256, "name": part.file_name}


def _bring(part: Part, suite: Suite, cache: Cache, target: Path, progress: Progress | None) -> None:
    from xboot.fetch.http import DownloadError  # noqa: PLC0415 - httpx takes 40 ms to import

    downloads = cache.root / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    partial = downloads / f"{part.sha256[:32]}.part"
    reasons: list[str] = []
    with held(partial.with_suffix(".lock"), f"the download of {part.file_name}"):
        for place in locations(part, suite):
            try:
                _from(place, part, partial, progress or _silent)
                _check(part, partial)
            except DownloadError as error:
                reasons.append(f"{place}: {error}")
                continue
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    partial.unlink(missing_ok=True)
                    raise MissingToolError(
                        f"{part} ({part.size} bytes) does not fit on the disk of {cache.root}",
                        hint="make room, or name another XBOOT_CACHE",
                    ) from None
                reasons.append(f"{place}: {error.strerror or error}")
                continue
            shutil.move(partial, target)
            target.chmod(0o644)
            return
    raise MissingToolError(
        f"{part} (sha256 {part.sha256}) cannot be had: " + ("; ".join(reasons) or "no place is known that may have it"),
        hint="name a folder or a mirror that has it with --mirror or XBOOT_MIRROR (docs/parts.md)",
    )


def _from(place: str, part: Part, partial: Path, progress: Progress) -> None:
    if place.startswith(f"{NPM}:"):
        _by_npm(place.removeprefix(f"{NPM}:"), part, partial)
        return
    if place.startswith("file:"):
        place = unquote(urlsplit(place).path)
    if "://" not in place:
        partial.unlink(missing_ok=True)
        shutil.copyfile(place, partial)
        return
    from xboot.fetch.http import Limits, download, http_client  # noqa: PLC0415 - httpx takes 40 ms to import

    limits = Limits(size=part.size, tries=2, silence=20.0)
    with http_client(limits, apt_proxy(urlsplit(place).scheme)) as client:
        resumed = download(client, place, partial, limits, progress).resumed
        if resumed and file_sha256(partial) != part.sha256:  # the beginning came from elsewhere: once more, all from one place
            partial.unlink()
            download(client, place, partial, limits, progress)


def _by_npm(what: str, part: Part, partial: Path) -> None:
    """Have npm bring a package from the registry that it is configured with here. It runs nothing of the package. Raises DownloadError."""
    from xboot.fetch.http import DownloadError  # noqa: PLC0415 - httpx takes 40 ms to import

    program = shutil.which("npm")
    if program is None:
        raise DownloadError("npm is not installed")
    partial.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=partial.parent) as folder:
        command = [program, "pack", "--ignore-scripts", "--loglevel=error", what]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False,
                timeout=_NPM_LIMIT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise DownloadError(f"npm did not end within {_NPM_LIMIT:.0f} s") from None
        brought = Path(folder, part.file_name)
        if done.returncode or brought.is_symlink() or not brought.is_file():
            raise DownloadError(f"npm failed (status {done.returncode}): {' '.join(done.stderr.split())[-_TAIL:]}")
        shutil.move(brought, partial)


def _check(part: Part, partial: Path) -> None:
    """Raise DownloadError, and remove the file, when it is not the part."""
    from xboot.fetch.http import DownloadError  # noqa: PLC0415 - httpx takes 40 ms to import

    size, found = partial.stat().st_size, file_sha256(partial)
    if found == part.sha256 and size == part.size:
        return
    with partial.open("rb") as file:
        start = file.read(512).lstrip().lower()
    partial.unlink()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DownloadError("the answer is a web page, not the file (a proxy or a login page?)")
    if size < part.size:
        raise DownloadError(f"the file ends early: {size} of {part.size} bytes")
    raise DownloadError(f"other content: SHA-256 is {found}, the lock says {part.sha256}")


def _silent(done: int, total: int | None) -> None:
    del done, total
