"""Content for a graph: which store paths have it at hand, and whether it belongs to its path.

A path is accepted when one of the rules by which stores name things gives it back from the content: file tree (`source`), text file
(`text` with its references), added with another hash (`fixed`), or the hash that a fixed-output derivation declares. What follows no rule,
the output of an ordinary derivation above all, is a *seed*: taken only when the user named it, or a seed that the user named refers to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from pathlib import Path

from xboot.errors import InputError
from xboot.hooks import ReadOptions
from xboot.model import Derivation, Output, Source, SourceKind
from xboot.parse.content import Content
from xboot.parse.modulo import text_references
from xboot.parse.stores import Stores
from xboot.storepath import check_store_path, fixed_output_path, hash_part, make_store_path, source_path, store_name

__all__ = ["SourceReader", "find_output"]

_MAX_TEXT = 64 << 20  # a text file (`toFile`) larger than this is not tried as one
_MAX_TRIES = 4096  # sets of references tried for one text file
_OTHER_HASHES = tuple(
    (algo, recursive)
    for algo in ("sha256", "sha512", "sha1", "md5")
    for recursive in (False, True)
    if (algo, recursive) != ("sha256", True)
)


class SourceReader:
    """Finds and verifies the sources of one graph; each is hashed once."""

    def __init__(
        self,
        stores: Stores,
        derivations: Mapping[str, Derivation],
        seeds: Sequence[str] = (),
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._stores = stores
        self._tell = tell
        self._derivations = derivations
        self._seeds = seeds
        self._outputs = {o.path: drv for drv in derivations.values() for o in drv.outputs.values() if o.path}
        self._needed = list(_needed(derivations, frozenset(seeds)))
        self._by_hash: dict[bytes, str] | None = None
        self._sources: dict[str, Source] = {}
        self._missing: dict[str, str] = {}

    def read(self) -> tuple[dict[str, Source], dict[str, str]]:
        """The sources at hand, by path, and those that are not, each with the derivation or source that needs it."""
        inputs = {path: drv.path for drv in reversed(self._needed) for path in drv.input_srcs}
        pending = [(path, user, False) for path, user in sorted(inputs.items(), reverse=True)]
        pending += [(path, "", True) for path in reversed(self._seeds)]
        while pending:
            path, user, seed = pending.pop()
            if path in self._sources:
                continue
            source = self._source(path, user, seed)
            if source is None:
                self._missing.setdefault(path, user)
                continue
            self._missing.pop(path, None)
            self._sources[path] = source
            trusted = source.kind is SourceKind.SEED
            needed = [used for used in source.references if used != path and (trusted or used not in self._outputs)]
            pending += [(used, path, trusted) for used in reversed(needed)]
        for drv in self._needed:
            if drv.is_fixed_output:
                self._add_fixed(drv, next(iter(drv.outputs.values())))
        return dict(sorted(self._sources.items())), dict(sorted(self._missing.items()))

    def _add_fixed(self, drv: Derivation, output: Output) -> None:
        """Take the content of a fixed output, if it is at hand, after checking its hash."""
        found = None if output.path in self._sources else self._stores.find(output.path)
        if found is not None:
            self._tell(f"source {store_name(output.path)}")
            self._sources[output.path] = _fixed_source(drv, output, Content(found))

    def _source(self, path: str, user: str, seed: bool) -> Source | None:
        """One verified source; None when its content is not at hand. `seed`: it may be trusted if no rule gives its path."""
        if seed and not user:
            check_store_path(path, self._stores.store_dir)
        found = self._stores.find(path)
        if found is None:
            if seed and not user:
                raise InputError(f"{path}: the seed is not in {self._stores}", hint="name the folder that has it with --store")
            return None
        self._tell(f"source {store_name(path)}")
        content = Content(found)
        maker = self._outputs.get(path)
        if maker is not None and maker.is_fixed_output:
            return _fixed_source(maker, next(iter(maker.outputs.values())), content)
        source = None if maker is not None else self._verified(path, content)
        if source is not None:
            return source
        if seed:
            references = tuple(self._references(path, content))  # first: what was read for them need not be read again
            return Source(path, SourceKind.SEED, content.location, content.info.sha256, content.info.size, references)
        if maker is not None:
            raise InputError(
                f"{path}: {user} takes it as a source, but it is an output of {maker.path}", hint=f"trust it as it is with --seed {path}"
            )
        computed = source_path(store_name(path)[33:], content.info.sha256, self._stores.store_dir)
        raise InputError(
            f"{path}: its content, in {content.location}, does not belong to it: as a file tree it is {computed}; no other rule fits",
            hint=f"if it is an output of a derivation that you trust: --seed {path}",
        )

    def _verified(self, path: str, content: Content) -> Source | None:
        """The source, if some rule gives its path."""
        name, store_dir, info = store_name(path)[33:], self._stores.store_dir, content.info

        def source(kind: SourceKind, references: Sequence[str] = ()) -> Source:
            return Source(path, kind, content.location, info.sha256, info.size, tuple(references))

        if source_path(name, info.sha256, store_dir) == path:
            return source(SourceKind.NAR)
        digest = content.digest("sha256", recursive=False) if info.size <= _MAX_TEXT else None
        if digest is not None and make_store_path("text", digest, name, store_dir) == path:
            return source(SourceKind.TEXT)
        mentioned = self._references(path, content)
        if digest is not None:
            drv = self._derivations.get(path)
            for references in [text_references(drv)] if drv else _subsets(mentioned, self._outputs):
                if make_store_path(":".join(["text", *references]), digest, name, store_dir) == path:
                    return source(SourceKind.TEXT, references)
        for references in _subsets(mentioned, self._outputs):
            if source_path(name, info.sha256, store_dir, references) == path:
                return source(SourceKind.NAR, references)
        for algo, recursive in _OTHER_HASHES:
            other = content.digest(algo, recursive=recursive)
            if other is not None and fixed_output_path(name, algo, other, recursive, store_dir) == path:
                return source(SourceKind.FIXED)
        return None

    def _references(self, path: str, content: Content) -> list[str]:
        """The store paths that the content mentions, sorted: those of the graph by their hash parts, others when they are written out."""
        if self._by_hash is None:
            sources = (path for drv in self._derivations.values() for path in drv.input_srcs)
            paths = (*self._derivations, *self._outputs, *sources, *self._seeds)
            self._by_hash = {hash_part(known).encode(): known for known in paths}
        own = hash_part(path).encode()
        parts, written = content.find(self._by_hash.keys() | {own}, self._stores.store_dir)
        found = {path if part == own else self._by_hash[part] for part in parts}
        for part, name in written.items():
            if part not in self._by_hash and part != own:
                found.add(self._complete(part.decode(), name.decode()))
        return sorted(found)

    def _complete(self, part: str, name: str) -> str:
        """A path that a text writes out. Only its hash is sure; a full stop at its end may not be the name's. The stores decide."""
        written = f"{part}-{name}"
        known = [candidate for candidate in self._stores.names(part) if written.startswith(candidate)]
        return f"{self._stores.store_dir}/{max(known, key=len) if known else written.rstrip('.?')}"


