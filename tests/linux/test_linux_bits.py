"""The same kernel in 32 bits: i686 builders alone, and less to trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xboot.errors import BackendError, UsageError
from xboot.hooks import BackendOptions
from xboot.model import Script
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.testing.boot import boot
from xboot.testing.builders import Builders, load_builders

pytestmark = [pytest.mark.boot, pytest.mark.apt, pytest.mark.compiler]

NARROW = {"bits": "32"}
LOOKS = """
uname -m > $out
ls /proc/self/fd > fds; [ -s fds ] || exit 1
for i in 1 2 3 4 5; do (echo $i | cat) & done; wait
chmod u+s fds 2> refused && exit 1; grep -q 'Operation not permitted' refused || exit 1
"""


def test_a_step_runs_and_is_brought_out(xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path) -> None:
    script = xboot_builders("i686-linux").shell("narrow", LOOKS)
    run = boot(script, "linux", tmp_path, plugins=xboot_plugins, settings=NARROW)
    assert run.ok, run.verdict.failure + run.console
    assert run.content(script.results[0]) == b"i686\n"


def test_sockets_between_processes(xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path) -> None:
    sockets = load_builders(Path(__file__).parent / "programs")["sockets"]
    run = boot(xboot_builders("i686-linux").script(sockets), "linux", tmp_path, plugins=xboot_plugins, settings=NARROW)
    assert run.ok, run.verdict.console_tail


def test_its_kernel_is_smaller_and_its_calls_are_found(
    xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path
) -> None:
    script = xboot_builders("i686-linux").shell("narrow", "echo x > $out")
    pipeline = Pipeline(xboot_plugins)

    def kernel(settings: dict[str, str]) -> tuple[int, set[str]]:
        options = BackendOptions(settings=settings)
        image = pipeline.package("linux", script, pipeline.prepare("linux", script, options), options, tmp_path)
        (found,) = [component for component in pipeline.components("linux", image) if component.name == "kernel"]
        return found.bytes, set(found.syscalls)

    (wide, all_calls), (narrow, calls) = kernel({}), kernel(NARROW)
    assert narrow < wide / 3
    left_out = {"perf_event_open"}  # of the usual kernel alone
    assert {"read", "waitpid", "socketcall", "clone", "seccomp"} <= calls <= all_calls | left_out
    assert "arch_prctl" not in calls or "arch_prctl" in all_calls


def test_what_it_cannot_do_is_refused(xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path) -> None:
    pipeline = Pipeline(xboot_plugins)

    def prepared(script: Script, **more: object) -> None:
        options = BackendOptions(**{"settings": NARROW, **more})  # type: ignore[arg-type]
        pipeline.package("linux", script, pipeline.prepare("linux", script, options), options, tmp_path)

    narrow = xboot_builders("i686-linux").shell("narrow", "echo x > $out")
    with pytest.raises(BackendError, match="does not run x86_64-linux builders on a kernel of 32 bits"):
        prepared(xboot_builders("x86_64-linux").shell("wide", "echo x > $out"))
    with pytest.raises(UsageError, match="the executor scheme has 64 bits alone"):
        prepared(narrow, executor="scheme")
    with pytest.raises(UsageError, match="kernel=distro has 64 bits alone"):
        prepared(narrow, settings={"bits": "32", "kernel": "distro"})
