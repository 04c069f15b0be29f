"""Sockets and what System V shares answer as Debian's own Linux answers (programs/sockets, ipc, loopback say so line by line), and nothing
of them outlives what holds it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot import nar
from xboot.plugins import Plugins
from xboot.testing.boot import boot
from xboot.testing.builders import CALLS, IPC, LOOPBACK, PROGRAMS, SOCKETS, SYSCALLS, Builders, load_builders, syscall_answers

_BACKENDS: list[tuple[str, dict[str, str]]] = [("tccboot", {}), ("hurd", {}), ("mirage", {}), ("linux", {"kernel": "distro"})]
"""Debian's kernel is among them as the oracle: what the lines say is no opinion of ours."""


_DISTRO = {"kernel": "distro"}
_NARROW = [(program, *backend) for program in (SOCKETS, IPC, LOOPBACK) for backend in _BACKENDS] + [
    (SOCKETS, "linux", {}),
    (IPC, "linux", {}),
]
_WIDE: list[tuple[Path, str, dict[str, str]]] = [(IPC, backend, {}) for backend in ("tccboot", "mirage", "linux")]
_WIDE += [(program, "linux", _DISTRO) for program in (SYSCALLS, CALLS, IPC)]  # the first two: for all others it is in their suite


@pytest.mark.boot
@pytest.mark.parametrize(
    ("program", "backend", "settings", "system"),
    [(*row, "i686-linux") for row in _NARROW] + [(*row, "x86_64-linux") for row in _WIDE],
    ids=lambda value: value.parent.name if isinstance(value, Path) else ("debian's" if value else "") if isinstance(value, dict) else value,
)
def test_they_answer_as_linux_does(tmp_path: Path, program: Path, backend: str, settings: dict[str, str], system: str) -> None:
    plugins = Plugins.load()
    (tmp_path / "builders").mkdir()
    builders = Builders(tmp_path / "builders", system, plugins)
    script = builders.script(load_builders(PROGRAMS)[program.parent.name], to_output=True)
    booted = boot(script, backend, tmp_path / "boot", plugins=plugins, settings=settings, export=script.results)
    assert booted.ok, f"{booted.verdict.failure}\n{booted.console}"
    with booted.verdict.exports[script.results[0]].open("rb") as stream:
        (lines,) = [b"".join(entry.chunks).decode() for entry in nar.read(stream) if entry.kind == "regular"]
    assert lines.splitlines() == syscall_answers(program, system)


@pytest.mark.boot
@pytest.mark.parametrize(("backend", "settings"), _BACKENDS, ids=[name for name, _ in _BACKENDS])
def test_a_server_and_its_clients_meet_on_the_loopback(tmp_path: Path, backend: str, settings: dict[str, str]) -> None:
    """Programs that nobody here wrote: busybox's httpd and wget."""
    plugins = Plugins.load()
    (tmp_path / "builders").mkdir()
    script = Builders(tmp_path / "builders", "i686-linux", plugins).script(load_builders(PROGRAMS)["web"])
    booted = boot(script, backend, tmp_path / "boot", plugins=plugins, settings=settings)
    assert booted.ok, f"{booted.verdict.failure}\n{booted.console}"


@pytest.mark.boot
@pytest.mark.parametrize("backend", ["tccboot", "hurd", "mirage"])
def test_names_that_nobody_asked_for_begin_anew_with_each_step(tmp_path: Path, backend: str) -> None:
    plugins = Plugins.load()
    (tmp_path / "builders").mkdir()
    script = Builders(tmp_path / "builders", "i686-linux", plugins).script(load_builders(PROGRAMS)["unasked-names"], to_output=True)
    booted = boot(script, backend, tmp_path / "boot", plugins=plugins, export=False)
    assert booted.ok, f"{booted.verdict.failure}\n{booted.console}"
