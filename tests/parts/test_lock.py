"""The lock: read, written, refused; and the one that xboot comes with."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from itertools import product
from pathlib import Path

import pytest
from a_mirror import deb

from xboot.errors import InputError
from xboot.guest import scheme
from xboot.parts import Group, Lock, Part, Suite, locked, read_lock, unpack, write_lock
from xboot.parts.index import Index
from xboot.parts.lock import LOCK, _loaded
from xboot.parts.update import changes, renewed
from xboot.parts.version import version_key
from xboot_hurd import kernel as hurd

GOOD = Part("tool", "amd64", "pool/main/t/tool/tool_1_amd64.deb", "1", "bookworm", "0" * 64, 5, ("images",))
GROUP = Group("images", 'what "goes" in', "bookworm", "amd64", ("tool",), True, ("other",), True)


def test_written_and_read(tmp_path: Path) -> None:
    lock = Lock({"bookworm": Suite("bookworm", "debian", "20260101T000000Z")}, {"images": GROUP}, [GOOD])
    write_lock(lock, tmp_path / "lock")
    assert read_lock(tmp_path / "lock") == lock


def test_lines_of_parts_are_what_toml_says_of_them() -> None:
    text = LOCK.read_text()
    head, first, *_ = text.split("\n[[part]]\n")
    part = f"\n[[part]]\n{first}"
    for other in (
        text,
        head + part,
        head,
        head + part.replace('"', "'"),
        head + part.replace("size = ", "size =  "),
        head + part.replace("size = ", "size = 1_"),
        head + part.replace("groups = [", 'groups = ["a", "b", '),
        head + part.replace("[[part]]", "[[part]] # one"),
        head + part + part.replace("[[part]]", "[[ part ]]"),
        f'{head}\nnote = """{part}"""\n',
        head + part.replace('name = "', 'name = "\\u0041\\t'),
        (head + part).replace("\n", "\r\n"),
        (head + part).rstrip("\n"),
    ):
        assert _loaded(other) == tomllib.loads(other), other
    for wrong in (
        head + part.replace("size = ", "size = 0"),
        head + part + "x\n",
        head + part * 2 + "[",
    ):
        with pytest.raises(tomllib.TOMLDecodeError):
            _loaded(wrong)


def test_the_lock_of_this_xboot(tmp_path: Path) -> None:
    lock = locked()
    write_lock(lock, tmp_path / "lock")
    assert (tmp_path / "lock").read_text() == LOCK.read_text(), "`xboot parts --update` writes it in another form"
    for group in lock.groups.values():
        for package in group.packages:
            assert lock.files(package, group.architecture), f"{package} is not in the lock: run `xboot parts --update`"
        assert group.suite in lock.suites and lock.suites[group.suite].date
    machines = {"bochs", "bochs-firmware", "v86", "v86-node", "ovmf", "uml"}  # what they are made of, and no usual image has
    machine = {part.name for part in lock.parts if set(part.groups) <= machines}
    assert {"bochs", "bochsbios", "vgabios", "nodejs", "v86", "ovmf", "user-mode-linux"} <= machine
    seeds = {"world", "world-amd64", "world-sources", "stress"}  # of an example, or of tests: in no kernel's image
    world = {part.path for part in lock.parts if set(part.groups) <= seeds}
    assert all(lock.optional(part) for part in lock.parts if part.path in world)
    assert {part.name for part in lock.parts if lock.optional(part) and part.path not in world} == machine
    needed = [part for part in lock.parts if part.architecture != "source" and part.name not in machine and part.path not in world]
    assert not any(lock.optional(part) for part in needed)
    assert len({part.path for part in lock.parts}) == len(lock.parts)
    assert not re.search(r"https?:|[a-z]+\.(org|com|net)\b", LOCK.read_text()), "the lock names a mirror"


def test_what_the_examples_recorded_is_what_is_locked() -> None:
    shas = {part.sha256 for part in locked().parts}
    for recorded in (Path(__file__).parents[2] / "examples").glob("*/recipe.lock"):
        for name, source in json.loads(recorded.read_text())["sources"].items():
            assert set(source.get("files", {}).values()) <= shas, f"{recorded}: {name} is not as locked: published hashes move"


def test_every_package_that_code_and_examples_ask_for_is_locked() -> None:
    wanted = {(name, "amd64") for name in (*scheme._LIBRARIES, "tcc", "libc6", "linux-libc-dev")}  # TCC compiles QEMU's guard, too
    wanted |= {(hurd.PACKAGES[0], "i386"), (f"{hurd.PACKAGES[0]}-dbg", "i386"), ("tcc", "source"), ("ocaml", "source")}
    wanted |= {
        ("bochs", "source"),
        ("bochsbios", "amd64"),
        ("vgabios", "amd64"),
        ("v86", "npm"),
        ("nodejs", "amd64"),
        ("ovmf", "amd64"),
        ("user-mode-linux", "amd64"),
    }
    for recipe in (Path(__file__).parents[2] / "examples").glob("*/recipe.toml"):
        for source in tomllib.loads(recipe.read_text()).get("source", {}).values():
            if source["type"] in ("debian", "debian-source"):
                wanted.add((source["package"], "source" if source["type"] == "debian-source" else source.get("architecture", "amd64")))
    assert {("busybox-static", "i386"), ("mes", "source")} <= wanted
    assert [(name, architecture) for name, architecture in sorted(wanted) if not locked().files(name, architecture)] == []
    for pattern in (r"^linux-source-[0-9.]+$", r"^linux-image-[0-9][0-9.]*-[0-9]+-cloud-amd64$"):  # as the linux backend searches
        assert any(re.match(pattern, part.name) for part in locked().parts)


def test_found_by_name_and_architecture() -> None:
    sources = [Part("tool", "source", f"pool/main/t/tool/tool_1.orig{n}.tar.gz", "1", "bookworm", n * 64, 1) for n in "12"]
    every = Part("doc", "all", "pool/main/d/doc/doc_1_all.deb", "1", "bookworm", "3" * 64, 1)
    lock = Lock({}, {"images": GROUP}, [GOOD, *sources, every])
    assert lock.find("tool") == GOOD and lock.files("tool", "source") == sources and lock.find("doc", "i386") == every
    assert lock.group("images") == [GOOD]
    for name, architecture, said in (("tool", "i386", "has no tool:i386"), ("tool", "source", "has 2 files for tool:source")):
        with pytest.raises(InputError, match=said):
            lock.find(name, architecture)
    with pytest.raises(InputError, match="no group 'none'"):
        lock.group("none")


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha256", "0" * 63), ("sha256", "F" * 64), ("path", "../etc/passwd"), ("path", "pool/../x"),
     ("size", "5"), ("size", "0"), ("size", "true"),
     ("architecture", "sparc"), ("name", "../x"), ("suite", ""), ("version", "1\\n2"), ("other", "x")],
)  # fmt: skip
def test_a_lock_that_is_none(tmp_path: Path, field: str, value: str) -> None:
    path = tmp_path / "lock"
    write_lock(Lock({}, {}, [GOOD]), path)
    quoted = value if field == "size" and value in ("0", "true") else f'"{value}"'
    text = re.sub(rf"(?m)^{field} = .*\n", "", path.read_text()) + f"{field} = {quoted}\n"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(f"{path}: not a lock of parts: ")):
        read_lock(path)


def test_a_lock_of_another_version(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("version = 2\n")
    with pytest.raises(InputError, match="expected `version = 1`"):
        read_lock(tmp_path / "lock")


# ---------------------------------------------------------------- unpacking


def test_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "a.deb"
    file.write_bytes(deb(("./", None), ("./usr/bin/", None), ("./usr/bin/tool", b"x"), ("./usr/bin/t", "tool"), ("./lib", "/usr/lib")))
    root = tmp_path / "root"
    root.mkdir()
    for _ in range(2):  # twice: what stands there is replaced
        unpack(file, root)
    assert (root / "usr/bin/tool").read_bytes() == b"x" and (root / "usr/bin/tool").stat().st_mode & 0o7777 == 0o755
    assert (root / "usr/bin/tool").stat().st_mtime == 1
    assert (root / "usr/bin/t").readlink() == Path("tool") and (root / "lib").readlink() == Path("/usr/lib")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no ar", "not a Debian package"),
        (deb(("./x", b"1"))[:-40], "damaged, or not a Debian package"),
        (deb(("./x", b"1"), data="data.tar.zst"), "of compressions only xz and gzip are known"),
        (deb(("./x", b"1"), data="other.tar.xz"), "has no data.tar"),
        (deb(("../x", b"1")), "leads out of the package"),
        (deb(("/x", b"1")), "leads out of the package"),
        (deb(("./a", "/tmp"), ("./a/x", b"1")), "which is a link or a file"),
        (deb(("./a", None), ("./a/b", None), ("./a", "/tmp"), ("./a/x", b"1")), "which is a link or a file"),
        (deb(("./a", b""), ("./a/x", b"1")), "which is a link or a file"),
    ],
)
def test_a_package_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.deb").write_bytes(content)
    (tmp_path / "root").mkdir()
    with pytest.raises(InputError, match=said):
        unpack(tmp_path / "a.deb", tmp_path / "root")


# ---------------------------------------------------------------- what an index offers


VERSIONS = ("1", "1:1", "1.0~rc1", "1.0", "1.0-1", "1.0-1+b1", "1.0+git2", "1.0a", "2:0", "1.0~~", "1.0-0.1~deb12u1", "10.0", "9.9", "1.05")


def test_the_order_of_versions_is_dpkgs() -> None:
    ordered = sorted(VERSIONS, key=version_key)
    # as `dpkg --compare-versions` has it
    assert ordered == [
        "1",
        "1.0~~",
        "1.0~rc1",
        "1.0",
        "1.0-0.1~deb12u1",
        "1.0-1",
        "1.0-1+b1",
        "1.0a",
        "1.0+git2",
        "1.05",
        "9.9",
        "10.0",
        "1:1",
        "2:0",
    ]


@pytest.mark.apt
def test_the_order_of_versions_against_dpkg() -> None:
    for a, b in product(VERSIONS, VERSIONS):
        said = subprocess.run(["dpkg", "--compare-versions", a, "lt", b], check=False).returncode == 0
        assert said == (version_key(a) < version_key(b)), (a, b)


def stanza(name: str, version: str = "1", **fields: str) -> dict[str, str]:
    path = f"pool/main/{name[0]}/{name}/{name}_{version}_amd64.deb"
    return {"package": name, "version": version, "architecture": "amd64", "filename": path, "sha256": version[0] * 64, "size": "7"} | fields


OFFER = [
    stanza("tool", depends="libc (>= 2) | musl, awk, shell:any", pre_depends=""),
    stanza("tool", "2", **{"depends": "libc (>= 2), awk,\n shell:any | none", "pre-depends": "first"}),
    stanza("first"), stanza("libc", depends="tool"), stanza("mawk", provides="awk (= 1)"),
    stanza("gawk", provides="awk"), stanza("shell", depends="big"),
    stanza("big", depends="nothing"),
]  # fmt: skip


def lock_of(group: Group) -> Lock:
    return Lock({"bookworm": Suite("bookworm")}, {group.name: group}, [])


def test_a_group_with_all_that_it_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Index, "stanzas", lambda self, architecture: iter(OFFER))
    monkeypatch.setattr("xboot.parts.update.read_index", lambda suite: Index(suite, "20260101T000000Z", "", {}))
    group = Group("g", "", "bookworm", "amd64", ("tool", "mawk"), dependencies=True, without=("big",))
    new = renewed(lock_of(group), lambda text: None)
    assert [part.name for part in new.parts] == ["first", "libc", "mawk", "shell", "tool"]
    assert new.find("tool").version == "2" and new.suites["bookworm"].date == "20260101T000000Z"
    assert [str(change) for change in changes(lock_of(group), new)][-1] == "tool amd64: new -> 2"
    assert changes(new, new) == []
    for bad, said in (
        (Group("g", "", "bookworm", "amd64", ("none",)), "has no package none for amd64"),
        (Group("g", "", "bookworm", "amd64", ("big",), True), "big depends on nothing, which the suite does not have"),
    ):
        with pytest.raises(InputError, match=said):
            renewed(lock_of(bad), lambda text: None)
