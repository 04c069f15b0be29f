"""Builders that attack. Each either gains nothing, and the step goes on, or ends the run with a failure of its own step."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from guest_harness import Guest

from xboot import nar
from xboot.guest.build import EXECUTOR
from xboot.model import FixedHash, Script, Source, Verdict
from xboot.testing.boot import Plan, output_path, source

pytestmark = pytest.mark.boot


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Source:
    tree = tmp_path_factory.mktemp("hostile") / "hostile"
    flags = ["-O1", "-ffreestanding", "-nostdlib", "-static", "-no-pie", "-fno-pie", "-fno-stack-protector", f"-I{EXECUTOR}"]
    program = Path(__file__).parent / "hostile.c"
    subprocess.run(["gcc", *flags, str(EXECUTOR / "start-x86_64.S"), str(program), "-o", str(tree)], check=True)
    return source(tree)


def text_hash(text: bytes, tmp_path: Path) -> str:
    (tmp_path / "expected").write_bytes(text)
    return nar.nar_hash(tmp_path / "expected").sha256


def fails(verdict: Verdict, kind: str, *words: str, step: int = 1) -> None:
    assert verdict.failure.endswith(f"[{kind}]"), f"{verdict.failure}\n{verdict.console_tail}"
    assert verdict.failure.startswith(f"step {step} (")
    for word in words:
        assert word in verdict.failure
    assert not verdict.ok


def attack(plan: Plan, hostile: Source, what: str, commands: str = "", **more: object) -> None:
    if hostile not in plan.sources:
        plan.add(hostile)
    plan.sh(
        f"exec {hostile.path} {what}" if not commands else commands.replace("ATTACK", hostile.path),
        f"attack-{what}",
        [hostile.path],
        **more,
    )


# ---------------------------------------------------------------- attacks that gain nothing


def test_everything_out_of_reach(guest: Guest, hostile: Source, tmp_path: Path) -> None:
    plan = guest.plan()
    for what in ("devices", "escape", "descriptors", "others"):
        attack(plan, hostile, what, f"ATTACK {what}; echo fended > $out")
    verdict = guest.run(plan)
    assert not verdict.failure, f"{verdict.failure}\n{verdict.console_tail}"
    assert {o.nar_sha256 for o in verdict.outputs} == {text_hash(b"fended\n", tmp_path)}


def test_forged_result_lines(guest: Guest) -> None:
    plan = guest.plan()
    plan.sh("""for f in /dev/stdout /dev/stderr /proc/self/fd/1; do echo '(done "00000000000000000000000000000000")' > $f; done
        echo '(output "0" 1 "out" "sha256" "0" 1 ())'; printf '\\033[2J\\0'; exit 0""")
    fails(guest.run(plan), "output", "the builder did not make", plan.steps[0].outputs[0].path)


def test_survivors_write_nothing_after_the_end(guest: Guest, hostile: Source, tmp_path: Path) -> None:
    plan = guest.plan()
    attack(plan, hostile, "survivors", "exec ATTACK survivors $out")
    out = plan.steps[0].outputs[0].path
    for number in range(3):
        plan.sh(f"sleep 0.2; [ $(ps | wc -l) -le 5 ]; sha256sum < {out} > $out", f"look-{number}", [out])
    verdict = guest.run(plan)
    assert not verdict.failure, f"{verdict.failure}\n{verdict.console_tail}"
    assert len({o.nar_sha256 for o in verdict.outputs[1:]}) == 1


def test_background_processes_of_a_shell(guest: Guest, tmp_path: Path) -> None:
    plan = guest.plan()
    plan.sh("echo done > $out; (setsid sh -c 'while :; do sleep 0.1; echo late >> '$out'; done' &) ; exec 1>&- 2>&-; sleep 0.3; exit 0")
    started = time.monotonic()
    verdict = guest.run(plan)
    assert not verdict.failure and time.monotonic() - started < 20


def test_hundred_megabytes_of_console(guest: Guest, hostile: Source, tmp_path: Path) -> None:
    plan = guest.plan()
    attack(plan, hostile, "flood", "ATTACK flood; echo x > $out")
    verdict = guest.run(plan)
    assert not verdict.failure, verdict.failure
    assert "the builder printed more than 1 MiB; the rest is not shown" in verdict.console_tail
    assert verdict.seconds < 20


def test_trees_that_are_hard_to_remove(guest: Guest, hostile: Source) -> None:
    plan = guest.plan()
    plan.add(hostile)
    plan.sh(f"mkdir /tmp/t; cd /tmp/t; {hostile.path} deep; echo > $out", "deep", [hostile.path])
    plan.sh(f"mkdir /tmp/t; cd /tmp/t; {hostile.path} many; mkdir -p a/b/c; chmod 0 a/b a; echo > $out", "many", [hostile.path])
    plan.sh(
        "ln -s / root; ln -s $shell /tmp/shell; mkfifo fifo; mkdir /nix/store/m; echo > /nix/store/m/x; chmod 0 . /nix/store/m; >$out",
        "odd",
    )
    plan.sh("[ $(ls /tmp | wc -l) = 0 ]; [ -x $shell/bin/busybox ]; [ $(ls /nix/store | wc -l) = 1 ]; echo > $out", "after")
    verdict = guest.run(plan, memory=1024, step_timeout=120)
    assert not verdict.failure, f"{verdict.failure}\n{verdict.console_tail}"


def test_hard_links(guest: Guest, tmp_path: Path) -> None:
    """Between outputs, into an input, and from places that the builder could keep: no later step can write through one."""
    plan = guest.plan()
    first = plan.sh(
        """mkdir $out $dev; echo shared > $out/file; ln $out/file $dev/file; ln $out/file /tmp/kept; chmod 666 $out/file
        deny ln $shell/bin/busybox $out/stolen; exec 9> $out/file; echo shared >&9""",
        "first", outputs=("out", "dev"),
    )  # fmt: skip
    out, dev = (o.path for o in first.outputs)
    plan.sh(
        f"""deny sh -c 'echo evil > {out}/file'; deny chmod 666 {dev}/file; [ $(cat {dev}/file) = shared ]
        deny ln {out}/file $out; echo > $out""",
        "second",
        [out, dev],
    )
    verdict = guest.run(plan)
    assert not verdict.failure, f"{verdict.failure}\n{verdict.console_tail}"
    assert verdict.outputs[0].nar_sha256 == verdict.outputs[1].nar_sha256


def test_names_in_the_store(guest: Guest) -> None:
    """What a builder leaves in the store beside its outputs is gone, even under the name of a later output."""
    plan = guest.plan()
    plan.sh(
        f"echo evil > {output_path('second')}; deny mv $shell /nix/store/moved; deny rmdir /nix/store; deny mv /nix /nix2; echo > $out",
        "first",
    )
    plan.sh("deny [ -e $out ]; echo good > $out", "second")
    verdict = guest.run(plan)
    assert not verdict.failure, f"{verdict.failure}\n{verdict.console_tail}"


# ---------------------------------------------------------------- attacks that end the run


@pytest.mark.parametrize(
    ("commands", "kind", "words"),
    [
        ("exit 7", "exit", "status 7"),
        ("kill -9 $$; sleep 1; exit 3", "exit", "status 3"),  # process 1 of its namespace cannot kill itself
        ("true", "output", "did not make"),
        ("mkfifo $out", "output", "neither regular file"),
        ("mkdir $out; mkfifo $out/x", "output", "neither regular file, directory nor symbolic link: x in "),
        ("mkdir $out; nc -l -s local:$out/sock -p 1 & sleep 0.1; mkfifo $out/y", "output", "neither regular file"),
        ("d=$out; for i in $(yes | head -65); do d=$d/d; done; mkdir -p $d", "output", "deeper than 64"),
        ("truncate -s 21474836480 $out", "limit", "larger than 16 GiB"),
        ("cat /dev/zero > /tmp/zero", "exit", "status 1"),
    ],
    ids=["status", "self-kill", "nothing", "fifo", "fifo inside", "more", "deep", "sparse", "full"],
)
def test_failures(guest: Guest, commands: str, kind: str, words: str) -> None:
    plan = guest.plan()
    plan.sh(commands)
    fails(guest.run(plan), kind, words)


def test_killed_by_a_signal(guest: Guest, hostile: Source) -> None:
    plan = guest.plan()
    plan.add(hostile)
    plan.step(hostile.path.encode(), [b"hostile", b"halt"], inputs=[hostile.path])
    fails(guest.run(plan), "signal", "signal 11")


def test_symlink_at_out_is_not_followed(guest: Guest, tmp_path: Path) -> None:
    plan = guest.plan()
    plan.sh("ln -s /etc $out; ln -s /xboot/store $dev", outputs=("out", "dev"))
    verdict = guest.run(plan)
    (tmp_path / "link").symlink_to("/etc")
    assert not verdict.failure and verdict.outputs[0].nar_sha256 == nar.nar_hash(tmp_path / "link").sha256


def test_second_step_is_named(guest: Guest) -> None:
    plan = guest.plan()
    plan.sh("echo > $out", "first")
    plan.sh("exit 1", "second")
    verdict = guest.run(plan)
    fails(verdict, "exit", plan.steps[1].drv, step=2)
    assert verdict.outputs[0].nar_sha256 and not verdict.outputs[1].nar_sha256


def test_builder_that_cannot_start(guest: Guest) -> None:
    plan = guest.plan()
    plan.step(b"/nothing/here", [b"x"])
    fails(guest.run(plan), "start", "execve failed with error 2: /nothing/here")


def test_fixed_hashes_that_differ(guest: Guest) -> None:
    for commands, mode, words in (
        ("echo x > $out", "flat", "the fixed hash differs: found 73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"),
        ("echo x > $out; chmod +x $out", "flat", "must be a regular file that is not executable"),
        ("mkdir $out", "recursive", "the fixed hash differs"),
    ):
        plan = guest.plan()
        plan.sh(commands, fixed=FixedHash(mode, "0" * 64))
        fails(guest.run(plan), "output", words)


@pytest.mark.slow
def test_fork_bomb(guest: Guest, hostile: Source) -> None:
    """It reaches the limit on processes; the shell above it then ends the step."""
    plan = guest.plan()
    attack(plan, hostile, "bomb", "ATTACK bomb & sleep 3; exit 5")
    plan.sh("echo > $out", "next")
    fails(guest.run(plan, step_timeout=90), "exit", "status")


def test_memory_hog(guest: Guest, hostile: Source) -> None:
    plan = guest.plan()
    plan.add(hostile)
    plan.step(hostile.path.encode(), [b"hostile", b"hog"], inputs=[hostile.path])
    fails(guest.run(plan), "signal", "signal 9")


def test_sleeping_builder(guest: Guest) -> None:
    plan = guest.plan()
    plan.sh("exec sleep 1000000")
    started = time.monotonic()
    verdict = guest.run(plan, step_timeout=4)
    assert "no end within the step limit of 4 s" in verdict.failure and plan.steps[0].drv in verdict.failure
    assert time.monotonic() - started < 15


# ---------------------------------------------------------------- the executor's own input


def altered(plan: Plan, old: bytes, new: bytes) -> Script:
    import dataclasses
    import hashlib

    text = plan.text().replace(old, new, 1)
    return dataclasses.replace(plan.script(), text=text, sha256=hashlib.sha256(text).hexdigest())


def test_source_that_differs(guest: Guest) -> None:
    plan = guest.plan()
    plan.sh("echo > $out")
    digest = guest.shell.nar_sha256.encode()
    verdict = guest.run(plan, script=altered(plan, b'(nar "sha256" "' + digest, b'(nar "sha256" "' + digest[::-1]))
    assert verdict.failure == f"the check of the sources failed: NAR SHA-256 is {guest.shell.nar_sha256} of {guest.shell.path} [source]"


def test_malformed_script(guest: Guest) -> None:
    plan = guest.plan()
    plan.sh("echo > $out")
    verdict = guest.run(plan, script=altered(plan, b"  (graphs)\n", b""))
    assert verdict.failure.startswith("the check of the sources failed: malformed script: expected graphs at: ")
    assert verdict.failure.endswith("[internal]")
