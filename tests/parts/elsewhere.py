"""xboot as on another machine: another user, host name and folder, no network, an empty cache; and a record of what it reads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SOURCES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["dev-mode-dirs"]
_YEARS_AHEAD = 2_000_000_000

# Becomes the machine: without a network, of another name, with another umask; then another user.
_BECOME = """
import os, socket, sys
socket.sethostname("elsewhere")
os.umask(0o077)
os.execvp("unshare", ["unshare", "--map-user=54321", "--map-group=54321", "--", *sys.argv[1:]])
"""
ALONE = ["unshare", "--map-root-user", "--net", "--uts", "--", sys.executable, "-c", _BECOME]
"""The words before a command that make it run there."""

# Runs xboot, and writes down each file that it opens and each program that it starts. A file that is made and removed is its own.
_WATCHED = """
import os, runpy, sys
record = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
seen = set()
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        line = "file " + os.path.realpath(os.fsdecode(arguments[0]))
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        line = "program " + os.fsdecode(arguments[0])
    else:
        return
    if line not in seen:
        seen.add(line)
        os.write(record, (line + chr(10)).encode(errors="surrogateescape"))
sys.addaudithook(watch)
sys.argv[0] = "xboot"
runpy.run_module("xboot", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Elsewhere:
    """What a command there printed, the files that it opened (real paths), the programs that it started, and its own folders."""

    printed: str
    files: set[Path]
    programs: set[str]
    own: Sequence[Path]


def run_elsewhere(folder: Path, kit: Path, *arguments: str) -> Elsewhere:
    """Run `xboot ARGUMENTS` there, from a copy of this repository's sources below `folder`, with parts from `kit` alone."""
    place = folder / "another place, of another depth" / "and with a longer name"
    sources = [_copied(ROOT / name, place / "sources" / name) for name in _SOURCES]
    (place / "home").mkdir()
    libraries = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(place / "home"), "XBOOT_CACHE": str(place / "cache"), "XBOOT_STORE": str(place / "store"),
        "XBOOT_MIRROR": f"{kit}\n", "PYTHONPATH": os.pathsep.join([*map(str, sources), *libraries]), "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "tr_TR.UTF-8", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1700000000", "CFLAGS": "-O3", "C_INCLUDE_PATH": "/usr/include",
        "KBUILD_BUILD_USER": "somebody", "OCAMLPATH": "/nowhere", "TMPDIR": str(place / "home"),
    }  # fmt: skip
    done = subprocess.run(
        [*ALONE, sys.executable, "-c", _WATCHED, str(place / "record"), *arguments], cwd=place, env=environment,
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split(" ", 1) for line in (place / "record").read_text(errors="surrogateescape").splitlines()]
    files, programs = ({rest for word, rest in lines if word == kind} for kind in ("file", "program"))
    return Elsewhere(done.stdout, set(map(Path, files)), programs, [place, kit])


def namespaces() -> bool:
    """Whether this machine allows these tests a user of their own, and a network that leads nowhere."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0


def _copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"), copy_function=shutil.copyfile)
    for path in target.rglob("*"):
        os.utime(path, (_YEARS_AHEAD, _YEARS_AHEAD))
    return target
