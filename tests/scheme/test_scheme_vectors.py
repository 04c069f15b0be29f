"""SHA-256 in Scheme against NIST's vectors: on this machine, and in the guest, by what the guest says."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from guest_harness import Guest
from pytest import TempPathFactory

from xboot import nar
from xboot.model import Artifact, FixedHash
from xboot.testing.boot import source

pytestmark = pytest.mark.apt

VECTORS = Path(__file__).parent.parent / "data" / "sha256-vectors"
PROGRAM = Path(__file__).parent / "vectors.scm"
MILLION = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"


def expected(checkpoints: int) -> list[str]:
    messages = [line.split()[1] for line in (VECTORS / "messages.txt").read_text().splitlines()]
    assert len(messages) > 70
    return [*messages, MILLION, MILLION, *(VECTORS / "monte-carlo.txt").read_text().split()[1 : checkpoints + 1]]


def test_the_vectors_are_right() -> None:
    for line in (VECTORS / "messages.txt").read_text().splitlines():
        data, digest = line.split()
        assert hashlib.sha256(bytes.fromhex(data.removeprefix("-"))).hexdigest() == digest
    assert hashlib.sha256(b"a" * 1000000).hexdigest() == MILLION


def test_nist_vectors_here(guile, tmp_path: Path) -> None:
    arguments = [VECTORS / "messages.txt", VECTORS / "monte-carlo.txt", "100", tmp_path / "out"]
    subprocess.run(guile.command("-s", PROGRAM, *arguments), env=guile.environment, check=True)
    assert (tmp_path / "out").read_text().split() == expected(100)


@pytest.mark.boot
def test_nist_vectors_in_the_guest(guest: Guest, scheme: dict[str, Artifact], tmp_path: Path, tmp_path_factory: TempPathFactory) -> None:
    """A builder runs the executor's modules in the guest and writes down the digests. The executor itself hashes the
    million bytes as a fixed output, and says what it found when the script expects something else.
    """
    shutil.copytree(VECTORS, tmp_path / "vectors")
    shutil.copy(PROGRAM, tmp_path / "vectors" / "vectors.scm")
    plan = guest.plan()
    vectors, tree, ours = (plan.add(source(path)) for path in (tmp_path / "vectors", scheme["guile"].path, scheme["scheme"].path))
    files = f"{vectors.path}/messages.txt {vectors.path}/monte-carlo.txt"
    plan.sh(
        f"""export GUILE_SYSTEM_PATH={tree.path} GUILE_SYSTEM_COMPILED_PATH={tree.path}/ccache:{ours.path}
        export GCONV_PATH={tree.path}/gconv LC_ALL=C
        {tree.path}/lib/ld-linux-x86-64.so.2 --library-path {tree.path}/lib {tree.path}/guile --no-auto-compile \\
        -s {vectors.path}/vectors.scm {files} 10 $out""",
        "digests", [vectors.path, tree.path, ours.path],
    )  # fmt: skip
    plan.sh("yes a | tr -d '\\n' | head -c 1000000 > $out", "million", fixed=FixedHash("flat", MILLION))
    plan.sh("printf abc > $out", "abc", fixed=FixedHash("flat", "0" * 64))
    verdict = guest.run(plan, export=tmp_path / "export")
    assert verdict.failed_step == 3, f"{verdict.failure}\n{verdict.console_tail}"
    with verdict.exports[plan.steps[0].outputs[0].path].open("rb") as file:
        (entry,) = [bytes(b"".join(e.chunks)) for e in nar.read(file)]
    assert entry.decode().split() == expected(10)
    assert verdict.outputs[1].nar_sha256, verdict.failure
    abc = hashlib.sha256(b"abc").hexdigest()
    assert f"the fixed hash differs: found {abc}" in verdict.failure


def test_all_lengths_around_the_blocks(ask, tmp_path: Path) -> None:
    chance = random.Random(0)
    for size in (*range(131), 4095, 4096, 65535, 65536, 65537, 200000):
        data = chance.randbytes(size)
        (tmp_path / "f").write_bytes(data)
        assert ask("sha256", tmp_path / "f") == hashlib.sha256(data).hexdigest(), size
