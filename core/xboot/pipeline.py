"""The four stages, in order: parse, linearize, package, boot-verify. The only module that calls hooks.

target --read--> Closure --unroll--> Script --assemble--> BootImage --boot--> Verdict
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from xboot._workspace import run_folder
from xboot.boot import check_machine, run_machine
from xboot.boot.memory import OVERHEAD, free_memory
from xboot.errors import BackendError, PluginError, UsageError, XbootError
from xboot.hooks import BackendOptions, LinearizeOptions, ReadOptions
from xboot.machine import Machine
from xboot.model import Artifact, Boot, BootImage, Cause, Closure, Component, Event, Phase, Script
from xboot.parse import merge_closures
from xboot.parts import watched
from xboot.plugins import Plugins
from xboot.request import MACHINE, Request
from xboot.result import Result
from xboot.settings import settle
from xboot.tcb import Measured, host_kernel
from xboot.voter import Voter
from xboot.words import counted

__all__ = ["Pipeline", "Request", "Result", "each_voter", "measured", "resolve", "short"]

T = TypeVar("T")
_OBSERVERS = threading.Lock()


def _at_once(boot: Boot) -> AbstractContextManager[None]:
    return nullcontext()


def resolve(voter: Voter, plugins: Plugins, machine: str = MACHINE) -> Voter:
    """The same voter with its executor and its machine named. Raises UsageError for a backend, executor or machine that there is not, with
    the names that there are.
    """
    whole = Voter(voter.backend, _executor(voter, plugins), voter.machine or machine, voter.address)
    info = plugins.machine(whole.machine).info
    if voter.address and not info.address and voter.address not in info.variants:
        forms = [f"{voter.backend}@{info.name}", *(f"{voter.backend}@{info.name}:{form}" for form in info.variants)]
        only = "it has no such form" if info.variants else f"there is one machine {info.name}, without an address"
        raise UsageError(f"{voter}: {only}", hint=f"write it {' or '.join(forms)}")
    if info.address and not voter.address:
        raise UsageError(f"{voter}: which {info.name}?", hint=f"write it {voter.backend}@{info.name}:{info.address}")
    return whole


def _executor(voter: Voter, plugins: Plugins) -> str:
    info = plugins.backend(voter.backend)
    executor = voter.executor or info.executors[0]
    if executor not in info.executors:
        raise UsageError(f"backend {voter.backend} has no executor {executor!r}", hint="it has: " + ", ".join(info.executors))
    return executor


def short(voter: Voter, plugins: Plugins) -> Voter:
    """The same voter without what `resolve` would fill in."""
    info = plugins.backend(voter.backend)
    return Voter(
        voter.backend,
        "" if voter.executor == info.executors[0] else voter.executor,
        "" if voter.machine == MACHINE else voter.machine,
        voter.address,
    )


def each_voter(request: Request, plugins: Plugins) -> dict[Voter, Request]:
    """Each voter that is asked, with its part of the request: itself, and the settings of its backend. All installed backends are asked
    unless voters are named.

    Raises UsageError, before anything slow, for a backend, executor, machine or setting that there is not, and for one voter named twice.
    """
    asked = request.voters or [Voter(name) for name in sorted(plugins.backends)]
    whole: dict[Voter, Voter] = {}
    for voter in asked:
        other = whole.setdefault(resolve(voter, plugins, request.machine), voter)
        if other is not voter:
            names = f"{voter} is" if other == voter else f"{other} and {voter} are one voter,"
            raise UsageError(f"{names} named twice; agreement with itself is no evidence")
    backends = dict.fromkeys(voter.backend for voter in asked)
    settings = settle(request.settings, [plugins.backend(name) for name in backends])
    return {voter: replace(request, voters=(voter,), settings=settings[voter.backend]) for voter in asked}


def measured(result: Result, name: str = "") -> Measured | None:
    """What was measured of the image that ran, under the voter's `name`; None when nothing was. Raises XbootError when the image that ran
    is another: then somebody changed it in between.
    """
    if not result.components:
        return None
    if result.image.sha256 != result.verdict.image_sha256:
        raise XbootError(f"{result.voter}: the image that was measured is not the one that was booted")
    return Measured(name or str(result.voter), result.image.sha256, result.components, result.below, result.base)


class Pipeline:
    """The stages over one set of plugins; each method is one stage and tells observers what it does.

    `backend` stands in every event. `base` is what `prepare` saw last: `locked`, `drifted: …`, or nothing. Pipelines of several threads may
    share their plugins: observers are called one at a time.
    """

    def __init__(self, plugins: Plugins, backend: str = "") -> None:
        self.plugins = plugins
        self._backend = backend
        self._start = time.monotonic()
        self.base = ""  # of what was prepared last
        self.handed: Sequence[Artifact] = ()  # the guest code that this core gave to who prepared it

    def notify(self, event: Event) -> None:
        with _OBSERVERS:
            self.plugins.call("xboot_event", event=replace(event, voter=self._backend))

    def stage(self, name: str, text: str) -> None:
        """Tell observers that a stage begins."""
        self.notify(Event(Phase.STAGE, time.monotonic() - self._start, name=name, text=text))

    def read(self, targets: Sequence[str], options: ReadOptions) -> Closure:
        """parse: one verified closure for all targets, which must share a store."""
        closures = []
        options = replace(options, notify=options.notify or self.notify)
        for target in targets:
            self.stage("parse", target)
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
        self.stage("linearize", f"{counted(len(closure.derivations), 'derivation')}, {counted(len(closure.sources), 'source')} verified")
        return _typed(self.plugins.call("xboot_linearize", closure=closure, options=options), Script, "xboot_linearize")

    def plan(self, request: Request) -> Script:
        """The first two stages: the script of the request's targets."""
        return self.linearize(self.read(request.targets, request.read), request.linearize)

    def options(self, request: Request) -> tuple[Voter, BackendOptions]:
        """The request's voter, whole, and what its backend is told. Raises UsageError for a voter or setting that there is not."""
        voter = resolve(request.voter, self.plugins, request.machine)
        settings = settle(request.settings, [self.plugins.backend(voter.backend)])[voter.backend]
        size = request.export_size if request.run.export is not None else 0
        bits = self.plugins.machine(voter.machine).info.bits
        return voter, BackendOptions(voter.executor, request.memory, spare=request.spare, export_size=size, bits=bits, settings=settings)

    def _resolved(self, backend: str, options: BackendOptions, script: Script | None) -> BackendOptions:
        """Options as every hook gets them: the executor is named, the settings are the backend's own, and the systems are known."""
        executor = _executor(Voter(backend, options.executor), self.plugins)
        settings = settle(options.settings, [self.plugins.backend(backend)])[backend]
        return replace(
            options, executor=executor, settings=settings, systems=options.systems or (script.systems if script else frozenset())
        )

    def prepare(self, backend: str, script: Script | None, options: BackendOptions) -> Mapping[str, Artifact]:
        """package, first half: the kernel and the executor. Refuses what the backend says it cannot do before anything slow starts."""
        options = self._resolved(backend, options, script)
        if script is not None:
            self.refuse_systems(backend, script)
            self.refuse_too_much(backend, script)
        self.stage("package", f"kernel and executor of {backend}")
        with watched() as base:
            artifacts = self.plugins.call("xboot_prepare", backend=backend, options=options, notify=self.notify)
        self.base, self.handed = str(base), tuple(base.handed)
        if not isinstance(artifacts, Mapping):
            raise PluginError(f"plugin {backend}: hook xboot_prepare returned {type(artifacts).__name__}, expected a mapping of artifacts")
        return artifacts

    def refuse_systems(self, backend: str, script: Script) -> None:
        """Raise BackendError for a script with builders of a system that the backend does not run."""
        info = self.plugins.backend(backend)
        if not script.systems <= set(info.systems):
            wrong = ", ".join(sorted(script.systems - set(info.systems)))
            raise BackendError(f"backend {backend} does not run {wrong} builders, only {', '.join(info.systems)}")

    def refuse_too_much(self, backend: str, script: Script) -> None:
        """Raise BackendError for a script whose sources the backend's kernel cannot hold: packing them would take minutes."""
        info = self.plugins.backend(backend)
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
            + " less in one go: --seal steps boots once for each step, --seed PATH trusts what was built before",
        )

    def package(self, backend: str, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        """package, second half: the image's files, written into `folder`."""
        options = self._resolved(backend, options, script)
        image = self.plugins.call("xboot_package", backend=backend, script=script, artifacts=artifacts, options=options, folder=folder)
        image = _typed(image, BootImage, f"xboot_package of {backend}")
        if image.backend != backend:
            raise PluginError(f"plugin {backend}: hook xboot_package returned an image of backend {image.backend}")
        return image

    def boot(self, backend: str, image: BootImage, options: BackendOptions) -> Boot:
        """boot-verify, first half: what the image needs of a machine. It may boot no other file than the image's, which were hashed."""
        options = self._resolved(backend, options, image.script)
        boot = _typed(self.plugins.call("xboot_boot", backend=backend, image=image, options=options), Boot, f"xboot_boot of {backend}")
        strange = {boot.kernel, *(module.path for module in boot.modules)} - set(image.files.values())
        if strange:
            raise PluginError(f"plugin {backend}: hook xboot_boot boots {min(strange)}, which is no file of the image")
        return boot

    def components(self, backend: str, image: BootImage) -> Sequence[Component]:
        """tcb: what the image makes you trust, from the one backend that made it."""
        lists = [found for found in self.plugins.call("xboot_tcb", backend=backend, image=image) if found is not None]
        return [_typed(component, Component, f"xboot_tcb of {backend}") for found in lists for component in found]

    def measure(self, request: Request, script: Script, systems: frozenset[str] = frozenset()) -> Measured:
        """Make the image that `run` would boot, and measure it, with what its machine puts below it; of a run of several boots, what is
        common to them, with the `systems` of all. Raises XbootError when its components do not sum up to it.
        """
        voter, options = self.options(request)
        options = replace(options, systems=systems)
        artifacts = self.prepare(voter.backend, script, options)
        with run_folder() as folder:
            image = self.package(voter.backend, script, artifacts, options, folder)
            machine = self.plugins.machine(voter.machine, voter.address)
            found = self.measured(image, self.boot(voter.backend, image, options), machine)
            return Measured(str(request.voter), image.sha256, *found, self.base)

    def measured(self, image: BootImage, boot: Boot, machine: Machine) -> tuple[Sequence[Component], Sequence[Component]]:
        """What an image makes you trust, while its files are there: its components, and what is below them. Raises XbootError when the
        components do not sum up to it.
        """
        components = list(self.components(image.backend, image))
        owned, size = sum(component.bytes for component in components), sum(path.stat().st_size for path in image.files.values())
        if owned != size:
            raise XbootError(f"backend {image.backend}: its components have {owned} bytes, its image {size}")
        return components, [*machine.components(boot), host_kernel()]

    def run(
        self, request: Request, script: Script | None = None, admit: Callable[[Boot], AbstractContextManager[None]] = _at_once
    ) -> Result:
        """All four stages; `script` skips the first two (compare runs one script on several backends). The machine boots within
        `admit`, which may wait until there is room for it. What is exported are the script's results, unless the request names paths.
        With `request.measure` the image that was booted is measured, while its files are there.
        """
        voter, options = self.options(request)
        machine = self.plugins.machine(voter.machine, voter.address)
        check_machine(machine, request.run)
        script = script or self.plan(request)
        run = replace(request.run, address=voter.address)
        if run.export is not None and not run.export_paths:
            run = replace(run, export_paths=script.results)
        if options.memory is None and not options.spare:
            options = replace(options, spare=max(0, free_memory() - OVERHEAD))
        artifacts = self.prepare(voter.backend, script, options)
        with run_folder() as folder:
            self.stage("package", f"image for {voter.backend}")
            image = self.package(voter.backend, script, artifacts, options, folder)
            boot = self.boot(voter.backend, image, options)
            self.stage("boot", f"{request.voter}: {counted(len(script.steps), 'step')}, {boot.memory} MiB{beyond(boot.memory)}")
            with admit(boot):
                verdict = run_machine(image, boot, machine, run, self.notify)
            found: tuple[Sequence[Component], Sequence[Component]] = ((), ())
            unmeasured = ""
            if request.measure and verdict.cause is not Cause.USER:
                self.stage("tcb", f"what the image of {voter.backend} makes you trust")
                try:
                    found = self.measured(image, boot, machine)
                except XbootError as error:  # the verdict stands without it
                    unmeasured = error.message
            elif request.measure_below:
                with suppress(XbootError, OSError):  # what is not measured counts as shared
                    found = ((), machine.components(boot))
        return Result(voter, options.settings, script, image, boot, verdict, *found, unmeasured, base=self.base, handed=self.handed)


def beyond(memory: int) -> str:
    """What to say of a guest that may use more memory than this host has free; empty when it may not."""
    free = free_memory()
    return f", more than the {free} MiB that are free here: this host runs out of memory if the guest uses them" if memory > free else ""


def _typed(value: object, kind: type[T], hook: str) -> T:
    if not isinstance(value, kind):
        raise PluginError(f"hook {hook} returned {type(value).__name__}, expected {kind.__name__}")
    return value
