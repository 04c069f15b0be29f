"""Fetching from a server that misbehaves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from faulty_server import FaultyServer

from xboot.errors import InputError
from xboot.fetch import FetchOptions, FetchReport, fetch_closure, plan_fetch
from xboot.fetch.http import DownloadError, Limits, _start, download
from xboot.model import Closure, Event
from xboot.nar import nar_hash
from xboot.parse import read_closure
from xboot.recipe import derive

LIMITS = Limits(tries=4, backoff=0.01, redirects=5, silence=0.5, rate=1000, rate_window=1.0, size=16 << 20)

Fetcher = Callable[..., FetchReport]


class Case:
    """A recipe with one URL, its store, and what fetching it came to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.events: list[Event] = []

    def closure(self, url: str, digest: str, extra: str = "") -> Closure:
        recipe = self.folder / "recipe.toml"
        recipe.write_text(
            f'[source.file]\ntype = "url"\nurl = "{url}"\nhash = "{digest}"\nname = "file"\n{extra}\n'
            '[derivation.user]\nbuilder = "{file}"\n'
        )
        derived = derive(recipe, self.store)
        return read_closure(str(self.store / derived.derivations["user"].rpartition("/")[2]), _options(self.store))

    def fetch(self, closure: Closure, **options: object) -> FetchReport:
        return fetch_closure(closure, self.store, FetchOptions(limits=LIMITS, **options), self.events.append)  # type: ignore[arg-type]

    def fetched(self) -> Path | None:
        """The fetched file in the store."""
        found = [p for p in self.store.iterdir() if p.name.endswith("-file")]
        assert not [p for p in self.store.iterdir() if p.name.startswith(".")], "something is left in the store"
        return found[0] if found else None


def _options(store: Path):  # type: ignore[no-untyped-def]
    from xboot.hooks import ReadOptions

    return ReadOptions(stores=[store])


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setenv("XBOOT_CACHE", str(tmp_path / "cache"))
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    return Case(tmp_path)


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.mark.parametrize("kind", ["good", "plain", "cut", "cutplain", "busy", "moved"])
def test_it_gets_there_in_the_end(case: Case, server: FaultyServer, kind: str) -> None:
    closure = case.closure(f"{server.url}/{kind}/file", sha256(server.content))
    report = case.fetch(closure)
    report.check()
    file = case.fetched()
    assert file is not None and file.read_bytes() == server.content
    assert list(report.fetched) == [next(o.path for d in closure.derivations.values() if d.is_fixed_output for o in d.outputs.values())]
    assert case.events[-1].size == len(server.content)
    assert not list((case.folder / "cache" / "downloads").glob("*.part"))


def test_a_cut_connection_is_resumed_where_it_was_cut(case: Case, server: FaultyServer) -> None:
    case.fetch(case.closure(f"{server.url}/cut/file", sha256(server.content))).check()
    ranges = [asked for _, asked in server.requests]
    assert ranges == ["", "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_an_interrupted_fetch_goes_on_next_time(case: Case, server: FaultyServer) -> None:
    closure = case.closure(f"{server.url}/good/file", sha256(server.content))

    def interrupt(event: Event) -> None:
        if event.size > 200_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_closure(closure, case.store, FetchOptions(limits=LIMITS), interrupt)
    assert case.fetched() is None
    case.fetch(closure).check()
    assert server.requests[-1][1].startswith("bytes=") and case.fetched() is not None


def test_a_partial_file_of_something_else_does_no_harm(case: Case, server: FaultyServer) -> None:
    closure = case.closure(f"{server.url}/good/file", sha256(server.content))
    with pytest.raises(KeyboardInterrupt):
        fetch_closure(
            closure, case.store, FetchOptions(limits=LIMITS), lambda e: (_ for _ in ()).throw(KeyboardInterrupt) if e.size > 1000 else None
        )
    (part,) = (case.folder / "cache" / "downloads").glob("*.part")
    part.write_bytes(b"another day's bytes" * 10)
    case.fetch(closure).check()
    file = case.fetched()
    assert file is not None and file.read_bytes() == server.content


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("wrong", "wrong content"),
        ("gzip", "wrong content"),
        ("dead", r"after 0 of 1048576 bytes|peer closed connection"),
        ("broken", "HTTP status 500 (after 4 tries without progress)"),
        ("nothing", "HTTP status 404"),
        ("loop", "more than 5 redirects"),
        ("tofile", "not a URL that can be fetched"),
        ("silent", "nothing came for 0.5 seconds"),
        ("drip", "slower than 1000 bytes a second"),
        ("endless", "more bytes than the limit of 16777216"),
        ("shifted", "another part of the file"),
    ],
)
def test_what_fails_says_why_and_leaves_nothing(case: Case, server: FaultyServer, kind: str, reason: str) -> None:
    closure = case.closure(f"{server.url}/{kind}/file", sha256(server.content))
    report = case.fetch(closure)
    (failure,) = report.failed
    assert any(text in str(failure) for text in reason.split("|")), str(failure)
    assert failure.path in str(failure) and server.url in str(failure)
    assert case.fetched() is None
    with pytest.raises(InputError, match="cannot fetch"):
        report.check()


