"""`xboot site` on a stranger's repository: what is believed is shown, what is not is named, and nothing gets out of its place."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_attest_independent import LINUX, MIRAGE
from test_attestations import out, run

from xboot.attest import FILE_SUFFIX, PrivateKey, generate_key, load_private, load_public, sign, write_statements
from xboot.attest.policy import Policy, make_policy
from xboot.attest.statement import Run
from xboot.cli.consoles import err
from xboot.cli.site import make_site
from xboot.errors import InputError, UsageError
from xboot.model import Component, Role
from xboot.site import folder as folders
from xboot.site.files import LIST
from xboot.tcb import digest

FEED = "{http://www.w3.org/2005/Atom}"
PEOPLE = ("alice", "bob", "carol", "mallory")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[PrivateKey, Path]]:
    made = tmp_path_factory.mktemp("keys")
    pairs = {name: generate_key(name, made) for name in PEOPLE}
    return {name: (load_private(private), public) for name, (private, public) in pairs.items()}


@pytest.fixture
def policy(keys: dict[str, tuple[PrivateKey, Path]]) -> Policy:
    return make_policy([load_public(keys[name][1]) for name in PEOPLE[:3]], signers=2, kernels=2)


@pytest.fixture
def repository(tmp_path: Path, keys: dict[str, tuple[PrivateKey, Path]]) -> Callable[..., Path]:
    def write(signer: str, what: Run, top: str = "out-5555", name: str = "") -> Path:
        path = tmp_path / "repository" / top / signer / f"{name or what.voter.backend}{FILE_SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sign(write_statements(what), keys[signer][0]))
        return path

    return write


@pytest.fixture
def made(tmp_path: Path, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    def make(epoch: int = 1_700_000_000) -> Path:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(epoch))
        make_site(tmp_path / "repository", tmp_path / "site", policy, err)
        return tmp_path / "site"

    return make


def page(site: Path, name: str) -> dict:
    return json.loads((site / f"{name}.json").read_bytes())


def target(site: Path, digit: str = "5") -> dict:
    return page(site, f"target/{digit * 64}")


class Links(HTMLParser):
    """What a page points to, and the elements in which something could run or be loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.ids: list[str] = []
        self.odd: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "href":
                self.to.append(value or "")
            elif name == "id":
                self.ids.append(value or "")
            elif name in ("src", "srcset", "action", "data", "background") or name.startswith("on"):
                self.odd.append(f"{tag} {name}")
        if tag in ("iframe", "object", "embed", "form", "base", "img", "frame"):
            self.odd.append(tag)


def check_links(site: Path) -> int:
    """Every link of every page leads to a file of the site, and nothing is loaded. How many pages there are."""
    pages = sorted(site.rglob("*.html"))
    for file in pages:
        links = Links(file.read_text())
        assert not links.odd, (file, links.odd)
        for to in links.to:
            name, _, place = to.partition("#")
            assert not name or (file.parent / name).resolve().is_relative_to(site.resolve()), (file, to)
            assert not name or (file.parent / name).is_file(), (file, to)
            assert not place or place in links.ids, (file, to)
    return len(pages)


def test_what_is_said_of_targets(repository, made) -> None:
    for signer in ("alice", "bob", "carol"):
        for backend in ("linux", "mirage"):
            repository(signer, run(backend))
    repository("alice", run("linux", sha256="6" * 64), "other")
    repository("bob", run("mirage", ("a" * 64, "1" * 64, "2" * 64), sha256="6" * 64), "other")
    repository("alice", run("linux", sha256="7" * 64), "alone")
    repository("alice", run("linux", sha256="8" * 64), "few")
    repository("bob", run("linux", sha256="8" * 64), "few")
    site = made()
    assert {d: target(site, d)["state"] for d in "5678"} == {"5": "agreed", "6": "differs", "7": "alone", "8": "too few"}
    assert target(site, "8")["missing"] == ["1 of 2 kernels"]
    differing = target(site, "6")
    assert differing["divergences"] == [out(2), out(3)]
    assert differing["outputs"][1]["narSha256"] == {"1" * 64: ["bob on mirage/c@qemu"], "b" * 64: ["alice on linux/c@qemu"]}
    assert [o["agreed"] for o in differing["outputs"]] == [True, False, False]
    assert target(site)["counted"] == {"signers": ["alice", "bob", "carol"], "kernels": ["linux", "mirage"], "machines": ["qemu"]}
    assert target(site)["sources"][0]["narSize"] == 120
    text = (site / f"target/{'6' * 64}.html").read_text()
    assert "The first output that differs is <b>out</b> of step 2" in text
    assert [t["state"] for t in page(site, "index")["targets"]].count("agreed") == 1
    assert page(site, "index")["policy"]["quorum"] == 2
    assert {(o["path"], o["state"]) for o in page(site, "everything")["outputs"] if o["scriptSha256"] == "6" * 64} == {
        (out(1), "agreed"), (out(2), "differs"), (out(3), "differs")
    }  # fmt: skip
    assert check_links(site) == 4 + 4 + 3 + 1  # with a page for each target, signer and base


