"""`xboot doctor` proposes the command of this distribution, and only packages that this release has."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from xboot.backend import Backend
from xboot.cli import distribution, doctor
from xboot.cli.distribution import Distribution, offered, this_distribution
from xboot.model import BackendInfo, Need
from xboot.parts.places import Archive
from xboot.plugins import Plugins
from xboot.testing import FakeBackend, FakeMachine
from xboot.toolroot import WALLS


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "debian"),
        ("ID=ubuntu\nID_LIKE=debian\n", "debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("ID=arch\n", "arch"),
        ("ID=nixos\n", "nix"),
        ("ID=guix\n", "guix"),
        ("ID=plan9\n", None),
        ("not = 'closed", None),
    ],
)
def test_the_distribution_is_read(tmp_path: Path, text: str, family: str | None) -> None:
    (tmp_path / "os-release").write_text(text)
    found = this_distribution(tmp_path / "os-release")
    assert (found and found.family) == family


def backend(*needs: Need) -> Backend:
    made = FakeBackend("linux")
    made.info = BackendInfo("linux", "a test", ("i686-linux",), contract=2, needs=needs)  # type: ignore[misc]
    return made


def examined(monkeypatch: pytest.MonkeyPatch, family: str, there: set[str], *needs: Need) -> tuple[int, str]:
    monkeypatch.setattr(doctor, "NEEDS", ())
    monkeypatch.setattr(doctor, "_parts", lambda console: True)
    monkeypatch.setattr(doctor, "offered", lambda distribution, packages: set(packages) & there)
    plugins = Plugins()
    plugins.add(backend(*needs), "test:linux")
    plugins.add(FakeMachine("qemu"), "test:qemu")
    assert not plugins.broken
    console = Console(file=io.StringIO(), width=300)
    status = doctor.examine(console, plugins, Distribution(family, "Testix 1"))
    return status, console.file.getvalue()  # type: ignore[attr-defined]


PACKAGES = {"debian": "deb-thing", "fedora": "rpm-thing"}


def test_the_command_is_that_of_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    need = Need("no-such-program", "builds things", PACKAGES)
    status, said = examined(monkeypatch, "fedora", {"rpm-thing"}, need)
    assert status == 4
    assert "missing  backend linux: no-such-program: builds things" in said
    assert "to mend it: dnf install rpm-thing" in said
    status, said = examined(monkeypatch, "debian", {"deb-thing"}, need)
    assert "to mend it: apt-get install --no-install-recommends deb-thing" in said


def test_no_package_is_proposed_that_this_release_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    need = Need("no-such-program", "compares", PACKAGES, optional=True)
    status, said = examined(monkeypatch, "debian", set(), need)
    assert status == 0
    assert "install" not in said
    assert "no package of Testix 1 is known to hold no-such-program" in said


def test_apt_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "apt-cache"
    program.write_text(
        "#!/bin/sh\nprintf 'bc:\\n  Installed: (none)\\n  Candidate: 1.07\\n  Version table:\\n     1.07 500\\n'\n"
        "printf 'guix:\\n  Installed: (none)\\n  Candidate: (none)\\n  Version table:\\n'\n"
    )
    program.chmod(0o755)
    real = distribution.subprocess.run
    monkeypatch.setattr(distribution.shutil, "which", lambda name: str(program))
    monkeypatch.setattr(distribution.subprocess, "run", lambda command, **more: real([str(program), *command[1:]], **more))
    assert offered(Distribution("debian", "Debian"), ["bc", "guix", "unheard-of"]) == {"bc"}
    program.write_text("#!/bin/sh\nprintf 'guix:\\n  Installed: (none)\\n  Candidate: (none)\\n  Version table:\\n'\n")
    monkeypatch.setattr(distribution, "_LISTS", tmp_path)
    assert offered(Distribution("debian", "Debian"), ["guix"]) == {"guix"}, "apt knows of nothing: its lists are empty"
    (tmp_path / "a_mirror_dists_bookworm_main_binary-amd64_Packages").touch()
    assert offered(Distribution("debian", "Debian"), ["guix"]) == set()
    assert offered(Distribution("arch", "Arch"), ["bc", "guix"]) == {"bc", "guix"}


@pytest.mark.parametrize(
    ("mirror", "archives", "snapshot", "status", "said"),
    [
        ("", [], "", False, "from nowhere"),
        ("", [], "", False, "to mend it: XBOOT_MIRROR=PLACE"),
        ("http://a.invalid http://b.invalid", [], "", True, "from 2 that XBOOT_MIRROR names"),
        (
            "",
            [Archive("http://a.invalid/debian", "trixie"), Archive("http://a.invalid/debian", "sid")],
            "",
            True,
            "from 1 of apt's mirrors",
        ),
        ("", [], "http://a.invalid", True, "from the snapshot archive that XBOOT_SNAPSHOT names"),
        ("/not/there", [], "", False, "broken   parts: /not/there: neither a folder"),
    ],
)
def test_where_parts_come_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mirror: str, archives: list[Archive], snapshot: str, status: bool, said: str
) -> None:
    for name, value in {"CACHE": str(tmp_path), "MIRROR": mirror, "SNAPSHOT": snapshot}.items():
        monkeypatch.setenv(f"XBOOT_{name}", value)
    monkeypatch.setattr(doctor, "apt_archives", lambda: archives)
    console = Console(file=io.StringIO(), width=300)
    assert doctor._parts(console) == status
    assert said in console.file.getvalue()  # type: ignore[attr-defined]


def test_parts_that_are_all_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "apt_archives", lambda: [])
    monkeypatch.setattr(doctor, "at_hand", lambda part, cache: True)
    console = Console(file=io.StringIO(), width=300)
    assert doctor._parts(console)
    assert "at hand\n" in console.file.getvalue()  # type: ignore[attr-defined]


FAMILIES = ("debian", "fedora", "arch", "nix", "guix")
NOT_PACKAGED = {("arch", "guix")}  # of what is optional


@pytest.mark.parametrize("family", FAMILIES)
def test_every_distribution_has_packages_for_all_that_is_needed(family: str) -> None:
    """By core, machines and all four backends; a backend that compiles needs what keeps its compilers apart."""
    plugins = Plugins.load()
    needs = {"core": doctor.NEEDS} | {name: machine.machine.info.needs for name, machine in plugins.machines.items()}
    needs |= {name: backend.info.needs for name, backend in plugins.backends.items()}
    assert needs.keys() >= {"core", "qemu", "hurd", "linux", "mirage", "tccboot"}
    required = [need for some in needs.values() for need in some if not need.optional]
    assert [need.program for need in required if not need.packages.get(family)] == []
    assert {(family, need.program) for some in needs.values() for need in some if not need.packages.get(family)} <= NOT_PACKAGED
    assert all(WALLS in needs[name] for name in ("linux", "mirage"))  # their compilers run in namespaces; TCC needs none
    command = Distribution(family, "Testix").command([need.packages[family] for need in required])
    assert {"qemu", "bubblewrap", "util-linux"} <= {word.removesuffix("-system-x86") for word in command.split()}


def test_programs_that_the_core_starts_are_needs_or_are_done_without() -> None:
    """Each program that the code looks for on this machine is a need, or has something else in its place."""
    plugins = Plugins.load()
    known = {need.program for need in doctor.NEEDS}
    known |= {need.program for some in (*plugins.machines.values(),) for need in some.machine.info.needs} | {WALLS.program}
    instead = {"unshare", "sqv", "apt-cache", "apt-config", "diffoscope"}
    root = Path(doctor.__file__).parents[3]
    looked_for = {
        name
        for path in (*(root / "core" / "xboot").rglob("*.py"), *(root / "plugins").rglob("*.py"))
        for name in re.findall(r"which\(\"([\w-]+)\"\)", path.read_text())
        if "testing" not in path.parts
    }
    assert {"bwrap", "nix-store", "qemu-system-x86_64"} <= looked_for
    assert looked_for - known - instead == set()
