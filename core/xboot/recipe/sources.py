"""Bringing a recipe's sources into a staging folder and computing their store paths."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xboot._records import dataclass
from xboot.cache import Cache
from xboot.debian import DebianFile, DebianPackages
from xboot.errors import InputError
from xboot.files import read_regular
from xboot.model import Derivation, Output
from xboot.nar import nar_hash
from xboot.parse import write_derivation
from xboot.recipe.hashes import parse_hash
from xboot.recipe.lock import Lock, LockEntry
from xboot.recipe.made import Ingredient, make_source
from xboot.recipe.references import references
from xboot.recipe.schema import DebianBinary, DebianSource, FileSource, MadeSource, Recipe, SourceSpec, TextSource, TreeSource, UrlSource
from xboot.recipe.select import copy_tree
from xboot.recipe.store import Staging, canonicalise
from xboot.recipe.tarball import unpack_tarball
from xboot.storepath import fixed_output_path, source_path, text_path

__all__ = ["SourceMaker", "Staged", "fetch_derivation"]

_KIND = "selected"  # of the cache: the hash of what a recipe takes of a package
_MAX_HASH = 64  # characters
_FORM = "1"  # with each change of what comes of the same files and the same wish
_STORE_NAME = re.compile(r"(?!\.\.?(?:-|\Z))[0-9A-Za-z+\-._?=]{1,207}")


@dataclass(frozen=True, slots=True)
class Staged:
    """A source with its store path. `location` and `nar_sha256` are empty for a URL, whose content is fetched later by the derivation
    `drv`.
    """

    path: str
    location: Path | None = None
    nar_sha256: str = ""
    drv: Derivation | None = None
    debian: str = ""


class _OtherFiles(Exception):
    """Other files of a package were to be had than were expected."""

    def __init__(self, files: Sequence[DebianFile]) -> None:
        super().__init__()
        self.files = files


class SourceMaker:
    """Obtains the sources of one recipe, each once. `tell` is called with the name before anything slow."""

    def __init__(
        self, recipe: Recipe, folder: Path, staging: Staging, cache: Cache, lock: Lock, *, update_lock: bool, tell: Callable[[str], None]
    ) -> None:
        self._recipe = recipe
        self._folder = folder  # of the recipe
        self._staging = staging
        self._cache = cache
        self._debian = DebianPackages(cache)
        self._lock = lock
        self._update = update_lock
        self._tell = tell
        self._done: dict[str, Staged] = {}
        self._open: list[str] = []

    def obtain(self, name: str) -> Staged:
        """The source `name`. Raises InputError, MissingToolError."""
        if name not in self._done:
            if name in self._open:
                raise InputError(f"source {name}: is made from itself: {' -> '.join([*self._open[self._open.index(name) :], name])}")
            self._open.append(name)
            self._tell(name)
            self._done[name] = self._obtain(name, self._recipe.source[name])
            self._open.pop()
        return self._done[name]

    def _obtain(self, name: str, spec: SourceSpec) -> Staged:
        where = f"source {name}"
        if isinstance(spec, UrlSource):
            drv = fetch_derivation(spec, where, self._recipe.recipe.store)
            return Staged(drv.outputs["out"].path, drv=drv)
        if isinstance(spec, TextSource):
            return self._text(spec.name or _usable_name(name, where), spec.text.encode())
        if isinstance(spec, DebianBinary | DebianSource):
            return self._from_debian(name, spec, where)
        place = self._staging.fresh("source")
        if isinstance(spec, FileSource | TreeSource):
            store_name = spec.name or _usable_name(Path(spec.path).name, where)
            copy_tree(self._beside(spec.path, where, folder=isinstance(spec, TreeSource)), place, getattr(spec, "select", None), where)
        else:
            store_name = spec.name or _usable_name(name, where)
            identity = self._make(spec, where, place)
        canonicalise(place)
        digest = nar_hash(place).sha256
        if isinstance(spec, MadeSource):
            self._lock.record(name, LockEntry(version=identity, nar=digest), update=self._update)
        return Staged(source_path(store_name, digest, self._recipe.recipe.store), place, digest)

    def _from_debian(self, name: str, spec: DebianBinary | DebianSource, where: str) -> Staged:
        """Files of a package. What came of the same files and the same `select` before has a known hash: if the store has it, unharmed,
        nothing is fetched, unpacked or copied.
        """
        files = self._debian.expected(spec.package, _architecture(spec))
        links = sorted(spec.links.items()) if isinstance(spec, DebianBinary) else []
        store_name = spec.name or _usable_name(spec.package if isinstance(spec, DebianBinary) else f"{spec.package}-source", where)
        wish = {"select": json.dumps(spec.select), "links": json.dumps(links), "form": _FORM}
        place = self._staging.fresh("source")
        if not self._cache.has(_KIND, _files_key(files) | wish):  # another version may be all that is to be had
            files = self._stage(spec, where, place)

        def make(work: Path) -> None:
            if not os.path.lexists(place):
                brought = self._stage(spec, where, place)
                if _files_key(brought) != _files_key(files):
                    raise _OtherFiles(brought)
            (work / "nar").write_text(nar_hash(place).sha256)

        try:
            folder = self._cache.folder(_KIND, _files_key(files) | wish, make)
        except _OtherFiles as other:  # what is kept is known by what it came of, not by what was expected
            files = other.files
            folder = self._cache.folder(_KIND, _files_key(files) | wish, make)
        digest = read_regular(folder / "nar", _MAX_HASH, "a hash").decode(errors="replace")
        self._cache.release(folder)
        path = source_path(store_name, digest, self._recipe.recipe.store)
        location = place if os.path.lexists(place) else self._staging.kept(path, digest)
        if location is None:
            location, files = place, self._stage(spec, where, place)
            digest = nar_hash(place).sha256
            path = source_path(store_name, digest, self._recipe.recipe.store)
        return Staged(path, location, digest, debian=self._record(name, _architecture(spec), files))

    def _stage(self, spec: DebianBinary | DebianSource, where: str, place: Path) -> Sequence[DebianFile]:
        """Bring what `spec` wants of a package to `place`; the package's files that it is from."""
        if isinstance(spec, DebianBinary):
            root, deb = self._debian.unpacked(spec.package, spec.architecture)
            copy_tree(root, place, spec.select, where, package=True)
            _add_links(place, spec.links, where)
            files: Sequence[DebianFile] = [deb]
        else:
            files = self._debian.source(spec.package).tarballs
            tree = place if spec.select is None else self._staging.fresh("unpacked")
            _unpack_source(files, spec.package, tree, where)
            if spec.select is not None:
                copy_tree(tree, place, spec.select, where)
        canonicalise(place)
        return files

    def _text(self, store_name: str, content: bytes) -> Staged:
        place = self._staging.fresh("text")
        place.write_bytes(content)
        canonicalise(place)
        return Staged(text_path(store_name, content, (), self._recipe.recipe.store), place, nar_hash(place).sha256)

    def _beside(self, text: str, where: str, *, folder: bool) -> Path:
        path = self._folder / text
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            raise InputError(f"{where}: {path} does not exist", hint="paths are relative to the recipe's folder") from None
        if folder != real.is_dir():
            raise InputError(
                f"{where}: {path} is {'no folder' if folder else 'a folder'}", hint='use type = "file"' if folder else 'use type = "tree"'
            )
        return real

    def _record(self, name: str, architecture: str, files: Sequence[DebianFile]) -> str:
        first = files[0]
        entry = LockEntry(
            package=first.package, version=first.version, architecture=architecture, files={f.path.name: f.sha256 for f in files}
        )
        self._lock.record(name, entry, update=self._update)
        return f"{first.package} {first.version}"

    def _make(self, spec: MadeSource, where: str, place: Path) -> str:
        ingredients = {}
        for text in (spec.builder, *spec.args, *spec.env.values()):
            for name, output in references(text, where):
                if name not in self._recipe.source:
                    kind = (
                        "a derivation: a made source can use sources only"
                        if name in self._recipe.derivation
                        else "no source of this recipe"
                    )
                    raise InputError(f"{where}: {{{name}}} is {kind}")
                if output:
                    raise InputError(f"{where}: {{{name}.{output}}}: a source has no outputs")
                staged = self.obtain(name)
                if staged.location is None:
                    raise InputError(f"{where}: {{{name}}} is a URL, which is not at hand when the recipe is derived")
                ingredients[name] = Ingredient(staged.location, staged.nar_sha256)
        scratch = self._staging.fresh("made")
        scratch.mkdir()
        result, identity = make_source(spec, where, ingredients, scratch, self._cache)
        copy_tree(result, place, None, where)
        return identity


