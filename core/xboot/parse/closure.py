"""`read_closure`: from the `.drv` that a user named to the whole graph below it, every path recomputed."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from xboot.errors import InputError, RefusedError
from xboot.hooks import ReadOptions
from xboot.model import Closure, Derivation, Event, Phase
from xboot.parse.aterm import Known, parse_derivation
from xboot.parse.modulo import GraphHasher, check_text_path, text_references
from xboot.parse.sources import SourceReader
from xboot.parse.stores import Stores, read_file
from xboot.storepath import check_store_path, text_path
from xboot.words import counted

__all__ = ["read_closure"]

_NEWS = 256  # derivations between two words about progress
_MAX_GRAPH = 1 << 30  # bytes of derivations in one graph; a whole NixOS system has some 100 MB
_STORE_PATH = re.compile(r"(/.*)/[0-9a-z]{32}-[^/]+\.drv")
_STORES = ("/nix/store", "/gnu/store")
_FIRST_PATH = re.compile(rb'Derive\(\[\("([^"]*)","((?:/[^"/]+)*)/[0-9a-z]{32}-([^"/]+)"')


def read_closure(target: str, options: ReadOptions) -> Closure:
    """The verified graph of the derivation `target`: a `.drv` file, wherever it is and whatever it is called, or the store path of one.

    Derivations and sources are looked for beside that file and in `options.stores`, or, when these are empty, in the store that the paths
    belong to. Sources that are not found are listed in `Closure.missing`; a derivation that is not found, or anything whose content does
    not belong to its path, raises InputError.
    """
    path, text, beside = _resolve(target)
    store_dir = path.rpartition("/")[0]
    folders = [*([beside] if beside else []), *options.stores]
    if not options.stores and Path(store_dir).is_dir():
        folders.append(Path(store_dir))
    start = time.monotonic()

    def tell(text: str, done: float | None = None) -> None:
        if options.notify is not None:
            options.notify(Event(Phase.PREPARE, time.monotonic() - start, name="parse", text=text, done=done))

    with Stores(folders, store_dir) as stores, _no_collection():
        derivations, texts = _walk(path, text, stores, tell)
        hasher = GraphHasher()
        ordered = {drv_path: derivations[drv_path] for drv_path in _inputs_first(path, derivations)}
        tell(f"outputs of {counted(len(ordered), 'derivation')}")
        for drv_path, drv in ordered.items():
            hasher.add(drv, texts[drv_path])
        reader = SourceReader(stores, ordered, options.seeds, tell)
        sources, missing = reader.read()
    return Closure(store_dir, (path,), ordered, sources, missing)


def _resolve(target: str) -> tuple[str, bytes | None, Path | None]:
    """The store path that the user means, its text if it is a file at hand, and the folder of that file."""
    file = Path(target)
    if file.is_file():
        text = read_file(file)
        if not (text.startswith((b"Derive(", b"DrvWithVersion(")) or b"Derive(".startswith(text)) and not target.endswith(".drv"):
            hint = "give a .drv file or store path, a recipe.toml[:name], or a bundle made by `xboot bundle`"
            raise InputError(f"{target}: neither a derivation nor a recipe nor a bundle", hint=hint)
        real = file.resolve()
        return _own_path(real, text), text, real.parent
    if file.is_dir():
        raise InputError(f"{target}: a folder, not a derivation", hint="name a .drv file in it")
    if file.exists():
        raise InputError(f"{target}: not a regular file")
    match = _STORE_PATH.fullmatch(target)
    if match is None:
        if target.startswith("/") and not target.endswith(".drv"):
            hint = "name the .drv that makes it: nix-store --query --deriver PATH, or guix gc --derivers PATH"
            raise InputError(f"{target}: not a derivation", hint=hint)
        raise InputError(f"{target}: no such file, and not the store path of a derivation", hint="give a .drv file or its store path")
    check_store_path(target, match[1])
    return target, None, None


def _own_path(file: Path, text: bytes) -> str:
    """The store path of a `.drv` file. Its store is that of its first output; a file not named as in a store gets the path that its
    text calls for.
    """
    match = _FIRST_PATH.match(text)
    if match is None:
        return _place_of(file, text)
    store_dir = match[2].decode("latin-1")
    if _STORE_PATH.fullmatch(str(file)) is not None:
        return f"{store_dir}/{file.name}"
    output, name = match[1].decode("latin-1"), match[3].decode("latin-1")
    name = name if output == "out" else name.removesuffix(f"-{output}")
    drv = parse_derivation(text, f"{store_dir}/{'0' * 32}-{name}.drv")
    return text_path(f"{name}.drv", text, text_references(drv), store_dir)


def _place_of(file: Path, text: bytes) -> str:
    """The store path of a file whose outputs have no path. Its store is the folder that it is in, or the end of that folder's name
    (`FOLDER/nix/store`).
    """
    parts = file.parent.parts[1:]
    for place in range(len(parts)):
        path = "/".join(["", *parts[place:], file.name])
        try:
            check_text_path(parse_derivation(text, path), text)
        except RefusedError:
            raise
        except InputError:
            continue
        return path
    for store_dir in _STORES:  # a file in a plain folder, named as in a store
        path = f"{store_dir}/{file.name}"
        if _STORE_PATH.fullmatch(path) is not None:
            try:
                check_text_path(parse_derivation(text, path), text)
            except RefusedError:
                raise
            except InputError:
                continue
            return path
    parse_derivation(text, str(file))  # says what is wrong, if it is the text itself
    raise InputError(
        f"{file}: the name is not that of a derivation with this text, in any store that the folder could stand for",
        hint="give the derivation under its store path, like /nix/store/HASH-NAME.drv",
    )


def _walk(root: str, text: bytes | None, stores: Stores, tell: Callable[[str], None]) -> tuple[dict[str, Derivation], dict[str, bytes]]:
    """All derivations below `root`, each verified against its own path before its inputs are looked at."""
    derivations: dict[str, Derivation] = {}
    texts: dict[str, bytes] = {}
    known = Known(root.rpartition("/")[0])
    user = {root: ""}  # each derivation that was seen -> the one that needs it
    pending = [root]
    total = 0
    while pending:
        path = pending.pop()
        if text is None:
            text = stores.read_text(path)
        if text is None:
            needed = f", but {user[path]} needs it" if user[path] else ""
            raise InputError(f"{path}: not found in {stores}{needed}", hint="name the folder that has it with --store")
        total += len(text)
        if total > _MAX_GRAPH:
            raise InputError(f"{root}: the graph below it has more than {_MAX_GRAPH} bytes of derivations")
        drv = parse_derivation(text, path, known)
        check_text_path(drv, text)
        derivations[path], texts[path], text = drv, text, None
        if len(derivations) % _NEWS == 0:
            tell(counted(len(derivations), "derivation"))
        for used in drv.input_drvs:
            if used not in user:
                user[used] = path
                pending.append(used)
    return derivations, texts


def _inputs_first(root: str, derivations: Mapping[str, Derivation]) -> list[str]:
    """Every derivation after all its inputs; the same order each time. Raises InputError on a cycle."""
    done: dict[str, None] = {}
    open_: dict[str, None] = {}  # begun, not done: the way from the root to here
    stack = [root]
    while stack:
        path = stack[-1]
        if path in done:
            stack.pop()
            continue
        inputs = derivations[path].input_drvs
        if inputs.keys() <= done.keys():
            stack.pop()
            open_.pop(path, None)
            done[path] = None
            continue
        open_[path] = None
        waiting = [used for used in inputs if used not in done]
        again = next((used for used in waiting if used in open_), None)
        if again is not None:
            way = list(open_)
            raise InputError("derivations that need each other: " + " needs ".join([*way[way.index(again) :], again]))
        stack.extend(reversed(waiting))
    return list(done)


@contextmanager
def _no_collection() -> Iterator[None]:
    """A graph is many small objects and no garbage: the cyclic collector would only walk it again and again (a third of the time)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