def test_a_server_that_is_not_there(case: Case) -> None:
    report = case.fetch(case.closure("http://127.0.0.1:9/file", sha256(b"x")))
    assert "after 4 tries" in str(report.failed[0])


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/file", "gopher:x", "mirror://gnu/file", "no-url-at-all", "http://", "http://[::1", "file://host/x"]
)
def test_urls_that_cannot_be_fetched(case: Case, url: str) -> None:
    report = case.fetch(case.closure(url, sha256(b"x")))
    assert len(report.failed) == 1 and case.fetched() is None


def test_a_file_url(case: Case) -> None:
    (case.folder / "with space").write_bytes(b"local")
    case.fetch(case.closure(f"file://{case.folder}/with%20space", sha256(b"local"))).check()
    file = case.fetched()
    assert file is not None and file.read_bytes() == b"local" and file.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("algo", ["md5", "sha1", "sha512"])
def test_other_algorithms(case: Case, server: FaultyServer, algo: str) -> None:
    digest = hashlib.new(algo, server.content).hexdigest()
    case.fetch(case.closure(f"{server.url}/good/file", f"{algo}:{digest}")).check()
    report = case.fetch(case.closure(f"{server.url}/wrong/file", f"{algo}:{digest[::-1]}"))
    assert f"wrong content: {algo}" in str(report.failed[0])


def test_an_executable_is_checked_by_its_nar(case: Case, server: FaultyServer) -> None:
    program = case.folder / "program"
    program.write_bytes(server.content)
    program.chmod(0o755)
    closure = case.closure(f"{server.url}/good/file", f"sha256:{nar_hash(program).sha256}", "executable = true")
    case.fetch(closure).check()
    file = case.fetched()
    assert file is not None and file.stat().st_mode & 0o777 == 0o555 and nar_hash(file) == nar_hash(program)


@pytest.mark.parametrize("name", ["file", "HEX", "sha256/HEX", "STORE"])
def test_from_a_folder(case: Case, server: FaultyServer, name: str) -> None:
    closure = case.closure(f"{server.url}/nothing/file", sha256(server.content))
    (wanted,) = plan_fetch(closure).wanted
    folder = case.folder / "disc"
    place = folder / name.replace("HEX", wanted.hash).replace("STORE", wanted.path.rpartition("/")[2])
    place.parent.mkdir(parents=True)
    place.write_bytes(server.content)
    case.fetch(closure, folders=[folder], offline=True).check()
    assert case.fetched() is not None and server.requests == []


def test_a_wrong_file_in_the_folder_is_passed_over(case: Case, server: FaultyServer) -> None:
    (case.folder / "disc").mkdir()
    (case.folder / "disc" / "file").write_bytes(b"old version")
    closure = case.closure(f"{server.url}/good/file", sha256(server.content))
    report = case.fetch(closure, folders=[case.folder / "disc"], offline=True)
    assert "wrong content" in str(report.failed[0]) and case.fetched() is None
    case.fetch(closure, folders=[case.folder / "disc"]).check()


