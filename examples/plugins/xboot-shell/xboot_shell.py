"""A front-end: `xboot run NAME.xsh` takes a shell script with a small header for a derivation (README.md has the format).

A front-end is any object with the hook `xboot_read_closure`. It answers None for a target that is not of its kind.
It may make its closure as it likes; the safe way is this one: write derivations into a store folder, then let
`xboot.parse.read_closure` read them as it would read anybody's. Every path is then recomputed, nothing is believed.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from xboot.errors import InputError
from xboot.hooks import ReadOptions, hookimpl
from xboot.model import Closure
from xboot.parse import read_closure
from xboot.recipe import derive
from xboot.storepath import store_name

_FIRST = "#!xboot-shell 1"
_ARCHITECTURES = {"i686-linux": "i386", "x86_64-linux": "amd64"}
_APPLETS = (
    "sh cat chmod cmp cp cut diff find grep gunzip gzip head ln ls mkdir mv patch rm sed sha256sum sort tail tar test touch tr uniq wc "
    "xargs"
)
_TAKEN = {"args", "builder", "name", "out", "outputs", "path", "script", "system", "busybox"}
_LARGEST = 1 << 20


@dataclass
class _Header:
    system: str = "i686-linux"
    sources: dict[str, Path] = field(default_factory=dict)


class ShellFrontEnd:
    """Targets that end with `.xsh`."""

    contract_version = 2

    @hookimpl
    def xboot_read_closure(self, target: str, options: ReadOptions) -> Closure | None:
        """One derivation, `NAME`, for the file NAME.xsh."""
        if not target.endswith(".xsh"):
            return None
        script = Path(target)
        header = _read_header(script)
        with tempfile.TemporaryDirectory(prefix="xboot-shell-") as folder:
            recipe = _write_recipe(Path(folder), script, header)
            derived = derive(recipe, notify=options.notify)
        (root,) = derived.derivations.values()
        return read_closure(str(derived.store / store_name(root)), replace(options, stores=(derived.store, *options.stores)))


def _read_header(script: Path) -> _Header:
    """Raises InputError that names file and line: whoever wrote the file must be able to mend it."""
    try:
        with script.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"{script}: cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise InputError(f"{script}: larger than 1 MiB, the most that a script may have", hint="give large files as sources")
    lines = data.decode(errors="replace").split("\n")
    if lines[0] != _FIRST:
        raise InputError(f"{script}: line 1 is {lines[0][:60]!r}, expected {_FIRST!r}")
    header = _Header()
    for number, line in enumerate(lines[1:], 2):
        match line.split():
            case ["#", "system", name] if name in _ARCHITECTURES:
                header.system = name
            case ["#", "source", name, file_name]:
                _check_source(f"{script}: line {number}", name, file_name, header)
                header.sources[name] = script.parent / file_name
            case ["#", ("system" | "source") as word, *_]:
                raise InputError(
                    f"{script}: line {number}: {word!r} is not followed by what it needs", hint="see the README of xboot-shell"
                )
            case _:
                break
    return header


def _check_source(where: str, name: str, file_name: str, header: _Header) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in _TAKEN or name in header.sources:
        raise InputError(f"{where}: {name!r} cannot be the name of a source, or is taken")
    if not re.fullmatch(r"[A-Za-z0-9+_][A-Za-z0-9+._-]*", file_name):
        raise InputError(f"{where}: {file_name!r} must be a file beside the script, its name of letters, digits and + . _ -")


def _write_recipe(folder: Path, script: Path, header: _Header) -> Path:
    """The recipe that says the same. Every word that gets into it was checked against a narrow pattern."""
    name = re.sub(r"[^A-Za-z0-9+_-]", "-", script.stem).lstrip("-") or "script"
    links = ", ".join(f'"bin/{applet}" = "busybox"' for applet in _APPLETS.split())
    lines = [
        "[recipe]", f'system = "{header.system}"',
        "[source.busybox]", 'type = "debian"', 'package = "busybox-static"', f'architecture = "{_ARCHITECTURES[header.system]}"',
        'select = ["bin/busybox"]', f"links = {{ {links} }}",
        "[source.script]", 'type = "file"', 'path = "script"', f'name = "{name}.xsh"',
    ]  # fmt: skip
    _take(script, folder / "script")
    for variable, file in header.sources.items():
        lines += [f"[source.{variable}]", 'type = "file"', f'path = "source-{variable}"', f'name = "{file.name}"']
        _take(file, folder / f"source-{variable}")
    lines += ["[derivation.build]", f'name = "{name}"', 'builder = "{busybox}/bin/sh"', 'args = ["-eu", "{script}"]']
    lines += ["[derivation.build.env]", 'PATH = "{busybox}/bin"', *(f'{variable} = "{{{variable}}}"' for variable in header.sources)]
    recipe = folder / "recipe.toml"
    recipe.write_text("\n".join(lines) + "\n")
    return recipe


def _take(file: Path, copy: Path) -> None:
    try:
        shutil.copyfile(file, copy)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    copy.chmod(0o644)


plugin = ShellFrontEnd()