def test_a_difference_outweighs_everything(repository, made) -> None:
    for signer in ("alice", "bob", "carol"):
        for backend in ("linux", "mirage", "tccboot"):
            repository(signer, run(backend))
    assert target(made())["state"] == "agreed"
    repository("carol", run("hurd", ("f" * 64, "b" * 64, "c" * 64)))
    assert target(made())["state"] == "differs"


def test_what_is_not_believed_is_named_and_not_shown(repository, made, tmp_path: Path) -> None:
    repository("alice", run())
    changed = repository("bob", run("mirage"))
    changed.write_bytes(changed.read_bytes().replace(b"A", b"B", 1))
    repository("mallory", run("tccboot", ("d" * 64, "e" * 64, "f" * 64)))
    evil = tmp_path / "repository" / "out-5555" / "<img src=x onerror=alert(1)>\x1b[2J\n"
    evil.mkdir()
    (evil / f"{os.fsdecode(bytes([255]))}{FILE_SUFFIX}").write_bytes(b"\x00<script>\n")
    secret = tmp_path / "secret"
    secret.write_text("not for the world")
    (tmp_path / "repository" / "out-5555" / f"link{FILE_SUFFIX}").symlink_to(secret)
    (tmp_path / "repository" / "linked").symlink_to(tmp_path)
    (tmp_path / "repository" / "out-5555" / "difference.txt").symlink_to(secret)
    os.mkfifo(tmp_path / "repository" / f"pipe{FILE_SUFFIX}")
    site = made()
    reasons = {one["file"]: one["reason"] for one in page(site, "unshown")["files"]}
    assert len(reasons) == 7
    assert "does not fit" in reasons["out-5555/bob/mirage.intoto.jsonl"]
    assert "none of the keys" in reasons["out-5555/mallory/tccboot.intoto.jsonl"]
    assert reasons["linked"] == reasons[f"out-5555/link{FILE_SUFFIX}"] == reasons["out-5555/difference.txt"]
    assert "symbolic link" in reasons["linked"]
    assert reasons[f"pipe{FILE_SUFFIX}"] == "neither a file nor a folder"
    assert "out-5555/<img src=x onerror=alert(1)>\\x1b[2J\\n/\\xff.intoto.jsonl" in reasons
    assert target(site)["state"] == "alone"
    everything = b"".join(file.read_bytes() for file in site.rglob("*") if file.is_file())
    assert b"not for the world" not in everything
    assert b"d" * 64 not in everything
    assert b"<img src=x" not in b"".join(file.read_bytes() for file in site.rglob("*.html"))
    assert str(tmp_path).encode() not in everything
    check_links(site)


def test_foreign_text_stays_text(repository, made, tmp_path: Path) -> None:
    """A signer may sign any printable text as a store path; it is shown, escaped, and makes no file's name."""
    odd = "/nix/store/.../<script>window.pwned=1</script>{{7*7}}\"'&amp;"
    what = run()
    outputs = [replace(what.outputs[0], path=odd), *what.outputs[1:]]
    repository("alice", replace(what, outputs=outputs, script=replace(what.script, results=[odd])))
    (tmp_path / "repository" / "out-5555" / "difference.txt").write_bytes(b"<script>\x1b[2J</pre>\xff\xe2\x80\xae\n")
    site = made()
    assert target(site)["outputs"][0]["path"] == odd
    text = (site / f"target/{'5' * 64}.html").read_text()
    assert "<script" not in text
    assert "{{7*7}}" in text
    assert "\\x1b[2J" in text and "\x1b" not in text and "\u202e" not in text
    assert {file.relative_to(site).parts[0] for file in site.rglob("*")} == {
        "base", "everything.html", "everything.json", "feed.xml", "history.html", "history.json", "index.html", "index.json", "signer",
        "site.json", "target", "unshown.html", "unshown.json",
    }  # fmt: skip
    assert "<script>window.pwned" not in (site / "everything.html").read_text()
    assert ElementTree.parse(site / "feed.xml").getroot().tag == f"{FEED}feed"
    check_links(site)


