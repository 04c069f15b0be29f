"""Builds that go well: what the builder sees, and what becomes of its outputs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from guest_harness import Guest

from xboot import nar
from xboot.model import FixedHash, Source, Verdict
from xboot.testing.boot import output_path, source

pytestmark = pytest.mark.boot


def well(verdict: Verdict) -> Verdict:
    assert not verdict.failure, f"{verdict.failure}\n{verdict.console_tail}"
    return verdict


def text_hash(text: bytes, tmp_path: Path) -> str:
    (tmp_path / "expected").write_bytes(text)
    return nar.nar_hash(tmp_path / "expected").sha256


def test_every_build_of_the_executor(each_guest: Guest, tmp_path: Path) -> None:
    plan = each_guest.plan()
    plan.sh("echo hello > $out")
    verdict = well(each_guest.run(plan))
    assert verdict.outputs[0].nar_sha256 == text_hash(b"hello\n", tmp_path)


ENVIRONMENT = r"""
[ "$(pwd)" = /build ]
[ "$(id -u)" = 1000 ]
[ "$(id -g)" = 100 ]
[ "$(umask)" = 0022 ]
[ $$ = 1 ]
[ "$(hostname)" = localhost ]
[ "$(stat -c %a:%u:%g .)" = 700:1000:100 ]
[ "$(stat -c %a:%u /nix/store)" = 1777:0 ]
[ "$(stat -c %a /tmp)" = 1777 ]
[ "$(cat .attrs.json)" = '{"a": "b"}' ]
[ "$(stat -c %a:%u:%g .attrs.json)" = 644:1000:100 ]
[ "$(cat deep/er/file | od -An -tx1 | tr -d ' \n')" = 00ff0a ]
[ "$(stat -c %a:%u deep deep/er)" = "755:1000
755:1000" ]
[ "$(ls /)" = "build
dev
nix
proc
tmp" ]
[ "$(ls /dev)" = "fd
full
null
ptmx
pts
random
shm
stderr
stdin
stdout
tty
urandom
zero" ]
[ "$(ls /nix/store)" = "${shell##*/}" ]
[ "$(readlink /proc/self/fd/0)" = /dev/null ]
grep -q 'NoNewPrivs:.1' /proc/self/status
grep -q 'Groups:[[:space:]]*$' /proc/self/status
[ "$(ls -d /proc/[0-9]* | wc -l)" -le 4 ]
env > $out
"""


def test_what_a_builder_sees(guest: Guest, tmp_path: Path) -> None:
    plan = guest.plan()
    files = [("/build/.attrs.json", b'{"a": "b"}'), ("/build/deep/er/file", b"\0\xff\n")]
    plan.sh(ENVIRONMENT, env={b"odd": b'\xff\x01 "\\\n.'}, files=files)
    verdict = well(guest.run(plan, export=tmp_path / "export"))
    with verdict.exports[plan.steps[0].outputs[0].path].open("rb") as file:
        (entry,) = [bytes(b"".join(e.chunks)) for e in nar.read(file)]
    lines = {b'odd=\xff\x01 "\\', b".", b"out=" + output_path("result").encode(), b"shell=" + guest.shell.path.encode()}
    # what the shell itself adds
    assert (
        lines
        <= set(entry.splitlines())
        <= lines | {b"PWD=/build", b"SHLVL=1", b"OLDPWD=/build", b"PATH=" + guest.shell.path.encode() + b"/bin"}
    )


OUTPUT = r"""
mkdir $out $out/dir $out/empty
echo data > $out/dir/file; chmod 0 $out/dir/file
printf '#!' > $out/run; chmod 1711 $out/run
echo x > $out/group-x; chmod 0611 $out/group-x
ln -s /nowhere/at/all $out/link
ln $out/run $out/run2
touch "$out/$(printf 'new\nline')" "$out/$(printf '\377\001')" $out/A $out/a $out/Z
ln -s $out $out/self
chmod 500 $out/dir $out
"""


def make_expected(root: Path) -> None:
    (root / "dir").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "dir" / "file").write_text("data\n")
    for name in ("run", "run2"):
        (root / name).write_text("#!")
        (root / name).chmod(0o755)
    (root / "group-x").write_text("x\n")
    (root / "link").symlink_to("/nowhere/at/all")
    for name in ("new\nline", "A", "a", "Z", b"\xff\x01".decode("utf-8", "surrogateescape")):
        (root / name).write_bytes(b"")
    (root / "self").symlink_to(output_path("result"))


def test_canonical_form_and_references(each_guest: Guest, tmp_path: Path) -> None:
    make_expected(tmp_path / "expected")
    expected = nar.nar_hash(tmp_path / "expected")
    plan = each_guest.plan()
    first = plan.sh(OUTPUT)
    out = first.outputs[0].path
    # A later step finds it sealed, and sees its closure alone.
    second = plan.sh(
        f"""for f in {out} {out}/dir; do [ "$(stat -c %a:%u:%Y $f)" = 555:0:1 ]; done
        [ "$(stat -c %a:%u:%g:%Y {out}/run)" = 555:0:0:1 ]
        [ "$(stat -c %a:%u:%Y {out}/dir/file)" = 444:0:1 ]
        [ "$(stat -c %a {out}/group-x)" = 444 ]
        [ "$(stat -c %Y:%u {out}/link)" = 1:0 ]
        deny touch {out}/new; deny rm -f {out}/dir/file; deny mv {out} /nix/store/other; deny mv {out} /tmp/other; deny rm -rf {out}
        deny sh -c 'echo > {out}/dir/file'; deny chmod 777 {out}/run; deny ln {out}/run /nix/store/hard; deny chown 1000 {out}/run
        mkdir $out; echo {out} > $out/a; printf %s {out[: len(out) - 20]} > $out/b""",
        "second",
        [out],
    )
    verdict = well(each_guest.run(plan))
    assert (verdict.outputs[0].nar_sha256, verdict.outputs[0].nar_size) == (expected.sha256, expected.size)
    assert list(verdict.outputs[0].references) == [out]
    assert list(verdict.outputs[1].references) == [out]
    assert second.outputs[0].path == verdict.outputs[1].path


def test_closure_graphs_and_outputs(guest: Guest, tmp_path: Path) -> None:
    for name in ("leaf", "middle", "other"):
        (tmp_path / name).write_text(name)
    leaf = source(tmp_path / "leaf")
    (tmp_path / "middle").write_text(leaf.path)
    middle = source(tmp_path / "middle", [leaf])
    other = source(tmp_path / "other")
    plan = guest.plan()
    for tree in (leaf, middle, other):
        plan.add(tree)
    multi = plan.sh(
        "echo $dev > $out; mkdir $dev; echo $middle > $dev/x; echo $doc > $doc", "multi", [middle.path],
        outputs=("dev", "out", "doc"), env={b"middle": middle.path.encode()},
    )  # fmt: skip
    dev, out, doc = (o.path for o in multi.outputs)
    plan.sh(
        f"""[ "$(ls /nix/store | wc -l)" = 5 ]
        [ -e {leaf.path} ]
        [ -e {dev} ]
        deny [ -e {other.path} ]
        deny [ -e {doc} ]
        cat graph > $out""",
        "reader", [out], graphs=[("/build/graph", [out])],
    )  # fmt: skip
    plan.sh(f'[ "$(ls /nix/store | wc -l)" = 2 ]; echo {doc[:-4]} {doc} > $out', "docs", [doc])
    verdict = well(guest.run(plan))
    references = {o.path: list(o.references) for o in verdict.outputs}
    assert [o.name for o in verdict.outputs] == ["dev", "out", "doc", "out", "out"]
    assert references[dev] == [middle.path] and references[out] == [dev] and references[doc] == [doc]
    graph = {leaf.path: [], middle.path: [leaf.path], dev: [middle.path], out: [dev]}
    text = "".join(f"{p}\n\n{len(graph[p])}\n" + "".join(f"{r}\n" for r in graph[p]) for p in sorted(graph))
    assert verdict.outputs[3].nar_sha256 == text_hash(text.encode(), tmp_path)
    assert list(verdict.outputs[3].references) == sorted(graph)


def test_fixed_outputs(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "f").write_text("abc")
    tree = nar.nar_hash(tmp_path / "tree").sha256
    plan = guest.plan()
    plan.sh("printf abc > $out", "flat", fixed=FixedHash("flat", hashlib.sha256(b"abc").hexdigest()))
    plan.sh("mkdir $out; printf abc > $out/f", "recursive", fixed=FixedHash("recursive", tree))
    well(guest.run(plan))


def test_i686(guest: Guest, shell32: Source) -> None:
    plan = guest.plan()
    plan.add(shell32)
    commands = f"[ $({shell32.path}/bin/uname -m) = i686 ] && echo > $out"
    argv = [b"sh", b"-c", commands.encode()]
    plan.step(f"{shell32.path}/bin/sh".encode(), argv, "small", [shell32.path], system="i686-linux")
    plan.sh("[ $(uname -m) = x86_64 ]; echo > $out", "big")
    well(guest.run(plan))


def test_export_larger_than_its_window(guest: Guest, tmp_path: Path) -> None:
    plan = guest.plan()
    plan.sh("mkdir $out; dd if=/dev/zero of=$out/zero bs=65536 count=50; echo last > $out/~", "large")
    verdict = well(guest.run(plan, export=tmp_path / "export"))
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "zero").write_bytes(bytes(65536 * 50))
    (tmp_path / "large" / "~").write_text("last\n")
    assert verdict.outputs[0].nar_sha256 == nar.nar_hash(tmp_path / "large").sha256
    assert set(verdict.exports) == {plan.steps[0].outputs[0].path}


def test_outputs_that_are_not_folders(guest: Guest, tmp_path: Path) -> None:
    plan = guest.plan()
    link = plan.sh("ln -s $shell/bin/sh $out", "link")
    plan.sh("printf '#!/bin/sh' > $out; chmod +x $out", "program")
    plan.sh(f"[ -L {link.outputs[0].path} ]; $(readlink {link.outputs[0].path}) -c 'echo yes' > $out", "user", [link.outputs[0].path])
    verdict = well(guest.run(plan))
    (tmp_path / "link").symlink_to(f"{guest.shell.path}/bin/sh")
    (tmp_path / "program").write_text("#!/bin/sh")
    (tmp_path / "program").chmod(0o755)
    assert [o.nar_sha256 for o in verdict.outputs[:2]] == [nar.nar_hash(tmp_path / n).sha256 for n in ("link", "program")]
    assert list(verdict.outputs[0].references) == [guest.shell.path]
