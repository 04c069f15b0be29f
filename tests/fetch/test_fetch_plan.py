"""What is planned for real Guix graphs, and the Scheme that Guix writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot.errors import InputError
from xboot.fetch import plan_fetch
from xboot.fetch.mirrors import ContentAddress, content_addressed_urls, expand_mirror, parse_mirrors
from xboot.fetch.scheme import read_scheme
from xboot.model import Closure, Derivation, Output, Source, SourceKind

HEX = "b757cd46bf13ecac83fb8e955fb50096ac2d17bb610ca8eb816f29302a00a846"
MIRRORS = """
;; a comment (with a parenthesis
((gnu "https://ftpmirror.example/gnu/" "http://ftp.example/gnu")
 (savannah "https://savannah.example/releases/"))
"""
CONTENT_ADDRESSED = """
(begin
  (use-modules (guix base16) (guix base32))
  (define (guix-publish host)
    (lambda (file algo hash)
      (string-append "https://" host "/file/" file "/" (symbol->string algo) "/" (bytevector->nix-base32-string hash))))
  (list (guix-publish "one.example")
        (guix-publish (getenv "HOST"))
        (lambda (file algo hash) (system "rm -rf /"))
        (lambda (file algo hash)
          (string-append "https://swh.example/content/" (symbol->string algo) ":" (bytevector->base16-string hash) "/raw/"))))
"""


def download(
    tmp_path: Path, url: str, algo: str = "sha256", *, mirrors: bool = True, builder: bytes = b"builtin:download", **env: str
) -> Closure:
    paths = {"mirrors": f"/gnu/store/{'1' * 32}-mirrors", "content-addressed-mirrors": f"/gnu/store/{'2' * 32}-content-addressed-mirrors"}
    sources = {}
    for name, text in (("mirrors", MIRRORS), ("content-addressed-mirrors", CONTENT_ADDRESSED)):
        (tmp_path / name).write_text(text)
        if mirrors:
            sources[paths[name]] = Source(paths[name], SourceKind.TEXT, tmp_path / name, "", 0)
    out = f"/gnu/store/{'a' * 32}-guile.tar.xz"
    outputs = {"out": Output("out", out, algo, HEX)}
    drv = Derivation(
        f"/gnu/store/{'b' * 32}-guile.tar.xz.drv", outputs, {}, tuple(paths.values()), "i686-linux", builder, (),
        {b"url": url.encode(), **{k.encode(): v.encode() for k, v in (paths | env).items()}},
    )  # fmt: skip
    return Closure("/gnu/store", (drv.path,), {drv.path: drv}, sources)


def test_mirrors_and_content_addresses(tmp_path: Path) -> None:
    plan = plan_fetch(download(tmp_path, '("mirror://gnu/guile/guile.tar.xz" "https://other.example/guile.tar.xz")'))
    (wanted,) = plan.wanted
    assert list(wanted.urls) == [
        "https://ftpmirror.example/gnu/guile/guile.tar.xz",
        "http://ftp.example/gnu/guile/guile.tar.xz",
        "https://other.example/guile.tar.xz",
        "https://one.example/file/guile.tar.xz/sha256/0im800m30abgh7msh331pcbjvb4n02smz5cfzf1srv0kpx3csmxp",
        f"https://swh.example/content/sha256:{HEX}/raw/",
    ]


def test_an_executable_has_no_content_address(tmp_path: Path) -> None:
    (wanted,) = plan_fetch(download(tmp_path, '"https://x.example/tar"', "r:sha256", executable="1")).wanted
    assert list(wanted.urls) == ["https://x.example/tar"] and wanted.executable


def test_without_the_mirrors_file_there_are_fewer_places(tmp_path: Path) -> None:
    (wanted,) = plan_fetch(download(tmp_path, '"mirror://gnu/x"', mirrors=False)).wanted
    assert list(wanted.urls) == ["mirror://gnu/x"]


@pytest.mark.parametrize("url", ["", "()", "(", '"a" "b"', "(a b)", '("x" ("y"))', "#t"])
def test_a_malformed_url_is_an_input_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="url"):
        plan_fetch(download(tmp_path, url))


def test_nixpkgs_fetchurl(tmp_path: Path) -> None:
    closure = download(tmp_path, "", builder=b"/gnu/store/x/bin/bash", urls="https://a.example/x https://b.example/x")
    (wanted,) = plan_fetch(closure).wanted
    assert list(wanted.urls) == ["https://a.example/x", "https://b.example/x"]


@pytest.mark.parametrize(
    ("builder", "algo", "env", "reason"),
    [
        (b"builtin:git-download", "r:sha256", {}, "version control"),
        (b"builtin:fetchurl", "r:sha256", {"unpack": "1", "urls": "http://x"}, "unpacks"),
        (b"/gnu/store/x/bin/git", "r:sha256", {}, "builder of its own"),
        (b"builtin:download", "r:sha256", {}, "hash is of a tree"),
    ],
)
def test_what_cannot_be_fetched_is_left_with_its_reason(
    tmp_path: Path, builder: bytes, algo: str, env: dict[str, str], reason: str
) -> None:
    plan = plan_fetch(download(tmp_path, '"https://x.example/y"', algo, builder=builder, **env))
    assert not plan.wanted and reason in plan.left[0].reason


def test_a_missing_plain_source_is_left(tmp_path: Path) -> None:
    closure = Closure("/nix/store", (), {}, {}, {f"/nix/store/{'c' * 32}-src": "/nix/store/user.drv"})
    assert "--store" in plan_fetch(closure).left[0].reason


def test_lists_of_mirrors_are_not_missed(tmp_path: Path) -> None:
    closure = download(tmp_path, '"https://x.example/y"', mirrors=False)
    (drv,) = closure.derivations.values()
    missing = dict.fromkeys(drv.input_srcs, drv.path)
    assert not plan_fetch(Closure(closure.store_dir, closure.roots, closure.derivations, {}, missing)).left


def test_unknown_mirrors_stay() -> None:
    assert expand_mirror("mirror://nobody/x", parse_mirrors(MIRRORS, "m")) == ["mirror://nobody/x"]
    with pytest.raises(InputError, match="not a list of mirrors"):
        parse_mirrors('("a" "b")', "m")


def test_deep_and_long_scheme_is_refused() -> None:
    with pytest.raises(InputError, match="nested deeper"):
        read_scheme("(" * 1000, "x")
    with pytest.raises(InputError, match="more than is read"):
        read_scheme(" " * (2 << 20), "x")


@given(st.text(alphabet='()"\\ab;\n ', max_size=60))
def test_any_text_is_data_or_an_input_error(text: str) -> None:
    try:
        content_addressed_urls(text, "x", ContentAddress("n", "sha256", HEX))
        parse_mirrors(text, "x")
    except InputError:
        pass
