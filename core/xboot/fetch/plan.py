"""What is to be fetched for a closure, and from where; nothing is fetched here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xboot._records import dataclass
from xboot.errors import InputError
from xboot.fetch.mirrors import ContentAddress, content_addressed_urls, expand_mirror, parse_mirrors
from xboot.fetch.scheme import Symbol, read_scheme
from xboot.files import read_regular
from xboot.model import Closure, Derivation, Source
from xboot.storepath import store_name

__all__ = ["Left", "Plan", "Wanted", "plan_fetch"]

_MAX_MIRRORS_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to fetch. `hash` in hex is of the file (flat) or of the NAR of the executable file (`executable`). `urls` in the order in
    which they are to be tried.
    """

    path: str
    drv: str
    name: str
    urls: Sequence[str]
    algo: str
    hash: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A source that is missing and that fetching cannot bring; `reason` says why."""

    path: str
    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be fetched, what is there already (`present`, store paths) and what has to come by another way."""

    wanted: Sequence[Wanted]
    left: Sequence[Left]
    present: Sequence[str]


def plan_fetch(closure: Closure) -> Plan:
    """Everything that is missing in `closure`. Raises InputError for a derivation whose URLs are malformed."""
    wanted: list[Wanted] = []
    left: list[Left] = []
    present: list[str] = []
    for drv in closure.derivations.values():
        if not drv.is_fixed_output:
            continue
        output = next(iter(drv.outputs.values()))
        if output.path in closure.sources:
            present.append(output.path)
            continue
        found = _wanted(drv, closure.sources)
        if isinstance(found, Wanted):
            wanted.append(found)
        else:
            left.append(found)
    fetched = {item.path for item in wanted}
    # Lists of mirrors serve fetching alone: without them there are fewer places to look, and no builder misses them.
    uses: dict[bool, set[str]] = {True: set(), False: set()}
    for drv in closure.derivations.values():
        uses[drv.is_fixed_output and drv.builder.startswith(b"builtin:")].update(drv.input_srcs)
    dispensable = uses[True] - uses[False]
    for path, user in closure.missing.items():
        if path not in fetched and path not in dispensable and all(item.path != path for item in left):
            left.append(Left(path, user, "a plain source, which no derivation says how to fetch; name the folder that has it with --store"))
    return Plan(wanted, left, present)


def _wanted(drv: Derivation, sources: Mapping[str, Source]) -> Wanted | Left:
    output = next(iter(drv.outputs.values()))
    algo = output.hash_algo.removeprefix("r:")
    recursive = algo != output.hash_algo
    builder = drv.builder.decode(errors="replace")
    name = store_name(output.path)[33:]

    def leave(reason: str) -> Left:
        return Left(output.path, drv.path, reason)

    executable = drv.env.get(b"executable", b"") == b"1"
    if builder == "builtin:download":
        urls = _guix_urls(drv, sources, name, algo, output.hash)
    elif builder == "builtin:fetchurl":
        if drv.env.get(b"unpack", b"") == b"1":
            return leave("it unpacks what it downloads (unpack = 1); bring the unpacked tree with --from")
        urls = _words(drv, b"urls") or _words(drv, b"url")
    elif builder.startswith("builtin:"):
        return leave(f"{builder} brings a whole tree from a version control system; bring it with --from or --store")
    else:
        # The usual shape of Nixpkgs' fetchurl: its builder would need the network, but says what it would download.
        urls = _words(drv, b"urls") or _words(drv, b"url")
        if recursive or not urls:
            return leave("fetched by a builder of its own, which needs a network; bring its result with --from or --store")
    if recursive and not executable:
        return leave("its hash is of a tree, not of one file; bring it with --from or --store")
    return Wanted(output.path, drv.path, name, tuple(dict.fromkeys(urls)), algo, output.hash, executable=recursive and executable)


def _words(drv: Derivation, variable: bytes) -> list[str]:
    return drv.env.get(variable, b"").decode(errors="replace").split()


def _guix_urls(drv: Derivation, sources: Mapping[str, Source], name: str, algo: str, digest: str) -> list[str]:
    where = f"{drv.path}: url"
    data = read_scheme(drv.env.get(b"url", b"").decode(errors="replace"), where)
    listed = [data] if isinstance(data, str) else list(data)
    if not listed or any(not isinstance(url, str) or isinstance(url, Symbol) for url in listed):
        raise InputError(f"{where}: neither a string nor a list of strings")
    text = _source_text(drv, b"mirrors", sources)
    mirrors = parse_mirrors(text, f"{drv.path}: mirrors") if text else {}
    urls = [expanded for url in listed for expanded in expand_mirror(str(url), mirrors)]
    text = _source_text(drv, b"content-addressed-mirrors", sources)
    # Content-addressed mirrors know flat files only.
    if text and not next(iter(drv.outputs.values())).hash_algo.startswith("r:"):
        urls += content_addressed_urls(text, f"{drv.path}: content-addressed-mirrors", ContentAddress(name, algo, digest))
    return urls


def _source_text(drv: Derivation, variable: bytes, sources: Mapping[str, Source]) -> str:
    """The content of the source that a variable names; empty when it is not at hand (then there are fewer places to look)."""
    source = sources.get(drv.env.get(variable, b"").decode(errors="replace"))
    if source is None or not _plain(source.location):
        return ""
    return read_regular(source.location, _MAX_MIRRORS_FILE, "a list of mirrors").decode(errors="replace")


def _plain(location: Path) -> bool:
    return location.is_file() and not location.is_symlink() and location.suffix != ".nar"
