"""Sockets answer as Debian's own Linux answers them, and nothing of them outlives what holds it (programs/sockets says so line by line)."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot import nar
from xboot.plugins import Plugins
from xboot.testing.boot import boot
from xboot.testing.builders import PROGRAMS, SOCKETS, Builders, load_builders, syscall_answers


@pytest.mark.boot
@pytest.mark.parametrize(
    ("backend", "settings"),
    [("tccboot", {}), ("hurd", {}), ("mirage", {}), ("linux", {}), ("linux", {"kernel": "distro"})],
    ids=["tccboot", "hurd", "mirage", "linux", "debian's kernel"],
)
def test_sockets_answer_as_linux_does(tmp_path: Path, backend: str, settings: dict[str, str]) -> None:
    """Debian's kernel is among them as the oracle: what the lines say is no opinion of ours."""
    plugins = Plugins.load()
    (tmp_path / "builders").mkdir()
    builders = Builders(tmp_path / "builders", "i686-linux", plugins)
    script = builders.script(load_builders(PROGRAMS)[SOCKETS.parent.name], to_output=True)
    booted = boot(script, backend, tmp_path / "boot", plugins=plugins, settings=settings, export=script.results)
    assert booted.ok, f"{booted.verdict.failure}\n{booted.console}"
    with booted.verdict.exports[script.results[0]].open("rb") as stream:
        (lines,) = [b"".join(entry.chunks).decode() for entry in nar.read(stream) if entry.kind == "regular"]
    assert lines.splitlines() == syscall_answers(SOCKETS)
