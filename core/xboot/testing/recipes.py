"""Recipes as text, for tests and benchmarks: derivations whose builder is Debian's static busybox."""

from __future__ import annotations

import json
from collections.abc import Mapping

__all__ = ["APPLETS", "ARCHITECTURES", "recipe_text", "shell_step"]

ARCHITECTURES = {"i686-linux": "i386", "x86_64-linux": "amd64"}
"""System → Debian's name of it."""

APPLETS = (
    "cat", "chmod", "chown", "chroot", "cp", "date", "dd", "env", "halt", "head", "hostname", "id", "kill", "ln", "ls", "mkdir", "mkfifo",
    "mknod", "mount", "mv", "nohup", "printf", "pwd", "readlink", "reboot", "rm", "rmdir", "setsid", "sh", "sleep", "sort", "tail", "touch",
    "tr", "true", "truncate", "wc", "yes",
)  # fmt: skip
"""What `{busybox}/bin` holds."""

Table = Mapping[str, object]


def recipe_text(derivations: Mapping[str, Table], sources: Mapping[str, Table] | None = None, *, system: str = "i686-linux") -> str:
    """A recipe (docs/recipes.md) with these derivations and sources, by name, and the source `busybox`."""
    busybox = {
        "type": "debian", "package": "busybox-static", "architecture": ARCHITECTURES[system], "select": ["bin/busybox"],
        "links": {f"bin/{applet}": "busybox" for applet in APPLETS},
    }  # fmt: skip
    return plain_recipe_text(derivations, {"busybox": busybox, **(sources or {})}, system)


def plain_recipe_text(derivations: Mapping[str, Table], sources: Mapping[str, Table], system: str) -> str:
    """The same without busybox."""
    tables: dict[str, Table] = {f"source.{name}": table for name, table in sources.items()}
    tables |= {f"derivation.{name}": table for name, table in derivations.items()}
    return f'[recipe]\nsystem = "{system}"\n' + "".join(
        f"[{title}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items()) for title, table in tables.items()
    )


def shell_step(commands: str) -> Table:
    """A derivation that runs `commands`; they write to `$out`."""
    return {"builder": "{busybox}/bin/sh", "args": ["-c", commands]}


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)
