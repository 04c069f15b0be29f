"""`xboot plan --format guile`: the program that it prints runs in a chroot that has Guile and nothing else, with the published results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_scheme_graphs import CHAIN, ROOT, published

from xboot import nar
from xboot.guest.scheme import guile_script
from xboot.model import Source
from xboot.testing.boot import Plan

pytestmark = pytest.mark.apt

HELLO = ROOT / "examples" / "hello" / "recipe.toml"
root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="the program makes device nodes, which only root may (a user namespace's root may not)"
)

LEAK = 300
"""A descriptor that the program is started with and no builder may have."""

# Mounts are of this shell's own namespace: nothing of them is left when it ends.
_ENTER = r"""
set -eu
mkdir -p guile usr tmp proc
[ -z "$SIZE" ] || { mount -t tmpfs -o "size=$SIZE" small tmp; cp -a work/. tmp/; }
mount --bind "$TREE" guile; mount --bind "$LIBRARIES/usr" usr; mount -t proc proc proc
exec env -i LC_ALL=C GC_MARKERS=1 GCONV_PATH=/guile/gconv GUILE_SYSTEM_PATH=/usr/share/guile/3.0 \
    GUILE_SYSTEM_COMPILED_PATH=/usr/lib/x86_64-linux-gnu/guile/3.0/ccache \
    "$CHROOT" . /guile/lib/ld-linux-x86-64.so.2 --library-path /guile/lib /guile/guile --no-auto-compile -s /build.scm "$@"
"""


def by_hand(guile, chroot: Path, program: bytes, *arguments: str, size: str = "") -> subprocess.CompletedProcess[str]:
    (chroot / "build.scm").write_bytes(program)
    where = subprocess.run(["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; command -v chroot"], capture_output=True, text=True, check=True)
    environment = os.environ | {"TREE": str(guile.tree), "LIBRARIES": str(guile.libraries), "CHROOT": where.stdout.strip(), "SIZE": size}
    command = ["unshare", "-m", "sh", "-c", _ENTER, "sh", *arguments]
    os.dup2(2, LEAK, inheritable=True)
    try:
        return subprocess.run(
            command, cwd=chroot, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, pass_fds=(LEAK,)
        )
    finally:
        os.close(LEAK)


def reported(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """STEP-OUTPUT → NAR hash, of a run that went well."""
    assert done.returncode == 0 and done.stdout.endswith('(done "-")\n'), done.stdout + done.stderr
    return {
        f"{step}-{name}": digest for step, name, digest in re.findall(r'^\(output "-" (\d+) "(\w+)" "sha256" "(\w+)"', done.stdout, re.M)
    }


def xboot(*arguments: str) -> bytes:
    return subprocess.run([sys.executable, "-m", "xboot", *arguments], check=True, capture_output=True).stdout


def example(guile, tmp_path: Path, target: str) -> dict[str, str]:
    """As the program's own head says it is done."""
    xboot("derive", "--store", str(tmp_path / "work" / "store"), target)
    return reported(by_hand(guile, tmp_path, xboot("plan", "--format", "guile", target), "/work"))


@root_only
def test_hello(guile, tmp_path: Path) -> None:
    assert example(guile, tmp_path, str(HELLO)) == {"1-out": published("HELLO")}


@root_only
@pytest.mark.slow
def test_fixpoint(guile, tmp_path: Path) -> None:
    outputs = example(guile, tmp_path, f"{CHAIN}:fixpoint")
    assert len(outputs) == 4 and outputs["4-out"] == published("FIXPOINT")


@pytest.fixture
def plan(shell: Source, tmp_path: Path) -> Plan:
    subprocess.run(["cp", "-a", str(shell.location), str(tmp_path / "given")], check=True)
    (tmp_path / "work" / "store").mkdir(parents=True)
    (tmp_path / "given").rename(tmp_path / "work" / "store" / Path(shell.path).name)
    return Plan(shell)


@root_only
def test_several_outputs(guile, plan: Plan, tmp_path: Path) -> None:
    first = plan.sh("echo lib > $out; mkdir $dev; echo $out > $dev/h", "multi", outputs=("dev", "out"))
    dev = first.outputs[0].path
    plan.sh(
        f"""[ $(hostname) = localhost ]; [ $(id -u) = 1000 ]; deny [ -e /proc/self/fd/300 ]
        [ $(ls /proc/self/fd | wc -l) = 4 ]; cat {dev}/h > $out; cat graph >> $out""",
        "user",
        [dev],
        graphs=[("/build/graph", [dev])],
    )
    outputs = reported(by_hand(guile, tmp_path, guile_script(plan.script()).encode(), "/work"))
    paths = {f"{step.number}-{o.name}": o.path for step in plan.steps for o in step.outputs}
    assert outputs == {name: nar.nar_hash(tmp_path / "work" / "store" / Path(path).name).sha256 for name, path in paths.items()}
    assert (tmp_path / "work" / "store" / Path(paths["2-out"]).name).read_text().startswith(f"{paths['1-out']}\n{paths['1-out']}\n\n0\n")
    assert not (tmp_path / "work" / "root").exists()


@root_only
def test_no_room(guile, plan: Plan, tmp_path: Path) -> None:
    """A file of the step that cannot be written whole ends the run before the builder sees half of it."""
    plan.sh("echo > $out", files=[("/build/large", bytes(3 << 20))])
    done = by_hand(guile, tmp_path, guile_script(plan.script()).encode(), "/tmp", size="4m")
    assert done.returncode == 1
    assert done.stdout.endswith('(fail "-" 1 limit "writing a file of the step failed with error 28: /build/large")\n')


@root_only
def test_failures(guile, plan: Plan, tmp_path: Path) -> None:
    plan.sh("exit 7")
    program = guile_script(plan.script()).encode()
    done = by_hand(guile, tmp_path, program, "/work")
    assert done.returncode == 1 and done.stdout.endswith('(fail "-" 1 exit "the builder ended with status 7")\n')
    assert by_hand(guile, tmp_path, program).returncode == 2  # no folder given
    source = tmp_path / "work" / "store" / Path(plan.shell.path).name
    (tmp_path / "work" / "root").rename(tmp_path / "left")
    (tmp_path / "left" / plan.shell.path[1:]).rename(source)  # the step had it
    (source / "more").write_text("x")
    done = by_hand(guile, tmp_path, program, "/work")
    assert done.returncode == 1 and re.search(rf'^\(fail "-" 0 source "NAR SHA-256 is \w+ of {plan.shell.path}"\)$', done.stdout, re.M)
