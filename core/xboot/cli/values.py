"""What help and manual pages call the value of an option: a word that says what to write there, never the name of a Python type."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from copy import copy
from functools import partial
from typing import Any

import typer.main
from typer.models import CommandInfo, TyperInfo

from xboot.cli.help import show_help

__all__ = ["command"]

_VALUES = {
    "accel": "auto|tcg|kvm", "expect": "[NAME=]HASH", "expect_file": "FILE", "export": "DIR", "folders": "DIR", "html": "FILE",
    "into": "DIR", "jobs": "N", "keep": "DIR", "kernels": "N", "key": "FILE", "log": "FILE", "memory": "MIB", "mirror": "URL",
    "quorum": "N", "reports": "FILE", "run_timeout": "SECONDS", "seed": "PATH", "size": "MIB", "step_timeout": "SECONDS", "store": "DIR",
    "install_completion": "", "show_completion": "",
}  # fmt: skip
"""Parameter → its value, where neither the option says it nor its name does (`--days DAYS`)."""


def command(app: typer.Typer, arguments: Sequence[str] | None = None) -> Any:
    """The command that `app` is, with its values named. `arguments` are those of the command line, where there is one: of thirty verbs it
    needs one, and of a list of verbs no options.
    """
    made = typer.main.get_command(app if arguments is None else _needed(app, arguments))
    _name(made, made.context_settings)
    return made


def _needed(app: typer.Typer, arguments: Sequence[str]) -> typer.Typer:
    """What of `app` can be asked for by `arguments`: the verb that is their first word, or else all verbs."""
    if list(arguments) in ([], ["-h"], ["--help"]):
        return _listed(app)
    found = _with_verb(app, arguments[0])
    return found or app


def _with_verb(app: typer.Typer, verb: str) -> typer.Typer | None:
    """`app` with that verb alone; None where it has none of that name."""
    commands = [info for info in app.registered_commands if _verb(info) == verb]
    groups = [info for info in app.registered_groups if info.name == verb]
    for info in app.registered_groups:  # those without a name are files of verbs, and no word of the command line
        if isinstance(info.name, str) or info.typer_instance is None:
            continue
        inner = _with_verb(info.typer_instance, verb)
        if inner is not None:
            groups.append(_group(info, inner))
    return _of(app, commands, groups) if commands or groups else None


def _listed(app: typer.Typer) -> typer.Typer:
    """`app` with verbs that take nothing."""
    groups = [_group(info, _listed(info.typer_instance)) for info in app.registered_groups if info.typer_instance is not None]
    return _of(app, [_bare(info) for info in app.registered_commands], groups)


def _of(app: typer.Typer, commands: list[CommandInfo], groups: list[TyperInfo]) -> typer.Typer:
    made = copy(app)
    made.registered_commands, made.registered_groups = commands, groups
    return made


def _group(info: TyperInfo, app: typer.Typer) -> TyperInfo:
    made = copy(info)
    made.typer_instance = app
    return made


def _verb(info: CommandInfo) -> str:
    return info.name or (info.callback.__name__.replace("_", "-") if info.callback is not None else "")


def _bare(info: CommandInfo) -> CommandInfo:
    def nothing() -> None:
        """Never run."""

    nothing.__doc__ = info.callback.__doc__ if info.callback is not None else None
    made = copy(info)
    made.name, made.callback = _verb(info), nothing
    return made


class _Words:
    """How a parameter's value is read: words are what they are, and what nobody gave is nothing. All else is typer's (`usual`), which takes
    50 ms to load pydantic.
    """

    def __init__(self, usual: Callable[[], Any]) -> None:
        self._usual = usual

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        wanted = param.type_descriptor
        if wanted.parameter_info.parser is None:
            if wanted.annotation is str and type(value) is str:
                return value
            if wanted.annotation == list[str] and several and isinstance(value, list | tuple) and all(type(one) is str for one in value):
                return list(value)
        return self._usual().coerce(value, param=param, ctx=ctx)


def _name(command: Any, context: MutableMapping[str, Any]) -> None:
    command.format_help = partial(show_help, command)
    for parameter in (*command.params, command.get_help_option(typer.Context(command, **context))):
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None  # its name says it
            parameter.metavar = parameter.metavar.removesuffix("…")  # help adds what says that there may be several
        elif parameter.metavar is None:
            parameter.metavar = "" if parameter.is_flag else _VALUES.get(parameter.name, parameter.name.upper())
        if hasattr(parameter, "get_runtime_param"):  # of the versions of typer that read values by pydantic
            parameter.get_runtime_param = partial(_Words, parameter.get_runtime_param)
    for inner in getattr(command, "commands", {}).values():
        _name(inner, context)
