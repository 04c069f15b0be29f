"""The toolroot: made from locked packages, checked, and entered so that nothing of this machine is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import BackendError, MissingToolError
from xboot.guest.own_tcc import obtain_own_tcc
from xboot.guest.sources import dependencies
from xboot.guest.tcc import INCLUDE, LIBTCC1
from xboot.parts import Lock, locked
from xboot.toolroot import ALL, TCC, HostTools, LockedTools, enter, make_tree, tools, tree, tree_digest
from xboot_tccboot.loader import build_loader

pytestmark = pytest.mark.apt  # and no compiler: this machine's are not used


@pytest.fixture(scope="module")
def everything() -> LockedTools:
    return LockedTools(Cache(), ALL)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[LockedTools]:
    """TCC's toolroot in a cache of its own, where it may be spoilt. The parts come from the session's cache."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "parts").symlink_to(Cache().root / "parts")
    LockedTools(Cache(), TCC).tree  # noqa: B018 - so that the parts are there
    tree._checked.cache_clear()
    yield LockedTools(Cache(tmp_path / "cache"), TCC)
    tree._checked.cache_clear()


def work(folder: Path) -> Path:
    made = folder / "work"
    made.mkdir(exist_ok=True)
    return made


# ---------------------------------------------------------------- what is in it


def test_one_digest_for_the_same_parts_in_any_order() -> None:
    parts = locked().group("toolroot")
    assert tree_digest(parts) == tree_digest(parts[::-1])
    assert tree_digest(parts) != tree_digest(parts[1:])


def test_two_makings_give_the_same_tree(small: LockedTools) -> None:
    assert small.tree.digest == LockedTools(Cache(), TCC).tree.digest


def test_merged_usr_and_the_names_that_scripts_would_have_made(everything: LockedTools) -> None:
    folder = everything.tree.folder
    for name in ("bin", "lib", "lib64"):
        assert (folder / name).readlink() == Path("usr", name)
    assert (folder / "usr/bin/awk").readlink() == Path("mawk")
    assert (folder / "usr/bin/sh").readlink() == Path("dash")
    assert everything.path("/lib64/ld-linux-x86-64.so.2").is_file()
    assert everything.path("/usr/bin/awk").name == "mawk"


def test_every_program_that_builds_call_runs(everything: LockedTools, tmp_path: Path) -> None:
    """All that kbuild, the executors and the unikernel call, without a library missing."""
    names = [
        *("gcc", "ld", "as", "ar", "nm", "objcopy", "objdump", "readelf", "strip", "make", "flex", "bison", "bc", "perl", "m4", "sh"),
        *("sed", "grep", "awk", "gawk", "find", "tar", "xz", "gzip", "cpio", "bash", "ocamlfind", "ocamlopt.opt", "tcc", "i386-tcc"),
        *("cmp", "xargs", "sort"),
    ]
    said = everything.run(["sh", "-c", 'for p do command -v "$p" >&2 || echo "$p"; done', "sh", *names], work(tmp_path))
    assert said.split() == []
    needed = [f"/usr/bin/{name}" for name in names if name != "sh"]
    loader = "/lib64/ld-linux-x86-64.so.2"
    script = f'for p do {loader} --list "$p" 2>/dev/null | grep "not found" && echo "$p"; done; :'
    assert everything.run(["sh", "-c", script, "sh", *needed], work(tmp_path)) == ""
    everything.run(["gcc", "--version"], work(tmp_path))


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("kind", ["another content of the same size", "a file more", "a file less", "may be run", "another link"])
def test_an_edited_one_is_found_and_made_anew(small: LockedTools, tmp_path: Path, kind: str) -> None:
    folder, digest = small.tree
    program = folder / "usr" / "bin" / "i386-tcc"
    if kind == "a file more":
        (folder / "usr" / "bin" / "gcc").write_text("#!/bin/sh\n")
    elif kind == "a file less":
        program.unlink()
    elif kind == "may be run":
        next(folder.rglob("*.h")).chmod(0o755)
    elif kind == "another link":
        (folder / "lib").unlink()
        (folder / "lib").symlink_to("/lib")
    else:
        content = bytearray(program.read_bytes())
        content[-1] ^= 1
        program.write_bytes(content)
    tree._checked.cache_clear()
    assert tuple(LockedTools(Cache(tmp_path / "cache"), TCC).tree) == (folder, digest)


def test_a_part_that_is_not_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = locked()
    part = lock.find("tcc")
    other = type(part)(part.name, part.architecture, part.path, part.version, part.suite, "0" * 64, part.size, part.groups)
    monkeypatch.setattr("xboot.parts.obtaining.locations", lambda part, suite: iter(()))
    with pytest.raises(MissingToolError, match=r"tcc .* cannot be had"):
        make_tree([other], Cache(tmp_path))
    assert not list((tmp_path / "toolroot").glob("*/root"))


