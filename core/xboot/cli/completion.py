"""What a shell completes beyond verbs and options: targets, derivations' names, voters, settings.

Bash splits words at `:` and `=`, other shells do not; both are understood. A completion never fails: where nothing can be read, nothing is
offered. Words are read and nothing else: no recipe is derived, nothing is written.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path

import typer

__all__ = ["backends", "derivations", "names_in", "one_of", "settings", "targets", "voters"]

_MANY = 1000  # files that are offered at once
_LARGEST = 1 << 20  # bytes of a recipe that is looked into

Completer = Callable[[typer.Context, str], list[str]]


def _quiet(completer: Callable[[typer.Context, str], Iterable[str]]) -> Completer:
    @wraps(completer)
    def safe(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return list(completer(ctx, incomplete))
        except Exception:
            return []

    return safe


@_quiet
def targets(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Recipes, derivations and folders; after `recipe.toml:`, its names."""
    before = [str(word) for word in _given(ctx, "targets")]
    if before and before[-1] == "=":  # bash: `--set name = va`
        return _values(str(_given(ctx, "settings")[-1]), incomplete)
    if len(before) > 1 and before[-1] == ":":  # bash: `recipe.toml : na`
        return [f"{done}{name}" for done, name in _in_recipe(before[-2], incomplete)]
    recipe, colon, rest = incomplete.rpartition(":")
    if colon:
        return [f"{recipe}:{done}{name}" for done, name in _in_recipe(recipe, rest)]
    return _files(incomplete)


@_quiet
def derivations(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the derivations below the target that was given."""
    (target,) = [str(word) for word in _given(ctx, "targets")][:1]
    stores = [Path(str(store)) for store in _given(ctx, "store")]
    return [name for name in names_in(target, stores) if name.startswith(incomplete)]


@_quiet
def voters(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Backends, with executors and machines once a `/` or `@` is there; each of a list joined by commas."""
    from xboot.plugins import Plugins  # noqa: PLC0415 - takes a third of a second, and completing a verb needs none

    plugins = Plugins.load()
    done, comma, last = incomplete.rpartition(",")
    backend, slash, _ = last.partition("@")[0].partition("/")
    offered = ["all", *sorted(plugins.backends)] if not comma else sorted(plugins.backends)
    if backend in plugins.backends and "@" in last:
        forms = [(name, form) for name, found in sorted(plugins.machines.items()) for form in ("", *found.machine.info.variants)]
        offered = [f"{last.partition('@')[0]}@{name}{':' if form else ''}{form}" for name, form in forms]
    elif backend in plugins.backends and slash:
        offered = [f"{backend}/{executor}" for executor in plugins.backends[backend].info.executors]
    return [f"{done}{comma}{voter}" for voter in offered if voter.startswith(last) and voter not in done.split(",")]


@_quiet
def backends(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of backends."""
    from xboot.plugins import Plugins  # noqa: PLC0415

    return [name for name in sorted(Plugins.load().backends) if name.startswith(incomplete)]


def one_of(*words: str) -> Completer:
    """These words and no others."""
    return lambda ctx, incomplete: [word for word in words if word.startswith(incomplete)]


@_quiet
def settings(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """`NAME=` and `BACKEND.NAME=`, then the values that a backend names."""
    key, sign, value = incomplete.partition("=")
    return [f"{key}={one}" for one in _values(key, value)] if sign else [f"{name}=" for name in _settings() if name.startswith(incomplete)]


def _values(key: str, incomplete: str) -> list[str]:
    return sorted({value for value in _settings().get(key, []) if value.startswith(incomplete)})


def _settings() -> dict[str, list[str]]:
    """Every setting, once for all backends that have it and once for each, with the values that they name."""
    from xboot.plugins import Plugins  # noqa: PLC0415

    found: dict[str, list[str]] = {}
    for backend, registered in sorted(Plugins.load().backends.items()):
        for setting in registered.info.settings:
            for name in (setting.name, f"{backend}.{setting.name}"):
                found.setdefault(name, []).extend(setting.values)
    return found


def names_in(target: str, stores: Iterable[Path] = ()) -> list[str]:
    """Names of all derivations of a target: of a recipe those that it says, of anything else those of its closure."""
    recipe, _, _ = target.partition(".toml:")
    path = Path(target if recipe == target else f"{recipe}.toml")
    if path.suffix == ".toml":
        return _names_of_recipe(path)
    from xboot.pipeline import Pipeline  # noqa: PLC0415
    from xboot.plugins import Plugins  # noqa: PLC0415
    from xboot.request import usual_read_options  # noqa: PLC0415
    from xboot.storepath import short_name  # noqa: PLC0415

    closure = Pipeline(Plugins.load()).read([target], usual_read_options(list(stores)))
    return sorted({short_name(drv.path) for drv in closure.derivations.values()})


def _given(ctx: typer.Context, name: str) -> list[object]:
    value = ctx.params.get(name)
    return [value] if isinstance(value, str) else list(value or [])


def _in_recipe(recipe: str, incomplete: str) -> Iterator[tuple[str, str]]:
    """What was completed before the last comma, and each name that may follow."""
    done, comma, last = incomplete.rpartition(",")
    for name in _names_of_recipe(Path(recipe)):
        if name.startswith(last) and name not in done.split(","):
            yield f"{done}{comma}", name


def _names_of_recipe(path: Path) -> list[str]:
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return []
    return sorted(tomllib.loads(path.read_text()).get("derivation", {}))


def _files(incomplete: str) -> Iterator[str]:
    """Folders, and files that may be a target; of a store, its derivations."""
    folder = Path(incomplete).parent if not incomplete.endswith("/") else Path(incomplete)
    typed = incomplete[: incomplete.rindex("/") + 1] if "/" in incomplete else ""
    in_store = typed in ("/nix/store/", "/gnu/store/")
    with os.scandir(folder) as entries:
        fitting = sorted(entry.name for entry in entries if f"{typed}{entry.name}".startswith(incomplete))
    for name in fitting[:_MANY]:
        if name.endswith((".drv",) if in_store else (".toml", ".drv", ".bundle")):
            yield f"{typed}{name}"
        elif not in_store and not name.startswith(".") and (folder / name).is_dir():
            yield f"{typed}{name}/"
