"""The base class of backends: it does the dispatch on the backend's name, so that a plugin holds only what is its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from xboot.errors import PluginError
from xboot.hooks import CONTRACT_VERSION, BackendOptions, Notify, hookimpl, other_contract
from xboot.model import Artifact, BackendInfo, Boot, BootImage, Component, Script


class Backend(ABC):
    """Subclass this, set `info`, and implement `prepare`, `package`, `boot` and `components`."""

    info: ClassVar[BackendInfo]

    def __init_subclass__(cls, **options: Any) -> None:
        """A backend for another contract lacks methods of this one: say so before Python says less."""
        super().__init_subclass__(**options)
        info = cls.__dict__.get("info")
        if isinstance(info, BackendInfo) and info.contract != CONTRACT_VERSION:
            raise PluginError(other_contract(info.contract))

    @abstractmethod
    def prepare(self, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact]:
        """Obtain or build the kernel and the executor. Slow work belongs into the cache (`xboot.cache`) and reports
        progress through `notify`.
        """

    @abstractmethod
    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        """Write the image's files into `folder`."""

    @abstractmethod
    def boot(self, image: BootImage, options: BackendOptions) -> Boot:
        """Say what the image needs of a machine."""

    @abstractmethod
    def components(self, image: BootImage) -> Sequence[Component]:
        """Measure what the image makes you trust."""

    @hookimpl
    def xboot_backend(self) -> BackendInfo:
        return self.info

    @hookimpl
    def xboot_prepare(self, backend: str, options: BackendOptions, notify: Notify) -> Mapping[str, Artifact] | None:
        return self.prepare(options, notify) if backend == self.info.name else None

    @hookimpl
    def xboot_package(
        self, backend: str, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path
    ) -> BootImage | None:
        return self.package(script, artifacts, options, folder) if backend == self.info.name else None

    @hookimpl
    def xboot_boot(self, backend: str, image: BootImage, options: BackendOptions) -> Boot | None:
        return self.boot(image, options) if backend == self.info.name else None

    @hookimpl
    def xboot_tcb(self, backend: str, image: BootImage) -> Sequence[Component] | None:
        return self.components(image) if backend == self.info.name else None


def choose_memory(options: BackendOptions, least: int, most: int) -> int:
    """MiB of memory for a guest: what the user asked for, else what the host can spare, but `least` in any case and never more than `most`.

    A guest that is told of much memory costs the host only what it touches, and its kernel's own start, which is what bounds `most`.
    """
    return options.memory or min(most, max(least, options.spare))
