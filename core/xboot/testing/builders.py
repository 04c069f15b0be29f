"""Builders for the conformance suite: programs in this package's folders, made into derivations without Nix or Guix.

A shell script or a freestanding C program says at its head, in comments, what is to come of it:

    Wins: what a cheat would gain (hostile builders)
    Verdict: ok | fails REGEX       of the run; the regular expression is searched in the failure
    Output: right | ok | link       what the output must be: a folder with a file `f` that says `right`; a file, `ok`; a link to /etc
    Outputs: out dev                names of its outputs (default: out)
    Then: COMMAND                   a second step that has the first's output as `$first`
    Timeout, Memory: NUMBER         step limit in seconds; MiB
    Log: REGEX                      is found in the console's log
    CVE: NAME, NAME                 what it replays (docs/assurance.md has a row for each)
    System: x86_64-linux            what a C program is for (default: i686-linux)
    Fixed: flat                     its output is one whose content is known beforehand

A program of many parts is a folder with a `main.c` that includes the others: see `programs/syscalls`, whose `main.c` says how a section is
added.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from xboot._records import dataclass
from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.tcc import Tcc, obtain_tcc, run_tcc
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Script
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.recipe import derive
from xboot.testing.recipes import ARCHITECTURES, plain_recipe_text, recipe_text

__all__ = [
    "ATTACKS",
    "CALLS",
    "HISTORY",
    "HOSTILE",
    "IPC",
    "LOOPBACK",
    "PROGRAMS",
    "SOCKETS",
    "SYSCALLS",
    "SYSTEMS",
    "Builder",
    "Builders",
    "load_builders",
    "syscall_answers",
]

_HERE = Path(__file__).parent
HOSTILE = _HERE / "hostile"
"""The hostile builders, one attack a file."""
HISTORY = HOSTILE / "history"
"""Hostile builders that replay known faults of others. None fails, so that all of them are steps of one run."""
PROGRAMS = _HERE / "programs"
"""Builders that behave: the executor contract, system calls, speeds."""

SYSCALLS = PROGRAMS / "syscalls" / "main.c"
"""The conformance program of system calls."""
CALLS = PROGRAMS / "calls" / "main.c"
"""Another one, made like it: threads, moving data, waiting, locks, /proc."""
SOCKETS = PROGRAMS / "sockets" / "main.c"
"""A third: sockets between processes of a step, memory files, queued signals. Not every backend answers it yet, so it is in no suite."""
IPC = PROGRAMS / "ipc" / "main.c"
"""A fourth: System V's shared memory and semaphores. In no suite, for the same reason."""
LOOPBACK = PROGRAMS / "loopback" / "main.c"
"""A fifth: AF_INET and AF_INET6 on the loopback of a step's own. In no suite: linux has one with `--set net=loopback` alone."""

_FIELD = re.compile(r"^(?:/\*|\*|#)?\s*(Wins|Verdict|Output|Outputs|Then|Timeout|Memory|Log|CVE|Fixed|Breaks|System): (.*?)(?:\s*\*/)?$")
SYSTEMS = tuple(ARCHITECTURES)
"""The systems that there are builders for; the first that a backend runs is taken where one is enough."""


@dataclass(frozen=True, slots=True)
class Builder:
    """One program, and what is to come of it; `fails` is a regular expression, None when the run must succeed. `breaks`: machines that may
    end on it, as an emulator does that meets what it does not emulate: that is a failed run, and wins nothing.
    """

    name: str
    file: Path
    wins: str
    fails: str | None
    output: str = ""
    outputs: Sequence[str] = ("out",)
    then: str = ""
    timeout: float = 60.0
    memory: int | None = None
    log: str = ""
    cves: Sequence[str] = ()
    fixed: str = ""
    breaks: Sequence[str] = ()
    system: str = ""

    @property
    def compiled(self) -> bool:
        """A C program, for its `system` alone; a shell script is for all (empty)."""
        return self.file.suffix == ".c"

    @property
    def nar_sha256(self) -> str:
        """The hash that the first step's output `out` must have, in hex; empty when any will do."""
        return hashlib.sha256(_TREES[self.output]).hexdigest() if self.output else ""


