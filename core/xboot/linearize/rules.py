"""What must hold of a script beyond its grammar, so that every path in it means one thing: docs/script.md, "What a reader must reject"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xboot.errors import InputError
from xboot.model import Script, Step
from xboot.storepath import check_store_path

__all__ = ["check_rules"]

_FOLDER = re.compile(r"(?:/[^/\0]+)+")


def check_rules(script: Script) -> None:
    """Raise InputError naming the first rule that `script` breaks."""
    try:
        _check_places(script)
    except InputError as error:
        raise InputError(f"malformed script: {error.message}") from None


def _check_places(script: Script) -> None:
    _absolute(script.store_dir, "the store")
    store = script.store_dir
    known: set[str] = set()
    for source in script.sources:
        check_store_path(source.path, store)
        _new(source.path, known, "the source")
    for source in script.sources:
        _all_known(source.references, known, f"the source {source.path} refers to")
    made: set[str] = set()
    derivations: set[str] = set()
    for step in script.steps:
        where = f"step {step.number}"
        check_store_path(step.drv, store)
        _new(step.drv, derivations, f"{where}: the derivation")
        _check_process(step, where)
        _all_known(step.inputs, known, f"{where} has the input")
        for file, paths in step.graphs:
            _absolute(file, f"{where}: the file of a graph")
            _all_known(paths, known, f"{where}: the graph {file} is of")
        if not step.outputs:
            raise InputError(f"{where} has no outputs")
        names: set[str] = set()
        for output in step.outputs:
            check_store_path(output.path, store)
            _new(output.path, known, f"{where}: the output")
            _new(output.name, names, f"{where}: the output")
            made.add(output.path)
    if not script.results:
        raise InputError("it has no results")
    _all_known(script.results, made, "no step makes the result", more="")


def _check_process(step: Step, where: str) -> None:
    """What is handed to a builder must be something that a process can be given."""
    if not step.builder.startswith(b"/") or b"\0" in step.builder:
        raise InputError(f"{where}: the builder {step.builder[:100]!r} is no absolute path")
    if not step.argv or any(b"\0" in word for word in step.argv):
        raise InputError(f"{where}: argv is empty, or has a NUL byte")
    names = [name for name, _ in step.env]
    if names != sorted(set(names)):
        raise InputError(f"{where}: the environment has a name twice, or out of order")
    if any(not name or b"=" in name or b"\0" in name + value for name, value in step.env):
        raise InputError(f"{where}: the environment has a name with `=`, an empty one, or a NUL byte")
    _absolute(step.cwd, f"{where}: the build directory")
    files: set[str] = set()
    for path, _ in step.files:
        _absolute(path, f"{where}: the file")
        _new(path, files, f"{where}: the file")


def _absolute(path: str, what: str) -> None:
    if _FOLDER.fullmatch(path) is None or any(part in (".", "..") for part in path.split("/")):
        raise InputError(f"{what} {path[:100]!r} is no absolute path without `.` and `..`")


def _new(name: str, known: set[str], what: str) -> None:
    if name in known:
        raise InputError(f"{what} {name[:300]} is there twice")
    if not name:
        raise InputError(f"{what} has no name")
    known.add(name)


def _all_known(paths: Sequence[str], known: set[str], what: str, more: str = ", which is neither a source nor an earlier output") -> None:
    seen: set[str] = set()
    for path in paths:
        if path in seen:
            raise InputError(f"{what} {path[:300]} twice")
        seen.add(path)
        if path not in known:
            raise InputError(f"{what} {path[:300]!r}{more}")
