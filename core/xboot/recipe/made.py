"""Made sources: a program of the recipe's, run on this machine when the recipe is derived.

This is how a seed comes about that no package has: the chain's static tcc. What is run stands in the recipe, what it needs are other
sources of the recipe, and what comes out is
cached by the content of both. It runs as the user, in an empty folder, with only the environment that the recipe gives: no sandbox, so a
recipe with a made source deserves the
trust that one gives a Makefile (docs/recipes.md says so too).
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from xboot._records import dataclass
from xboot.cache import Cache
from xboot.errors import InputError, MissingToolError
from xboot.recipe.references import expand
from xboot.recipe.schema import MadeSource
from xboot.recipe.select import copy_tree

__all__ = ["Ingredient", "make_source"]

_TIMEOUT = 900.0  # seconds


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A source that a made source uses: where it is, and the NAR hash that stands for it in the cache's key."""

    location: Path
    nar_sha256: str


def make_source(spec: MadeSource, where: str, ingredients: Mapping[str, Ingredient], scratch: Path, cache: Cache) -> tuple[Path, str]:
    """Where the result is (in the cache: copy it, do not change it), and a hash of all that went into it.

    `scratch` is an empty folder. Raises InputError when the program fails or its result mentions a folder of this machine,
    MissingToolError when it cannot be run.
    """

    def by_hash(name: str, _: str) -> str:
        return f"{{{ingredients[name].nar_sha256}}}"

    def by_place(name: str, _: str) -> str:
        return str(ingredients[name].location)

    strings = [spec.builder, *spec.args]
    abstract = {
        "argv": [expand(text, where, by_hash) for text in strings],
        "env": {key: expand(value, where, by_hash) for key, value in sorted(spec.env.items())},
        "select": spec.select,
    }
    identity = hashlib.sha256(json.dumps(abstract, sort_keys=True).encode()).hexdigest()

    def make(folder: Path) -> None:
        out, work = scratch / "out", scratch / "build"
        work.mkdir()
        env = {key: expand(value, where, by_place) for key, value in spec.env.items()} | {"out": str(out)}
        _run([expand(text, where, by_place) for text in strings], env, work, where)
        if not os.path.lexists(out):
            raise InputError(f"{where}: the program ended well but made no $out")
        copy_tree(out, folder / "result", spec.select, where)
        _refuse_traces(folder / "result", [scratch, *(i.location for i in ingredients.values())], where)

    return cache.folder("made", {"identity": identity}, make) / "result", identity


def _run(argv: list[str], env: Mapping[str, str], work: Path, where: str) -> None:
    try:
        process = subprocess.Popen(
            argv,
            cwd=work,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise MissingToolError(
            f"{where}: {argv[0]} cannot be run: {error.strerror}", hint="made sources need a Linux machine of the packages' architecture"
        ) from None
    try:
        printed, _ = process.communicate(timeout=_TIMEOUT)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise InputError(f"{where}: its program did not end within {_TIMEOUT:.0f} seconds") from None
        raise
    if process.returncode:
        tail = " | ".join(printed.decode(errors="replace").strip().splitlines()[-4:])
        raise InputError(f"{where}: its program ended with status {process.returncode}", hint=tail or "it printed nothing")


def _refuse_traces(result: Path, folders: list[Path], where: str) -> None:
    """A result that names a folder of this machine would be another one on the next."""
    needles = {os.fsencode(folder.parent if len(folder.parts) > 2 else folder) for folder in folders}
    paths = (
        [result] if not result.is_dir() or result.is_symlink() else [p for p in sorted(result.rglob("*")) if p.is_symlink() or p.is_file()]
    )
    for path in paths:
        if path.is_symlink():
            found = any(needle in os.fsencode(path.readlink()) for needle in needles)
        elif path.stat().st_size == 0:
            found = False
        else:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = any(content.find(needle) >= 0 for needle in needles)
        if found:
            name = path.relative_to(result) if path != result else "out"
            raise InputError(f"{where}: what it made ({name}) mentions a folder of this machine, so it would differ elsewhere")