def _architecture(spec: DebianBinary | DebianSource) -> str:
    return spec.architecture if isinstance(spec, DebianBinary) else "source"


def _files_key(files: Sequence[DebianFile]) -> dict[str, str]:
    """What stands for the content of a package's files: by their names they are told apart and unpacked."""
    return {"files": json.dumps(sorted((file.path.name, file.sha256) for file in files))}


def _usable_name(name: str, where: str) -> str:
    if not _STORE_NAME.fullmatch(name):
        raise InputError(f"{where}: {name[:300]!r} cannot be the name of a store path", hint='give another one with name = "…"')
    return name


def _add_links(place: Path, links: Mapping[str, str], where: str) -> None:
    for name, target in sorted(links.items()):
        link = place / name
        if os.path.lexists(link):
            raise InputError(f"{where}: links: {name!r} is already in the package")
        parent = place
        for part in Path(name).parts[:-1]:
            parent = parent / part
            if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
                raise InputError(f"{where}: links: {name!r} goes through {part!r}, which is no folder")
            parent.mkdir(exist_ok=True)
        link.symlink_to(target)


def _unpack_source(tarballs: Sequence[DebianFile], package: str, tree: Path, where: str) -> None:
    """As dpkg-source lays them out: the main tarball at the top, `NAME_VERSION.orig-PART.tar.*` in the folder PART."""
    parts = {}
    for tarball in tarballs:
        match = re.search(r"\.orig(?:-([A-Za-z0-9-]+))?\.tar\.[a-z0-9]+$", tarball.path.name)
        if match is None:
            raise InputError(f"{where}: {tarball.path.name} is not named as an upstream tarball")
        parts[match[1] or ""] = tarball
    for part in sorted(parts):  # the main one, whose part is "", first
        folder = tree / part if part else tree
        if part and folder.is_symlink():
            raise InputError(f"{where}: {part} is a link in {package}'s main tarball")
        folder.mkdir(parents=True, exist_ok=True)
        if part and any(folder.iterdir()):
            raise InputError(f"{where}: the folder {part} is in two tarballs")
        unpack_tarball(parts[part].path, folder)