def load_builders(folder: Path) -> dict[str, Builder]:
    """The builders of a folder by name, in the order of their names. Raises ValueError for a head that cannot be read."""
    files = {path.stem: path for path in folder.iterdir() if path.suffix in (".sh", ".c")}
    files |= {path.parent.name: path for path in folder.glob("*/main.c")}
    return {name: _load(name, files[name]) for name in sorted(files)}


def syscall_answers(program: Path = SYSCALLS, system: str = "i686-linux") -> list[str]:
    """What Debian 12's Linux answers to `program`, compiled for `system`: the lines of every section that its main.c includes, in that
    order. A line of one system alone stands there as `SYSTEM | LINE | REASON`.
    """
    lines = []
    for name in re.findall(r'(?m)^#include "(\w+)\.c"$', program.read_text()):
        lines.append(f"# {name}")
        for line in program.with_name(f"{name}.txt").read_text().splitlines():
            words = line.split(" | ")
            if len(words) != 3 or words[0] == system:
                lines.append(words[1] if len(words) == 3 else line)
    return [*lines, "# end"]


def _load(name: str, path: Path) -> Builder:
    fields: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if found := _FIELD.match(line):
            if found[1] in fields:
                raise ValueError(f"{path}: says {found[1]} twice")
            fields[found[1]] = found[2]
    verdict = fields.get("Verdict", "" if "Wins" in fields else "ok")
    if verdict != "ok" and not verdict.startswith("fails "):
        raise ValueError(f"{path}: Verdict is {verdict!r}, expected `ok` or `fails REGEX`")
    return Builder(
        name=name,
        file=path,
        wins=fields.get("Wins", ""),
        fails=None if verdict == "ok" else verdict.removeprefix("fails "),
        output=fields.get("Output", ""),
        outputs=fields.get("Outputs", "out").split(),
        then=fields.get("Then", ""),
        timeout=float(fields.get("Timeout", "60")),
        memory=int(fields["Memory"]) if "Memory" in fields else None,
        log=fields.get("Log", ""),
        cves=fields["CVE"].split(", ") if "CVE" in fields else [],
        fixed=fields.get("Fixed", ""),
        breaks=fields.get("Breaks", "").split(),
        system=fields.get("System", "i686-linux") if path.suffix == ".c" else "",
    )


def _strings(*words: bytes) -> bytes:
    return b"".join(len(word).to_bytes(8, "little") + word + bytes(-len(word) % 8) for word in words)


# NARs written out by hand: an expectation that xboot's own writer has no part in.
_TREES = {
    "right": _strings(b"nix-archive-1", b"(", b"type", b"directory", b"entry", b"(", b"name", b"f", b"node")
    + _strings(b"(", b"type", b"regular", b"contents", b"right\n", b")", b")", b")"),
    "ok": _strings(b"nix-archive-1", b"(", b"type", b"regular", b"contents", b"ok\n", b")"),
    "link": _strings(b"nix-archive-1", b"(", b"type", b"symlink", b"target", b"/etc", b")"),
}


_TCC = {"i686-linux": "i386-tcc", "x86_64-linux": "tcc"}
ATTACKS = load_builders(HOSTILE)
"""The hostile builders by name."""