def _needed(derivations: Mapping[str, Derivation], seeds: Collection[str]) -> Iterator[Derivation]:
    """The derivations whose sources a build may want, in the order of the graph: all but those that only make what the user trusts as a
    seed. One that nothing uses is what was asked for, and built whatever is trusted.
    """
    if not seeds:
        return iter(derivations.values())
    used: dict[str, set[str]] = {}
    for drv in derivations.values():
        for path, names in drv.input_drvs.items():
            used.setdefault(path, set()).update(names)

    def trusted(path: str) -> bool:
        drv = derivations[path]
        return all(name in drv.outputs and drv.outputs[name].path in seeds for name in used[path])

    pending = [path for path in derivations if path not in used]
    reached = set(pending)
    while pending:
        for path in derivations[pending.pop()].input_drvs:
            if path in derivations and path not in reached and not trusted(path):
                reached.add(path)
                pending.append(path)
    return (drv for path, drv in derivations.items() if path in reached)


def _subsets(mentioned: Sequence[str], outputs: Mapping[str, object]) -> Iterator[Sequence[str]]:
    """The sets of references that a content may have been stored with: who added it named them, and need not have named all that the
    content mentions.

    Outputs of the graph's own derivations come last: they could not have been there yet. Whichever set gives the path back is proved by
    that.
    """
    plain = [path for path in mentioned if path not in outputs]
    yield from islice((combo for size in range(len(plain), -1, -1) for combo in combinations(plain, size)), _MAX_TRIES)
    if len(plain) != len(mentioned):
        yield mentioned


def _fixed_source(drv: Derivation, output: Output, content: Content) -> Source:
    algo = output.hash_algo.removeprefix("r:")
    recursive = algo != output.hash_algo
    digest = content.digest(algo, recursive=recursive)
    if digest is None:
        raise InputError(f"{output.path}: {content.location} is not one regular file that cannot be executed, as {drv.path} fixes")
    if digest != output.hash:
        what = "NAR" if recursive else "content"
        raise InputError(f"{output.path}: the {algo} of its {what}, in {content.location}, is {digest}, but {drv.path} fixes {output.hash}")
    return Source(output.path, SourceKind.FIXED, content.location, content.info.sha256, content.info.size)


def find_output(path: str, options: ReadOptions, graph: Iterable[Derivation] = ()) -> Source | None:
    """The content of an output that the user trusts, as a seed; None when it is not in `options.stores`.

    `references` are the paths of `graph` that it mentions, and others in the same store that are written out in it. Raises InputError for
    what is no store path.
    """
    store_dir = path.rpartition("/")[0]
    check_store_path(path, store_dir)
    folders = [*options.stores] or [Path(store_dir)]
    with Stores([folder for folder in folders if options.stores or folder.is_dir()], store_dir) as stores:
        reader = SourceReader(stores, {drv.path: drv for drv in graph})
        return reader._source(path, path, True)
