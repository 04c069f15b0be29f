"""The contract for backends, machines, front-ends, reporters and observers: every hook that xboot calls, in the order of the stages.

A plugin is any object with methods marked `@hookimpl`; a backend is best a subclass of `xboot.backend.Backend`, which
does the dispatch on the name. A distribution offers its plugins under the entry point group `xboot`.
`CONTRACT_VERSION` grows when a hook changes in a way that a plugin would notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from xboot import _markers
from xboot._records import dataclass
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Closure, Component, Event, Script

if TYPE_CHECKING:
    from xboot.machine import Machine
    from xboot.result import Result

CONTRACT_VERSION = 2

hookspec, hookimpl = _markers.hookspec, _markers.hookimpl

Notify = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Where a front-end may look: `stores` are folders that stand for the store (searched in order). `seeds`: store
    paths whose content is trusted as it is. `notify`: what takes long may say how far it is, with events of `Phase.PREPARE`.
    """

    stores: Sequence[Path] = ()
    seeds: Sequence[str] = ()
    notify: Notify | None = None


@dataclass(frozen=True, slots=True)
class LinearizeOptions:
    """`seeds`: store paths of outputs whose content is at hand (in `ReadOptions.stores`) and is trusted instead of
    built. `allow_missing`: plan although sources are missing. `rebuild_fixed`: build fixed outputs also where their content is at hand.
    """

    seeds: Sequence[str] = ()
    allow_missing: bool = False
    rebuild_fixed: bool = False


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """What a user may choose for a run, resolved: every hook gets the same.

    `executor` is one of the backend's own (its first unless the user named another). `memory` in MiB is what the user asked for; None: the
    backend takes what the host can spare, `spare` MiB (0: not known), within its own limits (`xboot.backend.choose_memory`).
    `export_size` in bytes (0: no export window). `bits` are the widths of the machine's processors. `settings` are those that the user set
    (`--set`), of those that the backend declares, with values that it takes. `systems` are those of all steps of the run,
    however many boots it has (empty: not known yet). `standalone`: the image is for a medium that runs without a
    host (docs/media.md), which no voter is; only backends that have the ability `standalone` are asked for it.
    """

    executor: str = ""
    memory: int | None = None
    spare: int = 0
    export_size: int = 0
    bits: Sequence[int] = (32, 64)
    settings: Mapping[str, str] = field(default_factory=dict)
    standalone: bool = False
    systems: frozenset[str] = frozenset()


def other_contract(version: object) -> str:
    """Why a plugin that was made for contract `version` cannot be used, and how to move it on."""
    move = "" if version != 1 else '; "Moving from version 1 to 2" in docs/stability.md says what to change'
    return f"made for contract version {version!r:.20}, this xboot speaks version {CONTRACT_VERSION}{move}"


@hookspec
def xboot_backend() -> BackendInfo:
    """Describe the backend. Called once when the plugin is registered; must be cheap."""
    raise NotImplementedError


@hookspec(firstresult=True)
def xboot_read_closure(target: str, options: ReadOptions) -> Closure | None:
    """parse: turn what the user named (a `.drv` file, a store path, a bundle, …) into a verified closure; None when
    the target is not of this front-end's kind.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def xboot_linearize(closure: Closure, options: LinearizeOptions) -> Script | None:
    """linearize: unroll the closure into one script. The core's own implementation is called last."""
    raise NotImplementedError


@hookspec(firstresult=True)
def xboot_prepare(backend: str, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact] | None:
    """package: obtain or build what does not depend on the script (kernel, executor), from the cache where possible.

    Threads that it starts must have ended when it returns: what they took is seen as this backend's until then.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def xboot_package(
    backend: str, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path
) -> BootImage | None:
    """package: write the image's files into `folder`. Deterministic to the byte."""
    raise NotImplementedError


@hookspec(firstresult=True)
def xboot_boot(backend: str, image: BootImage, options: BackendOptions) -> Boot | None:
    """boot-verify: say what the image needs of a machine."""
    raise NotImplementedError


@hookspec
def xboot_machine() -> Machine:
    """boot-verify: the machine itself, a subclass of `xboot.machine.Machine`. Called once when the plugin is registered; must be cheap."""
    raise NotImplementedError


@hookspec
def xboot_event(event: Event) -> None:
    """Observe a run: called for every event, in order, from the thread that runs the pipeline."""


@hookspec
def xboot_tcb(backend: str, image: BootImage) -> Sequence[Component] | None:
    """tcb: the components of an image, with what was measured of each."""
    raise NotImplementedError


@hookspec
def xboot_report_formats() -> Sequence[str]:
    """The formats that this plugin's `xboot_report` writes. Called once when the plugin is registered; must be cheap."""
    raise NotImplementedError


@hookspec
def xboot_report(format: str, result: Result, destination: Path | None) -> bool | None:
    """Write a report of the whole run in `format` to `destination` (None: standard output); True when this plugin wrote it, None for
    a format that is not its own. What `--json` prints is `xboot.show.report.report(result)`.
    """
    raise NotImplementedError
