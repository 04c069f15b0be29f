"""The part of the conformance suite that needs neither a kernel nor QEMU, nor anything from the network.

`MetadataSuite` asks what a backend says of itself. `PackageSuite` packs images as well, from stand-ins: files of made-up content in place
of the kernel and the executor, so that a backend's `package` and `components` can be tested before there is a kernel.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from xboot.cache import file_sha256
from xboot.errors import UsageError
from xboot.hooks import CONTRACT_VERSION, BackendOptions
from xboot.model import Artifact, BootImage, Role, Script
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.testing.builders import ATTACKS, SYSTEMS, Builders
from xboot.voter import Voter

__all__ = ["ImageTests", "MetadataSuite", "PackageSuite"]


class MetadataSuite:
    """What can be said of a backend without booting it."""

    backend: ClassVar[str]
    """The backend's name, under which its plugin is registered."""
    settings: ClassVar[Mapping[str, str]] = {}
    """`--set` pairs for all runs."""
    executors: ClassVar[Sequence[str]] = ()
    """Those of its executors that are tried; all unless some are named."""
    machine: ClassVar[str] = ""
    """The machine that its images boot on; the usual one unless another is named."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Every test runs with each executor, system and attack that it names as an argument."""
        wanted = set(metafunc.fixturenames)
        if not wanted & {"executor", "system", "attack"}:
            return
        info = Plugins.load().backend(self.backend)
        if "executor" in wanted:
            metafunc.parametrize("executor", list(self.executors or info.executors))
        if "system" in wanted:
            metafunc.parametrize("system", [system for system in SYSTEMS if system in info.systems])
        if "attack" in wanted:
            fit = [a for a in ATTACKS.values() if not a.system or a.system in info.systems]
            metafunc.parametrize("attack", fit, ids=[a.name for a in fit])

    def test_it_is_registered_under_its_name(self, xboot_plugins: Plugins) -> None:
        registered = xboot_plugins.backends[self.backend]
        assert registered.info.name == self.backend
        assert re.fullmatch(r"[a-z][a-z0-9-]*", self.backend), "names are lower case, with digits and hyphens"

    def test_it_says_what_it_is(self, xboot_plugins: Plugins) -> None:
        info = xboot_plugins.backend(self.backend)
        assert info.contract == CONTRACT_VERSION
        assert info.summary and "\n" not in info.summary
        assert set(info.systems) & set(SYSTEMS), f"of the systems that the suite has builders for ({', '.join(SYSTEMS)}) it runs none"
        assert len(set(info.systems)) == len(info.systems)
        assert info.executors and len(set(info.executors)) == len(info.executors)
        assert info.maturity in ("stable", "experimental")

    def test_other_backends_are_none_of_its_business(self, xboot_plugins: Plugins, tmp_path: Path) -> None:
        """Asked for a backend of another name, every hook must leave the answer to others."""
        nobody = "no-such-backend"
        script = Script(b"", "0" * 64, "/nix/store", (), (), ())
        image = BootImage(nobody, script, {}, (), {}, "0" * 64)
        options = BackendOptions()
        assert xboot_plugins.call("xboot_prepare", backend=nobody, options=options, notify=lambda event: None) is None
        assert xboot_plugins.call("xboot_package", backend=nobody, script=script, artifacts={}, options=options, folder=tmp_path) is None
        assert xboot_plugins.call("xboot_boot", backend=nobody, image=image, options=options) is None
        assert list(tmp_path.iterdir()) == []

    def test_a_setting_that_it_does_not_have_is_refused(self, xboot_plugins: Plugins) -> None:
        options = BackendOptions(settings={"no-such-setting": "1"})
        with pytest.raises(UsageError, match="no-such-setting"):
            Pipeline(xboot_plugins, self.backend).prepare(self.backend, None, options)

    def test_an_executor_that_it_does_not_have_is_refused(self, xboot_plugins: Plugins) -> None:
        with pytest.raises(UsageError, match="no-such-executor"):
            Pipeline(xboot_plugins, self.backend).prepare(self.backend, None, BackendOptions(executor="no-such-executor"))

    def test_it_declares_its_settings_and_needs(self, xboot_plugins: Plugins) -> None:
        """What `xboot backends NAME` shows: every setting has a sentence and every need a purpose, and the defaults are values."""
        info = xboot_plugins.backend(self.backend)
        assert len({setting.name for setting in info.settings}) == len(info.settings)
        assert all(setting.help and "\n" not in setting.help for setting in info.settings)
        assert all(setting.default in ("", *setting.values) for setting in info.settings if setting.values)
        assert all(need.program and need.purpose for need in info.needs)

    def _voter(self, executor: str) -> Voter:
        return Voter(self.backend, executor, self.machine)

    def _options(self, executor: str) -> BackendOptions:
        return BackendOptions(executor=executor, settings=self.settings)


