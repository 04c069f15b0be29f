"""What help and manual pages call the value of an option: a word that says what to write there, never the name of a Python type."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import typer.main

__all__ = ["command"]

_VALUES = {
    "accel": "auto|tcg|kvm", "expect": "[NAME=]HASH", "expect_file": "FILE", "export": "DIR", "folders": "DIR", "html": "FILE",
    "into": "DIR", "jobs": "N", "keep": "DIR", "kernels": "N", "key": "FILE", "log": "FILE", "memory": "MIB", "mirror": "URL",
    "quorum": "N", "reports": "FILE", "run_timeout": "SECONDS", "seed": "PATH", "size": "MIB", "step_timeout": "SECONDS", "store": "DIR",
    "install_completion": "", "show_completion": "",
}  # fmt: skip
"""Parameter → its value, where neither the option says it nor its name does (`--days DAYS`)."""


def command(app: typer.Typer) -> Any:
    """The command that `app` is, with its values named."""
    made = typer.main.get_command(app)
    _name(made, made.context_settings)
    return made


def _name(command: Any, context: MutableMapping[str, Any]) -> None:
    for parameter in (*command.params, command.get_help_option(typer.Context(command, **context))):
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None  # its name says it
            parameter.metavar = parameter.metavar.removesuffix("…")  # help adds what says that there may be several
        elif parameter.metavar is None:
            parameter.metavar = "" if parameter.is_flag else _VALUES.get(parameter.name, parameter.name.upper())
    for inner in getattr(command, "commands", {}).values():
        _name(inner, context)
