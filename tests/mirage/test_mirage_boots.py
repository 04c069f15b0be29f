"""The mirage image, booted: what runs in it, and what cannot break it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import mirage_guest as guest
import pytest

from xboot.testing.builders import SYSCALLS

pytestmark = pytest.mark.boot

HERE = Path(__file__).parent
SYSTEMS = {"i686-linux": "-m32", "x86_64-linux": "-m64"}

SCRIPT = (
    r"""
export PATH=$shell/bin
echo one | cat | tr a-z A-Z
cat <<E | sort -r | uniq -c
b
a
b
E
mkdir -p t/x; for i in 1 2 3 4 5; do echo "line $i" > t/x/f$i; done
find t -type f | sort | while read f; do cat $f; done | awk '{s+=$2} END {print s, NR}'
(sleep 1; echo late > late) & (sleep 0.1; echo early); wait; cat late
seq 1 5000 | sed 's/1/one/g' | md5sum
tar cf t.tar t; rm -rf t; tar xf t.tar; ls t/x; gzip -c t.tar | gunzip | cmp - t.tar && echo same
trap 'echo usr1' USR1; kill -USR1 $$; sh -c 'kill -9 $$'; echo $?; (exit 3); echo $?
echo stdin | cat /dev/stdin; echo fd | tee /dev/fd/1; echo here > here; cat /dev/fd/3 3< here
ln -s t link; cd link/x; pwd; pwd -P; cd ../..; mkfifo p; (echo through > p) & cat p; wait
head -c 300000 /dev/zero | wc -c; yes | head -c 100000 | wc -c
timeout 1 sleep 5; echo $?; ls -ld /build | cut -c1-10; id -u; id -g; umask
"""
    + "echo done\n"
)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    for system, flag in SYSTEMS.items():
        guest.compile_program(folder / f"attack-{system}" / "bin" / "attack", HERE / "attack.c", flag, "-mgeneral-regs-only")
    guest.compile_program(folder / "syscalls" / "bin" / "syscalls", SYSCALLS, "-m32")
    return folder


def lines(text: str) -> list[str]:
    return text.replace("\r", "").splitlines()


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_shell_script(busybox: dict[str, Path], tmp_path: Path, system: str) -> None:
    """The same lines as from the same binary on this machine's Linux."""
    shell = guest.source(busybox[system])
    builder = f"{shell.path}/bin/sh"
    step = guest.step(1, builder, ["sh", "-c", SCRIPT + "echo result > $out"], [shell.path], system, [("shell", shell.path)])
    outcome = guest.boot(tmp_path / "o", guest.script([shell], [step]))
    assert outcome.verdict.ok, outcome.verdict.failure + outcome.console
    (tmp_path / "build").mkdir()
    native = subprocess.run(
        [busybox[system] / "bin" / "sh", "-c", SCRIPT],
        cwd=tmp_path / "build",
        env={"shell": str(busybox[system])},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [line.replace(str(tmp_path), "") for line in lines(native.stdout)]
    found = [line for line in lines(outcome.console) if line not in ("Killed", "Terminated")]
    assert found[: len(expected) - 4] == [line for line in expected if line not in ("Killed", "Terminated")][:-4]
    assert found[-4:] == ["1000", "100", "0022", "done"]
    assert outcome.output == b"".join(_nar_string(s) for s in (b"nix-archive-1", b"(", b"type", b"regular", b"contents", b"result\n", b")"))
    assert hashlib.sha256(outcome.output).hexdigest() == outcome.verdict.outputs[0].nar_sha256


def test_who_waits_awake_does_not_ask_for_ever(tmp_path: Path) -> None:
    """What is left of a timer takes some of the clock to tell, or loops that ask compute for long; the clocks themselves take little."""
    guest.compile_program(tmp_path / "tree" / "bin" / "awake", HERE / "awake.c", "-m32", "-mgeneral-regs-only")
    tree = guest.source(tmp_path / "tree")
    builder = f"{tree.path}/bin/awake"
    outcome = guest.boot(tmp_path / "o", guest.script([tree], [guest.step(1, builder, [builder], [tree.path])]))
    said = [line for line in lines(outcome.console) if line and not line.startswith("xboot: ")]
    assert said == ["soon", "a wait is left"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_attacks_on_the_kernel(programs: Path, tmp_path: Path, system: str) -> None:
    tree = guest.source(programs / f"attack-{system}")
    builder = f"{tree.path}/bin/attack"
    outcome = guest.boot(tmp_path, guest.script([tree], [guest.step(1, builder, [builder], [tree.path], system)]))
    made = lines(outcome.console)
    assert "all attacks made" in made
    assert "panic" not in outcome.console
    assert "did not make" in outcome.verdict.failure
    # each ended by a signal or an error; only loading an ordinary descriptor and a FPU state are no offence (23 on i386)
    harmless = {f"attack {n}" for n in ((23,) if system == "i686-linux" else ())}
    assert {line.partition(" status")[0] for line in made if line.endswith("status 78")} <= harmless


def test_the_conformance_program(programs: Path, tmp_path: Path) -> None:
    """Line by line as on this machine's Linux, but for what the date and the notes of limits make different."""
    tree = guest.source(programs / "syscalls")
    builder = f"{tree.path}/bin/syscalls"
    outcome = guest.boot(tmp_path / "o", guest.script([tree], [guest.step(1, builder, [builder], [tree.path])]))
    with tempfile.TemporaryDirectory() as name:  # an ordinary user must be able to enter it, which is not so of tmp_path
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "native").mkdir()
        (folder / "native").chmod(0o777)
        program = shutil.copy(programs / "syscalls" / "bin" / "syscalls", folder / "syscalls")
        native = subprocess.run(
            [program],
            cwd=folder / "native",
            capture_output=True,
            text=True,
            check=False,
            user=65534,
            group=65534,
            extra_groups=[],
            env={},
            stdin=subprocess.DEVNULL,
        )
    expected = [line for line in lines(native.stdout) if not line.startswith("time = ")]
    found = [line for line in lines(outcome.console) if line and not line.startswith(("xboot: ", "time = "))]
    assert found == expected


def test_memory_and_descriptors_run_out(busybox: dict[str, Path], tmp_path: Path) -> None:
    shell = guest.source(busybox["i686-linux"])
    script = 'export PATH=$shell/bin; i=3; while [ $i -lt 2000 ]; do eval "exec $i</dev/null" || exit 7; i=$((i+1)); done 2>&1'
    step = guest.step(1, f"{shell.path}/bin/sh", ["sh", "-c", script], [shell.path], env=[("shell", shell.path)])
    outcome = guest.boot(tmp_path, guest.script([shell], [step]))
    assert "1024 descriptors in one process" in outcome.console or "ended with status" in outcome.verdict.failure
    assert outcome.verdict.failed_step == 1


def _nar_string(value: bytes) -> bytes:
    return len(value).to_bytes(8, "little") + value + bytes(-len(value) % 8)