class ImageTests(MetadataSuite):
    """What must hold of every image. Subclasses say, by the fixture `artifacts`, what it is packed from."""

    def test_the_same_inputs_give_the_same_image(
        self,
        xboot_plugins: Plugins,
        xboot_builders: Callable[[str], Builders],
        system: str,
        executor: str,
        artifacts: Mapping[str, Artifact],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Whatever the folder, the time zone, the umask: no byte depends on the run."""
        script = xboot_builders(system).plain("image")
        pipeline, images = Pipeline(xboot_plugins, self.backend), []
        for name, zone, mask in (("a", "UTC", 0o022), ("another folder", "Asia/Tokyo", 0o077)):
            (tmp_path / name).mkdir()
            monkeypatch.setenv("TZ", zone)
            monkeypatch.chdir(tmp_path / name)
            before = os.umask(mask)
            try:
                images.append(pipeline.package(self.backend, script, artifacts, self._options(executor), tmp_path / name))
            finally:
                os.umask(before)
        first, second = images
        assert first.sha256 == second.sha256
        assert first.files.keys() == second.files.keys()
        for name in first.files:
            assert first.files[name].read_bytes() == second.files[name].read_bytes(), name
        assert list(first.regions) == list(second.regions)
        boots = [pipeline.boot(self.backend, image, self._options(executor)) for image in (first, first)]
        assert boots[0] == boots[1], "nothing on the command line may depend on the run"
        assert {boots[0].kernel, *(module.path for module in boots[0].modules)} == set(first.files.values()), (
            "what is booted and what is hashed are the same files"
        )

    def test_every_byte_has_an_owner(
        self,
        xboot_plugins: Plugins,
        xboot_builders: Callable[[str], Builders],
        system: str,
        executor: str,
        artifacts: Mapping[str, Artifact],
        tmp_path: Path,
    ) -> None:
        script = xboot_builders(system).plain("image")
        pipeline = Pipeline(xboot_plugins, self.backend)
        image = pipeline.package(self.backend, script, artifacts, self._options(executor), tmp_path)
        for name, path in image.files.items():
            end = 0
            for region in sorted((r for r in image.regions if r.file == name), key=lambda r: r.offset):
                assert region.offset == end, f"{name}: a gap or an overlap at {end}"
                end += region.size
            assert end == path.stat().st_size, f"{name}: the end has no owner"
        components = {c.name: c for c in pipeline.components(self.backend, image)}
        assert {r.component for r in image.regions if r.size} <= components.keys()
        for component in components.values():
            owned = sum(r.size for r in image.regions if r.component == component.name)
            assert component.bytes == owned, component.name
            assert component.lines is None or component.lines_method, f"{component.name}: says not how its lines were counted"

    def test_another_script_gives_another_image(
        self,
        xboot_plugins: Plugins,
        xboot_builders: Callable[[str], Builders],
        system: str,
        executor: str,
        artifacts: Mapping[str, Artifact],
        tmp_path: Path,
    ) -> None:
        """Section 2: the script is in the image, as it stands."""
        pipeline, images = Pipeline(xboot_plugins, self.backend), []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            script = xboot_builders(system).plain(name)
            images.append(pipeline.package(self.backend, script, artifacts, self._options(executor), tmp_path / name))
            assert any(script.text in path.read_bytes() for path in images[-1].files.values()), "no file of the image holds the script"
        assert images[0].sha256 != images[1].sha256


class PackageSuite(ImageTests):
    """Images without a kernel: what `prepare` would give is made up."""

    stand_ins: ClassVar[Sequence[str]] = ("kernel", "executor")
    """Names of the artifacts that `package` wants. Where it looks inside them, override the fixture `artifacts`."""

    @pytest.fixture
    def artifacts(self, tmp_path_factory: pytest.TempPathFactory, executor: str) -> Mapping[str, Artifact]:
        """One file for each of `stand_ins`, of a size that no block size divides."""
        folder = tmp_path_factory.mktemp("stand-ins")
        made = {}
        for number, name in enumerate(self.stand_ins):
            path = folder / name
            path.write_bytes(f"stand-in of {name}\n".encode() * 300 + b"x" * (number + 1))
            role = Role.EXECUTOR if name == "executor" else Role.KERNEL
            made[name] = Artifact(name, path, file_sha256(path), path.stat().st_size, role, origin="a stand-in", prebuilt=True)
        return made
