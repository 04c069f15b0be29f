"""The four stages, in order: parse, linearize, package, boot-verify. The only module that calls hooks.

target --read--> Closure --unroll--> Script --assemble--> BootImage --boot--> Verdict
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from xboot._workspace import run_folder
from xboot.boot import RunOptions, check_machine, run_machine
from xboot.boot.memory import OVERHEAD, free_memory
from xboot.errors import BackendError, PluginError, UsageError, XbootError
from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.machine import Machine
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Cause, Closure, Component, Event, Phase, Script, Verdict
from xboot.parse import merge_closures
from xboot.plugins import Plugins
from xboot.tcb import Measured, host_kernel

T = TypeVar("T")
_OBSERVERS = threading.Lock()

EXPORT_WINDOW = 64 << 20
"""Bytes of guest memory through which outputs are brought out, a piece at a time, unless `BackendOptions.export_size` says otherwise."""


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a run needs to know. `targets` are unrolled into one script; `backend` and `machine` are names of plugins.
    `measure`: say in the result what the image makes one trust, which takes seconds.
    """

    targets: Sequence[str]
    backend: str = "linux"
    machine: str = "qemu"
    read: ReadOptions = field(default_factory=ReadOptions)
    linearize: LinearizeOptions = field(default_factory=LinearizeOptions)
    options: BackendOptions = field(default_factory=BackendOptions)
    run: RunOptions = field(default_factory=RunOptions)
    measure: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run, with what was booted (the image's files are gone by then, what is known of them is not).

    `measured` is of the very image that was booted, when the request asked for it; where that was not possible, `unmeasured` says why.
    """

    script: Script
    image: BootImage
    boot: Boot
    verdict: Verdict
    measured: Measured | None = None
    unmeasured: str = ""

    @property
    def components(self) -> Sequence[Component]:
        """The components of the image that was booted; empty when it was not measured."""
        return self.measured.components if self.measured is not None else ()


def _at_once(boot: Boot) -> AbstractContextManager[None]:
    return nullcontext()


class Pipeline:
    """The stages over one set of plugins; each method is one stage and tells observers what it does.

    `backend` stands in every event. Pipelines of several threads may share their plugins: observers are called one at a time.
    """

    def __init__(self, plugins: Plugins, backend: str = "") -> None:
        self.plugins = plugins
        self._backend = backend
        self._start = time.monotonic()

    def notify(self, event: Event) -> None:
        with _OBSERVERS:
            self.plugins.call("xboot_event", event=replace(event, backend=self._backend))

    def _stage(self, name: str, text: str) -> None:
        self.notify(Event(Phase.STAGE, time.monotonic() - self._start, name=name, text=text))

    def read(self, targets: Sequence[str], options: ReadOptions) -> Closure:
        """parse: one verified closure for all targets, which must share a store."""
        closures = []
        options = replace(options, notify=options.notify or self.notify)
        for target in targets:
            self._stage("parse", target)
            closure = self.plugins.call("xboot_read_closure", target=target, options=options)
            if closure is None:
                raise UsageError(
                    f"{target}: not something that xboot can read",
                    hint="give a .drv file or store path, a recipe.toml[:name], or a bundle made by `xboot bundle`",
                )
            closures.append(_typed(closure, Closure, "xboot_read_closure"))
        return merge_closures(closures)

    def linearize(self, closure: Closure, options: LinearizeOptions) -> Script:
        """linearize: one script for the whole closure."""
        self._stage("linearize", f"{len(closure.derivations)} derivations, {len(closure.sources)} sources verified")
        return _typed(self.plugins.call("xboot_linearize", closure=closure, options=options), Script, "xboot_linearize")

    def prepare(self, backend: str, script: Script | None, options: BackendOptions) -> Mapping[str, Artifact]:
        """package, first half: the kernel and the executor. Refuses what the backend says it cannot do before anything slow starts."""
        info = self.plugins.backend(backend)
        if script is not None and not script.systems <= set(info.systems):
            wrong = ", ".join(sorted(script.systems - set(info.systems)))
            raise BackendError(f"backend {backend} does not run {wrong} builders, only {', '.join(info.systems)}")
        if options.executor and options.executor not in info.executors:
            raise UsageError(f"backend {backend} has no executor {options.executor!r}", hint="it has: " + ", ".join(info.executors))
        if script is not None:
            self._refuse_too_much(info, script)
        options = replace(options, executor=options.executor or info.executors[0])
        self._stage("package", f"kernel and executor of {backend}")
        artifacts = self.plugins.call("xboot_prepare", backend=backend, options=options, notify=self.notify)
        if not isinstance(artifacts, Mapping):
            raise PluginError(f"plugin {backend}: hook xboot_prepare returned {type(artifacts).__name__}, expected a mapping of artifacts")
        return artifacts

    def _refuse_too_much(self, info: BackendInfo, script: Script) -> None:
        """Raise BackendError for a script whose sources the backend's kernel cannot hold: packing them would take minutes."""
        size = len(script.text) + sum(source.nar_size for source in script.sources)
        if not info.max_payload or size <= info.max_payload:
            return
        others = [
            o.name
            for o in map(self.plugins.backend, self.plugins.backends)
            if script.systems <= set(o.systems) and (o.max_payload or size) >= size
        ]
        largest = max(script.sources, key=lambda source: source.nar_size)
        raise BackendError(
            f"script and sources have {size} bytes, and backend {info.name} holds at most {info.max_payload}; the largest source is "
            f"{largest.path} with {largest.nar_size}",
            hint=(f"choose another backend ({', '.join(sorted(others))}), or build" if others else "no backend here holds that: build")
            + " less in one go: --seed PATH trusts what was built before",
        )

    def package(self, backend: str, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        """package, second half: the image's files, written into `folder`."""
        image = self.plugins.call("xboot_package", backend=backend, script=script, artifacts=artifacts, options=options, folder=folder)
        image = _typed(image, BootImage, f"xboot_package of {backend}")
        if image.backend != backend:
            raise PluginError(f"plugin {backend}: hook xboot_package returned an image of backend {image.backend}")
        return image

    def boot(self, backend: str, image: BootImage, options: BackendOptions) -> Boot:
        """boot-verify, first half: what the image needs of a machine. It may boot no other file than the image's, which were hashed."""
        boot = _typed(self.plugins.call("xboot_boot", backend=backend, image=image, options=options), Boot, f"xboot_boot of {backend}")
        strange = {boot.kernel, *(module.path for module in boot.modules)} - set(image.files.values())
        if strange:
            raise PluginError(f"plugin {backend}: hook xboot_boot boots {min(strange)}, which is no file of the image")
        return boot

    def components(self, backend: str, image: BootImage) -> Sequence[Component]:
        """tcb: what the image makes one trust, from the one backend that made it."""
        lists = [found for found in self.plugins.call("xboot_tcb", backend=backend, image=image) if found is not None]
        return [_typed(component, Component, f"xboot_tcb of {backend}") for found in lists for component in found]

    def measure(self, backend: str, script: Script, options: BackendOptions, machine: str = "qemu") -> Measured:
        """Make the image again and measure it, with what `machine` puts below it. Raises XbootError when its components do not sum up
        to it.
        """
        artifacts = self.prepare(backend, script, options)
        with run_folder() as folder:
            image = self.package(backend, script, artifacts, options, folder)
            return self._measured(image, self.boot(backend, image, options), self.plugins.machine(machine))

    def _measured(self, image: BootImage, boot: Boot, machine: Machine) -> Measured:
        """What an image makes one trust, while its files are there. Raises XbootError when its components do not sum up to it."""
        components = list(self.components(image.backend, image))
        owned, size = sum(component.bytes for component in components), sum(path.stat().st_size for path in image.files.values())
        if owned != size:
            raise XbootError(f"backend {image.backend}: its components have {owned} bytes, its image {size}")
        return Measured(image.backend, image.sha256, components, [*machine.components(boot), host_kernel()])

    def run(
        self, request: Request, script: Script | None = None, admit: Callable[[Boot], AbstractContextManager[None]] = _at_once
    ) -> Result:
        """All four stages; `script` skips the first two (compare runs one script on several backends). The machine boots within
        `admit`, which may wait until there is room for it.
        """
        machine, options = self.plugins.machine(request.machine), request.options
        check_machine(machine, request.run)
        if request.run.export is not None and not options.export_size:
            options = replace(options, export_size=EXPORT_WINDOW)
        if script is None:
            script = self.linearize(self.read(request.targets, request.read), request.linearize)
        if options.memory is None and not options.spare:
            options = replace(options, spare=max(0, free_memory() - OVERHEAD))
        artifacts = self.prepare(request.backend, script, options)
        with run_folder() as folder:
            self._stage("package", f"image for {request.backend}")
            image = self.package(request.backend, script, artifacts, options, folder)
            boot = self.boot(request.backend, image, options)
            self._stage("boot", f"{request.backend}: {len(script.steps)} steps, {boot.memory} MiB{_beyond(boot.memory)}")
            with admit(boot):
                verdict = run_machine(image, boot, machine, request.run, self.notify)
            measured, unmeasured = None, ""
            if request.measure and verdict.cause is not Cause.USER:
                self._stage("tcb", f"what the image of {request.backend} makes one trust")
                try:
                    measured = self._measured(image, boot, machine)
                except XbootError as error:  # the verdict stands without it
                    unmeasured = error.message
        return Result(script, image, boot, verdict, measured, unmeasured)


def _beyond(memory: int) -> str:
    """What to say of a guest that may use more memory than this host has free; empty when it may not."""
    free = free_memory()
    return f", more than the {free} MiB that are free here: this host runs out of memory if the guest uses them" if memory > free else ""


def _typed(value: object, kind: type[T], hook: str) -> T:
    if not isinstance(value, kind):
        raise PluginError(f"hook {hook} returned {type(value).__name__}, expected {kind.__name__}")
    return value