def test_bases_are_shown_as_far_as_their_digest_covers_them(repository, made, tmp_path: Path) -> None:
    parts = [Component("kernel", Role.KERNEL, 900, "1" * 64, lines=70), Component("seed", Role.SEED, 100, "3" * 64)]
    shown = [{"name": c.name, "role": c.role.value, "bytes": c.bytes, "sha256": c.sha256, "lines": c.lines, "origin": "<b>"} for c in parts]
    good = {"digest": digest(parts), "base": "locked", "components": shown}
    repository("alice", replace(run(), tcb_sha256=good["digest"]))
    folder = tmp_path / "repository" / "tcb"
    folder.mkdir()
    (folder / "lie.json").write_text(json.dumps({"xbootTcb": 1, "backends": {"x": good | {"components": shown[:1]}}}))
    (folder / "none.json").write_text('{"xbootTcb": 1, "backends": {"x": {"digest": "a"}}}')
    (folder / "odd.json").write_text("[" * 10_000)
    site = made()
    assert page(site, f"base/{good['digest']}")["bytes"] is None
    reasons = {one["file"]: one["reason"] for one in page(site, "unshown")["files"]}
    assert "not that of its components" in reasons["tcb/lie.json"]
    assert set(reasons) == {"tcb/lie.json", "tcb/none.json", "tcb/odd.json"}
    (folder / "linux.json").write_text(json.dumps({"xbootTcb": 1, "backends": {"<x>": good}}))
    site = made()
    said = page(site, f"base/{good['digest']}")
    assert (said["bytes"], said["lines"]) == (1000, 70)
    assert said["usedBy"] == [{"script": "5" * 64, "signer": "alice", "voter": "linux/c@qemu"}]
    assert '<td class="n">1,000</td>' in (site / f"target/{'5' * 64}.html").read_text()


def test_bases_and_independence_are_those_that_were_signed_for(repository, made, tmp_path: Path) -> None:
    """Names that tell two voters apart hold the path of a file; where the folder stands on this machine is nobody's business."""
    repository("alice", LINUX)
    repository("alice", replace(LINUX, image_sha256="9" * 64), name="other")
    repository("bob", MIRAGE)
    site = made()
    assert page(site, f"base/{LINUX.tcb_sha256}")["bytes"] == sum(c.bytes for c in LINUX.components)
    assert len(target(site)["independent"]["guestCode"]) == 2
    text = (site / f"target/{'5' * 64}.html").read_text()
    assert (
        "shared  guest code of alice on linux/c@qemu, alice on linux/c@qemu (out-5555/alice/other.intoto.jsonl): the backend linux" in text
    )
    assert str(tmp_path) not in text + json.dumps(target(site))


def test_the_same_repository_gives_the_same_site(repository, made) -> None:
    repository("alice", run())
    site = made()
    before = {file: file.read_bytes() for file in site.rglob("*") if file.is_file()}
    made(epoch=1_800_000_000)  # nothing new: the moment is nowhere
    assert {file: file.read_bytes() for file in site.rglob("*") if file.is_file()} == before


def test_history_and_feeds_say_what_is_new(repository, made) -> None:
    first = repository("alice", run())
    site = made()
    repository("bob", run("mirage"))
    made(epoch=1_700_086_400)
    first.unlink()
    made(epoch=1_700_172_800)
    events = [(e["time"][:10], e["what"]) for e in target(site)["history"]]
    assert sorted(events) == [
        ("2023-11-14", "first seen: alone; alice on linux/c@qemu"),
        ("2023-11-15", "alone, now agreed"),
        ("2023-11-15", "attested by bob on mirage/c@qemu"),
        ("2023-11-16", "agreed, now alone"),
        ("2023-11-16", "no longer attested by alice on linux/c@qemu"),
    ]
    for name in ("feed.xml", f"target/{'5' * 64}.xml"):
        feed = ElementTree.parse(site / name).getroot()
        entries = feed.findall(f"{FEED}entry")
        assert len(entries) == len({e.findtext(f"{FEED}id") for e in entries}) == 5
        assert feed.findtext(f"{FEED}updated") == entries[0].findtext(f"{FEED}updated") == "2023-11-16T22:13:20Z"
        for link in feed.iter(f"{FEED}link"):
            assert ((site / name).parent / link.get("href", "")).is_file()
    ids = {ElementTree.parse(site / name).getroot().findtext(f"{FEED}id") for name in ("feed.xml", f"target/{'5' * 64}.xml")}
    assert len(ids) == 2


