"""Writes the manual pages, in roff, from the command line itself: xboot.1, and one page for each verb.

Usage: python tools/man.py FOLDER (`make man`: build/man/man1; `man -M build/man xboot` shows them).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xboot import __version__
from xboot.cli.app import app
from xboot.cli.values import command as command_of

ROOT = Path(__file__).parents[1]
STATUSES = ROOT / "docs" / "exit-codes.md"
ENVIRONMENT = {
    "XBOOT_CACHE": "The folder for what can be made again: kernels, executors, Debian packages. Default: xboot in the user's cache folder.",
    "XBOOT_STORE": "The folder for what recipes and fetches bring. Default: xboot/store in the user's data folder.",
    "XBOOT_RESULTS": "The folder for the results of verified steps. Default: in the user's state folder.",
    "XBOOT_RESULTS_KEY": "The file with the key that these results are sealed with.",
    "XBOOT_MIRROR": "Folders or URLs that have parts; they are asked first.",
    "XBOOT_SNAPSHOT": "Archives that keep old versions of parts; they are asked last.",
    "NO_COLOR": "If set, nothing is coloured.",
}


def pages() -> dict[str, str]:
    """File name → page, for xboot and every verb."""
    group = command_of(app)
    found = {"xboot.1": _page("xboot", group, _verbs(group))}
    for name, command in _leaves(group):
        found[f"xboot-{name.replace(' ', '-')}.1"] = _page(f"xboot {name}", command, [])
    return found


def _leaves(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every verb with the words that name it (`cache show`)."""
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _page(name: str, command: Any, middle: list[str]) -> str:
    dashed = name.replace(" ", "-")
    text = _plain(command.help or "")
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join(["[OPTION…]", *(_operand(a) for a in arguments), *(["VERB [ARGUMENT…]"] if middle else [])])
    first = re.split(r"[.:;](?: |$)", text)[0]
    lines = [
        f'.TH "{_roff(dashed.upper())}" 1 "" "xboot {__version__}" "xboot"',
        ".SH NAME", f"{_roff(dashed)} \\- {_roff(first[:1].lower() + first[1:])}",
        ".SH SYNOPSIS", f".B {_roff(name)}", _roff(usage),
        ".SH DESCRIPTION", _roff(text), *middle,
    ]  # fmt: skip
    if arguments:
        lines.append(".SH ARGUMENTS")
        for argument in arguments:
            lines += [".TP", f".I {_roff(_operand(argument))}", _roff(_plain(argument.help or ""))]
    lines.append(".SH OPTIONS")
    for option in options:
        named = f"{', '.join([*option.opts, *option.secondary_opts])} {option.metavar}".strip()
        lines += [".TP", f".B {_roff(named)}", _roff(_plain(option.help or ""))]
    lines += [".SH EXIT STATUS"]
    for status, meaning in statuses():
        lines += [".TP", f".B {status}", _roff(_plain(meaning))]
    if middle:
        lines += [".SH ENVIRONMENT"]
        for variable, meaning in ENVIRONMENT.items():
            lines += [".TP", f".B {variable}", _roff(meaning)]
    else:
        lines += [".SH SEE ALSO", ".BR xboot (1)"]
    return "\n".join(lines) + "\n"


def _verbs(group: Any) -> list[str]:
    lines: list[str] = []
    by_panel: dict[str, list[tuple[str, Any]]] = {}
    for name, command in _leaves(group):
        top = group.commands[name.split()[0]]
        by_panel.setdefault(str(top.rich_help_panel), []).append((name, command))
    for panel, verbs in by_panel.items():
        lines.append(f".SS {_roff(panel)}")
        for name, command in verbs:
            lines += [".TP", f".BR xboot-{_roff(name.replace(' ', '-'))} (1)", _roff(_plain(command.help or ""))]
    return lines


def statuses() -> list[tuple[str, str]]:
    """The exit statuses with their meanings, from docs/exit-codes.md."""
    found = re.findall(r"^\| (\d+) \| ([^|]+) \|", STATUSES.read_text(), re.MULTILINE)
    if not found:
        raise ValueError(f"{STATUSES} has no table of statuses")
    return found


def _operand(argument: Any) -> str:
    name = argument.metavar + ("…" if argument.nargs < 0 else "")
    return name if argument.required else f"[{name}]"


def _plain(text: str) -> str:
    """One line, without Markdown's marks."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", " ".join(text.replace("`", "").split()))


def _roff(text: str) -> str:
    """`text` so that roff prints it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("…", "...").replace("→", "\\->")
    return f"\\&{text}" if text.startswith(".") else text


def main(arguments: list[str]) -> int:
    """Write all pages into the folder that is named; the exit status."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)
    print(f"{folder}: {len(pages())} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
