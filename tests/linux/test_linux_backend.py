"""The linux backend: what it boots, that it is always the same, and that every byte of it is somebody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.boot import RunOptions
from xboot.errors import BackendError, UsageError
from xboot.hooks import BackendOptions, ReadOptions
from xboot.model import Window
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.tcb import digest

pytestmark = [pytest.mark.apt, pytest.mark.compiler]

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
HASH = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(Plugins.load(), "linux")


@pytest.fixture(scope="module")
def script(pipeline: Pipeline):
    return pipeline.linearize(pipeline.read([str(HELLO)], ReadOptions()), Request().linearize)


@pytest.mark.boot
@pytest.mark.parametrize("kernel", ["built", "distro"])
def test_boots_hello(pipeline: Pipeline, script, kernel: str) -> None:
    result = pipeline.run(Request(settings={"kernel": kernel}, run=RunOptions(accelerator="tcg", step_timeout=60)), script)
    assert not result.verdict.failure
    assert [o.nar_sha256 for o in result.verdict.outputs] == [HASH]
    assert result.verdict.accelerator == "tcg"


def test_the_image_is_always_the_same(pipeline: Pipeline, script, tmp_path: Path) -> None:
    options = BackendOptions()
    artifacts = pipeline.prepare("linux", script, options)
    images = []
    for name in ("one", "other place"):
        (tmp_path / name).mkdir()
        images.append(pipeline.package("linux", script, artifacts, options, tmp_path / name))
    assert images[0].sha256 == images[1].sha256
    assert digest(list(pipeline.components("linux", images[0]))) == digest(list(pipeline.components("linux", images[1])))


def test_components_sum_up_to_the_image(pipeline: Pipeline, script, tmp_path: Path) -> None:
    options = BackendOptions()
    image = pipeline.package("linux", script, pipeline.prepare("linux", script, options), options, tmp_path)
    components = {c.name: c for c in pipeline.components("linux", image)}
    assert sum(c.bytes for c in components.values()) == sum(path.stat().st_size for path in image.files.values())
    assert 150_000 < (components["kernel"].lines or 0) < 500_000
    assert 1_000 < (components["executor"].lines or 0) < 4_000
    assert components["kernel"].source_hashes


def test_the_command_line_holds_nothing_of_the_run(pipeline: Pipeline, script, tmp_path: Path) -> None:
    options = BackendOptions(export_size=1 << 20)
    image = pipeline.package("linux", script, pipeline.prepare("linux", script, options), options, tmp_path)
    one, two = pipeline.boot("linux", image, options), pipeline.boot("linux", image, options)
    assert one == two
    assert one.window == Window(one.memory << 20, 1 << 20)
    assert f"mem={one.memory}M" in one.words


def test_unknown_settings_are_named(pipeline: Pipeline, script) -> None:
    with pytest.raises(UsageError, match="'colour'"):
        pipeline.prepare("linux", script, BackendOptions(settings={"colour": "red"}))
    with pytest.raises(UsageError, match="kernel=minix"):
        pipeline.prepare("linux", script, BackendOptions(settings={"kernel": "minix"}))
    with pytest.raises(UsageError, match="executor 'pascal'"):
        pipeline.prepare("linux", script, BackendOptions(executor="pascal"))


def test_another_system_is_refused_before_anything_slow(pipeline: Pipeline, script) -> None:
    from dataclasses import replace

    foreign = replace(script, steps=[replace(step, system="riscv64-linux") for step in script.steps])
    with pytest.raises(BackendError, match="riscv64-linux"):
        pipeline.prepare("linux", foreign, BackendOptions())