def test_a_site_replaces_only_a_site(repository, made, tmp_path: Path) -> None:
    repository("alice", run())
    site = tmp_path / "site"
    site.mkdir()
    (site / "thesis.odt").write_text("years of work")
    with pytest.raises(UsageError, match=r"thesis\.odt was not written by `xboot site`"):
        made()
    assert (site / "thesis.odt").read_text() == "years of work"
    (site / "thesis.odt").unlink()
    made()
    (site / "CNAME").write_text("mine")
    with pytest.raises(UsageError, match="CNAME was not written"):
        made()
    (site / "CNAME").unlink()
    (site / "index.html").write_text("my notes")
    with pytest.raises(UsageError, match=r"index\.html was not written by `xboot site`, or was changed"):
        made()
    assert (site / "index.html").read_text() == "my notes"
    listed = json.loads((site / LIST).read_text())
    listed["files"]["index.html"] = hashlib.sha256(b"my notes").hexdigest()
    (site / LIST).write_text(json.dumps(listed))
    (site / "extra").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="extra was not written"):
        made()
    (site / "extra").unlink()
    made()
    assert "my notes" not in (site / "index.html").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["repository", "site"]


@pytest.mark.parametrize("name", ["repository", "repository/..", "link", "file", "missing/site"])
def test_places_where_no_site_goes(repository, tmp_path: Path, policy: Policy, name: str) -> None:
    repository("alice", run())
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("a file")
    with pytest.raises(UsageError):
        make_site(tmp_path / "repository", tmp_path / name, policy, err)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "link", "repository"]


def test_an_error_leaves_what_was_there(repository, made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository("alice", run())
    site = made()
    before = {file: file.read_bytes() for file in site.rglob("*") if file.is_file()}
    repository("bob", run("mirage"))
    from xboot.site import pages

    real, calls = pages.render, []

    def fails(*arguments: object, **values: object) -> str:
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(pages, "render", fails)
    with pytest.raises(KeyboardInterrupt):
        made()
    assert {file: file.read_bytes() for file in site.rglob("*") if file.is_file()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["repository", "site"]


def test_too_much_is_refused(repository, made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository("alice", run())
    for name, limit in (("_MAX_BYTES", 100), ("_MAX_ENTRIES", 2)):
        with monkeypatch.context() as patched:
            patched.setattr(folders, name, limit)
            with pytest.raises(InputError, match=f"{limit}"):
                made()
    deep = tmp_path / "repository" / "/".join(["d"] * 20)
    deep.mkdir(parents=True)
    (deep / f"a{FILE_SUFFIX}").write_bytes(repository("bob", run()).read_bytes())
    assert "16 deep" in page(made(), "unshown")["files"][0]["reason"]


def test_pages_are_bounded_and_the_work_is_linear(
    repository, made, monkeypatch: pytest.MonkeyPatch, policy: Policy, tmp_path: Path
) -> None:
    """Twice the attestations is twice the calls, however they are spread over voters; a page has no more rows and columns than it may."""

    def calls(count: int) -> int:
        for number in range(count):
            what = run()
            repository("alice", replace(what, voter=replace(what.voter, executor=f"e{number}")), name=f"v{number:04d}")
        seen = 0

        def counted(frame: object, event: str, argument: object) -> None:
            nonlocal seen
            seen += event in ("call", "c_call")

        sys.setprofile(counted)
        try:
            made()
        finally:
            sys.setprofile(None)
        return seen

    calls(1)
    small, large = calls(40), calls(80)
    assert large < 2.3 * small
    from xboot.site import target as targets

    text = (tmp_path / "site" / "target" / f"{'5' * 64}.html").read_text()
    assert text.count('<th scope="col">alice') == 0
    matrix = text[text.index("Signers and voters") : text.index("<h2>Outputs")]
    assert matrix.count('<th scope="col">') == 1 + targets.MOST_VOTERS
    assert "68 more voters" in text
    assert len(target(tmp_path / "site")["attestations"]) == 80
