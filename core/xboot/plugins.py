"""The plugin manager: built-ins, entry points, and from a backend's name to what it says of itself.

A plugin that cannot be used (it raises on import, breaks a hook's signature, was made for another contract, clashes
with a name) never stops the others: it is kept in `Plugins.broken` with its reason, and `xboot backends` shows it.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pluggy

from xboot import hooks
from xboot.errors import PluginError, UsageError, XbootError
from xboot.foreign import printable
from xboot.hooks import CONTRACT_VERSION
from xboot.model import Artifact, BackendInfo, BootImage, Closure, Component, Machine, Script

ENTRY_POINT_GROUP = "xboot"

_LOG = logging.getLogger(__name__)
_OWN = "xboot:"
_UNSTATED = 1
"""The contract version of a plugin that states none: the first one. It never changes."""
_FAULTS = (Exception, SystemExit)  # a plugin that calls sys.exit ends itself, not xboot

_RETURNS: Mapping[str, tuple[type, str]] = {
    "xboot_read_closure": (Closure, "Closure or None"),
    "xboot_linearize": (Script, "Script or None"),
    "xboot_prepare": (Mapping, "a mapping of names to Artifact, or None"),
    "xboot_package": (BootImage, "BootImage or None"),
    "xboot_machine": (Machine, "Machine or None"),
    "xboot_tcb": (Sequence, "a sequence of Component, or None"),
    "xboot_report": (bool, "True or None"),
}
_MEMBERS: Mapping[str, type] = {"xboot_prepare": Artifact, "xboot_tcb": Component}


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
            plugins.add(plugin, f"{_OWN}{name}")
        entry_points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
        for entry in sorted(entry_points, key=lambda e: (e.dist is None or e.dist.name != "xboot", e.name)):
            origin = f"{entry.dist.name if entry.dist else 'unknown'}:{entry.name}"
            try:
                plugin = entry.load()
            except _FAULTS as error:
                plugins._broken[origin] = _import_failure(error)
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
        # What the plugin says of its version comes first: of one made for another contract, everything else may look wrong.
        _check_version(getattr(plugin, "contract_version", _UNSTATED))
        if inspect.isclass(plugin):
            raise PluginError(f"the entry point names the class {plugin.__name__}, expected an object: name an instance of it")
        if self._manager.get_plugin(origin) is not None:
            raise PluginError("another plugin of this name is registered already; uninstall one of the two")
        info = _described(plugin)
        if info is not None and info.name in self._backends:
            first = self._backends[info.name].origin
            raise PluginError(f"the backend name {info.name!r} is already taken by {first}; uninstall one of the two")
        self._check_hooks(plugin)
        try:
            self._manager.register(plugin, name=origin)
        except (pluggy.PluginValidationError, ValueError) as error:
            if self._manager.get_plugin(origin) is not None:
                self._manager.unregister(name=origin)
            raise PluginError(_one_line(error)) from None
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin and not (implementation.wrapper or implementation.hookwrapper):
                    # pluggy calls what stands here, and offers no other place where it is still known whose function it is.
                    implementation.function = self._guarded(implementation.function, caller.name, origin)  # type: ignore[misc]
        if info is not None:
            self._backends[info.name] = Registered(origin, info)

    def _check_hooks(self, plugin: object) -> None:
        """Names and arguments against the contract. Arguments may be left out, but none may be new: it would never be passed."""
        found = 0
        for name in dir(plugin):
            if self._manager.parse_hookimpl_opts(plugin, name) is None:
                continue
            found += 1
            specification = getattr(hooks, name, None)
            if not name.startswith("xboot_") or specification is None:
                raise PluginError(f"implements the hook {name}, which does not exist")
            known = list(inspect.signature(specification).parameters)
            for argument, parameter in inspect.signature(getattr(plugin, name)).parameters.items():
                if argument not in known and parameter.default is parameter.empty:
                    has = ", ".join(known) or "none"
                    raise PluginError(f"hook {name}: argument {argument!r} is not in the contract, which has: {has}")
        if not found:
            raise PluginError("implements no hook of xboot: mark its methods with @xboot.hooks.hookimpl")

    @property
    def backends(self) -> Mapping[str, Registered]:
        """The backends that can be used, by name."""
        return self._backends

    @property
    def broken(self) -> Mapping[str, str]:
        """Origin of each plugin that cannot be used, and why."""
        return self._broken

    def backend(self, name: str) -> BackendInfo:
        """The description of a backend. Raises UsageError for an unknown name, with the names that there are."""
        if name in self._backends:
            return self._backends[name].info
        broken = "".join(f"; plugin {origin}: {reason}" for origin, reason in self._broken.items() if origin.endswith(f":{name}"))
        raise UsageError(f"there is no backend {name!r}{broken}", hint="known backends: " + ", ".join(sorted(self._backends)))

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call a hook. Whatever a plugin raises that is not an XbootError, and whatever it returns that the hook does not allow, becomes a
        PluginError that names plugin and hook. An observer that raises is set aside instead: no run fails because of who watches it.
        """
        return getattr(self._manager.hook, hook)(**arguments)

    def _guarded(self, function: Callable[..., Any], hook: str, origin: str) -> Callable[..., Any]:
        """`function`, with what it raises and returns checked against the contract."""

        @functools.wraps(function)
        def call(*arguments: Any) -> Any:
            try:
                result = function(*arguments)
            except XbootError:
                raise
            except _FAULTS as error:
                if isinstance(error, OSError) and origin.startswith(_OWN):
                    raise  # a full disk or a missing file is no fault of a plugin of ours; the command line names the file
                reason = f"hook {hook} raised {_one_line(error)}"
                if hook == "xboot_event":
                    return self._set_aside(origin, reason)
                raise _plugin_error(origin, reason) from error
            wrong = _wrong_type(hook, result)
            if wrong:
                raise _plugin_error(origin, f"hook {hook} {wrong}")
            return result

        return call

    def _set_aside(self, origin: str, reason: str) -> None:
        self._manager.unregister(name=origin)
        self._broken[origin] = reason
        _LOG.warning("plugin %s: %s; it sees nothing more of this run", origin, reason)


