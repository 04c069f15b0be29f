"""`fetch_closure`: bring what a closure lacks, from a folder, a mirror or its own URLs."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from xboot._records import dataclass
from xboot._workspace import cache_root
from xboot.cache import locked
from xboot.errors import InputError
from xboot.fetch.http import DownloadError, Limits, download, http_client
from xboot.fetch.plan import Left, Wanted, plan_fetch
from xboot.files import is_regular, open_regular
from xboot.hooks import Notify
from xboot.model import Closure, Event, Phase
from xboot.nar import dump
from xboot.recipe.store import canonicalise, default_store_folder, staging
from xboot.storepath import nix32, store_name

__all__ = ["Failure", "FetchOptions", "FetchReport", "fetch_closure"]


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """Where to look. `folders` (files by their name, their store name or their hash) come first, then `mirrors` (asked for `ALGO/HEX`),
    then the derivation's own URLs, unless `offline`.
    """

    folders: Sequence[Path] = ()
    mirrors: Sequence[str] = ()
    offline: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be had: its store path, its derivation, and for each place that was tried why it was not it."""

    path: str
    drv: str
    reasons: Sequence[str]

    def __str__(self) -> str:
        return f"{self.path}: " + ("; ".join(self.reasons) or "there is no place to get it from")


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What came of it. `fetched` and `present` are store paths; `left` cannot be fetched at all."""

    store: Path
    fetched: Sequence[str]
    present: Sequence[str]
    failed: Sequence[Failure]
    left: Sequence[Left]

    def check(self) -> None:
        """Raise InputError when something is still missing, naming it."""
        if self.failed:
            more = f" (and {len(self.failed) - 1} more)" if len(self.failed) > 1 else ""
            raise InputError(
                f"cannot fetch {self.failed[0]}{more}", hint="bring the files yourself with --from DIR, or name a --mirror URL"
            )
        if self.left:
            first = self.left[0]
            more = f" (and {len(self.left) - 1} more)" if len(self.left) > 1 else ""
            raise InputError(f"{first.path}, which {first.user} needs, cannot be fetched: {first.reason}{more}")


def fetch_closure(
    closure: Closure, store: Path | None = None, options: FetchOptions | None = None, notify: Notify | None = None
) -> FetchReport:
    """Bring every missing fixed-output source of `closure` into the folder `store` (default: xboot's own).

    Goes on after a failure, so that one dead server does not cost the others; `FetchReport.check` tells. Raises InputError for malformed
    URLs and unreadable folders.
    """
    options = options or FetchOptions()
    store = (store or default_store_folder()).absolute()
    for folder in options.folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: not a folder", hint="--from takes a folder with files")
    plan = plan_fetch(closure)
    start = time.monotonic()
    fetched, failed = [], []
    with http_client(options.limits) as client:
        for number, wanted in enumerate(plan.wanted):

            def progress(done: int, total: int | None, wanted: Wanted = wanted, number: int = number) -> None:
                if notify:
                    share = (done / total if total else 0.0) + number
                    text = f"{wanted.name}  {done / 1e6:.1f}{f' of {total / 1e6:.1f}' if total else ''} MB"
                    notify(
                        Event(
                            Phase.PREPARE,
                            time.monotonic() - start,
                            name="fetch",
                            text=text,
                            size=done,
                            done=min(1.0, share / len(plan.wanted)),
                        )
                    )

            progress(0, None)
            failure = _fetch(wanted, store, options, client, progress)
            if failure is None:
                fetched.append(wanted.path)
            else:
                failed.append(failure)
    return FetchReport(store, fetched, plan.present, failed, plan.left)


@dataclass(frozen=True, slots=True)
class _Job:
    """One file on its way: what is wanted, and what its downloads need."""

    wanted: Wanted
    options: FetchOptions
    client: httpx.Client
    part: Path
    progress: Callable[[int, int | None], None]


def _fetch(
    wanted: Wanted, store: Path, options: FetchOptions, client: httpx.Client, progress: Callable[[int, int | None], None]
) -> Failure | None:
    reasons = []
    downloads = cache_root() / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(f"{wanted.algo}:{wanted.hash}".encode()).hexdigest()[:32]
    job = _Job(wanted, options, client, downloads / f"{key}.part", progress)
    with locked(downloads / f"{key}.lock", f"the download of {wanted.name}"):
        for label, bring in _places(job):
            try:
                _enter(wanted, bring(), store, options.limits.size)
            except (DownloadError, InputError, OSError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise  # no other place would help
                reasons.append(f"{label}: {error.strerror if isinstance(error, OSError) and error.strerror else error}")
                continue
            job.part.unlink(missing_ok=True)
            return None
    return Failure(wanted.path, wanted.drv, reasons)


def _places(job: _Job) -> Iterator[tuple[str, Callable[[], Path]]]:
    """Each place that may have the file, with a function that brings it."""
    wanted, options = job.wanted, job.options
    for folder in options.folders:
        for name in _file_names(wanted):
            file = folder / name
            if is_regular(file):
                yield str(file), partial(Path, file)
    # A mirror is asked by the hash of the file; of an executable only the NAR's is known.
    urls = [] if wanted.executable else [f"{mirror.rstrip('/')}/{wanted.algo}/{wanted.hash}" for mirror in options.mirrors]
    for url in [*urls, *(() if options.offline else wanted.urls)]:
        scheme = url.partition(":")[0].lower()
        bring = {"file": partial(_local, url), "http": partial(_remote, job, url), "https": partial(_remote, job, url)}
        yield url, bring.get(scheme, partial(_unsupported, url))


def _file_names(wanted: Wanted) -> list[str]:
    digest = bytes.fromhex(wanted.hash)
    hashes = [wanted.hash, nix32(digest), f"{wanted.algo}/{wanted.hash}", f"{wanted.algo}/{nix32(digest)}"]
    return list(dict.fromkeys([store_name(wanted.path), wanted.name, *hashes]))


def _local(url: str) -> Path:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DownloadError(str(error)) from None
    if parts.netloc not in ("", "localhost"):
        raise DownloadError("a file: URL with a host")
    path = Path(unquote(parts.path))
    if not is_regular(path):
        raise DownloadError("no such file")
    return path


def _unsupported(url: str) -> Path:
    if url.startswith("mirror:"):
        raise DownloadError("needs Guix's list of mirrors, which the derivation names and which is not at hand or does not have this one")
    raise DownloadError("only http, https and file URLs are fetched" if ":" in url else "not a URL")


def _remote(job: _Job, url: str) -> Path:
    wanted, part = job.wanted, job.part
    try:
        urlsplit(url).port  # noqa: B018 - raises for a port that is none, which the resolver would take modulo 2^16
    except ValueError as error:
        raise DownloadError(f"not a URL that can be fetched: {error}") from None
    result = download(job.client, url, part, job.options.limits, job.progress)
    if result.resumed and _digest(wanted, part) != wanted.hash:
        # The beginning came from elsewhere or from another day: once more, all from one place.
        part.unlink()
        download(job.client, url, part, job.options.limits, job.progress)
    found = _digest(wanted, part)
    if found != wanted.hash:
        size = part.stat().st_size
        part.unlink()
        raise DownloadError(f"wrong content: {wanted.algo} of the {size} bytes is {found}, expected {wanted.hash}")
    return part


def _digest(wanted: Wanted, file: Path) -> str:
    """The hash of the file as the derivation counts it: of its content, or of the NAR of it as an executable."""
    digest = hashlib.new(wanted.algo, usedforsecurity=False)
    if wanted.executable:
        mode = file.stat().st_mode
        file.chmod(0o755)
        try:
            for piece in dump(file):
                digest.update(piece)
        finally:
            file.chmod(mode & 0o777)
    else:
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _enter(wanted: Wanted, file: Path, store: Path, limit: int) -> None:
    """Copy the file into the store; what is checked is the copy itself, so a file that changes meanwhile does not get in."""
    with staging(store) as change, open_regular(file) as source:
        if os.fstat(source.fileno()).st_size > limit:
            raise DownloadError(f"more bytes than the limit of {limit}")
        place = change.fresh("file")
        with place.open("xb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        place.chmod(0o755 if wanted.executable else 0o644)
        found = _digest(wanted, place)
        if found != wanted.hash:
            raise DownloadError(f"wrong content: {wanted.algo} is {found}, expected {wanted.hash}")
        canonicalise(place)
        change.add(wanted.path, place)
        change.commit()