def test_from_a_mirror_by_hash(case: Case, server: FaultyServer) -> None:
    digest = hashlib.sha256(server.content).hexdigest()
    server.files[f"/mirror/sha256/{digest}"] = server.content
    closure = case.closure(f"{server.url}/nothing/file", f"sha256:{digest}")
    case.fetch(closure, mirrors=[f"{server.url}/mirror/"]).check()
    assert [path for path, _ in server.requests] == [f"/mirror/sha256/{digest}"]


def test_what_is_there_is_not_fetched_again(case: Case, server: FaultyServer) -> None:
    closure = case.closure(f"{server.url}/good/file", sha256(server.content))
    case.fetch(closure).check()
    again = case.closure(f"{server.url}/good/file", sha256(server.content))
    report = case.fetch(again)
    assert report.fetched == [] and len(report.present) == 1 and len(server.requests) == 1


def test_a_folder_that_is_none(case: Case) -> None:
    with pytest.raises(InputError, match="not a folder"):
        case.fetch(case.closure("http://x/file", sha256(b"x")), folders=[case.folder / "nothing"])


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/f", "http://xn--a.x/", "http://127.0.0.1:99999/f", "http://127.0.0.1:-1/", "http://[::1/", "http://[v1.x]/", "http:///f",
        "http://\u2488.x/", "http://" + "a" * 300 + "/", "http://a.\u00ad.b/", "http://127.0.0.1:\u0661/", "http://%00/", "http://a b/",
        "file://[/x", "file://%00", "file:///\x7f", "mirror://x/y", "x", ":", "http:", "https://\ufdd0/", "http://user:pw@127.0.0.1:1/",
    ],
)  # fmt: skip
def test_odd_urls_are_a_reason_and_not_a_traceback(case: Case, url: str) -> None:
    report = case.fetch(case.closure(url.replace("\x7f", "\\u007f"), "sha256-" + "A" * 43 + "="))
    assert len(report.failed) == 1
    with pytest.raises(InputError, match="cannot fetch"):
        report.check()


@pytest.mark.parametrize("value", ["bytes " + "9" * 5000 + "-1/2", "bytes \u0661-1/2", "bytes -", "bytes 1_0-", "", "bytes 5-4/3"])
def test_odd_content_ranges(tmp_path: Path, value: str) -> None:
    with pytest.raises(DownloadError, match="another part of the file"):
        _start(httpx.Response(206, headers={"content-range": value.encode()}), 3)


def test_odd_content_lengths(tmp_path: Path) -> None:
    """What is no size is none: the hash decides."""
    for length in ("9" * 5000, "\u0661", "-1", "1_0", "0x1", ""):
        headers = {"content-length": length.encode()}
        transport = httpx.MockTransport(lambda request, headers=headers: httpx.Response(200, headers=headers, stream=Body()))
        with httpx.Client(transport=transport) as client:
            done = download(client, "http://x/f", tmp_path / "part", LIMITS, lambda done, total: None)
        assert done.size == 5


class Body(httpx.SyncByteStream):
    def __iter__(self):
        yield b"12345"


def test_a_local_file_is_no_larger_than_a_download(case: Case, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(LIMITS.size + 1)
    report = case.fetch(case.closure(f"file://{tmp_path}/file", "sha256-" + "A" * 43 + "="), folders=[tmp_path])
    assert report.failed[0].reasons == [
        f"{place}: more bytes than the limit of {LIMITS.size}" for place in (tmp_path / "file", f"file://{tmp_path}/file")
    ]


def test_a_pipe_is_no_local_file(case: Case, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file")
    report = case.fetch(case.closure(f"file://{tmp_path}/file", "sha256-" + "A" * 43 + "="), folders=[tmp_path])
    assert "no such file" in report.failed[0].reasons[0]


def test_a_port_that_is_none_is_not_another(case: Case) -> None:
    """99999 is 34463 to the resolver, where somebody else may listen."""
    report = case.fetch(case.closure("http://127.0.0.1:99999/f", "sha256-" + "A" * 43 + "="))
    assert "Port out of range" in report.failed[0].reasons[0]
