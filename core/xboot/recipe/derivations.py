"""From a recipe to `.drv` files and sources in a store folder, path for path what Nix computes for the same content."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from xboot._records import dataclass
from xboot.cache import Cache
from xboot.errors import InputError, UsageError
from xboot.hooks import Notify
from xboot.model import Derivation, Event, Output, Phase
from xboot.parse import hash_derivation_modulo, write_derivation
from xboot.recipe.hashes import parse_hash
from xboot.recipe.lock import Lock
from xboot.recipe.read import load_recipe
from xboot.recipe.references import expand, references
from xboot.recipe.schema import DerivationSpec, MadeSource, Recipe
from xboot.recipe.sources import SourceMaker, blank_digest, with_path
from xboot.recipe.store import default_store_folder, staging
from xboot.storepath import check_store_path, fixed_output_path, make_store_path, output_path_name

__all__ = ["Derived", "derive"]


@dataclass(frozen=True, slots=True)
class Derived:
    """What came of a recipe.

    `derivations` maps the names asked for to the store paths of their `.drv` files, `outputs` all derivations' names to their output
    paths, `sources` names to store paths (`seeds`:
    those that were made on this machine), all of them in the folder `store`. `debian` says which version of which package a source is
    from; `notes` are for the user to read.
    """

    store: Path
    derivations: Mapping[str, str]
    outputs: Mapping[str, Mapping[str, str]]
    sources: Mapping[str, str]
    seeds: Mapping[str, str] = field(default_factory=dict)
    debian: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def derive(
    recipe_path: Path,
    store: Path | None = None,
    names: Sequence[str] = (),
    *,
    cache: Cache | None = None,
    update_lock: bool = False,
    notify: Notify | None = None,
) -> Derived:
    """Write the `.drv` closure and the sources of the derivations `names` (default: what the recipe says, else all) into the folder
    `store` (default: xboot's own).

    Raises InputError for a recipe or source that is wrong, UsageError for a name that it does not have, MissingToolError when a Debian
    package cannot be had. Then nothing was written.
    """
    recipe = load_recipe(recipe_path)
    for name in names:
        if name not in recipe.derivation:
            known = ", ".join(sorted(recipe.derivation)) or "none"
            raise UsageError(f"{recipe_path}: has no derivation {name!r}", hint=f"its derivations are: {known}")
    store = (store or default_store_folder()).absolute()
    start = time.monotonic()
    lock = Lock.beside(recipe_path)
    graph = _Graph(recipe, str(recipe_path))
    targets = recipe.targets(names)
    if not targets:
        raise InputError(f"{recipe_path}: has sources, but no [derivation.NAME] to build")
    order = graph.order(targets)
    wanted = graph.sources(order)
    total = len(wanted) or 1
    done = 0

    def tell(name: str) -> None:
        if notify:
            notify(Event(Phase.PREPARE, time.monotonic() - start, name="derive", text=f"source {name}", done=min(1.0, done / total)))

    with staging(store) as change:
        maker = SourceMaker(recipe, recipe_path.resolve().parent, change, cache or Cache(), lock, update_lock=update_lock, tell=tell)
        writer = _Writer(recipe, str(recipe_path))
        staged = {}
        for name in wanted:
            staged[name] = source = maker.obtain(name)
            done += 1
            if source.location is not None:
                change.add(source.path, source.location)
            if source.drv is not None:
                change.add_bytes(source.drv.path, write_derivation(source.drv))
            writer.add_source(name, source.path, source.drv)
        for name in order:
            drv = writer.add(name)
            change.add_bytes(drv.path, write_derivation(drv))
        change.commit()
    lock.write()
    return Derived(
        store=store,
        derivations={name: writer.derivations[name].path for name in targets},
        outputs={name: {o.name: o.path for o in writer.derivations[name].outputs.values()} for name in order},
        sources={name: source.path for name, source in staged.items()},
        seeds={name: staged[name].path for name in wanted if isinstance(recipe.source[name], MadeSource)},
        debian={name: source.debian for name, source in staged.items() if source.debian},
        notes=tuple(lock.notes),
    )


class _Graph:
    """Who uses what in a recipe, before anything is fetched."""

    def __init__(self, recipe: Recipe, path: str) -> None:
        self._recipe = recipe
        self._path = path
        self.uses = {name: self._uses(name, spec) for name, spec in recipe.derivation.items()}

    def _uses(self, name: str, spec: DerivationSpec) -> list[tuple[str, str]]:
        where = f"{self._path}: derivation {name}"
        found = [use for text in _strings(spec) for use in references(text, where)] + [(known, "") for known in spec.inputs]
        for used, output in found:
            if used in self._recipe.source:
                if output:
                    raise InputError(f"{where}: {{{used}.{output}}}: {used} is a source, and a source has no outputs")
                continue
            target = self._recipe.derivation.get(used)
            if target is None:
                close = [n for n in (*self._recipe.source, *self._recipe.derivation) if n.lower() == used.lower() or n.startswith(used[:4])]
                hint = f"did you mean {' or '.join(sorted(close)[:3])}?" if close else "{{ stands for a brace that is no reference"
                raise InputError(f"{where}: {{{used}}} is neither a source nor a derivation of this recipe", hint=hint)
            if (output or "out") not in (target.outputs or ["out"]):
                raise InputError(f"{where}: {used} has no output {output or 'out'!r}, only {', '.join(target.outputs or ['out'])}")
        return found

    def order(self, targets: Sequence[str]) -> list[str]:
        """The derivations that `targets` need and themselves, inputs first. Raises InputError for a cycle, with its members."""
        ordered: dict[str, None] = {}
        for target in targets:
            # (name, what of its inputs is still to come); the names on the stack are the way from the target.
            stack = [(target, iter(self._inputs(target)))]
            open_names = {target}
            while stack:
                name, inputs = stack[-1]
                following = next((i for i in inputs if i not in ordered), None)
                if following is None:
                    ordered[name] = None
                    open_names.discard(name)
                    stack.pop()
                elif following in open_names:
                    way = [n for n, _ in stack]
                    cycle = [*way[way.index(following) :], following]
                    raise InputError(f"{self._path}: these derivations need each other in a circle: {' -> '.join(cycle)}")
                else:
                    open_names.add(following)
                    stack.append((following, iter(self._inputs(following))))
        return list(ordered)

    def _inputs(self, name: str) -> list[str]:
        return sorted({used for used, _ in self.uses[name] if used in self._recipe.derivation})

    def sources(self, derivations: Sequence[str]) -> list[str]:
        """The sources that these derivations use, in the recipe's order."""
        used = {source for name in derivations for source, _ in self.uses[name]}
        return [name for name in self._recipe.source if name in used]


def _strings(spec: DerivationSpec) -> list[str]:
    return [spec.builder, *spec.args, *spec.env.values()]


class _Writer:
    """Turns derivations of a recipe into derivations proper, inputs before users."""

    def __init__(self, recipe: Recipe, path: str) -> None:
        self._recipe = recipe
        self._path = path
        self._sources: dict[str, str] = {}
        self._fetches: dict[str, Derivation] = {}
        self.derivations: dict[str, Derivation] = {}
        self._modulo: dict[str, str] = {}

    def add_source(self, name: str, path: str, drv: Derivation | None) -> None:
        self._sources[name] = path
        if drv is not None:
            self._fetches[name] = drv
            self._modulo[drv.path] = hash_derivation_modulo(drv, {})

    def add(self, name: str) -> Derivation:
        """The derivation `name`, with all its paths."""
        spec = self._recipe.derivation[name]
        where = f"{self._path}: derivation {name}"
        header = self._recipe.recipe
        input_drvs: dict[str, set[str]] = {}
        input_srcs: set[str] = set()

        def resolve(used: str, output: str) -> str:
            drv = self._fetches.get(used) or self.derivations.get(used)
            if drv is None:
                input_srcs.add(self._sources[used])
                return self._sources[used]
            input_drvs.setdefault(drv.path, set()).add(output or "out")
            return drv.outputs[output or "out"].path

        builder = expand(spec.builder, where, resolve)
        args = [expand(text, where, resolve) for text in spec.args]
        env = {key: expand(value, where, resolve) for key, value in spec.env.items()}
        for used in spec.inputs:
            resolve(used, "")
        store_name = spec.name or name
        system = spec.system or header.system
        env |= {"name": store_name, "system": system, "builder": builder}
        if spec.outputs is not None:
            env["outputs"] = " ".join(spec.outputs)
        blank = Derivation(
            "", {o: Output(o, "") for o in sorted(spec.outputs or ["out"])},
            {path: tuple(sorted(input_drvs[path])) for path in sorted(input_drvs)}, sorted(input_srcs), system, builder.encode(),
            [arg.encode() for arg in args], {},
        )  # fmt: skip
        outputs = self._fixed(spec, env, where, store_name) if spec.fixed else self._outputs(blank, env, store_name)
        env |= {output.name: output.path for output in outputs.values()}
        drv = with_path(_replace(blank, outputs, env), store_name, header.store)
        for path in (drv.path, *(output.path for output in outputs.values())):
            try:
                check_store_path(path, header.store)
            except InputError as error:
                raise InputError(f"{where}: {error.message}", hint='give a shorter one with name = "…", or shorter outputs') from None
        self._modulo[drv.path] = hash_derivation_modulo(drv, {path: self._modulo[path] for path in drv.input_drvs})
        self.derivations[name] = drv
        return drv

    def _fixed(self, spec: DerivationSpec, env: dict[str, str], where: str, store_name: str) -> dict[str, Output]:
        assert spec.fixed is not None
        content = parse_hash(spec.fixed.hash, where)
        recursive = spec.fixed.mode == "recursive"
        env |= {"outputHash": content.hex, "outputHashAlgo": content.algo, "outputHashMode": spec.fixed.mode}
        path = fixed_output_path(store_name, content.algo, content.hex, recursive, self._recipe.recipe.store)
        return {"out": Output("out", path, ("r:" if recursive else "") + content.algo, content.hex)}

    def _outputs(self, blank: Derivation, env: Mapping[str, str], store_name: str) -> dict[str, Output]:
        masked = _replace(blank, blank.outputs, {**env, **dict.fromkeys(blank.outputs, "")})
        digest = blank_digest(masked, {path: self._modulo[path] for path in blank.input_drvs})
        store_dir = self._recipe.recipe.store
        return {o: Output(o, make_store_path(f"output:{o}", digest, output_path_name(store_name, o), store_dir)) for o in blank.outputs}


def _replace(drv: Derivation, outputs: Mapping[str, Output], env: Mapping[str, str]) -> Derivation:
    encoded = {key.encode(): value.encode() for key, value in env.items()}
    return Derivation(
        drv.path, outputs, drv.input_drvs, drv.input_srcs, drv.system, drv.builder, drv.args, {key: encoded[key] for key in sorted(encoded)}
    )
