"""The hostile builders on tccboot's kernel: the same set, and the same verdicts, as on Linux."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from xboot import nar

pytestmark = pytest.mark.boot
HOSTILE = Path(__file__).parents[1] / "linux" / "hostile.nix"


@pytest.fixture(scope="module")
def drvs(nix, busybox) -> dict[str, str]:
    found: dict[str, str] = nix.instantiate(HOSTILE, busybox=str(busybox["i686-linux"]), system="i686-linux")
    return found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fails", "ended with status 3 [exit]"),
        ("no-output", "the builder did not make /nix/store/"),
        ("not-started", "could not be started: execve failed with error 2"),
        ("forges", "ended with status 1 [exit]"),
        ("fifo-at-out", "neither regular file, directory nor symbolic link"),
        ("socket-inside", "neither regular file, directory nor symbolic link: pipe"),
        ("too-deep", "directories nested deeper than 64"),
        ("fills-files", "ended with status 1 [exit]"),
        ("killed", "ended with status 9"),
        ("forks", "the builder ended with status"),
    ],
)
def test_fails_with_a_reason(boot, drvs: dict[str, str], name: str, message: str) -> None:
    verdict = boot(drvs[name], expected="0" * 64)
    assert message in verdict.failure, verdict.failure
    assert f"step 1 ({drvs[name]})" in verdict.failure


@pytest.mark.parametrize("name", ["hangs", "spins"])
def test_a_step_that_does_not_end(boot, drvs: dict[str, str], name: str) -> None:
    verdict = boot(drvs[name], timeout=4)
    assert "no end within the step limit of 4 s" in verdict.failure
    assert verdict.failed_step == 1


def test_memory_is_the_steps_own_problem(boot, drvs: dict[str, str], tmp_path: Path) -> None:
    verdict = boot(drvs["fills-memory"], memory=256)
    assert f"step 1 ({drvs['fills-memory']}) failed" in verdict.failure
    assert "limit: memory is exhausted" in (tmp_path / "console").read_text(errors="replace") or "[exit]" in verdict.failure


def test_a_flood_is_cut_and_costs_no_time(boot, drvs: dict[str, str], tmp_path: Path) -> None:
    start = time.monotonic()
    verdict = boot(drvs["floods"])
    assert verdict.ok, verdict.failure
    assert time.monotonic() - start < 45
    assert (tmp_path / "console").stat().st_size < 3 << 20


@pytest.mark.parametrize(
    "name", ["survives", "writes-inputs", "powers", "deep-rubbish", "locked-rubbish", "control-names", "looks-around", "link-inside"]
)
def test_gets_nothing_it_should_not(boot, drvs: dict[str, str], name: str) -> None:
    verdict = boot(drvs[name])
    assert verdict.ok, verdict.failure + verdict.console_tail


def test_set_user_id_bits_do_not_come_out(boot, drvs: dict[str, str]) -> None:
    verdict = boot(drvs["setuid"], export=True)
    if verdict.ok:  # chmod may also just fail the builder
        (file,) = verdict.exports.values()
        assert [e.kind for e in nar.read(io.BytesIO(file.read_bytes()))] == ["directory", "regular"]


def test_exports_arrive_whole(boot, drvs: dict[str, str]) -> None:
    verdict = boot(drvs["link-at-out"], export=True)
    assert verdict.ok, verdict.failure
    (file,) = verdict.exports.values()
    assert [(e.kind, e.target) for e in nar.read(io.BytesIO(file.read_bytes()))] == [("symlink", b"/etc")]
