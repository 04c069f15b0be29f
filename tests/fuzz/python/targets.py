"""Readers of the host, each as a function of bytes: it returns, or raises XbootError; anything else is a fault, and so is a broken promise.

`TARGETS` maps a name to its function. `run.py` feeds them with coverage (atheris), tests/fuzz/test_fuzz_python.py with what is kept.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from xboot import nar
from xboot.attest.components import Said, makeups
from xboot.attest.envelope import read_envelopes
from xboot.attest.reports import read_reports, recorded_runs
from xboot.attest.statement import read_claim
from xboot.boot.channel import ChannelReader
from xboot.boot.expectations import _read_file
from xboot.cache import _read_sums
from xboot.compare.independent import independence
from xboot.errors import InputError, XbootError
from xboot.fetch.mirrors import ContentAddress, content_addressed_urls, expand_mirror, parse_mirrors
from xboot.files import load_json
from xboot.foreign import printable, printable_lines
from xboot.frontends.bundle import _read_manifest, unpack_bundle
from xboot.linearize import attributes, parse_script, script_text
from xboot.linearize.numbers import json_text
from xboot.model import Derivation, Output, Phase, Script, Source, SourceKind, Step, StepOutput
from xboot.parse import derivation_from_json, derivation_to_json, parse_derivation, write_derivation
from xboot.recipe.lock import Lock
from xboot.recipe.read import parse_recipe
from xboot.recipe.references import expand
from xboot.recipe.tarball import unpack_tarball
from xboot.sexp import quote, unquote

HASH = "0" * 32
STORE = "/nix/store"
DRV = f"{STORE}/{HASH}-x.drv"
SOURCE, OUT, DEV = (f"{STORE}/{HASH}-{name}" for name in ("source", "out", "dev"))
NONCE = "0123456789abcdef" * 2
SHA = "a" * 64
SCRIPT = Script(
    b"text",
    hashlib.sha256(b"text").hexdigest(),
    STORE,
    [Source(SOURCE, SourceKind.NAR, Path("/x"), SHA, 120)],
    [Step(1, DRV, "i686-linux", b"/b", [b"b"], [], "/build", [], [], [SOURCE], [StepOutput("dev", DEV), StepOutput("out", OUT)])],
    [OUT],
)

_SHM = Path("/dev/shm")


@functools.cache
def folder() -> Path:
    """Where the targets put files, gone when the process ends."""
    made = Path(tempfile.mkdtemp(prefix="xboot-fuzz-", dir=_SHM if _SHM.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _file(data: bytes, name: str = "file") -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path


def _emptied(name: str = "out") -> Path:
    path = folder() / name
    if path.exists():
        shutil.rmtree(path)
    path.mkdir()
    return path


def aterm(data: bytes) -> None:
    """What is accepted is written again to the byte."""
    assert write_derivation(parse_derivation(data, DRV)) == data


def nix_json(data: bytes) -> None:
    """What is accepted is a derivation that reads back."""
    try:
        value = load_json(data)
    except ValueError:
        return
    drv = derivation_from_json(value, DRV)
    assert parse_derivation(write_derivation(drv), DRV) == drv
    derivation_to_json(drv)


def json_value(data: bytes) -> None:
    """What has one meaning can be written, and read again as the same."""
    try:
        value = load_json(data)
    except ValueError:
        return
    try:
        text = json_text(value)
    except RecursionError:
        return
    assert json_text(load_json(text)) == text


def structured(data: bytes) -> None:
    """Structured attributes become files for a builder, or are refused."""
    drv = Derivation(DRV, {"out": Output("out", OUT)}, {}, (), "i686-linux", b"/b", (), {b"__json": data})
    found = attributes.structured(drv)
    assert found is not None
    rewrite = attributes.Rewriter(drv)
    attributes.structured_environment(drv, found, "/build", rewrite)
    attributes.graphs(drv, found, "/build", rewrite, lambda word: word)
    list(attributes.reference_checks(drv, 1, found))
    for name in ("requiredSystemFeatures", "impureEnvVars"):
        attributes.string_list(drv, found, name)


def manifest(data: bytes) -> None:
    """A manifest names files of its store only, below the folder that it is unpacked into."""
    _, _, files = _read_manifest(Path("bundle"), data)
    assert all(name.startswith("store/") and name.count("/") == 1 and ".." not in name.split("/") for name in files)


def bundle(data: bytes) -> None:
    """Unpacking writes what is listed, and nothing else."""
    unpack_bundle(_file(data), _emptied())


def archive(data: bytes) -> None:
    """What is accepted as a NAR is the one way to write that tree."""
    entries = []
    for entry in nar.read(io.BytesIO(data)):
        entries.append((entry.path, entry.kind, entry.executable, entry.target, b"".join(entry.chunks)))
    assert _written(entries) == data
    nar.unpack(io.BytesIO(data), _emptied() / "tree")
    assert nar.nar_hash(folder() / "out" / "tree").sha256 == hashlib.sha256(data).hexdigest()


def _written(entries: list[tuple[tuple[bytes, ...], str, bool, bytes, bytes]]) -> bytes:
    words: list[bytes] = [b"nix-archive-1"]
    open_ = 0  # folders that are open
    for path, kind, executable, target, content in entries:
        while open_ and open_ > len(path):
            open_ -= 1
            words += [b")", b")"] if open_ else [b")"]
        if path:
            words += [b"entry", b"(", b"name", path[-1], b"node"]
        words += [b"(", b"type", kind.encode()]
        if kind == "directory":
            open_ += 1
            continue
        words += [b"target", target] if kind == "symlink" else [*([b"executable", b""] if executable else []), b"contents", content]
        words += [b")", b")"] if path else [b")"]
    while open_:
        open_ -= 1
        words += [b")", b")"] if open_ else [b")"]
    return b"".join(len(word).to_bytes(8, "little") + word + bytes(-len(word) % 8) for word in words)


def string(data: bytes) -> None:
    """A string of the contract has one way of writing."""
    assert quote(unquote(data)).encode() == data


def script(data: bytes) -> None:
    """A script that is accepted is what the writer writes."""
    found = parse_script(data)
    assert script_text(found.store_dir, found.sources, found.steps, found.results) == data
    assert found.results


def channel(data: bytes) -> None:
    """A guest that is believed to the end has said every output of the script, with this run's nonce."""
    reader = ChannelReader(SCRIPT, NONCE, [OUT], 100)
    said = [reader.feed(line) for line in data.split(b"\n")]
    if said and said[-1].phase is Phase.DONE:
        assert [m.path for m in said if m.phase is Phase.OUTPUT] == [DEV, OUT]
        assert data.count(NONCE.encode()) >= len(said)
    assert all(m.text.isprintable() for m in said)