def test_two_packages_with_one_file(tmp_path: Path) -> None:
    for name in ("lib", "usr/lib"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.so").write_text(name)
    with pytest.raises(BackendError, match=r"two packages of the toolroot have the file x\.so"):
        tree._merge(tmp_path / "lib", tmp_path / "usr" / "lib")


def test_where_no_way_is_allowed_one_sentence(small: LockedTools, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"bubblewrap": lambda *_: ["sh", "-c", "echo 'setting up uid map: Permission denied' >&2; exit 1"]}
    monkeypatch.setattr(enter, "_WAYS", refused)
    enter.way_in.cache_clear()
    with pytest.raises(MissingToolError, match=r"apart from this machine's programs: bwrap: .*Permission denied") as caught:
        enter.way_in(small.tree.folder)
    enter.way_in.cache_clear()
    assert "--set toolchain=host" in (caught.value.hint or "")


def test_this_machines_compilers_must_be_there() -> None:
    with pytest.raises(MissingToolError, match="no-such-program is not installed, so toolchain=host cannot build with it"):
        tools(Cache(), "host", ALL, {"no-such-program": "gcc"})


# ---------------------------------------------------------------- what a program in it sees

SEES = """
umask; pwd; echo $PATH $HOME $LC_ALL $TZ $SOURCE_DATE_EPOCH; echo secret=$SECRET; id -u; cat /proc/sys/kernel/hostname
echo $(ls /); echo $(ls /build); echo $(ls -A /tmp); echo $(ls -A /root /home /etc/passwd 2>/dev/null); echo $(wc -l < /proc/net/dev)
touch /usr/x 2>/dev/null || echo read-only
"""


@pytest.mark.parametrize("way", ["bubblewrap", "unshare"])
def test_nothing_of_this_machine_is_seen(everything: LockedTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(enter, "way_in", lambda root: way)
    monkeypatch.setenv("SECRET", "of this machine")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    before = os.umask(0o077)
    try:
        (work(tmp_path) / "mine").write_text("")
        lines = everything.run(["sh", "-c", SEES], work(tmp_path)).splitlines()
    finally:
        os.umask(before)
    assert lines == [
        "0022",
        "/build",
        "/usr/bin:/usr/sbin /build C UTC 1",
        "secret=",
        "0",
        "xboot",
        "bin build dev etc lib lib64 proc tmp usr var",
        "mine",
        "",
        "",
        "3",  # two lines of a head, and the loopback
        "read-only",
    ]


DEVICES = {f"/dev{name}" for name in ("", "/null", "/zero", "/full", "/random", "/urandom", "/tty", "/console", "/pts", "/shm", "/ptmx")}


@pytest.mark.parametrize("way", ["bubblewrap", "unshare"])
def test_files_are_the_locked_packages_and_the_work_alone(
    everything: LockedTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """All that is mounted where compilers run: whatever they open is from the lock, or was put into the work."""
    monkeypatch.setattr(enter, "way_in", lambda root: way)
    mounts = {}
    for line in everything.run(["cat", "/proc/self/mountinfo"], work(tmp_path)).splitlines():
        here, _, there = line.partition(" - ")
        source, point, options = here.split()[3:6]
        mounts[point] = (source, there.split()[0], "ro" in options.split(","))
    parts_of_proc = {point for point, (_, kind, read_only) in mounts.items() if point.startswith("/proc/") and kind == "proc" and read_only}
    assert mounts.keys() - DEVICES - parts_of_proc == {"/", "/build", "/proc", "/tmp"}
    (root, _, read_only), (build, _, _) = mounts["/"], mounts["/build"]
    assert str(everything.tree.folder).endswith(root) and len(Path(root).parts) > 2 and read_only
    assert str(work(tmp_path)).endswith(build) and len(Path(build).parts) > 2
    assert (mounts["/proc"][1], mounts["/tmp"][1]) == ("proc", "tmpfs")
    assert {entry.name for entry in everything.tree.folder.parent.iterdir()} == {"root", "sha256"}


@pytest.mark.parametrize("way", ["bubblewrap", "unshare"])
def test_a_status_and_what_was_said(everything: LockedTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(enter, "way_in", lambda root: way)
    with pytest.raises(BackendError, match=r"the work: sh failed \(status 7\): not so"):
        everything.run(["sh", "-c", "echo not so >&2; exit 7"], work(tmp_path), what="the work")
    with pytest.raises(BackendError, match=r"no-such-program failed .*No such file"):
        everything.run(["no-such-program"], work(tmp_path))


def test_tcc_needs_no_namespaces(small: LockedTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work(tmp_path) / "a.c").write_text("#include <stddef.h>\nlong long _start(long long a, long long b) { return a / b; }\n")
    made = set()
    for way in ("bubblewrap", "loader"):
        monkeypatch.setattr(enter, "way_in", lambda root, way=way: way)
        flags = ["-nostdlib", "-nostdinc", f"-I{INCLUDE}", "-static", "-o", "a"]
        small.run(["i386-tcc", *flags, "a.c", LIBTCC1], work(tmp_path))
        made.add((work(tmp_path) / "a").read_bytes())
    assert len(made) == 1


def test_a_cache_whose_name_has_a_space_gives_the_same_files(small: LockedTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TCC is run by the loader, its own files have names of this machine, and TCC names them as they are."""
    spaced = Cache(tmp_path / "a cache of mine")
    tcc = obtain_own_tcc(DebianPackages(Cache()))
    usual = build_loader(tcc, Cache())
    spaced.root.mkdir()
    (spaced.root / "parts").symlink_to(Cache().root / "parts")
    monkeypatch.setattr(enter, "way_in", lambda root: "loader")
    again = obtain_own_tcc(DebianPackages(spaced))
    assert again.sha256 == tcc.sha256 and [path.name for path in again.sources] == [path.name for path in tcc.sources]
    found = build_loader(again, spaced)
    assert (found.path.parent / "sources").read_text() == (usual.path.parent / "sources").read_text()
    assert found.sha256 == usual.sha256


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.o: a.c b.h \\\n /usr/c.h\n", ["a.c", "b.h", "/usr/c.h"]),
        ("a.o: a\\ b.c \\\n c\\#.h \\\n d.h\n", ["a b.c", "c#.h", "d.h"]),
        ("a.o: \\\n a b.c \\\n /c d/e.h\n", ["a b.c", "/c d/e.h"]),
        ("a.o: a.c\n", ["a.c"]),
        ("a.o: \\\n\n", []),
        (None, []),
    ],
)
def test_dependency_files_of_both_compilers(tmp_path: Path, text: str | None, names: list[str]) -> None:
    if text is not None:
        (tmp_path / "a.d").write_text(text)
    assert list(dependencies(tmp_path / "a.d")) == names


def test_no_way_leads_around_for_programs_that_run_others(everything: LockedTools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    enter.way_in.cache_clear()
    with pytest.raises(MissingToolError, match=r"bwrap is not installed; unshare is not installed$"):
        enter.way_in(everything.tree.folder)
    enter.way_in.cache_clear()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("way", ["bubblewrap", "unshare"])
def test_no_root_is_needed(small: LockedTools, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    folder = Path("/var/tmp", f"xboot-toolroot-{os.getpid()}-{way}")
    try:
        folder.mkdir(mode=0o755)
        shutil.copytree(small.tree.folder, folder / "root", symlinks=True)
        (folder / "work").mkdir()
        shutil.chown(folder / "work", 65534, 65534)
        shutil.copyfile(enter._INSIDE, folder / "inside.py")
        monkeypatch.setattr(enter, "_INSIDE", folder / "inside.py")
        monkeypatch.setattr(os, "geteuid", lambda: 65534)
        monkeypatch.setattr("sys.executable", "/usr/bin/python3")
        (folder / "work" / "a.c").write_text("int main(void) { return 0; }\n")
        command = enter._WAYS[way](folder / "root", folder / "work", "", enter.ENVIRONMENT, ["i386-tcc", "-c", "a.c", "-o", "a.o"])
        done = subprocess.run(command, capture_output=True, text=True, check=False, user=65534, group=65534, extra_groups=[])
        if "Operation not permitted" in done.stderr:
            pytest.skip("this machine allows its users no namespaces")
        assert done.returncode == 0, done.stderr
        assert (folder / "work" / "a.o").stat().st_uid == 65534
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------- this machine's compilers, by the same interface


def test_the_hosts_run_where_the_work_is(tmp_path: Path) -> None:
    host = HostTools({"sh": "dash"})
    (work(tmp_path) / "inner").mkdir()
    assert host.run(["pwd"], work(tmp_path), "inner").strip() == str(work(tmp_path) / "inner")
    assert host.folder(work(tmp_path)) == str(work(tmp_path))


def test_a_lock_without_the_group_says_so() -> None:
    with pytest.raises(Exception, match="no group 'toolroot'"):
        LockedTools(Cache(), ALL, Lock({}, {}, []))


def test_without_a_way_in_nothing_is_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who lacks a small program is told so at once, and not after some hundred megabytes."""
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(MissingToolError, match=r"bwrap is not installed; unshare is not installed$"):
        LockedTools(Cache(tmp_path / "cache")).run(["sh", "-c", "true"], tmp_path)
    assert not (tmp_path / "cache").exists()
