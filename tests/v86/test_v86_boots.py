"""hello by each kernel of 32 bits on v86: an emulator that shares no code with QEMU or Bochs."""

from __future__ import annotations

from pathlib import Path

import pytest

from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.request import usual_read_options
from xboot.testing.boot import boot

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
HASH = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"


@pytest.mark.boot
@pytest.mark.parametrize("backend", ["tccboot", "hurd", "linux"])  # linux makes the kernel of 32 bits by itself
def test_hello_on_v86(backend: str, tmp_path: Path) -> None:
    pipeline = Pipeline(Plugins.load())
    script = pipeline.plan(Request([str(HELLO)], read=usual_read_options((), ())))
    run = boot(
        script, backend, tmp_path, plugins=pipeline.plugins, machine="v86", export=False,
        expected=dict.fromkeys(script.results, HASH), timeout=100, run_timeout=100,
    )  # fmt: skip
    assert run.ok, run.verdict.failure + run.console
    assert [output.status.value for output in run.verdict.outputs] == ["match"]
    assert (run.verdict.machine, run.verdict.done_alone) == ("v86", False)
