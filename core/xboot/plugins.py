"""The plugin manager: built-ins, entry points, and from a backend's name to what it says of itself.

A plugin that cannot be used (it raises on import, breaks a hook's signature, was made for another contract, clashes
with a name) never stops the others: it is kept in `Plugins.broken` with its reason, and `xboot backends` shows it.
"""

from __future__ import annotations

import importlib.metadata
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pluggy

from xboot import hooks
from xboot.errors import PluginError, UsageError, XbootError
from xboot.hooks import CONTRACT_VERSION
from xboot.model import BackendInfo

ENTRY_POINT_GROUP = "xboot"


@dataclass(frozen=True, slots=True)
class Registered:
    """A backend in use: where it comes from (distribution and entry point), and its own description."""

    origin: str
    info: BackendInfo


class Plugins:
    """All plugins of this process. `Plugins.load()` is what the command line uses; tests build their own from objects."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("xboot")
        self._manager.add_hookspecs(hooks)
        self._backends: dict[str, Registered] = {}
        self._broken: dict[str, str] = {}

    @classmethod
    def load(cls) -> Plugins:
        """The built-in front-ends and stages, then every entry point of the group `xboot`, in the order of their names."""
        plugins = cls()
        for name, plugin in _built_in():
            plugins.add(plugin, f"xboot:{name}")
        entry_points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
        for entry in sorted(entry_points, key=lambda e: (e.dist is None or e.dist.name != "xboot", e.name)):
            origin = f"{entry.dist.name if entry.dist else 'unknown'}:{entry.name}"
            try:
                plugin = entry.load()
            except Exception as error:
                plugins._broken[origin] = f"cannot be imported: {_last_line(error)}"
            else:
                plugins.add(plugin, origin)
        return plugins

    def add(self, plugin: object, origin: str) -> None:
        """Register one plugin; when it breaks the contract, note the reason in `broken` instead."""
        try:
            self._register(plugin, origin)
        except PluginError as error:
            self._broken[origin] = error.message

    def remove(self, origin: str) -> None:
        """Forget an observer that has seen enough."""
        self._manager.unregister(name=origin)

    def _register(self, plugin: object, origin: str) -> None:
        try:
            name = self._manager.register(plugin, name=origin)
            self._check_names(plugin, origin)
        except (pluggy.PluginValidationError, ValueError) as error:
            if self._manager.get_plugin(origin) is not None:
                self._manager.unregister(name=origin)
            raise PluginError(f"plugin {origin}: {_last_line(error)}") from None
        assert name == origin
        try:
            self._describe(plugin, origin)
        except PluginError:
            self._manager.unregister(plugin)
            raise

    def _check_names(self, plugin: object, origin: str) -> None:
        """A method marked as a hook whose name is no hook is a spelling mistake that would otherwise be silent."""
        known = {n for n in vars(hooks) if n.startswith("xboot_")}
        for caller in self._manager.get_hookcallers(plugin) or ():
            if caller.name not in known:
                raise ValueError(f"implements the hook {caller.name}, which does not exist")

    def _describe(self, plugin: object, origin: str) -> None:
        describe = getattr(plugin, "xboot_backend", None)
        if describe is None:
            return
        try:
            info = describe()
        except Exception as error:
            raise PluginError(f"plugin {origin}: hook xboot_backend raised {_last_line(error)}") from error
        if not isinstance(info, BackendInfo):
            raise PluginError(f"plugin {origin}: hook xboot_backend returned {type(info).__name__}, expected BackendInfo")
        if info.contract != CONTRACT_VERSION:
            raise PluginError(f"plugin {origin}: made for contract version {info.contract}, this xboot speaks version {CONTRACT_VERSION}")
        if info.name in self._backends:
            first = self._backends[info.name].origin
            raise PluginError(f"plugin {origin}: the backend name {info.name!r} is already taken by {first}; uninstall one of the two")
        self._backends[info.name] = Registered(origin, info)

    @property
    def backends(self) -> Mapping[str, Registered]:
        return self._backends

    @property
    def broken(self) -> Mapping[str, str]:
        """Origin of each plugin that cannot be used, and why."""
        return self._broken

    def backend(self, name: str) -> BackendInfo:
        """The description of a backend. Raises UsageError for an unknown name, with the names that there are."""
        if name in self._backends:
            return self._backends[name].info
        broken = "".join(f"; {reason}" for origin, reason in self._broken.items() if origin.endswith(f":{name}"))
        raise UsageError(f"there is no backend {name!r}{broken}", hint="known backends: " + ", ".join(sorted(self._backends)))

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call a hook. Whatever a plugin raises that is not an XbootError becomes a PluginError that names plugin and hook."""
        try:
            return getattr(self._manager.hook, hook)(**arguments)
        except XbootError:
            raise
        except Exception as error:
            culprit = self._culprit(hook, error)
            if isinstance(error, OSError) and culprit.startswith("xboot:"):
                raise  # a full disk or a missing file is no fault of a plugin of ours; the command line names the file
            raise PluginError(f"plugin {culprit}: hook {hook} raised {_last_line(error)}") from error

    def _culprit(self, hook: str, error: Exception) -> str:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            code = implementation.function.__code__
            # Backends inherit their hooks, so one code object may serve several plugins: `self` tells which.
            if any(frame.f_code is code and frame.f_locals.get("self", implementation.plugin) is implementation.plugin for frame in frames):
                return str(implementation.plugin_name)
        return "unknown"


def _built_in() -> Iterable[tuple[str, object]]:
    """The core's own front-ends and stages; imported here so that `xboot --help` stays quick."""
    from xboot import builtin  # noqa: PLC0415

    return builtin.PLUGINS


def _last_line(error: BaseException) -> str:
    text = str(error).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)}" if lines else type(error).__name__
