"""mkdocs' hook: makes the reference of hooks, nouns and machines from the code, each time the site is built. Nothing of it is committed.

Signatures and docstrings come from the modules `hooks`, `model`, `voter`, `result`, `machine` and `api` of xboot; what they say of each
argument and field, from docs/reference.toml.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from xboot import api, hooks, machine, model, request, result, voter

TEXTS = Path(__file__).with_name("reference.toml")


def hook_arguments() -> dict[str, list[str]]:
    """Every hook of the contract, in order, with the names of its arguments."""
    found = {name: value for name, value in vars(hooks).items() if name.startswith("xboot_") and inspect.isfunction(value)}
    return {name: list(inspect.signature(hook).parameters) for name, hook in found.items()}


def noun_fields() -> dict[str, list[str]]:
    """Every class of the contract, in order, with the names of its fields, members and properties."""
    return {noun.__name__: _fields(noun) for noun in _nouns()}


def texts() -> dict[str, dict[str, dict[str, str]]]:
    """docs/reference.toml."""
    return tomllib.loads(TEXTS.read_text())


def hooks_page() -> str:
    """The page of hooks."""
    said = texts()["hooks"]
    lines = [
        "# Hooks", "", _text(hooks), "",
        f"This is contract version **{hooks.CONTRACT_VERSION}**. "
        "Types are in [nouns](nouns.md), rules in [API stability](../stability.md).", "",
        "A hook marked *first answer* stops at the first plugin that does not answer None. The others ask everybody.", "",
    ]  # fmt: skip
    for name, arguments in hook_arguments().items():
        hook = getattr(hooks, name)
        signature = inspect.signature(hook)
        first = getattr(hook, "xboot_spec", {}).get("firstresult")
        lines += [f"## {name}", "", "```python", f"def {name}{_wrapped(signature)}", "```", ""]
        lines += ["*First answer.* " * bool(first) + _text(hook), ""]
        lines += _table("argument", [(a, str(signature.parameters[a].annotation), said[name][a]) for a in arguments])
    return "\n".join(lines) + "\n"


def nouns_page() -> str:
    """The page of classes."""
    said = texts()["nouns"]
    lines = ["# Nouns", "", _text(model), "", "The options of the hooks come first, then the nouns in the order of the stages.", ""]
    for noun in _nouns():
        kinds = _kinds(noun)
        lines += [f"## {noun.__name__}", "", _text(noun), ""]
        lines += _table(
            "member" if issubclass(noun, enum.Enum) else "field", [(f, kinds[f], said[noun.__name__][f]) for f in _fields(noun)]
        )
    return "\n".join(lines) + "\n"


def machines_page() -> str:
    """The page of what a machine is made of: the classes of `xboot.machine`, with their methods."""
    lines = ["# Machines", "", _text(machine), ""]
    for name in machine.__all__:
        thing = getattr(machine, name)
        if not inspect.isclass(thing):
            lines += [
                f"## {name}",
                "",
                "```python",
                f"{_verb(thing)} {name}{_wrapped(inspect.signature(thing))}",
                "```",
                "",
                _text(thing),
                "",
            ]
            continue
        lines += [f"## {name}", "", _text(thing), ""]
        if dataclasses.is_dataclass(thing):
            lines += [f"- `{field}`: `{kind}`" for field, kind in _kinds(thing).items()] + [""]
            continue
        for method, value in vars(thing).items():
            if inspect.isfunction(value) and not method.startswith(("_", "xboot_")):
                abstract = "*To be implemented.* " if getattr(value, "__isabstractmethod__", False) else ""
                signature = _wrapped(inspect.signature(value))
                lines += [
                    f"### {name}.{method}",
                    "",
                    "```python",
                    f"{_verb(value)} {method}{signature}",
                    "```",
                    "",
                    abstract + _text(value),
                    "",
                ]
    return "\n".join(lines) + "\n"


def _verb(function: object) -> str:
    return "async def" if inspect.iscoroutinefunction(function) else "def"


def on_files(files: Any, config: Any) -> Any:
    """Called by mkdocs when it has found the pages that are files."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - the tests of this file need no mkdocs

    files.append(File.generated(config, "reference/hooks.md", content=hooks_page()))
    files.append(File.generated(config, "reference/nouns.md", content=nouns_page()))
    files.append(File.generated(config, "reference/machines.md", content=machines_page()))
    files.append(File.generated(config, "reference/api.md", content=api_page()))
    return files


def api_page() -> str:
    """The page of the Python API."""
    lines = ["# The Python API", "", inspect.cleandoc((_text(api)).replace("    import xboot", "    import xboot")), ""]
    for name in ("run", "compare", "plan", "tcb", "request"):
        function = getattr(api, name)
        lines += [f"## {name}", "", "```python", f"def {name}{_wrapped(inspect.signature(function))}", "```", "", _text(function), ""]
    lines += ["## Wishes", "", _text(api.Wishes), ""]
    lines += _table("wish", [(name, str(getattr(kind, "__forward_arg__", kind)), "") for name, kind in api.Wishes.__annotations__.items()])
    lines += ["## Request", "", "```text", _text(request.Request), "```", ""]
    return "\n".join(lines) + "\n"


def _nouns() -> Iterator[type]:
    for module in (hooks, model, voter, result):
        yield from _classes(module)


def _classes(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield value


def _fields(noun: type) -> list[str]:
    if issubclass(noun, enum.Enum):
        return list(noun.__members__)
    properties = [name for name, value in vars(noun).items() if isinstance(value, property)]
    return [field.name for field in dataclasses.fields(noun)] + properties


def _kinds(noun: type) -> dict[str, str]:
    if issubclass(noun, enum.Enum):
        return {name: repr(member.value) for name, member in noun.__members__.items()}
    kinds = {}
    for field in dataclasses.fields(noun):
        default = ""
        if field.default is not dataclasses.MISSING:
            default = f" = {field.default!r}"
        elif field.default_factory is not dataclasses.MISSING:
            default = f" = {field.default_factory()!r}"
        kinds[field.name] = f"{field.type}{default}"
    for name, value in vars(noun).items():
        if isinstance(value, property):
            kinds[name] = str(inspect.signature(value.fget).return_annotation) if value.fget else ""
    return kinds


def _wrapped(signature: inspect.Signature) -> str:
    line = str(signature).replace("'", "")
    if len(line) < 90:
        return line
    inside, _, after = line[1:].rpartition(")")
    depth, parts = 0, [""]
    for character in inside:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return "(\n" + "".join(f"    {part.strip()},\n" for part in parts) + f"){after}"


def _table(head: str, rows: list[tuple[str, str, str]]) -> list[str]:
    if not rows:
        return []
    cells = [f"| `{name}` | `{kind}` | {text} |" for name, kind, text in rows]
    return [f"| {head} | | |", "|---|---|---|", *cells, ""]


def _text(thing: object) -> str:
    return inspect.getdoc(thing) or ""
