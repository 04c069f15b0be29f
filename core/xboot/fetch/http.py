"""One file over http(s), into a partial file that a later try goes on from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx

from xboot._records import dataclass

__all__ = ["Download", "DownloadError", "Limits", "download", "http_client"]

_AMOUNT = re.compile(r"[0-9]{1,18}")  # what is longer is no size, and costs the time that it is long
_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class DownloadError(Exception):
    """One place did not give the file; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one download: bytes; fruitless tries in a row, and all tries; seconds between tries (doubled each time); redirects; seconds
    without any byte; and the least bytes a second over a window of seconds.
    """

    size: int = 8 << 30
    tries: int = 4
    attempts: int = 100
    backoff: float = 1.0
    redirects: int = 10
    silence: float = 30.0
    rate: int = 256
    rate_window: float = 60.0


@dataclass(frozen=True, slots=True)
class Download:
    """What came of a download: bytes in the file, and how many of them an earlier try had brought."""

    size: int
    resumed: int


@contextmanager
def http_client(limits: Limits, proxy: str = "") -> Iterator[httpx.Client]:
    """A client with the limits' timeouts and redirects; proxies from the environment, as usual, or the one that is named."""
    timeout = httpx.Timeout(limits.silence, connect=min(limits.silence, 15.0))
    # `identity`: a hash is of the file as it is, never of something a server compressed on the way.
    headers = {"user-agent": "xboot", "accept-encoding": "identity"}
    with httpx.Client(
        timeout=timeout, follow_redirects=True, max_redirects=limits.redirects, headers=headers, proxy=proxy or None
    ) as client:
        yield client


def download(client: httpx.Client, url: str, part: Path, limits: Limits, progress: Callable[[int, int | None], None]) -> Download:
    """Bring `url` into `part`, going on where it ends when the server can. `progress` gets bytes so far and, if known, in all.

    Raises DownloadError when the server refuses, sends too much, or fails again after `limits.tries` tries. What came stays in `part`.
    """
    resumed = part.stat().st_size if part.exists() else 0
    problem = ""
    tries = 0
    for _ in range(limits.attempts):
        if tries == limits.tries:
            break
        if tries:
            time.sleep(limits.backoff * 2 ** (tries - 1))
        before = part.stat().st_size if part.exists() else 0
        try:
            if _attempt(client, url, part, limits, progress):
                return Download(part.stat().st_size, min(resumed, before))
        except httpx.TooManyRedirects:
            raise DownloadError(f"more than {limits.redirects} redirects") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise DownloadError(f"not a URL that can be fetched: {error}") from None
        except (ValueError, OverflowError) as error:  # a host that is no name (UnicodeError), a port that is none
            raise DownloadError(f"not a URL that can be fetched: {type(error).__name__}: {error}") from None
        except httpx.TimeoutException:
            problem = f"nothing came for {limits.silence:g} seconds"
        except (httpx.HTTPError, _TryAgainError) as error:
            problem = str(error) or type(error).__name__
        # A try that brought something was not in vain: only fruitless ones count, so a bad line gets there in the end.
        after = part.stat().st_size if part.exists() else 0
        tries = 1 if after > before else tries + 1
    raise DownloadError(f"{problem} (after {tries} {'try' if tries == 1 else 'tries'} without progress)")


class _TryAgainError(Exception):
    pass


def _attempt(client: httpx.Client, url: str, part: Path, limits: Limits, progress: Callable[[int, int | None], None]) -> bool:
    have = part.stat().st_size if part.exists() else 0
    headers = {"range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            part.unlink()  # it has all, or another file's bytes: the hash will tell; from the start it is certain
            raise _TryAgainError("the server does not have the rest of the partial file")
        if response.status_code in _RETRY_STATUS:
            raise _TryAgainError(f"HTTP status {response.status_code}")
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise DownloadError(f"HTTP status {response.status_code}")
        start = _start(response, have)
        length = response.headers.get("content-length", "")
        total = start + int(length) if _AMOUNT.fullmatch(length) else None
        if total is not None and total > limits.size:
            raise DownloadError(f"{total} bytes are more than the limit of {limits.size}")
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            _copy(response, file, total, limits, progress)
    return True


def _start(response: httpx.Response, have: int) -> int:
    """Where in the file the response's bytes belong."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    unit, _, rest = response.headers.get("content-range", "").partition(" ")
    first = rest.partition("-")[0]
    if unit != "bytes" or not _AMOUNT.fullmatch(first) or int(first) != have:
        raise DownloadError(f"the server sent another part of the file than it was asked for ({rest[:100]!r})")
    return have


def _copy(response: httpx.Response, file: BinaryIO, total: int | None, limits: Limits, progress: Callable[[int, int | None], None]) -> None:
    """Append what the response brings to `file`."""
    done = file.tell()
    window_start, window_done = time.monotonic(), done
    for chunk in response.iter_raw():
        done += file.write(chunk)
        if done > limits.size:
            raise DownloadError(f"more bytes than the limit of {limits.size}")
        progress(done, total)
        elapsed = time.monotonic() - window_start
        if elapsed >= limits.rate_window:
            if done - window_done < limits.rate * elapsed:
                raise DownloadError(f"slower than {limits.rate} bytes a second")
            window_start, window_done = time.monotonic(), done
    if total is not None and done != total:
        raise _TryAgainError(f"the connection ended after {done} of {total} bytes")
