"""`pytest --xboot-backend NAME`: the conformance suite for an installed backend. Does nothing, and imports nothing, without that option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xboot.plugins import Plugins
    from xboot.testing.builders import Builders
    from xboot.voter import Voter

# So that a failed assertion of the suite shows its values, however xboot was installed.
pytest.register_assert_rewrite("xboot.testing.kernelless", "xboot.testing.suite")

selected: dict[Voter, dict[str, str]] = {}
"""Voters of this session, with the settings of their backends; `selected_backends.py` makes a class of tests for each."""
options = {"boot": True}
"""Whether guests are booted."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the suite."""
    group = parser.getgroup("xboot", "conformance of an xboot backend")
    backend = "run the conformance suite for this backend, with all its executors or with the one that is named (repeatable)"
    group.addoption("--xboot-backend", action="append", default=[], metavar="BACKEND[/EXECUTOR][@MACHINE]", help=backend)
    machine = "the machine of those that name none (the usual one)"
    group.addoption("--xboot-machine", default="", metavar="MACHINE", help=machine)
    setting = "a setting for its runs, as `xboot run --set` (repeatable)"
    group.addoption("--xboot-set", action="append", default=[], metavar="KEY=VALUE", help=setting)
    group.addoption("--xboot-no-boot", action="store_true", help="only what needs no kernel and no QEMU")


def pytest_configure(config: pytest.Config) -> None:
    """Add the suite to what is collected."""
    for marker in ("boot: boots a guest in QEMU", "slow: boots many guests or runs long builders"):
        config.addinivalue_line("markers", marker)
    names: list[str] = config.getoption("--xboot-backend")
    if not names:
        return
    from xboot.errors import UsageError  # noqa: PLC0415
    from xboot.pipeline import each_voter  # noqa: PLC0415
    from xboot.plugins import Plugins  # noqa: PLC0415 - nobody else pays for it
    from xboot.request import Request  # noqa: PLC0415
    from xboot.settings import parse_settings  # noqa: PLC0415
    from xboot.voter import parse_voters  # noqa: PLC0415

    options["boot"] = not config.getoption("--xboot-no-boot")
    plugins = Plugins.load()
    try:
        machine: str = config.getoption("--xboot-machine")
        voters = [replace(voter, machine=voter.machine or machine) for voter in parse_voters(names)]
        request = Request(voters=voters, settings=parse_settings(config.getoption("--xboot-set")))
        selected.update({voter: dict(its.settings) for voter, its in each_voter(request, plugins).items()})
    except UsageError as error:
        reasons = "".join(f"\n{origin}: {reason}" for origin, reason in plugins.broken.items())
        hint = f"; {error.hint}" if error.hint else ""
        raise pytest.UsageError(f"--xboot-backend {', '.join(names)}: {error.message}{hint}{reasons}") from None
    suite = str(Path(__file__).with_name("selected_backends.py"))
    named = config.args_source is pytest.Config.ArgsSource.ARGS  # else every test below the current folder would be collected, too
    config.args = [*config.args, suite] if named else [suite]


@pytest.fixture(scope="session")
def xboot_plugins() -> Plugins:
    """All installed plugins."""
    from xboot.plugins import Plugins  # noqa: PLC0415

    return Plugins.load()


@pytest.fixture(scope="session")
def xboot_builders(xboot_plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Builders]:
    """From a system (`i686-linux`) to what makes scripts of test builders for it."""
    from xboot.testing.builders import Builders  # noqa: PLC0415

    made: dict[str, Builders] = {}

    def get(system: str) -> Builders:
        if system not in made:
            made[system] = Builders(tmp_path_factory.mktemp("builders"), system, xboot_plugins)
        return made[system]

    return get
