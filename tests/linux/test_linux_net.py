"""Sockets of a step's own, and the filter of system calls: of our kernel, and of Debian's, which has a loopback as well.

The kernels of `--set net=none` and `net=loopback` are not asked here, since each takes minutes to build.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xboot.plugins import Plugins
from xboot.testing.boot import boot
from xboot.testing.builders import Builders, load_builders

pytestmark = [pytest.mark.boot, pytest.mark.apt, pytest.mark.compiler]

PROGRAMS = load_builders(Path(__file__).parent / "programs")
POWERS = """
touch f; mkdir d
for mode in u+s g+s 4755 2755 6755; do for name in f d; do chmod $mode $name && echo "$mode $name is done"; done; done > done 2> refused
[ ! -s done ] || { cat done; exit 1; }
[ "$(grep -c 'Operation not permitted' refused)" = 10 ] || { cat refused; exit 1; }
chmod 1777 d; chmod 755 f; [ "$(stat -c %a d)$(stat -c %a f)" = 1777755 ] || exit 1
echo ok > $out
"""


@pytest.mark.parametrize("kernel", ["built", "distro"])
@pytest.mark.parametrize(("executor", "system"), [("c", "i686-linux"), ("scheme", "x86_64-linux")])
def test_powers_are_refused_as_nix_refuses_them(
    xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path, system: str, executor: str, kernel: str
) -> None:
    script = xboot_builders(system).shell("powers", POWERS)
    booted = boot(script, "linux", tmp_path, plugins=xboot_plugins, executor=executor, settings={"kernel": kernel})
    assert booted.verdict.ok, booted.verdict.console_tail


@pytest.mark.parametrize("executor", ["c", "scheme"])
def test_our_kernel_has_sockets_between_processes(
    xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path, executor: str
) -> None:
    booted = boot(xboot_builders("i686-linux").script(PROGRAMS["sockets"]), "linux", tmp_path, plugins=xboot_plugins, executor=executor)
    assert booted.verdict.ok, booted.verdict.console_tail


@pytest.mark.parametrize("executor", ["c", "scheme"])
def test_a_step_has_sockets_and_a_loopback_of_its_own(
    xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path, executor: str
) -> None:
    script = xboot_builders("i686-linux").script(PROGRAMS["sockets"], ["loopback"])
    booted = boot(script, "linux", tmp_path, plugins=xboot_plugins, executor=executor, settings={"kernel": "distro"})
    assert booted.verdict.ok, booted.verdict.console_tail
