"""`import xboot`: cheap, callable, typed; the same four verbs as the command line. The voters are machines without a kernel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import xboot
from xboot.errors import UsageError
from xboot.hooks import BackendOptions
from xboot.model import Boot, BootImage, Script, Step, StepOutput
from xboot.pipeline import measured
from xboot.plugins import Plugins
from xboot.testing import FakeBackend, FakeMachine, Say, good_run

PATH = f"/nix/store/{'0' * 32}-thing"
SCRIPT = Script(
    b"text", "5" * 64, "/nix/store", [],
    [Step(1, f"{PATH}.drv", "i686-linux", b"/b", [b"b"], [], "/build", [], [], [], [StepOutput("out", PATH)])], [PATH],
)  # fmt: skip


def plugins_of(*backends: FakeBackend) -> Plugins:
    plugins = Plugins()
    for backend in backends:
        plugins.add(backend, f"test:{backend.info.name}")
    plugins.add(FakeMachine("qemu", abilities=("exit-status",)), "test:machine")
    assert not plugins.broken
    return plugins


def test_importing_it_costs_nothing() -> None:
    code = "import sys, xboot; heavy = {m for m in sys.modules if m.startswith(('xboot.', 'rich', 'pydantic', 'pluggy'))}; print(*heavy)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"xboot._lazy"}


def test_verbs_stay_verbs_whatever_was_imported_before() -> None:
    code = (
        "import xboot\nfirst = [xboot.run, xboot.plan, xboot.compare, xboot.tcb]\n"
        "import xboot.compare, xboot.tcb, xboot.api\n"
        "assert all(map(callable, [*first, xboot.run, xboot.plan, xboot.compare, xboot.tcb]))\n"
        "from xboot.compare import Agreement\nfrom xboot.tcb import Measured\n"
        "try:\n    xboot.compare('x.drv', 'a/b/c')\nexcept xboot.errors.UsageError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "'a/b/c' names no voter\n", done.stderr


def test_a_run() -> None:
    result = xboot.run((), "a", plugins=plugins_of(FakeBackend("a")), script=SCRIPT)
    assert result.verdict.ok
    assert str(result.voter) == "a/c@qemu"
    assert not result.components
    assert measured(result) is None


def test_a_comparison() -> None:
    plugins = plugins_of(FakeBackend("a"), FakeBackend("b", lambda s: good_run(s, {PATH: "f" * 64})))
    comparison = xboot.compare((), plugins=plugins, script=SCRIPT)
    assert comparison.agreement.value == "differs"
    assert set(comparison.outputs[0].hashes) == {"a", "b"}
    assert xboot.compare((), "a@qemu", quorum=1, plugins=plugins, script=SCRIPT).agreement.value == "agreed"


def test_what_is_measured_is_what_was_booted(tmp_path: Path) -> None:
    """The image changes from one making to the next: its measure is that of the one that ran, and nothing is made twice."""
    made: list[str] = []

    class Restless(FakeBackend):
        def package(self, *arguments: object) -> BootImage:
            image = super().package(*arguments)  # type: ignore[arg-type]
            made.append(image.sha256)
            return image

    number = iter(range(9))
    acts = lambda s: [*good_run(s)[:-1], Say(wait=0.001 * next(number)), good_run(s)[-1]]  # noqa: E731
    result = xboot.run((), "restless", plugins=plugins_of(Restless("restless", acts)), script=SCRIPT, measure=True)
    found = measured(result, "me")
    assert made == [result.verdict.image_sha256]
    assert found is not None
    assert (found.voter, found.image_sha256) == ("me", made[0])
    assert found.components[0].sha256 == result.image.artifacts["acts"].sha256


def test_an_image_that_is_not_the_one_that_ran_is_refused() -> None:
    from dataclasses import replace

    from xboot.errors import XbootError

    result = xboot.run((), "a", plugins=plugins_of(FakeBackend("a")), script=SCRIPT, measure=True)
    other = replace(result, verdict=replace(result.verdict, image_sha256="0" * 64))
    with pytest.raises(XbootError, match="not the one that was booted"):
        measured(other)


def test_hooks_get_options_resolved() -> None:
    seen: list[BackendOptions] = []

    class Watching(FakeBackend):
        def boot(self, image: BootImage, options: BackendOptions) -> Boot:
            seen.append(options)
            return super().boot(image, options)

    xboot.run((), "w", plugins=plugins_of(Watching("w")), script=SCRIPT, memory=99)
    assert [(o.executor, o.memory) for o in seen] == [("c", 99)]


def test_wishes_that_make_no_sense() -> None:
    plugins = plugins_of(FakeBackend("a"))
    with pytest.raises(UsageError, match="no setting 'colour'"):
        xboot.run("/nonexistent", "a", settings={"colour": "red"}, plugins=plugins)
    with pytest.raises(UsageError, match="beside a request"):
        xboot.run(xboot.Request(), memory=5, plugins=plugins)
    with pytest.raises(TypeError, match="no wish 'memori'"):
        xboot.run("x", memori=5, plugins=plugins)  # type: ignore[call-arg]
