"""Builders that fail, hang or cheat, on every backend with each of its executors.

Each gets one clear message that names step and store path, the right exit status, and never a wrong match.
"""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from xboot import nar, report
from xboot.boot import RunOptions
from xboot.hooks import BackendOptions, ReadOptions
from xboot.model import Status, Verdict
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins

pytestmark = pytest.mark.boot
HOSTILE = Path(__file__).parent / "hostile.nix"


@pytest.fixture(scope="module")
def drvs(nix, busybox) -> dict[str, str]:
    found: dict[str, str] = nix.instantiate(HOSTILE, busybox=str(busybox["i686-linux"]), system="i686-linux")
    return found


PLUGINS = Plugins.load()
BOOTS = [
    (name, executor)
    for name, backend in PLUGINS.backends.items()
    if "i686-linux" in backend.info.systems
    for executor in backend.info.executors
]


@pytest.fixture(params=BOOTS, ids="-".join)
def boot(request: pytest.FixtureRequest, nix, drvs: dict[str, str], tmp_path: Path):
    name_of_backend, executor = request.param

    def run(name: str, *, timeout: float = 60, memory: int | None = None, expected: str | None = None, export: bool = False) -> Verdict:
        pipeline = Pipeline(PLUGINS, name_of_backend)
        script = pipeline.linearize(pipeline.read([drvs[name]], ReadOptions(stores=[nix.store])), Request([]).linearize)
        options = RunOptions(
            step_timeout=timeout,
            accelerator="tcg",
            expected={path: {"test": expected} for path in script.results} if expected else {},
            export=tmp_path / "export" if export else None,
            export_paths=script.results if export else (),
            log=tmp_path / "console",
        )
        backend = BackendOptions(executor=executor, memory=memory, export_size=options.export_window if export else 0)
        return pipeline.run(Request([], backend=name_of_backend, options=backend, run=options), script).verdict

    return run


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
    ],
)
def test_fails_with_a_reason(boot, drvs: dict[str, str], name: str, message: str) -> None:
    verdict = boot(name, expected="0" * 64)
    assert message in verdict.failure
    assert f"step 1 ({drvs[name]})" in verdict.failure
    assert [o.status for o in verdict.outputs] == [Status.NOT_RUN]
    assert report.exit_code(verdict) == report.EXIT_COULD_NOT_RUN


@pytest.mark.parametrize("name", ["hangs", "spins", "forks"])
def test_a_step_that_does_not_end(boot, drvs: dict[str, str], name: str) -> None:
    start = time.monotonic()
    verdict = boot(name, timeout=6)
    assert time.monotonic() - start < 60
    assert "no end within the step limit of 6 s" in verdict.failure or (name == "forks" and "step 1" in verdict.failure)
    assert drvs[name] in verdict.failure
    assert verdict.failed_step == 1


def test_memory_is_the_steps_own_problem(boot, drvs: dict[str, str]) -> None:
    verdict = boot("fills-memory", memory=256)
    assert f"step 1 ({drvs['fills-memory']}) failed" in verdict.failure


def test_a_flood_is_cut_and_costs_no_time(boot, tmp_path: Path) -> None:
    start = time.monotonic()
    verdict = boot("floods")
    assert verdict.ok, verdict.failure
    assert time.monotonic() - start < 45
    assert (tmp_path / "console").stat().st_size < 3 << 20
    assert b"more than 1 MiB" in (tmp_path / "console").read_bytes()


def test_what_survives_a_builder_changes_nothing(boot) -> None:
    verdict = boot("survives")
    assert verdict.ok, verdict.failure
    first = verdict.outputs[0]
    body = b"".join(
        _strings(
            b"nix-archive-1",
            b"(",
            b"type",
            b"directory",
            b"entry",
            b"(",
            b"name",
            b"f",
            b"node",
            b"(",
            b"type",
            b"regular",
            b"contents",
            b"right\n",
            b")",
            b")",
            b")",
        )
    )
    import hashlib

    assert first.nar_sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("name", ["writes-inputs", "powers", "deep-rubbish", "locked-rubbish", "control-names", "killed"])
def test_gets_nothing_it_should_not(boot, name: str) -> None:
    verdict = boot(name)
    if name == "killed":  # process 1 of a namespace cannot be killed from within
        assert "ended with status 9" in verdict.failure
    else:
        assert verdict.ok, verdict.failure + verdict.console_tail


def test_links_are_taken_as_links(boot) -> None:
    verdict = boot("link-at-out", export=True)
    assert verdict.ok, verdict.failure
    (file,) = verdict.exports.values()
    entries = list(nar.read(io.BytesIO(file.read_bytes())))
    assert [(e.kind, e.target) for e in entries] == [("symlink", b"/etc")]


def test_links_inside_lead_nowhere(boot) -> None:
    verdict = boot("link-inside", export=True)
    assert verdict.ok, verdict.failure
    (file,) = verdict.exports.values()
    kinds = {b"/".join(e.path): e.kind for e in nar.read(io.BytesIO(file.read_bytes()))}
    assert kinds == {b"": "directory", b"bb": "symlink", b"up": "symlink"}


def test_sees_only_its_inputs(boot) -> None:
    verdict = boot("looks-around", export=True)
    assert verdict.ok, verdict.failure
    (file,) = verdict.exports.values()
    (entry,) = nar.read(io.BytesIO(file.read_bytes()))
    text = file.read_bytes().decode("latin-1")
    assert entry.kind == "regular"
    assert "No such file" in text
    assert text.count("/nix/store/") == 1


def test_set_user_id_bits_do_not_come_out(boot) -> None:
    verdict = boot("setuid")
    assert verdict.ok, verdict.failure


def test_no_qemu_is_left() -> None:
    mine = os.getpid()
    left = [p for p in Path("/proc").glob("[0-9]*/stat") if _parent(p) == mine and b"qemu" in p.read_bytes()]
    assert left == []


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _strings(*words: bytes) -> list[bytes]:
    return [len(word).to_bytes(8, "little") + word + bytes(-len(word) % 8) for word in words]
