"""The plugin manager: built-ins, entry points, and from the name of a backend or machine to what it is.

A plugin that cannot be used (it raises on import, breaks a hook's signature, was made for another contract, clashes
with a name) never stops the others: it is kept in `Plugins.broken` with its reason, and `xboot backends` shows it.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pluggy

from xboot import hooks
from xboot._records import dataclass
from xboot.errors import PluginError, UsageError, XbootError
from xboot.foreign import printable
from xboot.hooks import CONTRACT_VERSION, other_contract
from xboot.machine import Machine
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Closure, Component, MachineInfo, Need, Script, Setting

ENTRY_POINT_GROUP = "xboot"

_LOG = logging.getLogger(__name__)
_OWN = "xboot:"
_UNSTATED = 1
"""The contract version of a plugin that states none: the first one. It never changes."""
_OF_ANY_OBJECT = frozenset(dir(type("", (), {})()))
_FAULTS = (Exception, SystemExit)  # a plugin that calls sys.exit ends itself, not xboot

_RETURNS: Mapping[str, tuple[type, str]] = {
    "xboot_read_closure": (Closure, "Closure or None"),
    "xboot_linearize": (Script, "Script or None"),
    "xboot_prepare": (Mapping, "a mapping of names to Artifact, or None"),
    "xboot_package": (BootImage, "BootImage or None"),
    "xboot_boot": (Boot, "Boot or None"),
    "xboot_tcb": (Sequence, "a sequence of Component, or None"),
    "xboot_report": (bool, "True or None"),
}
_MEMBERS: Mapping[str, type] = {"xboot_prepare": Artifact, "xboot_tcb": Component}


@dataclass(frozen=True, slots=True)
class Registered:
    """A backend in use: where it comes from (distribution and entry point), and its own description."""

    origin: str
    info: BackendInfo


@dataclass(frozen=True, slots=True)
class RegisteredMachine:
    """A machine in use: where it comes from (distribution and entry point), and the machine itself."""

    origin: str
    machine: Machine


class _Manager(pluggy.PluginManager):
    """pluggy's, which is spared most of what `dir` names of a plugin: to look for a mark takes it 20 µs a name, and five names in a hundred
    have one.
    """

    _only: Collection[str] | None = None

    @contextmanager
    def only(self, names: Collection[str]) -> Iterator[None]:
        """What is registered meanwhile has no other hooks than these, which were looked for before."""
        self._only = names
        try:
            yield
        finally:
            self._only = None

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        if name in _OF_ANY_OBJECT or (self._only is not None and name not in self._only):
            return None
        return super().parse_hookimpl_opts(plugin, name)


class Plugins:
    """All plugins of this process. `Plugins.load()` is what the command line uses; tests build their own from objects."""

    def __init__(self) -> None:
        self._manager = _Manager("xboot")
        self._manager.add_hookspecs(hooks)
        self._backends: dict[str, Registered] = {}
        self._machines: dict[str, RegisteredMachine] = {}
        self._broken: dict[str, str] = {}
        self._formats: dict[str, str] = {}

    @classmethod
    def load(cls) -> Plugins:
        """The built-in front-ends and stages, then every entry point of the group `xboot`, in the order of their names."""
        plugins = cls()
        for name, plugin in _built_in():
            plugins.add(plugin, f"{_OWN}{name}")
        entry_points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
        owner = functools.cache(lambda dist: dist.name if dist else "unknown")  # each time that it is asked, it reads all of its metadata
        for entry in sorted(entry_points, key=lambda e: (owner(e.dist) != "xboot", e.name)):
            origin = f"{owner(entry.dist)}:{entry.name}"
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
        if inspect.isclass(plugin):
            _check_version(getattr(plugin, "contract_version", CONTRACT_VERSION))
            raise PluginError(f"the entry point names the class {plugin.__name__}, expected an object: name an instance of it")
        info, machine = self._introduced(plugin, origin)
        found = self._check_hooks(plugin)
        formats = _formats(plugin)
        try:
            with self._manager.only(found):
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
        if machine is not None:
            self._machines[machine.info.name] = RegisteredMachine(origin, machine)
        self._formats |= dict.fromkeys(formats, origin)

    def _introduced(self, plugin: object, origin: str) -> tuple[BackendInfo | None, Machine | None]:
        """What the plugin says of itself, when its version is right and its names are free."""
        # The version comes first: of a plugin that was made for another contract, everything else may look wrong.
        stated = getattr(plugin, "contract_version", None)
        if stated is not None:
            _check_version(stated)
        if self._manager.get_plugin(origin) is not None:
            raise PluginError("another plugin of this name is registered already; uninstall one of the two")
        info = _described(plugin)
        machine = _machine(plugin)
        if stated is None and info is None and machine is None and not origin.startswith(_OWN) and self._hooks_of(plugin):
            _check_version(_UNSTATED)
        if info is not None and info.name in self._backends:
            first = self._backends[info.name].origin
            raise PluginError(f"the backend name {info.name!r} is already taken by {first}; uninstall one of the two")
        if machine is not None and machine.info.name in self._machines:
            first = self._machines[machine.info.name].origin
            raise PluginError(f"the machine name {machine.info.name!r} is already taken by {first}; uninstall one of the two")
        return info, machine

    def _hooks_of(self, plugin: object) -> list[str]:
        return [name for name in dir(plugin) if self._manager.parse_hookimpl_opts(plugin, name) is not None]

    def _check_hooks(self, plugin: object) -> list[str]:
        """The names of the plugin's hooks, when they and their arguments are the contract's. Arguments may be left out, but none may be
        new: it would never be passed.
        """
        found = self._hooks_of(plugin)
        for name in found:
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
        return found

    @property
    def backends(self) -> Mapping[str, Registered]:
        """The backends that can be used, by name."""
        return self._backends

    @property
    def machines(self) -> Mapping[str, RegisteredMachine]:
        """The machines that can be used, by name."""
        return self._machines

    @property
    def report_formats(self) -> Mapping[str, str]:
        """The formats that `--report` takes, with the origin of the plugin that writes each."""
        return self._formats

    @property
    def broken(self) -> Mapping[str, str]:
        """Origin of each plugin that cannot be used, and why."""
        return self._broken

    def backend(self, name: str) -> BackendInfo:
        """The description of a backend. Raises UsageError for an unknown name, with the names that there are."""
        if name in self._backends:
            return self._backends[name].info
        raise UsageError(f"there is no backend {name!r}{self._why(name)}", hint="known backends: " + ", ".join(sorted(self._backends)))

    def machine(self, name: str, address: str = "") -> Machine:
        """A machine, in the form for `address`. Raises UsageError for an unknown name, with the names there are; PluginError for a form
        that calls itself another machine, for then two forms would count as two.
        """
        if name in self._machines:
            form = self._machines[name].machine.at(address)
            if form.info.name != name:
                raise PluginError(f"machine {name}: its form {address!r} says that it is the machine {form.info.name}")
            return form
        known = "known machines: " + ", ".join(sorted(self._machines))
        none = "no machine is installed: install xboot again (`pip install`), which brings `qemu`"
        raise UsageError(f"there is no machine {name!r}{self._why(name)}", hint=known if self._machines else none)

    def _why(self, name: str) -> str:
        """What is wrong with the plugin of that name, if there is one."""
        return "".join(f"; plugin {origin}: {reason}" for origin, reason in self._broken.items() if origin.endswith(f":{name}"))

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
    _check_declared(info, "xboot_backend")
    return info


def _check_declared(info: BackendInfo | MachineInfo, hook: str) -> None:
    """Settings and needs are what their fields say. A setting's name has no dot: `BACKEND.NAME` is one backend's alone."""
    for field, kind in (("settings", Setting), ("needs", Need)):
        value = getattr(info, field, ())
        if not isinstance(value, Sequence) or not all(isinstance(item, kind) for item in value):
            raise PluginError(f"hook {hook}: {type(info).__name__}.{field} is {value!r:.60}, expected a sequence of {kind.__name__}")
    for setting in getattr(info, "settings", ()):
        if not re.fullmatch(r"[a-z][a-z0-9-]*", setting.name) or isinstance(setting.values, str):
            raise PluginError(f"hook {hook}: {setting!r:.80}: a name is lower case, digits and hyphens, `values` a sequence of strings")


def _formats(plugin: object) -> Sequence[str]:
    """The formats that a reporter writes, checked; none for other plugins."""
    if getattr(plugin, "xboot_report", None) is None:
        return ()
    ask = getattr(plugin, "xboot_report_formats", None)
    if ask is None:
        raise PluginError("implements xboot_report without xboot_report_formats, which names the formats that it writes")
    try:
        formats = ask()
    except _FAULTS as error:
        raise PluginError(f"hook xboot_report_formats raised {_one_line(error)}") from error
    if isinstance(formats, str) or not isinstance(formats, Sequence) or not all(isinstance(item, str) for item in formats):
        raise PluginError(f"hook xboot_report_formats returned {formats!r:.60}, expected a sequence of strings")
    return formats


def _machine(plugin: object) -> Machine | None:
    """The machine that a plugin brings, checked; None for other plugins."""
    ask = getattr(plugin, "xboot_machine", None)
    if ask is None:
        return None
    try:
        machine = ask()
    except _FAULTS as error:
        raise PluginError(f"hook xboot_machine raised {_one_line(error)}") from error
    if not isinstance(machine, Machine):
        raise PluginError(f"hook xboot_machine returned {type(machine).__name__}, expected a subclass of xboot.machine.Machine")
    info = getattr(machine, "info", None)
    if not isinstance(info, MachineInfo):
        raise PluginError(f"hook xboot_machine: {type(machine).__name__}.info is {type(info).__name__}, expected MachineInfo")
    _check_version(info.contract)
    if not isinstance(info.name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", info.name):
        raise PluginError(f"hook xboot_machine: MachineInfo.name is {info.name!r:.60}, expected lower case, digits and hyphens")
    _check_declared(info, "xboot_machine")
    if isinstance(info.variants, str) or any(not re.fullmatch(r"[a-z][a-z0-9-]*", str(form)) for form in info.variants):
        raise PluginError(f"hook xboot_machine: MachineInfo.variants is {info.variants!r:.60}, expected lower-case names")
    return machine


def _check_version(version: object) -> None:
    if version != CONTRACT_VERSION:
        raise PluginError(other_contract(version))


def _built_in() -> Iterable[tuple[str, object]]:
    """The core's own front-ends and stages; imported here so that `xboot --help` stays quick."""
    from xboot.frontends import builtin  # noqa: PLC0415

    return builtin.PLUGINS


def _import_failure(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return error.message
    gone = re.fullmatch(r"cannot import name '(\w+)' from '(xboot[\w.]*)'.*", str(error)) if isinstance(error, ImportError) else None
    if gone:
        return f"cannot be imported: {gone[2]} has no {gone[1]}; it was perhaps {other_contract(_UNSTATED)}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        whose = "this xboot does not have" if error.name.partition(".")[0] == "xboot" else "is not installed"
        return f"cannot be imported: it needs the Python module {error.name!r}, which {whose}"
    return f"cannot be imported: {_one_line(error)}"


def _one_line(error: BaseException) -> str:
    """An exception as part of a sentence. Its text is the plugin's: line feeds and control characters are made harmless."""
    text = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
    return f"{type(error).__name__}: {printable(text)}" if text else type(error).__name__