def _wrong_type(hook: str, result: object) -> str:
    if result is None or hook not in _RETURNS:
        return ""
    kind, expected = _RETURNS[hook]
    if not isinstance(result, kind) or isinstance(result, str):
        return f"returned {type(result).__name__}, expected {expected}"
    member = _MEMBERS.get(hook)
    if member is not None:
        values = result.values() if isinstance(result, Mapping) else result
        for value in values:  # type: ignore[attr-defined]
            if not isinstance(value, member):
                return f"returned a {type(result).__name__} that holds {type(value).__name__}, expected {expected}"
    return ""


def _plugin_error(origin: str, reason: str) -> PluginError:
    distribution = origin.partition(":")[0]
    hint = None if origin.startswith(_OWN) else f"report it to the authors of {distribution}, or `pip uninstall {distribution}`"
    return PluginError(f"plugin {origin}: {reason}", hint=hint)


def _described(plugin: object) -> BackendInfo | None:
    """What a backend says of itself, checked; None for other plugins."""
    describe = getattr(plugin, "xboot_backend", None)
    if describe is None:
        return None
    try:
        info = describe()
    except _FAULTS as error:
        raise PluginError(f"hook xboot_backend raised {_one_line(error)}") from error
    if not isinstance(info, BackendInfo):
        raise PluginError(f"hook xboot_backend returned {type(info).__name__}, expected BackendInfo")
    _check_version(info.contract)
    if not isinstance(info.name, str) or not info.name:
        raise PluginError(f"hook xboot_backend: BackendInfo.name is {info.name!r}, expected a name")
    for field in ("systems", "executors", "abilities"):
        value = getattr(info, field)
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
            raise PluginError(f"hook xboot_backend: BackendInfo.{field} is {value!r:.60}, expected a sequence of strings")
    return info


def _check_version(version: object) -> None:
    if version != CONTRACT_VERSION:
        raise PluginError(f"made for contract version {version!r:.20}, this xboot speaks version {CONTRACT_VERSION}")


def _built_in() -> Iterable[tuple[str, object]]:
    """The core's own front-ends and stages; imported here so that `xboot --help` stays quick."""
    from xboot.frontends import builtin  # noqa: PLC0415

    return builtin.PLUGINS


def _import_failure(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        whose = "this xboot does not have" if error.name.partition(".")[0] == "xboot" else "is not installed"
        return f"cannot be imported: it needs the Python module {error.name!r}, which {whose}"
    return f"cannot be imported: {_one_line(error)}"


def _one_line(error: BaseException) -> str:
    """An exception as part of a sentence. Its text is the plugin's: line feeds and control characters are made harmless."""
    text = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
    return f"{type(error).__name__}: {printable(text)}" if text else type(error).__name__