def fetch_derivation(spec: UrlSource, where: str, store_dir: str) -> Derivation:
    """The derivation that Nix's `<nix/fetchurl.nix>` gives for a URL; its `path` is set."""
    content = parse_hash(spec.hash, where)
    name = spec.name or _usable_name(spec.url.rstrip("/").rpartition("/")[2] or "source", where)
    path = fixed_output_path(name, content.algo, content.hex, spec.executable, store_dir)
    # The hash stands in the environment as the user wrote it, without an algorithm only for SRI, which has its own.
    sri = spec.hash.startswith(f"{content.algo}-")
    env = {
        "builder": "builtin:fetchurl", "executable": "1" if spec.executable else "",
        "impureEnvVars": "http_proxy https_proxy ftp_proxy all_proxy no_proxy", "name": name, "out": path,
        "outputHash": spec.hash if sri else content.hex, "outputHashAlgo": "" if sri else content.algo,
        "outputHashMode": "recursive" if spec.executable else "flat", "preferLocalBuild": "1", "system": "builtin", "unpack": "",
        "url": spec.url, "urls": spec.url,
    }  # fmt: skip
    algo = ("r:" if spec.executable else "") + content.algo
    drv = Derivation(
        "", {"out": Output("out", path, algo, content.hex)}, {}, (), "builtin", b"builtin:fetchurl", (),
        {key.encode(): value.encode() for key, value in sorted(env.items())},
    )  # fmt: skip
    return with_path(drv, name, store_dir)


def with_path(drv: Derivation, name: str, store_dir: str) -> Derivation:
    """`drv` with its own store path, computed from its text."""
    references = sorted({*drv.input_drvs, *drv.input_srcs})
    path = text_path(f"{name}.drv", write_derivation(drv), references, store_dir)
    return Derivation(path, drv.outputs, drv.input_drvs, drv.input_srcs, drv.system, drv.builder, drv.args, drv.env)


def blank_digest(drv: Derivation, inputs: Mapping[str, str]) -> str:
    """The digest that output paths are made of: of the text with blank outputs (`drv` has none yet) and input derivations replaced by
    their modulo hashes.
    """
    merged: dict[str, set[str]] = {}
    for path, outputs in drv.input_drvs.items():
        merged.setdefault(inputs[path], set()).update(outputs)
    masked = Derivation(
        drv.path,
        drv.outputs,
        {key: tuple(sorted(merged[key])) for key in sorted(merged)},
        drv.input_srcs,
        drv.system,
        drv.builder,
        drv.args,
        drv.env,
    )
    return hashlib.sha256(write_derivation(masked)).hexdigest()