def recipe(data: bytes) -> None:
    """Everything that can be said of a recipe without its sources."""
    parse_recipe(data, "recipe.toml")


def references(data: bytes) -> None:
    """References in a recipe's strings."""
    expand(data.decode(errors="replace"), "here", lambda name, output: f"<{name}.{output}>")


def tarball(data: bytes) -> None:
    """Nothing is written beside the folder, whatever an archive says."""
    inside = _emptied("tar") / "inside"
    inside.mkdir()
    unpack_tarball(_file(data, "a.tar"), inside)
    assert sorted(p.name for p in (folder() / "tar").iterdir()) == ["inside"]


def envelope(data: bytes) -> None:
    """Nothing is believed without a key."""
    read_envelopes(_file(data), {})
    raise AssertionError("believed without a key")


def statements(data: bytes) -> None:
    """Two signed payloads, whatever is in them."""
    first, _, second = data.partition(b"\n")
    claim = read_claim([first, second or first], "here")
    assert claim.outputs.keys() == claim.steps.keys()
    said = [Said(name, claim.voter, claim.image_sha256, claim.components) for name in "ab"]
    assert independence(makeups(said)).guest == ["a"], "one that is named twice is independent of itself"


def expectations(data: bytes) -> None:
    """A file of hashes: each is one, of a path of the script."""
    found = _read_file(SCRIPT, _file(data))
    assert all(len(value) == 64 for value in found.values())
    assert found.keys() <= {SOURCE, OUT, DEV}


def report(data: bytes) -> None:
    """A report that is accepted tells of all outputs of the script."""
    for run in read_reports(_file(data), SCRIPT):
        assert [o.path for o in run.outputs] == [DEV, OUT]


def recorded(data: bytes) -> None:
    """The same file, as what a screen is held against: only runs that came to their end have a transcript."""
    for run in recorded_runs(_file(data)).values():
        assert len(run.transcript) == (0 if run.failure else 64)


def scheme(data: bytes) -> None:
    """Guix's lists of mirrors."""
    text = data.decode(errors="replace")
    mirrors = parse_mirrors(text, "here")
    expand_mirror("mirror://gnu/x", mirrors)
    content_addressed_urls(text, "here", ContentAddress("x", "sha256", SHA))


def lock(data: bytes) -> None:
    """A lock file beside a recipe."""
    Lock.beside(_file(data, "recipe.lock").with_suffix(".toml"))


def sums(data: bytes) -> None:
    """The list of a cache entry's files."""
    _read_sums(_file(data))


def terminal(data: bytes) -> None:
    """Nothing that a terminal obeys is left."""
    assert printable(data).isprintable()
    text = data.decode(errors="surrogateescape")
    assert printable(text).isprintable()
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "aterm": aterm, "nix-json": nix_json, "json": json_value, "structured": structured, "manifest": manifest, "bundle": bundle,
    "nar": archive, "string": string, "script": script, "channel": channel, "recipe": recipe, "references": references,
    "tarball": tarball, "envelope": envelope, "statements": statements, "expectations": expectations, "report": report,
    "recorded": recorded, "scheme": scheme, "lock": lock, "sums": sums, "terminal": terminal,
}  # fmt: skip


def execute(name: str, data: bytes) -> bool:
    """One execution; whether the input was accepted. Anything but XbootError passes through."""
    try:
        TARGETS[name](data)
    except XbootError as error:
        assert isinstance(error, InputError) or error.exit_code in (2, 6), error
        return False
    return True