class Builders:
    """Makes scripts of builders, for one system, in a folder of its own.

    Debian's static busybox is what they run in; the environment has `bb` (its store path), `PATH`, and `script` or `program`.
    """

    def __init__(self, folder: Path, system: str, plugins: Plugins) -> None:
        self.system = system
        self._folder = folder
        self._pipeline = Pipeline(plugins)

    @cached_property
    def _tcc(self) -> Tcc:
        return obtain_tcc(DebianPackages(Cache()), _TCC[self.system])

    def script(self, builder: Builder, arguments: Sequence[str] = (), *, to_output: bool = False) -> Script:
        """The script of one builder. `to_output`: what a C program prints is its output.

        Raises XbootError when Debian's packages cannot be had.
        """
        derivations, sources = self._steps(builder, arguments, to_output)
        return self._linearize(derivations, sources)

    def together(self, builders: Iterable[Builder]) -> Script:
        """One script whose steps are these builders and what comes after each. Raises as `script` does."""
        derivations: dict[str, dict[str, object]] = {}
        sources: dict[str, Path] = {}
        for builder in builders:
            more, files = self._steps(builder)
            derivations |= more
            sources |= files
        firsts = {f"done{number}": f"{{{name}}}" for number, name in enumerate(derivations)}
        return self._linearize(derivations | {"together": self._derivation("together", "echo ok > $out", firsts)}, sources)

    def _steps(
        self, builder: Builder, arguments: Sequence[str] = (), to_output: bool = False
    ) -> tuple[dict[str, dict[str, object]], dict[str, Path]]:
        """The derivations of a builder, and the files that are their sources."""
        program = self._compiled(builder) if builder.compiled else builder.file
        kind = "program" if builder.compiled else "script"
        source = f"{kind}-of-{builder.name}"
        command = " ".join(["exec $program", *arguments, "> $out"] if to_output else ["echo ok > $out &&", "$program", *arguments])
        if not builder.compiled:
            command = ". $script"
        derivations = {builder.name: self._derivation(builder.name, command, {kind: f"{{{source}}}"}, builder.outputs)}
        if builder.fixed:
            known = base64.b64encode(hashlib.sha256(b"ok\n").digest()).decode()
            del derivations[builder.name]["outputs"]
            derivations[builder.name]["fixed"] = {"hash": f"sha256-{known}", "mode": builder.fixed}
        if builder.then:
            name = f"{builder.name}-then"
            derivations[name] = self._derivation(name, builder.then, {"first": f"{{{builder.name}}}", kind: f"{{{source}}}"})
        return derivations, {source: program}

    def shell(self, name: str, command: str, env: Mapping[str, str] | None = None, *, builder: str = "sh") -> Script:
        """A script of one step: a shell command, or another of busybox's programs as the `builder`."""
        derivation = self._derivation(name, command, env or {})
        return self._linearize({name: derivation | {"builder": f"{{busybox}}/bin/{builder}"}}, {})

    def plain(self, name: str) -> Script:
        """A script to be packed, not run: its sources are made on the spot, so it needs neither compiler nor packages."""
        tree = self._folder / name
        tree.mkdir(exist_ok=True)
        if not (tree / "link").is_symlink():
            (tree / "folder").mkdir()
            (tree / "folder" / "empty").touch()
            (tree / "builder").write_text(f"#!/bin/sh\n# {name}\n")
            (tree / "builder").chmod(0o755)
            (tree / "link").symlink_to("folder/empty")
        sources: dict[str, dict[str, object]] = {"tree": {"type": "tree", "path": str(tree)}}
        return self._derive(plain_recipe_text({name: {"builder": "{tree}/builder"}}, sources, self.system), name)

    def _compiled(self, builder: Builder) -> Path:
        run_tcc(self._tcc, ["-nostdlib", "-static", "-o", builder.name, str(builder.file)], self._folder)
        return self._folder / builder.name

    def _derivation(self, name: str, command: str, env: Mapping[str, str], outputs: Sequence[str] = ("out",)) -> dict[str, object]:
        shell = command.replace("{", "{{").replace("}", "}}")
        return {
            "builder": "{busybox}/bin/sh",
            "args": ["-c", shell],
            "outputs": list(outputs),
            "env": {"bb": "{busybox}", "PATH": "{busybox}/bin", **env},
        }

    def _linearize(self, derivations: Mapping[str, dict[str, object]], files: Mapping[str, Path]) -> Script:
        sources: dict[str, dict[str, object]] = {name: {"type": "file", "path": str(path)} for name, path in files.items()}
        return self._derive(recipe_text(derivations, sources, system=self.system), list(derivations)[-1])

    def _derive(self, text: str, last: str) -> Script:
        recipe = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.toml"
        recipe.write_text(text)
        derived = derive(recipe, self._folder / "store", [last])
        closure = self._pipeline.read(sorted(derived.derivations.values()), ReadOptions(stores=[derived.store]))
        return self._pipeline.linearize(closure, LinearizeOptions())
