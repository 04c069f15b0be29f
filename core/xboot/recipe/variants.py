"""Variants: every derivation of a recipe once more, for another system, by the same definition.

A variant's Debian packages are those of another architecture, its derivations refer to each other, another source stands where the variant
says so, and all else is shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xboot.recipe.references import renamed

if TYPE_CHECKING:
    from xboot.recipe.schema import DebianBinary, DerivationSpec, Recipe, SourceSpec, Variant

__all__ = ["with_variants"]


def with_variants(recipe: Recipe) -> Recipe:
    """The recipe with its variants written out: sources and derivations `NAME-VARIANT`, and no `variant` left.

    Twins have: Debian packages that are for one architecture, and not for the variant's already; derivations that name no system, and whose
    content is not known beforehand.
    Raises ValueError when a twin's name is taken, and for a variant that speaks of a package or source that the recipe does not have.
    """
    sources: dict[str, SourceSpec] = dict(recipe.source)
    derivations = dict(recipe.derivation)
    packages: dict[str, DebianBinary] = {}
    for key, source in recipe.source.items():
        if source.type == "debian" and source.architecture != "all":
            packages[key] = source
    free = {key: spec for key, spec in recipe.derivation.items() if spec.system is None and spec.fixed is None}
    for name, variant in recipe.variant.items():
        new: dict[str, DebianBinary] = {}
        for key, package in packages.items():
            other = {"package": variant.packages.get(package.package, package.package), "architecture": variant.architecture}
            if key not in variant.sources and (twin := package.model_copy(update=other)) != package:
                new[key] = twin
        twins = {key: f"{key}-{name}" for key in (*new, *free)}
        taken = sorted(twin for twin in twins.values() if twin in sources or twin in derivations)
        if taken:
            raise ValueError(f"variant.{name}: the recipe has the name {taken[0]!r} already; rename one of the two")
        unknown = sorted(set(variant.packages) - {package.package for package in packages.values()})
        if unknown:
            raise ValueError(f"variant.{name}.packages: no source for one architecture is of the package {unknown[0]!r}")
        if variant.through is not None and variant.through not in recipe.source:
            raise ValueError(f"variant.{name}.through: {variant.through!r} is no source of this recipe")
        for used in (*variant.sources, *variant.sources.values()):
            if used not in recipe.source:
                raise ValueError(f"variant.{name}.sources: {used!r} is no source of this recipe")
        sources |= {twins[key]: package for key, package in new.items()}
        twins |= variant.sources
        for key, spec in free.items():
            derivations[twins[key]] = _twin(spec, variant, twins)
    return recipe.model_copy(update={"source": sources, "derivation": derivations, "variant": {}})


def _twin(spec: DerivationSpec, variant: Variant, twins: Mapping[str, str]) -> DerivationSpec:
    first = [] if variant.through is None else [f"{{{twins.get(variant.through, variant.through)}}}"]
    own = {
        "system": variant.system,
        "builder": renamed(spec.builder, twins),
        "args": [*first, *(renamed(text, twins) for text in spec.args)],
        "env": {key: renamed(value, twins) for key, value in spec.env.items()},
        "inputs": [twins.get(used, used) for used in spec.inputs],
    }
    return spec.model_copy(update=own)
