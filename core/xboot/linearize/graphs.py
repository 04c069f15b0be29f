"""exportReferencesGraph: which store path each word means, and whether its closure is one that an executor can list.

After Nix 2.8 (`LocalDerivationGoal::startBuilder`, `Store::exportReferences`): a path inside a store path stands for that store path; it
must be in the closure of the inputs; and where that closure has derivations, all their outputs are listed as well. The last is refused
here: a script has no clause for it, and the outputs would have to be built first.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from xboot.errors import InputError, RefusedError
from xboot.model import Derivation, Source
from xboot.storepath import check_store_path

__all__ = ["GraphPaths"]


class GraphPaths:
    """Answers for the derivations of one plan; `sources` are what it has as sources, `steps` what it builds. What the `missing` sources
    of a plan refer to is not known, so below them everything passes.
    """

    def __init__(
        self,
        store_dir: str,
        derivations: Mapping[str, Derivation],
        steps: Sequence[str],
        sources: Sequence[Source],
        missing: Iterable[str] = (),
    ) -> None:
        self._store_dir = store_dir
        self._derivations = derivations
        self._steps = steps
        self._listed = sources
        self._missing = frozenset(missing)

    # Few plans ask, so these are made when one does.

    @functools.cached_property
    def _sources(self) -> dict[str, Source]:
        return {source.path: source for source in self._listed}

    @functools.cached_property
    def _maker(self) -> dict[str, Derivation]:
        return {o.path: self._derivations[path] for path in self._steps for o in self._derivations[path].outputs.values()}

    @functools.cached_property
    def _has_derivations(self) -> bool:
        return any(path.endswith(".drv") for path in self._sources)

    def resolve(self, drv: Derivation, inputs: Iterable[str], word: str) -> str:
        """The store path that `word` means in a graph of `drv`, whose declared inputs are `inputs`.

        What an output will refer to is known only after its build, so a path that it could refer to passes; nothing else does. Raises
        InputError as nix would fail, RefusedError when derivations could be in the closure.
        """
        prefix = self._store_dir + "/"
        if not word.startswith(prefix):
            raise InputError(f"{drv.path}: exportReferencesGraph names {word[:300]!r}, which is in no store path of {self._store_dir}")
        path = prefix + word[len(prefix) :].partition("/")[0]
        check_store_path(path, self._store_dir)
        declared = set(inputs)
        if path not in declared and not any(one == path or one in self._missing for one in self._reachable(declared)):
            raise InputError(
                f"{drv.path}: exportReferencesGraph of {path}, which is not in the closure of its inputs",
                hint="name it among the derivation's inputs as well",
            )
        inner = next((one for one in self._reachable([path]) if one.endswith(".drv")), None) if self._has_derivations else None
        if inner is not None:
            raise RefusedError(
                f"{drv.path}: exportReferencesGraph of {path}, whose closure can have the derivation {inner}: the outputs of all "
                "derivations in it would have to be built and listed",
                hint="see docs/refusals.md",
            )
        return path

    def _reachable(self, start: Iterable[str]) -> Iterator[str]:
        """What the closure of some paths can have at most: of a source what it refers to, of an output all that its builder sees."""
        seen: set[str] = set()
        todo = list(start)
        while todo:
            path = todo.pop()
            if path in seen:
                continue
            seen.add(path)
            yield path
            source, maker = self._sources.get(path), self._maker.get(path)
            if source is not None:
                todo += source.references
            elif maker is not None:
                todo += [o.path for o in maker.outputs.values()]
                todo += maker.input_srcs
                todo += [self._derivations[used].outputs[name].path for used, names in maker.input_drvs.items() for name in names]
