"""What is left out of Linux where no option leaves it out: guest/leftout.toml, applied to its source, and counted after the build.

Linux's own files are changed in two ways alone: a text goes, or some lines do, with a few of ours in their place. A text that is not there
exactly once is another Linux than the one that this was read for, and the build ends.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot.errors import BackendError
from xboot.tcb import count_files

GUEST = Path(__file__).parent / "guest"
LIST = GUEST / "leftout.toml"
# Folders of files that take the place of Linux's own, or stand beside them.
_ALWAYS = GUEST / "leftout"
_NODEVICE = GUEST / "nodevice"  # with `net=unix`: sockets between processes need no device
_USUAL = GUEST / "usual"  # in the usual kernel
FILE = "leftout.json"  # beside the kernel: lines that were left out, by entry
_HINT = "this linux-source differs from the ones that xboot knows; adapt plugins/linux/xboot_linux/guest/leftout.toml"


@dataclass(frozen=True, slots=True)
class Change:
    """In a file of Linux's: `text` gives way to `instead`; or the lines from the one that begins with `start` do, up to the next that
    begins with `end`, which stays.
    """

    file: str
    text: str
    start: str
    end: str
    instead: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of Linux, why it is left out, its files and what is changed in others. `net`: only with this value of the setting;
    `usual`: only in the usual kernel, of 64 bits with `net=unix`.
    """

    what: str
    why: str
    files: Sequence[str]
    changes: Sequence[Change]
    net: str = ""
    usual: bool = False


def left_out(net: str, bits: str) -> Sequence[LeftOut]:
    """The parts that a kernel of so many bits with these sockets does without, as guest/leftout.toml lists them."""
    entries = (_entry(entry) for entry in tomllib.loads(LIST.read_text())["leftout"])
    return [entry for entry in entries if entry.net in ("", net) and (_is_usual(net, bits) or not entry.usual)]


def _is_usual(net: str, bits: str) -> bool:
    return (net, bits) == ("unix", "64")


def _entry(entry: Mapping[str, object]) -> LeftOut:
    values = dict(entry)
    changes = values.pop("changes", [])
    assert isinstance(changes, list)
    made = [
        Change(c["file"], c.get("text", ""), c.get("from", ""), c.get("to", ""), c.get("instead", "")) for c in changes
    ]  # a change without a file is a KeyError: the list is ours, and a test reads it
    return LeftOut(changes=made, **values)  # type: ignore[arg-type]


def replaced(net: str, bits: str) -> Mapping[str, Path]:
    """The files of ours that take the place of Linux's, or stand beside them, by their places in its tree."""
    folders = (_ALWAYS, *((_NODEVICE,) if net == "unix" else ()), *((_USUAL,) if _is_usual(net, bits) else ()))
    return {str(path.relative_to(folder)): path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}


def leave_out(tree: Path, net: str, bits: str) -> None:
    """Make the changes in Linux's tree, and put our files there. Raises BackendError when the tree is not as expected."""
    for entry in left_out(net, bits):
        for change in entry.changes:
            path = tree / change.file
            if not path.is_file():
                raise BackendError(f"Linux has no file {change.file}, which is to be changed for: {entry.what}", hint=_HINT)
            path.write_text(changed(path.read_text(), change))
    for place, path in replaced(net, bits).items():
        shutil.copyfile(path, tree / place)


def changed(text: str, change: Change) -> str:
    """The file's text after a change. Raises BackendError when the place is not there exactly once."""
    if change.text:
        found = list(re.finditer(rf"(?<![\w.-]){re.escape(change.text)}(?![\w.-])", text))
        begin, end = found[0].span() if len(found) == 1 else (0, 0)
    else:
        found = list(re.finditer(rf"^{re.escape(change.start)}", text, re.MULTILINE))
        begin = found[0].start() if found else 0
        after = re.compile(rf"^{re.escape(change.end)}", re.MULTILINE).search(text, begin + 1)
        if len(found) == 1 and after is None:
            raise BackendError(f"Linux's {change.file} has no line that begins with {change.end!r} after {change.start!r}", hint=_HINT)
        end = after.start() if after else 0
    if len(found) != 1:
        raise BackendError(f"Linux's {change.file} has {(change.text or change.start)!r} {len(found)} times; expected once", hint=_HINT)
    return text[:begin] + change.instead + text[end:]


def counted(tree: Path, net: str, bits: str, compiled: Collection[str]) -> Mapping[str, int]:
    """Lines that each entry leaves out, by its name. Raises BackendError when one of its files is not in Linux's tree, or was compiled."""
    result = {}
    for entry in left_out(net, bits):
        if missing := [name for name in entry.files if not (tree / name).is_file()]:
            raise BackendError(f"Linux has no {', '.join(missing)}, said to be left out: {entry.what}", hint=_HINT)
        if still := [name for name in entry.files if name in compiled]:
            raise BackendError(f"left out by the list, and compiled all the same: {', '.join(still)} ({entry.what})", hint=_HINT)
        result[entry.what] = sum(source.lines for source in count_files(tree / name for name in entry.files).values())
    return result
