"""Why steps are sealed: a builder that owns its kernel forges every later step of the same boot, and none of another boot.

The kernel has a hole that is made here, and a builder that uses it for all that it can.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from xboot import nar
from xboot.boot import RunOptions
from xboot.cache import Cache
from xboot.guest.build import build_executor
from xboot.guest.own_tcc import OwnTcc
from xboot.model import Script, Status
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.result import Result
from xboot.segments.runner import run
from xboot.testing.builders import HOSTILE, Builder, Builders
from xboot.voter import Voter
from xboot_tccboot.kernel import own_tree

pytestmark = [pytest.mark.boot, pytest.mark.apt, pytest.mark.compiler]

MEMORY = 64
HEAD = "CALL(getpid)\n{\n"
HOLE = """    if (r->ebx == 0x686f6c65) {
        u32 i;
        asm volatile("mov %%cr4, %0" : "=r"(i));
        asm volatile("mov %0, %%cr4" : : "r"(i & ~0x200000u)); /* SMAP is off from now on */
        for (i = 0; i < r->esi; i += 4)
            *(u32 *)(r->ecx + i) = *(u32 *)(r->edx + i);
        return 0;
    }
"""
HONEST, FORGED = b"as it was made: honest!!", b"as it was made: forged!!"
CONSTANT = 0x428A2F98.to_bytes(4, "little")
"""The first of SHA-256's (FIPS 180-4, section 4.2.2): with another the executor's hashes are wrong."""


@pytest.fixture(scope="module")
def kernel(tcc: OwnTcc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of tccboot's kernel, with the hole."""
    folder = tmp_path_factory.mktemp("hole")
    tree = own_tree(tcc)
    holes = 0
    for name, path in tree.files.items():
        data = path.read_bytes()
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data.replace(HEAD.encode(), (HEAD + HOLE).encode()))
        holes += target.read_bytes() != data
    (folder / "manifest").write_text(tree.manifest)
    assert holes == 1
    return folder


def program(what: bytes, replacement: bytes) -> str:
    """The builder that puts `replacement` where `what` stands."""
    arrays = "".join(
        f"static u8 {name}[] = {{ {', '.join(str(byte ^ 0x55) for byte in data)} }};\n"
        for name, data in (("what", what), ("with", replacement))
    )
    text = (Path(__file__).parent / "hole.c").read_text()
    return f'#include "{HOSTILE / "attack.h"}"\n#define MEMORY {MEMORY}u\n{arrays}{text}'


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Script]:
    """Two steps that have nothing to do with each other, the hostile one first, and one that uses both."""

    def make(what: bytes, replacement: bytes) -> Script:
        (tmp_path / "hole.c").write_text(program(what, replacement))
        (tmp_path / "honest.sh").write_text(f"echo '{HONEST.decode()}' > $out\n")
        honest = Builder("honest", tmp_path / "honest.sh", "", None)
        for turn in range(20):  # what waits for nothing runs in the order of store paths, which no one chooses
            hole = Builder(f"hole{turn}", tmp_path / "hole.c", "", None)
            made = Builders(tmp_path, "i686-linux", Plugins.load()).together([hole, honest])
            if made.steps[0].drv.endswith(f"{hole.name}.drv"):
                break
        assert [re.sub(r".*-([a-z]+)\d*\.drv", r"\1", step.drv) for step in made.steps] == ["hole", "honest", "together"]
        return made

    return make


@pytest.fixture
def runs(kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Script, str], Result]:
    """Runs a script on the kernel with the hole."""
    monkeypatch.setenv("XBOOT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("XBOOT_RESULTS_KEY", str(tmp_path / "key"))

    def start(script: Script, segments: str) -> Result:
        options = RunOptions(accelerator="tcg", log=tmp_path / f"console-{segments}", step_timeout=300)
        request = Request(
            voters=[Voter("tccboot")], segments=segments, memory=MEMORY, settings={"kernel-tree": str(kernel)}, run=options
        )  # fmt: skip
        return run(Pipeline(Plugins.load()), request, script)

    return start


def nar_hash(content: bytes, folder: Path) -> str:
    file = folder / "content"
    file.write_bytes(content)
    return nar.nar_hash(file).sha256


def hashes(result: Result) -> list[str]:
    return [output.nar_sha256 for output in result.verdict.outputs]


def test_a_builder_that_owns_the_kernel_forges_later_steps_of_its_own_boot_alone(runs, script, tmp_path: Path) -> None:
    made = script(HONEST, FORGED)
    right = nar_hash(HONEST + b"\n", tmp_path)
    own = nar_hash(b"ok\n", tmp_path)
    once = runs(made, "none")
    assert once.verdict.ok, once.verdict.failure
    # The forgery: everything is said to be well, and the hash of the honest step is that of other bits.
    assert hashes(once)[1] == nar_hash(FORGED + b"\n", tmp_path) != right
    sealed = runs(made, "steps")
    assert sealed.verdict.ok, sealed.verdict.failure
    assert hashes(sealed) == [own, right, own]
    assert (once.verdict.seal, sealed.verdict.seal) == ("run", "steps")


def test_a_builder_that_breaks_the_executors_hash_is_found_out_by_the_hosts(runs, script, tmp_path: Path) -> None:
    """The executor's own constants: it says wrong hashes of whatever it looks at, in one boot unnoticed."""
    code = build_executor("i386", "i386-tcc", Cache()).path.read_bytes()
    assert code.count(CONSTANT) == 1
    at = code.index(CONSTANT)
    around = code[at : at + 16]  # the constant is a part of an instruction
    made = script(around, bytes(byte ^ 1 for byte in around[:4]) + around[4:])
    right = [nar_hash(content, tmp_path) for content in (b"ok\n", HONEST + b"\n", b"ok\n")]
    once = runs(made, "none")
    assert once.verdict.ok and all(found != wanted for found, wanted in zip(hashes(once), right, strict=True))
    sealed = runs(made, "steps")
    assert "the NAR that came out has SHA-256" in sealed.verdict.failure and sealed.verdict.failed_step == 1
    assert [output.status for output in sealed.verdict.outputs] == [Status.NOT_RUN] * 3
