"""`xboot new-backend NAME`: a distribution with a backend plugin that installs, is found, and passes the tests that need no kernel."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import jinja2

from xboot.errors import InputError, UsageError
from xboot.hooks import CONTRACT_VERSION
from xboot.plugins import Plugins

__all__ = ["new_backend"]

_TEMPLATES = Path(__file__).parent / "templates"
_SUFFIX = ".j2"


def new_backend(name: str, into: Path, plugins: Plugins) -> Path:
    """Write the folder `INTO/xboot-NAME`, all of it or nothing.

    Raises UsageError for a name that cannot be a backend's, or is one's already, and InputError when the folder is there or cannot be
    written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UsageError(f"{name!r} cannot be a backend's name", hint="names are lower-case letters and digits, joined by hyphens")
    if name in plugins.backends:
        raise UsageError(f"there is a backend {name} already, from {plugins.backends[name].origin}", hint="choose another name")
    target = into / f"xboot-{name}"
    if target.exists() or target.is_symlink():
        raise InputError(f"{target} is there already; nothing was written", hint="choose another name, or --into another folder")
    words = {
        "name": name,
        "module": f"xboot_{name.replace('-', '_')}",
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "contract": CONTRACT_VERSION,
    }
    try:
        with tempfile.TemporaryDirectory(prefix=".xboot-new-", dir=into) as work:
            _render(_TEMPLATES, Path(work) / target.name, words)
            shutil.move(Path(work) / target.name, target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from error
    return target


def _render(templates: Path, folder: Path, words: dict[str, object]) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates), undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False,  # noqa: S701 - Python, not HTML
    )  # fmt: skip
    for template in sorted(templates.rglob(f"*{_SUFFIX}")):
        inside = str(template.relative_to(templates)).removesuffix(_SUFFIX).replace("MODULE", str(words["module"]))
        path = folder / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(environment.get_template(str(template.relative_to(templates))).render(words))
