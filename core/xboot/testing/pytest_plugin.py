"""`pytest --xboot-backend NAME`: the conformance suite for an installed backend. Does nothing, and imports nothing, without that option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xboot.plugins import Plugins
    from xboot.testing.builders import Builders

# So that a failed assertion of the suite shows its values, however xboot was installed.
pytest.register_assert_rewrite("xboot.testing.kernelless", "xboot.testing.suite")

selected: dict[str, dict[str, str]] = {}
"""Backends of this session, with their `--set` pairs; `selected_backends.py` makes a class of tests for each."""
options = {"boot": True}
"""Whether guests are booted."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the suite."""
    group = parser.getgroup("xboot", "conformance of an xboot backend")
    backend = "run the conformance suite for this backend (repeatable)"
    group.addoption("--xboot-backend", action="append", default=[], metavar="NAME", help=backend)
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
    from xboot.plugins import Plugins  # noqa: PLC0415 - nobody else pays for it

    options["boot"] = not config.getoption("--xboot-no-boot")
    plugins = Plugins.load()
    settings = {}
    for pair in config.getoption("--xboot-set"):
        key, equals, value = pair.partition("=")
        if not equals:
            raise pytest.UsageError(f"--xboot-set {pair}: expected KEY=VALUE")
        settings[key] = value
    for name in names:
        if name not in plugins.backends:
            reasons = "".join(f"\n{origin}: {reason}" for origin, reason in plugins.broken.items())
            raise pytest.UsageError(f"--xboot-backend {name}: not installed; there are {', '.join(sorted(plugins.backends))}{reasons}")
        selected[name] = settings
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
